//! Small pieces that GitLab's JSON is made of.

use axum::{body::Body, response::Response};
use domain::Failure;
use gateway::scalars::number_of;
use http::StatusCode;
use serde_json::Value;

/// The number in a global id, as JSON.
pub(crate) fn id(global_id: &str) -> Value {
    number_of(global_id).map_or(Value::Null, Value::from)
}

/// The first of a mutation's business refusals, as GitLab's REST words it.
pub(crate) fn refuse_errors(errors: Vec<String>) -> Result<(), Failure> {
    match errors.into_iter().next() {
        Some(error) => Err(Failure::forbidden(error)),
        None => Ok(()),
    }
}

/// 204.
pub(crate) fn no_content() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
