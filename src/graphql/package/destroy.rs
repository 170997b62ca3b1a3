//! Deleting packages and files.

use access::Action;
use async_graphql::{Context, InputObject, Object, SimpleObject};
use domain::{ErrorCode, Failure, PackageStatus, Subject};
use store::packages;

use super::{
    inputs::{PackageScopeInput, PackageTypeEnum},
    query::{Coordinates, open_file},
    tag::open_names,
};
use crate::{
    context::ContextExt,
    outcome::{OrError, Outcome, payload_errors},
    protection_rule::authorize_package,
    relay::global_id::{PackagesPackageFileID, PackagesPackageID},
};

/// Names the package to delete.
#[derive(InputObject)]
pub(crate) struct DestroyPackageInput {
    id: PackagesPackageID,
    /// Echoed.
    client_mutation_id: Option<String>,
}

/// The outcome of deleting a package.
#[derive(SimpleObject)]
pub(crate) struct DestroyPackagePayload {
    client_mutation_id: Option<String>,
    errors: Vec<String>,
}

/// Names the file to delete.
#[derive(InputObject)]
pub(crate) struct DestroyPackageFileInput {
    id: PackagesPackageFileID,
    /// Echoed.
    client_mutation_id: Option<String>,
}

/// The outcome of deleting a file.
#[derive(SimpleObject)]
pub(crate) struct DestroyPackageFilePayload {
    client_mutation_id: Option<String>,
    errors: Vec<String>,
}

/// Names a package of which every version is to be deleted.
#[derive(InputObject)]
pub(crate) struct DestroyPackageNameInput {
    scope: PackageScopeInput,
    package_type: PackageTypeEnum,
    package_name: String,
}

/// The outcome of deleting every version of a name.
#[derive(SimpleObject)]
pub(crate) struct DestroyPackageNamePayload {
    /// How many versions were deleted.
    destroyed_count: i32,
    errors: Vec<String>,
}

/// What GitLab says where a rule keeps the package, and scripts compare.
const PROTECTED: &str = "Package is deletion protected.";

async fn destroy_package(ctx: &Context<'_>, id: domain::PackageId) -> Result<(), Failure> {
    let found = packages::find(ctx.store(), ctx.viewer(), id, ctx.now()).await?;
    let opened = authorize_package(ctx, found, Action::DestroyPackages).await;
    let package = opened.map_err(|failure| match failure.code {
        ErrorCode::Protected => Failure { message: PROTECTED.into(), ..failure },
        _ => failure,
    })?;
    if package.status == PackageStatus::PendingDestruction {
        return Err(Failure::not_found(Subject::Package));
    }
    Ok(packages::destroy(ctx.store(), &package, ctx.now()).await?)
}

async fn destroy_file(ctx: &Context<'_>, id: domain::PackageFileId) -> Result<(), Failure> {
    let file = open_file(ctx, id, Action::DestroyPackages).await?;
    let package = packages::find(ctx.store(), ctx.viewer(), file.package_id, ctx.now()).await?;
    let package = authorize_package(ctx, package, Action::DestroyPackages).await?;
    let rules = ctx.state().rules.get(package.format).ok();
    Ok(packages::destroy_file(ctx.store(), rules, &file, ctx.now()).await?)
}

#[derive(Default)]
pub(crate) struct DestroyMutation;

#[Object]
impl DestroyMutation {
    /// Deletes a version. Gone from every endpoint at once; a tombstone stays.
    async fn destroy_package(
        &self,
        ctx: &Context<'_>,
        input: DestroyPackageInput,
    ) -> Outcome<Option<DestroyPackagePayload>> {
        let errors = payload_errors(ctx, destroy_package(ctx, input.id.0).await)?;
        Ok(Some(DestroyPackagePayload { client_mutation_id: input.client_mutation_id, errors }))
    }

    /// Deletes a file of a package.
    async fn destroy_package_file(
        &self,
        ctx: &Context<'_>,
        input: DestroyPackageFileInput,
    ) -> Outcome<Option<DestroyPackageFilePayload>> {
        let errors = payload_errors(ctx, destroy_file(ctx, input.id.0).await)?;
        Ok(Some(DestroyPackageFilePayload { client_mutation_id: input.client_mutation_id, errors }))
    }

    /// Deletes every version of a package name, in one transaction (ours).
    async fn destroy_package_name(
        &self,
        ctx: &Context<'_>,
        input: DestroyPackageNameInput,
    ) -> Outcome<Option<DestroyPackageNamePayload>> {
        let coordinates =
            Coordinates::parse(ctx, input.package_type, &input.package_name, None).or_error()?;
        let names = open_names(ctx, &input.scope, &coordinates, Action::DestroyPackages).await.or_error()?;
        let destroyed = packages::destroy_names(ctx.store(), names, ctx.now()).await.or_error()?;
        let destroyed_count = i32::try_from(destroyed).unwrap_or(i32::MAX);
        Ok(Some(DestroyPackageNamePayload { destroyed_count, errors: Vec::new() }))
    }
}
