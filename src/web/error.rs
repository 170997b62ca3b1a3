//! Failures as pages.

use askama::Template;
use axum::{body::Body, response::Response};
use domain::{ErrorCode, Failure};
use gateway::{CredentialPolicy, Dialect, FailedRequest, Leniency, SessionCookie};
use http::{HeaderValue, Method, StatusCode, header};
use url::form_urlencoded;

use crate::{
    frame::{Frame, Visitor, go_on, html},
    local_path::LocalPath,
    sign_in::SIGN_IN,
    site::Site,
};

/// Seconds after which it may be tried again what was refused for load.
const RETRY_AFTER: &str = "60";

/// How browsers are spoken to.
pub(crate) struct WebDialect(pub(crate) Site);

#[derive(Template)]
#[template(path = "error.html")]
struct Page<'a> {
    frame: Frame,
    heading: &'static str,
    message: &'a str,
}

impl Dialect for WebDialect {
    fn credentials(&self) -> CredentialPolicy {
        CredentialPolicy {
            leniency: Leniency::Strict,
            query_parameters: false,
            session: SessionCookie::Alone,
        }
    }

    /// Who has to sign in for a page is sent to where that is done, and comes back. Everything else is told on a page.
    fn failure(&self, failure: &Failure, request: &FailedRequest) -> Response {
        let reads = matches!(request.method, Method::GET | Method::HEAD);
        if failure.code == ErrorCode::Unauthenticated && reads {
            return go_on(&self.0, &sign_in_for(&request.path));
        }
        page(&self.0, status(failure.code), &failure.message)
    }
}

/// The page that signs in and goes on to `path`.
fn sign_in_for(path: &str) -> LocalPath {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("redirect_to", path).finish();
    LocalPath::parse(&format!("{SIGN_IN}?{query}")).unwrap_or_else(|| LocalPath::known(SIGN_IN))
}

/// The answer to a browser that asks for what nobody serves.
pub(crate) fn not_found(site: &Site) -> Response {
    page(site, StatusCode::NOT_FOUND, "There is no page at this address.")
}

/// What a person can do something about, to be said beside the form; everything else fails on.
pub(crate) fn complaint(failure: Failure) -> Result<(StatusCode, String), Failure> {
    match failure.code {
        ErrorCode::Invalid
        | ErrorCode::Duplicate
        | ErrorCode::Forbidden
        | ErrorCode::Locked
        | ErrorCode::RateLimited => Ok((status(failure.code), failure.message.into_owned())),
        _ => Err(failure),
    }
}

/// The status that tells a browser of a failure.
fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden | ErrorCode::Protected | ErrorCode::Quota | ErrorCode::RegistryDisabled => {
            StatusCode::FORBIDDEN
        }
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::Duplicate | ErrorCode::Locked | ErrorCode::Stale => StatusCode::CONFLICT,
        ErrorCode::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::Unsupported => StatusCode::BAD_REQUEST,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn page(site: &Site, status: StatusCode, message: &str) -> Response {
    let heading = match status {
        StatusCode::UNAUTHORIZED => "You are not signed in",
        StatusCode::FORBIDDEN => "This is not allowed",
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => "Please try again later",
        StatusCode::INTERNAL_SERVER_ERROR => "Something went wrong",
        _ => "This does not work",
    };
    let page = Page { frame: Frame::bare(site, heading), heading, message };
    let mut response = html(status, &page).unwrap_or_else(|_| {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    });
    if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
    }
    response
}
