//! Whether the server lives, whether it can work, and how much it does.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, header};
use serde_json::json;
use tokio::time;

use super::Services;
use crate::telemetry;

/// How long the database and the storage have to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The routes below `/-/`.
pub(crate) fn router(services: &Arc<Services>) -> Router {
    Router::new()
        .route("/-/health", get(health))
        .route("/-/liveness", get(health))
        .route("/-/readiness", get(readiness))
        .route("/-/metrics", get(metrics))
        .with_state(Arc::clone(services))
}

/// The process answers: that is all it says.
async fn health() -> Response {
    Json(json!({ "status": "ok" })).into_response()
}

/// Whether requests should be sent here: the database answers, the storage can be written, no shutdown is under way.
async fn readiness(State(services): State<Arc<Services>>) -> Response {
    let (database, storage) = tokio::join!(
        checked("database", "does not answer", services.store.ping()),
        checked("storage", "cannot be written", services.blobs.check()),
    );
    let mut checks = vec![("database", database), ("storage", storage)];
    if services.is_draining() {
        checks.push(("server", Err("is about to stop")));
    }
    let failed: Vec<String> = checks
        .iter()
        .filter_map(|(name, outcome)| outcome.err().map(|reason| format!("the {name} {reason}")))
        .collect();
    if failed.is_empty() {
        return Json(json!({ "status": "ok" })).into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "failed", "reasons": failed }))).into_response()
}

/// The outcome of a check, in words without causes: everybody can read them, the log has the rest.
async fn checked<E: std::fmt::Display>(
    name: &'static str,
    words: &'static str,
    check: impl Future<Output = Result<(), E>>,
) -> Result<(), &'static str> {
    match time::timeout(PATIENCE, check).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            tracing::warn!(check = name, %error, "not ready");
            Err(words)
        }
        Err(_) => {
            tracing::warn!(check = name, "not ready: no answer in time");
            Err("does not answer in time")
        }
    }
}

async fn metrics(State(services): State<Arc<Services>>) -> Response {
    if !services.metrics {
        return super::not_found().await;
    }
    metrics::counter!(telemetry::STATEMENTS).absolute(services.store.statements());
    let handle = telemetry::metrics();
    handle.run_upkeep();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render()).into_response()
}
