//! GitLab's words for failures: the status and the body that scripts written for GitLab expect, shared by every door that
//! speaks them. A format whose client reads something else has its own; a door may also change what is here for one code.

use axum::{body::Body, response::Response};
use domain::{ErrorCode, Failure, Subject};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::json;

use crate::FailedRequest;

/// Seconds after which a client may try again what was refused for load.
const RETRY_AFTER: &str = "60";

/// A failure in GitLab's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitLabError {
    /// The status of the answer.
    pub status: StatusCode,
    /// What its body says.
    pub body: GitLabBody,
}

/// The shapes of GitLab's error bodies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GitLabBody {
    /// `{"message":"404 Package Not Found"}`: most failures.
    Message(String),
    /// `{"error":"file_name is invalid"}`: a parameter was refused.
    Parameter(String),
    /// `{"message":{"error":"…"}}`: too many requests.
    Throttled,
}

impl GitLabError {
    /// The failure as GitLab words it, which is the same whatever was asked for.
    pub fn new(failure: &Failure, _request: &FailedRequest) -> Self {
        let status = status(failure);
        let body = match failure.code {
            ErrorCode::Invalid if failure.field.is_some() => {
                GitLabBody::Parameter(failure.message.clone().into_owned())
            }
            ErrorCode::RateLimited => GitLabBody::Throttled,
            _ => GitLabBody::Message(message(status, failure)),
        };
        Self { status, body }
    }

    /// The answer.
    pub fn into_response(self) -> Response {
        let body = match self.body {
            GitLabBody::Message(message) => json!({ "message": message }),
            GitLabBody::Parameter(message) => json!({ "error": message }),
            GitLabBody::Throttled => json!({
                "message": { "error": "This endpoint has been requested too many times. Try again later." }
            }),
        };
        let mut response = answer(self.status, &body);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        }
        response
    }
}

/// GitLab's status for a failure. It answers 400 where others would say 409 or 413.
pub fn status(failure: &Failure) -> StatusCode {
    match failure.code {
        ErrorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::RegistryDisabled if failure.subject == Some(Subject::Instance) => StatusCode::NOT_FOUND,
        ErrorCode::Forbidden | ErrorCode::Protected | ErrorCode::Quota | ErrorCode::RegistryDisabled => {
            StatusCode::FORBIDDEN
        }
        ErrorCode::Duplicate | ErrorCode::Invalid | ErrorCode::TooLarge | ErrorCode::Unsupported => {
            StatusCode::BAD_REQUEST
        }
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Stale => StatusCode::PRECONDITION_FAILED,
        ErrorCode::Locked => StatusCode::CONFLICT,
        ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// GitLab's text for a failure answered with `status`: the number, the phrase, and where it helps a reason.
fn message(status: StatusCode, failure: &Failure) -> String {
    let reason: &str = match failure.code {
        ErrorCode::Unauthenticated | ErrorCode::RegistryDisabled | ErrorCode::Internal => {
            return phrase(status);
        }
        ErrorCode::NotFound => {
            return match failure.subject {
                Some(subject) => format!("404 {} Not Found", subject.title()),
                None => phrase(status),
            };
        }
        ErrorCode::Locked => return "409 Conflict: Resource lock".to_owned(),
        ErrorCode::TooLarge => "File is too large",
        ErrorCode::Duplicate => "Duplicate package is not allowed",
        // Of what is protected the model says so, in GitLab's words and some more.
        ErrorCode::Forbidden
        | ErrorCode::Protected
        | ErrorCode::Quota
        | ErrorCode::Invalid
        | ErrorCode::Unsupported
        | ErrorCode::RateLimited
        | ErrorCode::Stale
        | ErrorCode::Unavailable => &failure.message,
    };
    format!("{} - {reason}", phrase(status))
}

/// A status as GitLab prints it: "400 Bad request" with a small r, all others as registered.
pub fn phrase(status: StatusCode) -> String {
    if status == StatusCode::BAD_REQUEST { "400 Bad request".to_owned() } else { status.to_string() }
}

/// An answer without an entity: `{"message":"201 Created"}`.
pub fn plain(status: StatusCode) -> Response {
    answer(status, &json!({ "message": phrase(status) }))
}

/// An answer of JSON.
pub fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    let Ok(text) = serde_json::to_vec(body) else {
        tracing::error!(http.status = status.as_u16(), "an answer could not be encoded as JSON");
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        return response;
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use domain::{ErrorCode, Failure, Subject};
    use http::Method;

    use super::{GitLabBody, GitLabError};
    use crate::FailedRequest;

    fn told(failure: &Failure, method: Method) -> (u16, GitLabBody) {
        let request = FailedRequest { method, path: "/".to_owned(), anonymous: false };
        let error = GitLabError::new(failure, &request);
        (error.status.as_u16(), error.body)
    }

    #[test]
    fn failures_read_as_gitlab_writes_them() {
        let code = |code| Failure::new(code, "because");
        for (failure, status, text) in [
            (code(ErrorCode::Unauthenticated), 401, "401 Unauthorized"),
            (code(ErrorCode::Forbidden), 403, "403 Forbidden - because"),
            (Failure::not_found(Subject::Project), 404, "404 Project Not Found"),
            (Failure::not_found(Subject::Package), 404, "404 Package Not Found"),
            (code(ErrorCode::NotFound), 404, "404 Not Found"),
            (code(ErrorCode::RegistryDisabled).about(Subject::Project), 403, "403 Forbidden"),
            (code(ErrorCode::RegistryDisabled).about(Subject::Instance), 404, "404 Not Found"),
            (code(ErrorCode::Protected), 403, "403 Forbidden - because"),
            (code(ErrorCode::TooLarge), 400, "400 Bad request - File is too large"),
            (code(ErrorCode::Duplicate), 400, "400 Bad request - Duplicate package is not allowed"),
            (code(ErrorCode::Invalid), 400, "400 Bad request - because"),
            (code(ErrorCode::Unsupported), 400, "400 Bad request - because"),
            (code(ErrorCode::Locked), 409, "409 Conflict: Resource lock"),
            (code(ErrorCode::Stale), 412, "412 Precondition Failed - because"),
            (code(ErrorCode::Unavailable), 503, "503 Service Unavailable - because"),
            (code(ErrorCode::Internal), 500, "500 Internal Server Error"),
        ] {
            assert_eq!(told(&failure, Method::PUT), (status, GitLabBody::Message(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn a_refused_parameter_is_an_error() {
        let parameter = Failure::invalid("file_name", "file_name is invalid");
        let expected = (400, GitLabBody::Parameter("file_name is invalid".to_owned()));
        assert_eq!(told(&parameter, Method::GET), expected);
    }
}
