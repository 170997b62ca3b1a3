//! Failures as GitLab's REST API words them.

use axum::response::Response;
use domain::{ErrorCode, Failure, Subject};
use gateway::{Dialect, FailedRequest, dialect::GitLabError};
use http::Method;

/// GitLab's REST API.
pub(crate) struct RestDialect;

impl Dialect for RestDialect {
    /// What an anonymous caller may not see is not found when it is read, and asks for a token when it is changed. Only what
    /// cannot be answered without knowing who asks is 401 to a read as well.
    fn failure(&self, failure: &Failure, request: &FailedRequest) -> Response {
        let reads = matches!(request.method, Method::GET | Method::HEAD);
        let hidden = matches!(
            failure.subject,
            Some(Subject::Project | Subject::Group | Subject::Package | Subject::PackageFile)
        );
        if failure.code == ErrorCode::Unauthenticated && reads && hidden && request.anonymous {
            let failure = Failure { code: ErrorCode::NotFound, ..failure.clone() };
            return GitLabError::new(&failure, request).into_response();
        }
        GitLabError::new(failure, request).into_response()
    }
}
