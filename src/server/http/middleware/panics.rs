//! A defect in one handler ends one request.

use std::panic::AssertUnwindSafe;

use axum::{
    Json,
    response::{IntoResponse as _, Response},
};
use futures::FutureExt as _;
use http::StatusCode;
use serde_json::json;

/// The answer, or that there was a defect. The hook that `telemetry` sets has logged which.
pub(crate) async fn caught(answer: impl Future<Output = Response>) -> Response {
    AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(|_| {
        let body = json!({ "error": "500 Internal Server Error" });
        (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
    })
}

#[cfg(test)]
mod tests {
    use super::caught;

    #[tokio::test]
    async fn a_panic_becomes_an_answer() {
        let response = caught(async { panic!("a defect made for this test") }).await;
        assert_eq!(response.status(), 500);
    }
}
