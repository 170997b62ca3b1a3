//! How much room packages take.

use access::{Action, Guarded};
use async_graphql::{Context, SimpleObject};
use domain::Failure;
use store::{
    members::Place,
    storage::{self, StorageUse},
};

use crate::{context::ContextExt, gate, package::PackageTypeEnum, retention::bytes};

/// How much room a project takes.
#[derive(SimpleObject)]
pub(crate) struct ProjectStatistics {
    /// Length of the files of its packages together, in bytes: as if every one had bytes of its own.
    packages_size: Option<f64>,
}

/// How much room the packages of a project, or of the projects in and below a group, take (ours). Contents are compared within the
/// top-level namespace: that others store the same is not told, though it is stored once.
#[derive(SimpleObject)]
pub(crate) struct PackageStorage {
    /// Length of all files together, in bytes: as if every one had bytes of its own.
    size: f64,
    /// Bytes of contents that only files here have, of all of the top-level namespace.
    exclusive_bytes: f64,
    /// Bytes of contents that files elsewhere in the top-level namespace have as well.
    shared_bytes: f64,
    /// The same of each type that there is.
    package_types: Vec<PackageTypeStorage>,
}

/// How much room the packages of one type take (ours).
#[derive(SimpleObject)]
pub(crate) struct PackageTypeStorage {
    package_type: PackageTypeEnum,
    /// Length of all files together, in bytes: as if every one had bytes of its own.
    size: f64,
    /// Bytes of contents that only files of this type have, and here.
    exclusive_bytes: f64,
    /// Bytes of contents that files elsewhere in the top-level namespace, or of other types, have as well.
    shared_bytes: f64,
}

/// What the packages of a place take. None for callers who may not see its package settings.
pub(crate) async fn storage_of(
    ctx: &Context<'_>,
    guard: Guarded<()>,
    place: Place,
) -> Result<Option<PackageStorage>, Failure> {
    let may_see = gate::visible(ctx, Some(guard), Action::ViewPackageSettings).is_some();
    if !may_see || gate::authorize_all_packages(ctx).is_err() {
        return Ok(None);
    }
    let (StorageUse { size, exclusive_bytes, shared_bytes }, formats) =
        storage::used(ctx.store(), place).await?;
    let package_types = formats.into_iter().map(|(format, used)| PackageTypeStorage {
        package_type: format.into(),
        size: bytes(used.size),
        exclusive_bytes: bytes(used.exclusive_bytes),
        shared_bytes: bytes(used.shared_bytes),
    });
    Ok(Some(PackageStorage {
        size: bytes(size),
        exclusive_bytes: bytes(exclusive_bytes),
        shared_bytes: bytes(shared_bytes),
        package_types: package_types.collect(),
    }))
}

/// The same as GitLab gives it.
pub(crate) async fn statistics_of(
    ctx: &Context<'_>,
    guard: Guarded<()>,
    place: Place,
) -> Result<Option<ProjectStatistics>, Failure> {
    let storage = storage_of(ctx, guard, place).await?;
    Ok(storage.map(|storage| ProjectStatistics { packages_size: Some(storage.size) }))
}
