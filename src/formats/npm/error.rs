//! Failures as GitLab's npm endpoint words them. npm prints `error`, scripts written for GitLab read `message`: both are there.

use axum::response::Response;
use domain::{ErrorCode, Failure, Subject};
use gateway::{
    Dialect, FailedRequest,
    dialect::{GitLabBody, GitLabError, answer},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

/// The dialect of npm. A 401 has no challenge, as in GitLab: npm prints a challenge instead of the text.
pub(super) struct NpmDialect;

impl Dialect for NpmDialect {
    fn failure(&self, failure: &Failure, request: &FailedRequest) -> Response {
        let (status, text) = told(failure, request);
        let mut response = answer(status, &json!({ "message": text, "error": text }));
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
        }
        response
    }
}

/// The status and the text.
fn told(failure: &Failure, request: &FailedRequest) -> (StatusCode, String) {
    let about_body = failure.field.as_deref() == Some("body");
    match failure.code {
        ErrorCode::Invalid if failure.field.is_some() && !about_body => {
            (StatusCode::BAD_REQUEST, format!("Validation failed: {}", failure.message))
        }
        ErrorCode::Invalid | ErrorCode::Unsupported => {
            (StatusCode::BAD_REQUEST, failure.message.clone().into_owned())
        }
        ErrorCode::TooLarge => (StatusCode::BAD_REQUEST, "File is too large.".to_owned()),
        ErrorCode::Duplicate => (StatusCode::FORBIDDEN, "Package already exists.".to_owned()),
        ErrorCode::Protected => (StatusCode::FORBIDDEN, failure.message.clone().into_owned()),
        ErrorCode::Locked => {
            (StatusCode::BAD_REQUEST, "Could not obtain package lease. Please try again.".to_owned())
        }
        // CouchDB's answer to an outdated revision.
        ErrorCode::Stale => (StatusCode::CONFLICT, failure.message.clone().into_owned()),
        _ => gitlab(failure, request),
    }
}

/// What GitLab says everywhere, but that nobody in particular is asked for a credential where one might help.
fn gitlab(failure: &Failure, request: &FailedRequest) -> (StatusCode, String) {
    let hidden = failure.code == ErrorCode::NotFound
        && matches!(failure.subject, Some(Subject::Project | Subject::Group));
    let error = if request.anonymous && (hidden || failure.code == ErrorCode::Forbidden) {
        GitLabError::new(&Failure::unauthenticated(), request)
    } else {
        GitLabError::new(failure, request)
    };
    let text = match error.body {
        GitLabBody::Message(text) | GitLabBody::Parameter(text) => text,
        GitLabBody::Throttled => {
            "This endpoint has been requested too many times. Try again later.".to_owned()
        }
    };
    (error.status, text)
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    fn request(method: Method, below: &str, anonymous: bool) -> FailedRequest {
        FailedRequest { method, path: format!("/api/v4/groups/a%2Fb/-/packages/npm/{below}"), anonymous }
    }

    #[test]
    fn failures_read_as_gitlabs() {
        let put = request(Method::PUT, "web", false);
        let code = |code| Failure::new(code, "because");
        for (failure, status, text) in [
            (code(ErrorCode::Duplicate), 403, "Package already exists."),
            (code(ErrorCode::Protected), 403, "because"),
            (code(ErrorCode::TooLarge), 400, "File is too large."),
            (code(ErrorCode::Locked), 400, "Could not obtain package lease. Please try again."),
            (code(ErrorCode::Stale), 409, "because"),
            (code(ErrorCode::Unsupported), 400, "because"),
            (Failure::invalid("version", "Version is invalid"), 400, "Validation failed: Version is invalid"),
            (Failure::invalid("body", "Version is empty."), 400, "Version is empty."),
            (Failure::not_found(Subject::Package), 404, "404 Package Not Found"),
            (Failure::not_found(Subject::PackageTag), 404, "404 Package tag Not Found"),
            (Failure::unauthenticated(), 401, "401 Unauthorized"),
            (code(ErrorCode::RegistryDisabled).about(Subject::Project), 403, "403 Forbidden"),
            (Failure::internal(), 500, "500 Internal Server Error"),
        ] {
            assert_eq!(told(&failure, &put), (StatusCode::from_u16(status).expect("valid"), text.to_owned()));
        }
    }

    #[test]
    fn what_hides_from_nobody_asks_for_a_credential() {
        let hidden = Failure::not_found(Subject::Project);
        for (below, anonymous, status) in [
            ("web", true, 401),
            ("web", false, 404),
            ("-/package/web/dist-tags", true, 401),
            ("web/-/web-1.0.0.tgz", true, 401),
        ] {
            let (answered, _) = told(&hidden, &request(Method::GET, below, anonymous));
            assert_eq!(answered.as_u16(), status, "{below}");
        }
    }
}
