//! Reads and writes, by what a path names.

mod file;
mod metadata;
mod publish;

use axum::{body::Body, response::Response};
use domain::{ErrorCode, Failure, RegistryScope, Subject};
use gateway::Call;
use http::{HeaderValue, StatusCode, header};

use super::{
    error::no_project_of_that_name,
    wire::{Target, Thing},
};
use crate::shared::index_cache::IndexCache;

pub(super) use publish::publish;

/// The `scope` variable of an operation in this module: where `name` is looked for.
macro_rules! scope {
    ($call:expr, $operation:ident, $name:expr) => {{
        let (project_path, group_path) = $crate::maven::routes::scope_paths($call, $name);
        $crate::maven::$operation::PackageScopeInput { project_path, group_path }
    }};
}
use scope;

/// `GET` and `HEAD`.
pub(super) async fn read(call: &Call, cache: &IndexCache) -> Result<Response, Failure> {
    let target = Target::parse(call.param("path")).map_err(super::wire::BadPath::for_reading)?;
    let name = match &target.thing {
        Thing::File(file) => file.name.clone(),
        Thing::SnapshotMetadata { name, .. } => name.clone(),
        Thing::Metadata { path } | Thing::BesideMetadata { path } => path.clone(),
    };
    let answered = match target.thing {
        Thing::File(file) => file::read(call, &file, target.side).await,
        Thing::Metadata { path } => metadata::of_path(call, cache, &path, target.side).await,
        Thing::SnapshotMetadata { name, version } => {
            metadata::of_snapshot(call, cache, &name, &version, target.side).await
        }
        Thing::BesideMetadata { .. } => Err(Failure::not_found(Subject::PackageFile)),
    };
    answered.map_err(|failure| match (&call.scope, failure.code, failure.subject) {
        (RegistryScope::Instance, ErrorCode::NotFound, Some(Subject::Project)) => {
            no_project_of_that_name(&name)
        }
        // What is no name of a package is none that exists.
        (_, ErrorCode::Invalid, _) if failure.field.as_deref() == Some("name") => {
            Failure::not_found(Subject::Package)
        }
        _ => failure,
    })
}

/// Where `name` is looked for. At the instance level that is the project with the same path, as in GitLab: groups of strangers
/// meet there, and nobody else's package may take its place.
fn scope_paths(call: &Call, name: &str) -> (Option<String>, Option<String>) {
    match &call.scope {
        RegistryScope::Instance => (Some(name.to_owned()), None),
        RegistryScope::Project(_) | RegistryScope::Group(_) => call.scope_paths(),
    }
}

/// A digest alone, as in a side file.
fn digest(text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=0, must-revalidate"));
    response
}

/// An answer without a body.
fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
