//! The cookies that pages set. No script reads them, and no foreign page sends them along with a form.

use axum::response::Response;
use cookie::{Cookie, CookieBuilder, SameSite};
use gateway::cookies::session_name;
use http::{HeaderMap, HeaderValue, header};
use time::{Duration, OffsetDateTime};

use crate::site::Site;

/// How long a sign-in at a provider may take, as long as the model remembers it.
const ATTEMPT: Duration = Duration::minutes(10);
/// How long a notice waits for the page that shows it.
const NOTICE: Duration = Duration::minutes(1);

/// What a cookie is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Carries the session.
    Session,
    /// Carries what the forms of somebody without a session are proved with.
    Form,
    /// Carries a sign-in at a provider that is under way.
    Attempt,
    /// Carries what the next page says has happened.
    Notice,
}

impl Kind {
    /// What it is called. A name with a prefix is taken by browsers over HTTPS only (RFC 6265bis, §4.1.3).
    const fn name(self, is_secure: bool) -> &'static str {
        match (self, is_secure) {
            (Self::Session, _) => session_name(is_secure),
            (Self::Form, false) => "_entrepot_form",
            (Self::Form, true) => "__Host-_entrepot_form",
            (Self::Attempt, false) => "_entrepot_attempt",
            (Self::Attempt, true) => "__Host-_entrepot_attempt",
            (Self::Notice, false) => "_entrepot_notice",
            (Self::Notice, true) => "__Host-_entrepot_notice",
        }
    }

    /// The value of the cookie, as the browser sends it.
    pub(crate) fn read(self, site: &Site, headers: &HeaderMap) -> Option<String> {
        gateway::cookies::value(headers, self.name(site.is_secure))
    }

    fn cookie(self, site: &Site, value: String) -> CookieBuilder<'static> {
        Cookie::build((self.name(site.is_secure), value))
            .path("/")
            .http_only(true)
            .secure(site.is_secure)
            .same_site(SameSite::Lax)
    }

    /// Sets the cookie, for as long as its kind is good.
    pub(crate) fn set(self, site: &Site, value: String, response: &mut Response) {
        let cookie = self.cookie(site, value);
        let cookie = match self {
            // For as long as the browser runs.
            Self::Session | Self::Form => cookie,
            Self::Attempt => cookie.max_age(ATTEMPT),
            Self::Notice => cookie.max_age(NOTICE),
        };
        append(&cookie.build(), response);
    }

    /// Removes the cookie.
    pub(crate) fn clear(self, site: &Site, response: &mut Response) {
        append(&self.cookie(site, String::new()).max_age(Duration::ZERO).build(), response);
    }

    /// Whether `response` says something about this cookie.
    pub(crate) fn is_named_in(self, site: &Site, response: &Response) -> bool {
        let start = format!("{}=", self.name(site.is_secure));
        let cookies = response.headers().get_all(header::SET_COOKIE);
        cookies.iter().any(|cookie| cookie.as_bytes().starts_with(start.as_bytes()))
    }
}

/// Sets the cookie of a session, until the session ends at the latest.
pub(crate) fn set_session(site: &Site, secret: String, ends: OffsetDateTime, response: &mut Response) {
    append(&Kind::Session.cookie(site, secret).expires(ends).build(), response);
}

fn append(cookie: &Cookie<'_>, response: &mut Response) {
    let Ok(value) = HeaderValue::try_from(cookie.to_string()) else {
        tracing::error!(
            cookie.name = cookie.name(),
            "a cookie cannot be set: its value is no text of a header"
        );
        return;
    };
    response.headers_mut().append(header::SET_COOKIE, value);
}
