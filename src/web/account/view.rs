//! What the page of the account shows.

use askama::Template;
use gateway::scalars::number_of;

use super::web_account::{WebAccountCurrentUser as User, WebAccountSignInOptions as Options};
use crate::{
    frame::{Frame, Visitor},
    shown::instant,
};

/// A part of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// The password.
    Password,
    /// Where one is signed in.
    Sessions,
    /// Accounts at providers.
    Identities,
}

/// Why something did not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    /// Where it is said.
    pub(super) section: Section,
    /// What is said.
    pub(super) message: String,
}

/// Somewhere the user is signed in.
struct Session {
    number: i64,
    browser: String,
    created_at: String,
    last_used_at: Option<String>,
    expires_at: String,
    is_current: bool,
}

/// An account at a provider.
struct Identity {
    number: i64,
    label: String,
    created_at: String,
}

/// A provider that could be linked.
struct Provider {
    name: String,
    label: String,
}

/// The page of the account.
#[derive(Template)]
#[template(path = "account/page.html")]
pub(super) struct Page {
    frame: Frame,
    username: String,
    name: String,
    email: Option<String>,
    takes_passwords: bool,
    has_password: bool,
    sessions: Vec<Session>,
    identities: Vec<Identity>,
    providers: Vec<Provider>,
    complaint: Option<Complaint>,
}

impl Page {
    /// The page of `user`.
    pub(super) fn new(frame: Frame, user: User, options: Options, complaint: Option<Complaint>) -> Self {
        let linked = user.identities.unwrap_or_default();
        let providers = options.providers.into_iter();
        let providers =
            providers.filter(|provider| linked.iter().all(|known| known.provider != provider.name));
        Self {
            frame,
            username: user.username,
            name: user.name,
            email: user.email,
            takes_passwords: options.passwords,
            has_password: user.password_set.unwrap_or(false),
            providers: providers
                .map(|provider| Provider { name: provider.name, label: provider.label })
                .collect(),
            sessions: user
                .sessions
                .unwrap_or_default()
                .into_iter()
                .map(|session| Session {
                    number: number_of(&session.id).unwrap_or_default(),
                    browser: session.user_agent.unwrap_or_else(|| "An unnamed browser".to_owned()),
                    created_at: instant(&session.created_at),
                    last_used_at: session.last_used_at.as_deref().map(instant),
                    expires_at: instant(&session.expires_at),
                    is_current: session.current,
                })
                .collect(),
            identities: linked
                .into_iter()
                .map(|identity| Identity {
                    number: number_of(&identity.id).unwrap_or_default(),
                    label: identity.label,
                    created_at: instant(&identity.created_at),
                })
                .collect(),
            complaint,
        }
    }

    /// What went wrong in a part of the page.
    fn complaint_in(&self, section: Section) -> Option<&str> {
        self.complaint
            .as_ref()
            .filter(|complaint| complaint.section == section)
            .map(|complaint| complaint.message.as_str())
    }
}
