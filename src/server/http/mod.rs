//! The routes of everybody else put together, and the few that belong to nobody: GraphQL, bytes of uploads, health.

mod connections;
mod graphql;
mod health;
mod middleware;
mod patient;
mod transfers;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use ::graphql::Model;
use ::http::{HeaderMap, StatusCode, Uri};
use axum::{
    Json, Router,
    extract::DefaultBodyLimit,
    response::{IntoResponse, Response},
    routing::any,
};
use blob::BlobStore;
use gateway::Gateway;
use serde_json::json;
use store::Store;
use tokio::net::TcpListener;

pub(crate) use connections::Drained;

use crate::config::{HttpLimits, TrustedProxies};

/// Where the open door is.
const GRAPHQL: &str = "/api/graphql";

/// What the routes work with.
pub(crate) struct Services {
    store: Store,
    blobs: Arc<dyn BlobStore>,
    model: Arc<Model>,
    gateway: Gateway,
    metrics: bool,
    draining: AtomicBool,
}

impl Services {
    /// Services in good order.
    pub(crate) fn new(
        store: Store,
        blobs: Arc<dyn BlobStore>,
        model: Arc<Model>,
        gateway: Gateway,
        metrics: bool,
    ) -> Self {
        Self { store, blobs, model, gateway, metrics, draining: AtomicBool::new(false) }
    }

    /// The database.
    pub(crate) const fn store(&self) -> &Store {
        &self.store
    }

    /// The door that adapters use.
    pub(crate) const fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// Whether the server is about to stop.
    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

/// Answers on `listener` until `shutdown` is over, and then what is under way.
pub(crate) async fn serve(
    listener: TcpListener,
    services: Arc<Services>,
    (limits, proxies): (HttpLimits, TrustedProxies),
    shutdown: impl Future<Output = ()> + Send,
) -> Drained {
    let router = router(&services, limits, proxies);
    let shutdown = async {
        shutdown.await;
        services.draining.store(true, Ordering::Relaxed);
    };
    connections::serve(listener, router, limits, shutdown).await
}

/// Every route, within every layer.
fn router(services: &Arc<Services>, limits: HttpLimits, proxies: TrustedProxies) -> Router {
    let gateway = services.gateway();
    let unserved = gateway.clone();
    let router = Router::new()
        .merge(formats::router(gateway))
        .merge(rest::router(gateway))
        .merge(graphql::router(services))
        .merge(transfers::router(services))
        .merge(health::router(services))
        .merge(web::router(gateway, greeting()))
        .route("/api/v3", any(gone))
        .route("/api/v3/{*rest}", any(gone))
        .fallback(move |uri: Uri, headers: HeaderMap| async move {
            // What browsers ask for below /api is asked by scripts in them, or by people who want to see what those get.
            if web::prefers_html(&headers) && !uri.path().starts_with("/api/") {
                return web::not_found(&unserved);
            }
            not_found().await
        })
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::disable());
    middleware::around(router, limits, proxies)
}

fn greeting() -> serde_json::Value {
    json!({
        "name": "entrepot",
        "version": env!("CARGO_PKG_VERSION"),
        "graphql": GRAPHQL,
        "rest": "/api/v4",
        "health": "/-/health",
        "readiness": "/-/readiness",
    })
}

/// As GitLab answers to its third API.
async fn gone() -> Response {
    let body = json!({ "error": "API V3 is no longer supported. Use API V4 instead." });
    (StatusCode::GONE, Json(body)).into_response()
}

async fn not_found() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "error": "404 Not Found" }))).into_response()
}

/// For the routes made here; the doors word it themselves.
async fn method_not_allowed() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, Json(json!({ "error": "405 Not Allowed" }))).into_response()
}
