//! Failures as GitLab's generic endpoint words them.

use axum::response::Response;
use domain::{ErrorCode, Failure};
use gateway::{
    CredentialPolicy, Dialect, FailedRequest, Leniency,
    dialect::{GitLabBody, GitLabError, phrase},
};
use http::{HeaderValue, StatusCode, header};

use crate::shared::respond::GitLabDialect;

/// GitLab's plain dialect, with 405 for what only works at project level.
pub(crate) struct GenericDialect;

const GITLAB: GitLabDialect = GitLabDialect { leniency: Leniency::IgnoreWrongBasicOnRead };

impl Dialect for GenericDialect {
    fn credentials(&self) -> CredentialPolicy {
        GITLAB.credentials()
    }

    fn failure(&self, failure: &Failure, request: &FailedRequest) -> Response {
        if failure.code != ErrorCode::Unsupported {
            return GITLAB.failure(failure, request);
        }
        let status = StatusCode::METHOD_NOT_ALLOWED;
        let body = GitLabBody::Message(format!("{} - {}", phrase(status), failure.message));
        let mut response = GitLabError { status, body }.into_response();
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        response
    }
}

/// A parameter in GitLab's vocabulary with GitLab's judgement of it: `file_name is invalid`.
pub(crate) fn parameter(name: &'static str, judgement: &'static str) -> Failure {
    Failure::invalid(name, format!("{name} {judgement}"))
}

/// GitLab's judgement of a parameter, followed by what is wrong with its value.
pub(crate) fn unfit(name: &'static str, failure: &Failure) -> Failure {
    Failure::invalid(name, format!("{name} is invalid: {}", failure.message))
}
