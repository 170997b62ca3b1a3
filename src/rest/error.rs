//! Failures as GitLab's REST API words them.

use axum::response::Response;
use domain::{ErrorCode, Failure, Subject};
use gateway::{
    Dialect, FailedRequest,
    dialect::{self, GitLabError},
};
use http::{Method, StatusCode};
use serde_json::json;

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
        if failure.code == ErrorCode::Duplicate
            && let Some(field) = &failure.field
        {
            return taken(field, &failure.message);
        }
        if failure.code == ErrorCode::Unsupported {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            return dialect::answer(status, &json!({ "error": "405 Not Allowed" }));
        }
        GitLabError::new(failure, request).into_response()
    }
}

/// What is taken already, in GitLab's words: a conflict where people are concerned, a message for the field otherwise.
fn taken(field: &str, message: &str) -> Response {
    let (status, message) = match field {
        "username" => (StatusCode::CONFLICT, json!("Username has already been taken")),
        "email" => (StatusCode::CONFLICT, json!("Email has already been taken")),
        "user_id" => (StatusCode::CONFLICT, json!("Member already exists")),
        "path" => (StatusCode::BAD_REQUEST, json!({ "path": ["has already been taken"] })),
        _ => (StatusCode::BAD_REQUEST, json!({ field: [message] })),
    };
    dialect::answer(status, &json!({ "message": message }))
}
