//! Audits, of which this registry has no findings, and provenance bundles, which it keeps.

use axum::response::Response;
use domain::{Failure, Subject, rules::FormatRules as _};
use gateway::Call;
use serde_json::json;

use super::{raw_name, scope};
use crate::npm::{NpmMetadata, document, metadata::BUNDLE_FIELD, npm_metadata, rules::NpmRules, wire};

/// `npm audit`: advisories by package. The body, which may be compressed, is not read.
pub(super) async fn bulk(call: Call) -> Result<Response, Failure> {
    super::search::admit(&call).await?;
    Ok(super::json(&json!({})))
}

/// The audit of npm 6, which later ones fall back to.
pub(super) async fn quick(call: Call) -> Result<Response, Failure> {
    super::search::admit(&call).await?;
    Ok(super::json(&wire::empty_audit()))
}

/// `npm audit signatures`: the provenance bundles of `name@version`.
pub(super) async fn attestations(call: Call) -> Result<Response, Failure> {
    let not_found = || Failure::not_found(Subject::Package);
    let coordinates = raw_name(&call);
    let (name, version) =
        coordinates.rsplit_once('@').filter(|(name, _)| !name.is_empty()).ok_or_else(not_found)?;
    let variables = npm_metadata::Variables {
        scope: scope!(call, npm_metadata),
        name: NpmRules.name(name).map_err(|_| not_found())?.display,
        version: NpmRules.version(version).map_err(|_| not_found())?.display,
    };
    let metadata = call.run::<NpmMetadata>(variables).await?.package_version.raw_metadata;
    let bundle = metadata.get(BUNDLE_FIELD).ok_or_else(not_found)?;
    let attestation = json!({ "predicateType": document::predicate_type(bundle), "bundle": bundle });
    Ok(super::json(&json!({ "attestations": [attestation] })))
}
