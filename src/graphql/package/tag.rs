//! Tags.

use access::Action;
use async_graphql::{Context, InputObject, Object, SimpleObject};
use domain::{Failure, Subject};
use store::{
    IdOrPath,
    packages::{self, PackageScope},
};

use super::{
    inputs::{PackageScopeInput, PackageTypeEnum},
    query::Coordinates,
    scope::{Sought, missing, open_project, open_scope},
    types::PackageTag,
};
use crate::{
    context::ContextExt,
    outcome::{OrError, Outcome},
    protection_rule::{authorize_package, authorize_project},
};

/// Points a tag at a version.
#[derive(InputObject)]
pub(crate) struct SetPackageTagInput {
    scope: PackageScopeInput,
    package_type: PackageTypeEnum,
    package_name: String,
    /// The tag; made when there is none of the name.
    tag: String,
    package_version: String,
}

/// The tag that was set.
#[derive(SimpleObject)]
pub(crate) struct SetPackageTagPayload {
    tag: Option<PackageTag>,
    errors: Vec<String>,
}

/// Removes a tag.
#[derive(InputObject)]
pub(crate) struct RemovePackageTagInput {
    scope: PackageScopeInput,
    package_type: PackageTypeEnum,
    package_name: String,
    tag: String,
}

/// The outcome of removing a tag.
#[derive(SimpleObject)]
pub(crate) struct RemovePackageTagPayload {
    errors: Vec<String>,
}

/// Longest tag, in characters (GitLab's column limit).
const MAX_TAG_LENGTH: usize = 255;

/// Checks a tag: not blank, bounded, no control characters, and nothing that could be taken for a part of a path.
pub(super) fn validate_tag(tag: &str) -> Result<(), Failure> {
    let fine = !tag.trim().is_empty()
        && tag.chars().count() <= MAX_TAG_LENGTH
        && !tag.chars().any(|c| c.is_control() || matches!(c, '/' | '\\'));
    if fine { Ok(()) } else { Err(Failure::invalid("tag", format!("'{tag}' is not a valid tag"))) }
}

/// One version by coordinates, opened for `action` through its project. No protection rule keeps that to others.
pub(super) async fn open_version(
    ctx: &Context<'_>,
    scope: &PackageScopeInput,
    coordinates: &Coordinates,
    action: Action,
) -> Result<packages::Package, Failure> {
    let named = Sought::Named(coordinates.rules, &coordinates.name);
    let scope = open_scope(ctx, scope, named, Action::ViewPackages).await?;
    if let PackageScope::Project(project) = scope {
        // The right first: who may not change anything need not learn what exists.
        open_project(ctx, IdOrPath::Id(project.0), action, coordinates.packages()).await?;
    }
    let version = coordinates.version.as_ref().map(|version| version.key.as_str());
    let format = coordinates.rules.format();
    let found =
        packages::find_version(ctx.store(), &scope, format, &coordinates.name.key, version, ctx.now())
            .await?;
    let package = found.ok_or_else(|| missing(ctx, &scope, Subject::Package))?;
    let guarded = packages::find(ctx.store(), ctx.viewer(), package.id, ctx.now()).await?;
    authorize_package(ctx, guarded, action).await
}

/// The names with these coordinates in a scope, each project opened for `action`, which no protection rule keeps to others.
pub(super) async fn open_names(
    ctx: &Context<'_>,
    scope: &PackageScopeInput,
    coordinates: &Coordinates,
    action: Action,
) -> Result<Vec<domain::PackageNameId>, Failure> {
    let named = Sought::Named(coordinates.rules, &coordinates.name);
    let scope = open_scope(ctx, scope, named, Action::ViewPackages).await?;
    let format = coordinates.rules.format();
    let names = packages::index_names(ctx.store(), &scope, format, &coordinates.name.key, ctx.now()).await?;
    if names.is_empty() {
        if let PackageScope::Project(project) = scope {
            open_project(ctx, IdOrPath::Id(project.0), action, coordinates.packages()).await?;
        }
        return Err(missing(ctx, &scope, Subject::Package));
    }
    for name in &names {
        let id = IdOrPath::Id(name.project.0);
        let project = store::projects::find(ctx.store(), ctx.viewer(), id, ctx.now()).await?;
        authorize_project(ctx, project, action, (format, &name.name), &coordinates.packages()).await?;
    }
    Ok(names.into_iter().map(|name| name.id).collect())
}

#[derive(Default)]
pub(crate) struct TagMutation;

#[Object]
impl TagMutation {
    /// Points a tag at a version; creates or moves it (ours).
    async fn set_package_tag(
        &self,
        ctx: &Context<'_>,
        input: SetPackageTagInput,
    ) -> Outcome<Option<SetPackageTagPayload>> {
        validate_tag(&input.tag).or_error()?;
        let version = Some(input.package_version.as_str());
        let coordinates =
            Coordinates::parse(ctx, input.package_type, &input.package_name, version).or_error()?;
        let target =
            open_version(ctx, &input.scope, &coordinates, Action::PublishPackages).await.or_error()?;
        let tag = packages::set_tag(ctx.store(), &target, &input.tag, ctx.now()).await.or_error()?;
        Ok(Some(SetPackageTagPayload { tag: Some(tag.into()), errors: Vec::new() }))
    }

    /// Removes a tag (ours).
    async fn remove_package_tag(
        &self,
        ctx: &Context<'_>,
        input: RemovePackageTagInput,
    ) -> Outcome<Option<RemovePackageTagPayload>> {
        let coordinates =
            Coordinates::parse(ctx, input.package_type, &input.package_name, None).or_error()?;
        let names = open_names(ctx, &input.scope, &coordinates, Action::DestroyPackages).await.or_error()?;
        packages::remove_tag(ctx.store(), names, &input.tag, ctx.now()).await.or_error()?;
        Ok(Some(RemovePackageTagPayload { errors: Vec::new() }))
    }
}
