//! What the instance is.

use axum::response::Response;
use domain::Failure;
use gateway::{Call, Intent, Levels, RouteTable, dialect};
use http::{Method, StatusCode};
use serde_json::json;

gateway::operations!("version/operations.graphql": RestVersion);

/// Adds the routes of this noun.
pub(crate) fn routes(table: &mut RouteTable) {
    table.route(Method::GET, Levels::Project, "/api/v4/version", Intent::Open, version);
    table.route(Method::GET, Levels::Project, "/api/v4/metadata", Intent::Open, metadata);
}

async fn version(call: Call) -> Result<Response, Failure> {
    let metadata = read(&call).await?;
    let body = json!({ "version": metadata.version, "revision": metadata.revision });
    Ok(dialect::answer(StatusCode::OK, &body))
}

async fn metadata(call: Call) -> Result<Response, Failure> {
    let metadata = read(&call).await?;
    let body = json!({
        "version": metadata.version,
        "revision": metadata.revision,
        "kas": { "enabled": false, "externalUrl": null, "externalK8sProxyUrl": null, "version": null },
        "enterprise": metadata.enterprise,
    });
    Ok(dialect::answer(StatusCode::OK, &body))
}

async fn read(call: &Call) -> Result<rest_version::RestVersionMetadata, Failure> {
    call.run::<RestVersion>(rest_version::Variables {}).await?.metadata.ok_or_else(Failure::internal)
}
