//! How long an answer may take to begin. Uploads take as long as they take: they are bounded by their pauses alone.

use std::time::Duration;

use axum::{
    Json,
    extract::Request,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::json;
use tokio::time;

use crate::{config::HttpLimits, http::GRAPHQL};

/// How long the answer to `request` may take; none when it may carry an upload.
pub(crate) fn patience(request: &Request, limits: HttpLimits) -> Option<Duration> {
    let without_upload = matches!(*request.method(), Method::GET | Method::HEAD | Method::DELETE)
        || request.uri().path() == GRAPHQL;
    without_upload.then_some(limits.request_timeout)
}

/// The answer, or that it took too long.
pub(crate) async fn bounded(patience: Option<Duration>, answer: impl Future<Output = Response>) -> Response {
    let Some(patience) = patience else {
        return answer.await;
    };
    if let Ok(response) = time::timeout(patience, answer).await {
        return response;
    }
    tracing::warn!(patience_seconds = patience.as_secs(), "a request took too long and was given up");
    let body = json!({ "error": "503 Service Unavailable" });
    let retry = [(header::RETRY_AFTER, HeaderValue::from_static("10"))];
    (StatusCode::SERVICE_UNAVAILABLE, retry, Json(body)).into_response()
}
