//! What the page of the tokens shows.

use askama::Template;
use domain::{Failure, Scope};
use gateway::scalars::number_of;
use time::{Date, macros::format_description};
use url::form_urlencoded;

use super::web_access_tokens::WebAccessTokensCurrentUserPersonalAccessTokens as Tokens;
use crate::{
    form::Form,
    frame::{Frame, Visitor},
    shown::instant,
};

/// A token as somebody filled in the form for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    /// What it is to be called.
    pub(super) name: String,
    /// How far it is to go.
    pub(super) scopes: Vec<String>,
    /// The first day on which it is not to count any more.
    expires_at: String,
}

impl Draft {
    /// The draft that a form holds.
    pub(super) fn of(form: &Form) -> Self {
        Self {
            name: form.text("name").trim().to_owned(),
            scopes: form.texts("scopes"),
            expires_at: form.filled("expires_at").unwrap_or_default(),
        }
    }

    /// The day, if one was given. A browser without a field for days sends any text.
    pub(super) fn day(&self) -> Result<Option<String>, Failure> {
        if self.expires_at.is_empty() {
            return Ok(None);
        }
        match Date::parse(&self.expires_at, format_description!("[year]-[month]-[day]")) {
            Ok(_) => Ok(Some(self.expires_at.clone())),
            Err(_) => {
                let message = format!("'{}' is no day: write it like 2027-01-31", self.expires_at);
                Err(Failure::invalid("expiresAt", message))
            }
        }
    }
}

/// What came of the form.
pub(super) enum Outcome {
    /// It was not sent.
    Nothing,
    /// A token with this secret.
    Made(String),
    /// This complaint.
    Refused(String),
}

/// A scope to choose.
struct Choice {
    name: &'static str,
    meaning: &'static str,
    is_chosen: bool,
}

/// A token that counts.
struct Token {
    number: i64,
    name: String,
    scopes: String,
    is_limited: bool,
    created_at: String,
    last_used_at: Option<String>,
    expires_at: Option<String>,
}

/// The page of the tokens.
#[derive(Template)]
#[template(path = "tokens/page.html")]
pub(super) struct Page {
    frame: Frame,
    outcome: Outcome,
    draft: Draft,
    choices: Vec<Choice>,
    tokens: Vec<Token>,
    is_first: bool,
    /// The query of the address of the next page.
    next: Option<String>,
}

impl Page {
    /// The page with these tokens.
    pub(super) fn new(frame: Frame, answer: Tokens, is_first: bool, draft: Draft, outcome: Outcome) -> Self {
        let choices = Scope::PERSONAL.iter().map(|scope| Choice {
            name: scope.name(),
            meaning: meaning(*scope),
            is_chosen: draft.scopes.iter().any(|chosen| chosen == scope.name()),
        });
        let page = answer.page_info;
        let next = page.end_cursor.filter(|_| page.has_next_page);
        Self {
            choices: choices.collect(),
            tokens: answer
                .nodes
                .into_iter()
                .map(|token| Token {
                    number: number_of(&token.id).unwrap_or_default(),
                    name: token.name,
                    scopes: token.scopes.join(", "),
                    is_limited: !token.limits.is_empty(),
                    created_at: instant(&token.created_at),
                    last_used_at: token.last_used_at.as_deref().map(instant),
                    expires_at: token.expires_at,
                })
                .collect(),
            next: next.map(|next| {
                form_urlencoded::Serializer::new(String::new()).append_pair("after", &next).finish()
            }),
            frame,
            outcome,
            draft,
            is_first,
        }
    }
}

/// What a scope opens.
const fn meaning(scope: Scope) -> &'static str {
    match scope {
        Scope::Api => "Everything you may do",
        Scope::ReadApi => "Everything you may read",
        Scope::ReadUser => "Your own profile",
        Scope::ReadPackageRegistry => "See and pull packages",
        Scope::WritePackageRegistry => "Publish packages, see and pull them",
        Scope::ReadRepository | Scope::ReadRegistry | Scope::WriteRegistry => "Nothing here",
    }
}
