//! Cookies as browsers send them.

use cookie::Cookie;
use http::{HeaderMap, header};

/// The value of the first cookie called `name`.
pub fn value(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == name)
        .map(|cookie| cookie.value().to_owned())
}

/// What the cookie is called that carries a session. Over HTTPS the name says that it was set by this very host and over
/// HTTPS, and browsers see to that (RFC 6265bis, §4.1.3.2).
pub const fn session_name(is_secure: bool) -> &'static str {
    if is_secure { "__Host-_entrepot_session" } else { "_entrepot_session" }
}
