//! Failures as GitLab's Maven endpoint words them: `message` and `error`, which scripts written for GitLab read, and problem
//! details (RFC 9457) beside, whose `detail` Maven prints since 3.9.10.
//!
//! What is not found is no problem in this sense: Maven 3.9.11 takes a 404 with problem details for a failed transfer, and
//! then deploys nothing that was never there before.

use axum::{body::Body, response::Response};
use domain::{ErrorCode, Failure, Subject};
use gateway::{
    CredentialPolicy, Dialect, FailedRequest, Leniency,
    dialect::{GitLabBody, GitLabError, phrase},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::shared::respond::{CHALLENGE, credential_might_help};

/// The dialect of Maven, Gradle and sbt. They send a credential when they are asked for one.
pub(super) struct MavenDialect;

/// The field of a failure that is about a file of checksums.
pub(super) const CHECKSUM: &str = "checksum";

impl Dialect for MavenDialect {
    fn credentials(&self) -> CredentialPolicy {
        CredentialPolicy { leniency: Leniency::IgnoreWrongBasicOnRead, ..CredentialPolicy::default() }
    }

    fn failure(&self, failure: &Failure, request: &FailedRequest) -> Response {
        let (status, text) = told(failure, request);
        let mut body = json!({ "message": text, "error": text });
        if media_type(status) == PROBLEM {
            body["type"] = "about:blank".into();
            body["status"] = status.as_u16().into();
            body["title"] = status.canonical_reason().unwrap_or_default().into();
            body["detail"] = text.into();
        }
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(status)));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, CHALLENGE);
            }
            StatusCode::METHOD_NOT_ALLOWED => {
                headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
            }
            _ => {}
        }
        response
    }
}

/// The media type of problem details.
const PROBLEM: &str = "application/problem+json";

fn media_type(status: StatusCode) -> &'static str {
    if status == StatusCode::NOT_FOUND { "application/json" } else { PROBLEM }
}

/// The status and the text.
fn told(failure: &Failure, request: &FailedRequest) -> (StatusCode, String) {
    if credential_might_help(failure, request) {
        return gitlab(&Failure::unauthenticated(), request);
    }
    let named = |status: StatusCode| (status, format!("{} - {}", phrase(status), failure.message));
    match (failure.code, failure.field.as_deref()) {
        (ErrorCode::Invalid, Some(CHECKSUM)) => named(StatusCode::CONFLICT),
        // A parameter in GitLab's words.
        (ErrorCode::Invalid, Some("path" | "file_name")) => gitlab(failure, request),
        (ErrorCode::Invalid, Some(_)) => {
            (StatusCode::BAD_REQUEST, format!("Validation failed: {}", failure.message))
        }
        (ErrorCode::Unsupported, _) => named(StatusCode::METHOD_NOT_ALLOWED),
        _ => gitlab(failure, request),
    }
}

fn gitlab(failure: &Failure, request: &FailedRequest) -> (StatusCode, String) {
    let error = GitLabError::new(failure, request);
    let text = match error.body {
        GitLabBody::Message(text) | GitLabBody::Parameter(text) => text,
        GitLabBody::Throttled => {
            "This endpoint has been requested too many times. Try again later.".to_owned()
        }
    };
    (error.status, text)
}

/// What publishing anywhere but in a project comes to.
pub(super) fn only_in_projects() -> Failure {
    Failure::new(
        ErrorCode::Unsupported,
        "Packages are published to a project: PUT /api/v4/projects/:id/packages/maven/…",
    )
}

/// At the instance level a package is looked for in the project that has its own path; GitLab answers 403 when there is none,
/// and so does this.
pub(super) fn no_project_of_that_name(name: &str) -> Failure {
    let message = format!(
        "At the instance level '{name}' is looked for in the project '{name}' alone: use the project's or a group's address"
    );
    Failure::forbidden(message).about(Subject::Project)
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    fn request(method: Method, anonymous: bool) -> FailedRequest {
        FailedRequest {
            method,
            path: "/api/v4/projects/1/packages/maven/a/b/1/b-1.jar".to_owned(),
            anonymous,
        }
    }

    #[test]
    fn failures_read_as_gitlabs() {
        let code = |code| Failure::new(code, "because");
        for (failure, status, text) in [
            (code(ErrorCode::Duplicate), 400, "400 Bad request - Duplicate package is not allowed"),
            (code(ErrorCode::TooLarge), 400, "400 Bad request - File is too large"),
            (code(ErrorCode::Protected), 403, "403 Forbidden - because"),
            (code(ErrorCode::Unsupported), 405, "405 Method Not Allowed - because"),
            (Failure::invalid("version", "Version is invalid"), 400, "Validation failed: Version is invalid"),
            (Failure::invalid("file_name", "file_name is invalid"), 400, "file_name is invalid"),
            (Failure::invalid(CHECKSUM, "another one"), 409, "409 Conflict - another one"),
            (Failure::not_found(Subject::Package), 404, "404 Package Not Found"),
            (Failure::not_found(Subject::PackageFile), 404, "404 Package File Not Found"),
            (Failure::unauthenticated(), 401, "401 Unauthorized"),
            (Failure::internal(), 500, "500 Internal Server Error"),
        ] {
            let expected = (StatusCode::from_u16(status).expect("a status"), text.to_owned());
            assert_eq!(told(&failure, &request(Method::PUT, false)), expected);
        }
    }

    #[test]
    fn nobody_is_asked_for_a_credential_where_one_might_help() {
        for failure in [Failure::not_found(Subject::Project), no_project_of_that_name("a/b")] {
            let answer = MavenDialect.failure(&failure, &request(Method::GET, true));
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
            let challenge =
                answer.headers().get(header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
            assert_eq!(challenge, Some("Basic realm=\"GitLab Packages Registry\""), "sbt compares the realm");
            let told = MavenDialect.failure(&failure, &request(Method::GET, false));
            assert!(
                told.headers().get(header::WWW_AUTHENTICATE).is_none() && told.status().is_client_error()
            );
        }
    }
}
