//! What stands around every page, and how a page becomes an answer.

use askama::Template;
use axum::{body::Body, response::Response};
use domain::Failure;
use gateway::CsrfToken;
use http::{HeaderValue, StatusCode, header};

use crate::{assets::STYLESHEET, local_path::LocalPath, notice::Notice, pages::Visit, site::Site};

/// What a page may load and who may show it: our stylesheet, nobody. Forms go to this site alone: browsers keep that for what the
/// answer to a form redirects to as well, so that a provider of sign-ins is reached from a page of its own (`sign_in/leave.html`).
const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Whom the head of a page is for.
#[derive(Debug)]
pub(crate) enum Visitor {
    /// It does not matter: the page tells why there is no other, or asks.
    Unknown,
    /// Somebody who is not signed in.
    Anonymous,
    /// A user, by name.
    User(String),
}

/// What stands around a page.
#[derive(Debug)]
pub(crate) struct Frame {
    /// What the page is called.
    pub(crate) title: &'static str,
    /// What addresses of pages start with.
    pub(crate) base: String,
    /// Whom it is for.
    pub(crate) visitor: Visitor,
    /// What proves its forms, and requests of its scripts.
    pub(crate) csrf_token: Option<String>,
    /// What has happened.
    pub(crate) notice: Option<&'static str>,
}

impl Frame {
    /// The frame of a page that tells why there is no other.
    pub(crate) fn bare(site: &Site, title: &'static str) -> Self {
        let base = site.base().to_owned();
        Self { title, base, visitor: Visitor::Unknown, csrf_token: None, notice: None }
    }

    /// The frame of a page for a user, or for somebody who is not signed in.
    pub(crate) fn new(visit: &Visit, title: &'static str, username: Option<String>) -> Self {
        Self {
            visitor: username.map_or(Visitor::Anonymous, Visitor::User),
            csrf_token: visit.call.session.csrf_token().map(|token| token.as_str().to_owned()),
            notice: Notice::of(&visit.site, &visit.call.headers).map(Notice::text),
            ..Self::bare(&visit.site, title)
        }
    }

    /// The frame of the page to sign in on, whose forms are proved by `token`.
    pub(crate) fn to_sign_in(visit: &Visit, token: &CsrfToken) -> Self {
        let csrf_token = Some(token.as_str().to_owned());
        Self { csrf_token, visitor: Visitor::Unknown, ..Self::new(visit, "Sign in", None) }
    }

    /// The address of the stylesheet.
    pub(crate) fn stylesheet(&self) -> String {
        format!("{}{}", self.base, *STYLESHEET)
    }
}

/// A page as an answer. It is nobody's but the caller's, and nobody keeps it.
pub(crate) fn html(status: StatusCode, page: &impl Template) -> Result<Response, Failure> {
    let text = page.render().map_err(|error| {
        tracing::error!(%error, "a page could not be written");
        Failure::internal()
    })?;
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    private(&mut response);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    Ok(response)
}

/// An answer that sends the browser on to another page, which it asks for with GET.
pub(crate) fn go_on(site: &Site, path: &LocalPath) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    private(&mut response);
    let address = HeaderValue::try_from(site.address(path)).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(header::LOCATION, address);
    response
}

/// Keeps an answer out of caches and its address out of other sites. Not `no-referrer`: with that browsers hide the origin of our
/// own forms too.
fn private(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
}
