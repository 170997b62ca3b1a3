//! From an error of an answer back to the failure that it was.

use async_graphql::{ServerError, Value};
use domain::{ErrorCode, Failure, Subject};

/// Reads `extensions.code`, `.field`, `.subject` and `.throttled`, which `graphql::outcome` writes. An error without a code is the
/// document's or the server's fault, never the client's: it is logged and becomes `INTERNAL`.
pub(crate) fn from_server_error(error: &ServerError) -> Failure {
    let extension = |key| match error.extensions.as_ref().and_then(|extensions| extensions.get(key)) {
        Some(Value::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let throttled = error.extensions.as_ref().and_then(|extensions| extensions.get("throttled"));
    let Some(code) = extension("code").and_then(ErrorCode::from_name) else {
        tracing::error!(error.message = %error.message, error.path = ?error.path, "an operation failed without a code");
        return Failure::internal();
    };
    Failure {
        code,
        message: error.message.clone().into(),
        field: extension("field").map(|field| field.to_owned().into()),
        subject: extension("subject").and_then(Subject::from_title),
        throttled: throttled.and_then(|value| async_graphql::from_value(value.clone()).ok()),
    }
}
