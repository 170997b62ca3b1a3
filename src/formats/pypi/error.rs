//! Failures as GitLab's PyPI endpoint words them.

use axum::response::Response;
use domain::{ErrorCode, Failure, Subject};
use gateway::{
    CredentialPolicy, Dialect, FailedRequest, Leniency,
    dialect::{GitLabBody, GitLabError, phrase},
};
use http::{HeaderValue, StatusCode, header};
use hyper::ext::ReasonPhrase;

use crate::shared::respond::GitLabDialect;

/// Longest text in a status line.
const LONGEST_REASON: usize = 300;

/// What marks the field of a failure as a parameter of the request.
const PARAMETER: &str = "parameter.";

/// GitLab's plain dialect, with the words of its validations, and the text in the status line too: that is all that twine
/// shows.
pub(super) struct PypiDialect;

const GITLAB: GitLabDialect = GitLabDialect { leniency: Leniency::IgnoreWrongBasicOnRead };

impl Dialect for PypiDialect {
    fn credentials(&self) -> CredentialPolicy {
        GITLAB.credentials()
    }

    fn failure(&self, failure: &Failure, request: &FailedRequest) -> Response {
        let Some((status, body)) = told(failure) else {
            return GITLAB.failure(failure, request);
        };
        let (GitLabBody::Message(text) | GitLabBody::Parameter(text)) = &body else {
            return GITLAB.failure(failure, request);
        };
        let reason = reason_phrase(text.strip_prefix(&format!("{} - ", phrase(status))).unwrap_or(text));
        let mut response = GitLabError { status, body }.into_response();
        if let Some(reason) = reason {
            response.extensions_mut().insert(reason);
        }
        if status == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(""));
        }
        response
    }
}

/// The status and the body of what PyPI words differently from other formats.
fn told(failure: &Failure) -> Option<(StatusCode, GitLabBody)> {
    let message = &failure.message;
    let validation = match failure.code {
        ErrorCode::Invalid => match failure.field.as_deref() {
            Some(field) if field.starts_with(PARAMETER) => {
                return Some((StatusCode::BAD_REQUEST, GitLabBody::Parameter(message.clone().into_owned())));
            }
            Some(_) => message.clone().into_owned(),
            None => return Some((StatusCode::BAD_REQUEST, bad_request(message))),
        },
        // "already exists" is what clients that pass over what is there look for.
        ErrorCode::Duplicate if failure.subject == Some(Subject::PackageFile) => {
            format!("File name has already been taken, the file already exists: {message}")
        }
        ErrorCode::Duplicate => format!("File name has already been taken: {message}"),
        ErrorCode::Protected => {
            let status = StatusCode::FORBIDDEN;
            return Some((status, GitLabBody::Message(format!("{} - {message}", phrase(status)))));
        }
        ErrorCode::TooLarge => return Some((StatusCode::BAD_REQUEST, bad_request("File is too large"))),
        ErrorCode::Unsupported => {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            return Some((status, GitLabBody::Message(format!("{} - {message}", phrase(status)))));
        }
        _ => return None,
    };
    Some((StatusCode::BAD_REQUEST, bad_request(&format!("Validation failed: {validation}"))))
}

fn bad_request(reason: &str) -> GitLabBody {
    GitLabBody::Message(format!("{} - {reason}", phrase(StatusCode::BAD_REQUEST)))
}

/// The text as a status line can have it: visible ASCII, and not too much of it.
fn reason_phrase(text: &str) -> Option<ReasonPhrase> {
    let visible = |letter: char| if letter == ' ' || letter.is_ascii_graphic() { letter } else { '?' };
    let reason: String = text.chars().take(LONGEST_REASON).map(visible).collect();
    ReasonPhrase::try_from(reason).ok()
}

/// A parameter in GitLab's vocabulary with GitLab's judgement of it: `sha256_digest is invalid`.
pub(super) fn parameter(name: &str, judgement: &str) -> Failure {
    Failure::invalid(format!("{PARAMETER}{name}"), format!("{name} {judgement}"))
}
