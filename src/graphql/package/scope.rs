//! From the scope a request names to one the store may search, authorized.

use access::{Action, Purpose, Visible};
use async_graphql::Context;
use domain::{
    ErrorCode, Failure, PackageName, Subject,
    rules::{FormatRules, InstanceOrigin},
};
use store::{IdOrPath, groups::NamespaceKind, packages::PackageScope, projects::Project};

use super::inputs::PackageScopeInput;
use crate::{context::ContextExt, gate};

/// The project that `address` names, opened for `action`.
pub(crate) async fn open_project(
    ctx: &Context<'_>,
    address: IdOrPath<'_>,
    action: Action,
) -> Result<Project, Failure> {
    let found = store::projects::find(ctx.store(), ctx.viewer(), address, ctx.now()).await?;
    gate::authorize(ctx, found, Subject::Project, action)
}

/// The scope, opened for `action`, which only reads. `name` matters at the instance level, where the format may bind it to a
/// top-level namespace.
pub(super) async fn open_scope(
    ctx: &Context<'_>,
    scope: &PackageScopeInput,
    name: Option<(&'static dyn FormatRules, &PackageName)>,
    action: Action,
) -> Result<PackageScope, Failure> {
    match (&scope.project_path, &scope.group_path) {
        (Some(_), Some(_)) => Err(Failure::invalid("scope", "projectPath and groupPath exclude each other")),
        (Some(project), None) => {
            Ok(PackageScope::Project(open_project(ctx, IdOrPath::from(project.as_str()), action).await?.id))
        }
        (None, Some(group)) => {
            let found =
                store::groups::find(ctx.store(), ctx.viewer(), IdOrPath::from(group.as_str()), ctx.now())
                    .await?;
            let group = gate::authorize(ctx, found, Subject::Group, action)?;
            if group.kind != NamespaceKind::Group {
                return Err(Failure::not_found(Subject::Group));
            }
            Ok(PackageScope::Group { group: group.id, visible: visible(ctx).await? })
        }
        (None, None) => {
            let root = match name.map(|(rules, name)| rules.instance_origin(name)) {
                None | Some(InstanceOrigin::AnyProject) => None,
                Some(InstanceOrigin::RootNamespace(root)) => Some(root),
                Some(InstanceOrigin::Nowhere) => return Err(Failure::not_found(Subject::Package)),
            };
            Ok(PackageScope::Instance { visible: visible(ctx).await?, root })
        }
    }
}

/// The filter of projects whose packages the caller may see.
pub(crate) async fn visible(ctx: &Context<'_>) -> Result<Visible, Failure> {
    Ok(Visible::to(ctx.viewer(), Purpose::Packages, ctx.store().instance_facts().await?))
}

/// What is not found in a scope. An anonymous caller of a group or the instance is asked to sign in instead: something hidden
/// could match.
pub(super) fn missing(ctx: &Context<'_>, scope: &PackageScope, subject: Subject) -> Failure {
    match scope {
        PackageScope::Group { .. } | PackageScope::Instance { .. } if ctx.viewer().is_anonymous() => {
            Failure::new(ErrorCode::Unauthenticated, "Authentication is required").about(subject)
        }
        PackageScope::Project(_) | PackageScope::Group { .. } | PackageScope::Instance { .. } => {
            Failure::not_found(subject)
        }
    }
}
