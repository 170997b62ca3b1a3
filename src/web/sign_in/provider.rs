//! Signing in with a provider: away to its page, and back.

use axum::response::Response;
use domain::{ErrorCode, Failure};
use http::{Method, StatusCode};
use url::{Url, form_urlencoded};

use super::{
    WebBeginProviderSignIn, WebCompleteProviderSignIn, page, signed_in, user_agent,
    view::{Attempted, Leave},
    web_begin_provider_sign_in, web_complete_provider_sign_in, wrong,
};
use crate::{
    cookies::Kind,
    form::Form,
    frame::{Frame, html},
    local_path::LocalPath,
    pages::Visit,
};

/// A sign-in under way, as the browser keeps it.
#[derive(Debug, PartialEq, Eq)]
struct Attempt {
    secret: String,
    target: Option<LocalPath>,
}

impl Attempt {
    fn to_cookie(&self) -> String {
        let mut fields = form_urlencoded::Serializer::new(String::new());
        fields.append_pair("attempt", &self.secret);
        if let Some(target) = &self.target {
            fields.append_pair("redirect_to", target.as_str());
        }
        fields.finish()
    }

    fn from_cookie(cookie: &str) -> Option<Self> {
        let field = |name: &str| {
            form_urlencoded::parse(cookie.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value)
        };
        let target = field("redirect_to").and_then(|target| LocalPath::parse(&target));
        Some(Self { secret: field("attempt")?.into_owned(), target })
    }
}

/// What providers answer instead of a code (RFC 6749 §4.1.2.1, OpenID Connect Core 1.0 §3.1.2.6).
const ERRORS: &[&str] = &[
    "access_denied",
    "account_selection_required",
    "consent_required",
    "interaction_required",
    "invalid_request",
    "invalid_scope",
    "login_required",
    "server_error",
    "temporarily_unavailable",
    "unauthorized_client",
    "unsupported_response_type",
];

/// Begins. The answer is a page that goes on by itself, not a redirect: the policy of our pages lets forms lead nowhere else.
pub(super) async fn begin(visit: Visit, form: Form) -> Result<Response, Failure> {
    let provider = visit.call.param("provider").to_owned();
    let input = web_begin_provider_sign_in::BeginProviderSignInInput { provider };
    let begun =
        visit.call.run::<WebBeginProviderSignIn>(web_begin_provider_sign_in::Variables { input }).await?;
    let begun = begun.begin_provider_sign_in.ok_or_else(Failure::internal)?;
    let address = Url::parse(&begun.authorization_url).map_err(|_| Failure::internal())?;
    let frame = Frame::bare(&visit.site, "Signing in");
    let mut response = html(StatusCode::OK, &Leave::new(frame, &address))?;
    let attempt = Attempt { secret: begun.attempt, target: form.target() };
    Kind::Attempt.set(&visit.site, attempt.to_cookie(), &mut response);
    Ok(response)
}

/// Comes back. Whatever comes of it, the attempt is over.
pub(super) async fn complete(visit: Visit) -> Result<Response, Failure> {
    if visit.call.method == Method::HEAD {
        return Err(Failure::new(ErrorCode::Unsupported, "A sign-in is completed with GET"));
    }
    let cookie = Kind::Attempt.read(&visit.site, &visit.call.headers);
    let attempt = cookie.as_deref().and_then(Attempt::from_cookie);
    let target = attempt.as_ref().and_then(|attempt| attempt.target.clone());
    let mut response = match exchange(&visit, attempt).await {
        Ok(begun) => signed_in(&visit, begun.session, &begun.expires_at, target)?,
        Err(failure) => {
            let (status, message) = wrong(failure)?;
            if !visit.call.session.is_anonymous() {
                return Err(Failure::new(ErrorCode::Invalid, message));
            }
            page(&visit, status, Attempted { target, complaint: Some(message), ..Attempted::default() })
                .await?
        }
    };
    Kind::Attempt.clear(&visit.site, &mut response);
    Ok(response)
}

/// A session for what the provider has sent the browser back with (RFC 6749 §4.1.2).
async fn exchange(
    visit: &Visit,
    attempt: Option<Attempt>,
) -> Result<web_complete_provider_sign_in::WebCompleteProviderSignInCompleteProviderSignIn, Failure> {
    let answered = |name: &str| visit.call.query.get(name).map(ToOwned::to_owned);
    if let Some(error) = answered("error") {
        // Whoever sends the browser here chooses the words: only those of the standard are repeated.
        let why = ERRORS.iter().find(|known| **known == error).map(|known| format!(" ({known})"));
        let why = why.unwrap_or_default();
        let message = format!("The provider did not sign you in{why}. Try again, or choose another way");
        return Err(Failure::forbidden(message));
    }
    let (Some(attempt), Some(state), Some(code)) = (attempt, answered("state"), answered("code")) else {
        return Err(Failure::forbidden(
            "This sign-in was begun in another browser, or took more than ten minutes. Begin again here",
        ));
    };
    let input = web_complete_provider_sign_in::CompleteProviderSignInInput {
        attempt: attempt.secret,
        state,
        code,
        issuer: answered("iss"),
        provider: visit.call.param("provider").to_owned(),
        user_agent: user_agent(&visit.call),
    };
    let variables = web_complete_provider_sign_in::Variables { input };
    let done = visit.call.run::<WebCompleteProviderSignIn>(variables).await?;
    done.complete_provider_sign_in.ok_or_else(Failure::internal)
}

#[cfg(test)]
mod tests {
    use super::{Attempt, LocalPath};

    #[test]
    fn an_attempt_survives_its_cookie() {
        for target in [None, LocalPath::parse("/a?b=c&d=%26")] {
            let attempt = Attempt { secret: "a-b_c".to_owned(), target };
            let cookie = attempt.to_cookie();
            assert!(!cookie.contains([';', ',', ' ', '"']), "{cookie}");
            assert_eq!(Attempt::from_cookie(&cookie), Some(attempt));
        }
        assert_eq!(Attempt::from_cookie("redirect_to=/x"), None);
        let led_away = Attempt::from_cookie("attempt=a&redirect_to=//evil.test").expect("an attempt");
        assert_eq!(led_away.target, None);
    }
}
