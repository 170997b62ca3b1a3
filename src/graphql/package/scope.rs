//! From the scope a request names to one the store may search, authorized.

use access::{Action, Packages, Purpose, Visible};
use async_graphql::Context;
use domain::{
    ErrorCode, Failure, PackageFormat, PackageName, Subject,
    rules::{FormatRules, InstanceOrigin},
};
use store::{IdOrPath, groups::NamespaceKind, packages::PackageScope, projects::Project};

use super::inputs::PackageScopeInput;
use crate::{context::ContextExt, gate};

/// The project that `address` names, opened for `action` with `packages`.
pub(crate) async fn open_project(
    ctx: &Context<'_>,
    address: IdOrPath<'_>,
    action: Action,
    packages: Packages<'_>,
) -> Result<Project, Failure> {
    let found = store::projects::find(ctx.store(), ctx.viewer(), address, ctx.now()).await?;
    gate::authorize_about(ctx, found, Subject::Project, action, &packages)
}

/// What the packages of a name are to the limits of a token.
pub(crate) fn packages_named<'a>(rules: &'static dyn FormatRules, name: &'a PackageName) -> Packages<'a> {
    Packages::Named(rules.format(), name.key.as_str().into())
}

/// What is looked for in a scope.
#[derive(Clone, Copy)]
pub(super) enum Sought<'a> {
    /// Packages of one name. At the instance level the format may bind the name to a top-level namespace.
    Named(&'static dyn FormatRules, &'a PackageName),
    /// All of a format.
    Format(PackageFormat),
    /// All there are.
    All,
}

impl<'a> Sought<'a> {
    fn packages(self) -> Packages<'a> {
        match self {
            Self::Named(rules, name) => packages_named(rules, name),
            Self::Format(format) => Packages::AllOf(format),
            Self::All => Packages::All,
        }
    }
}

/// The scope, opened for `action`, which only reads, with what is `sought` in it.
pub(super) async fn open_scope(
    ctx: &Context<'_>,
    scope: &PackageScopeInput,
    sought: Sought<'_>,
    action: Action,
) -> Result<PackageScope, Failure> {
    match (&scope.project_path, &scope.group_path) {
        (Some(_), Some(_)) => Err(Failure::invalid("scope", "projectPath and groupPath exclude each other")),
        (Some(project), None) => {
            let address = IdOrPath::from(project.as_str());
            Ok(PackageScope::Project(open_project(ctx, address, action, sought.packages()).await?.id))
        }
        (None, Some(group)) => {
            let found =
                store::groups::find(ctx.store(), ctx.viewer(), IdOrPath::from(group.as_str()), ctx.now())
                    .await?;
            let group = gate::authorize_about(ctx, found, Subject::Group, action, &sought.packages())?;
            if group.kind != NamespaceKind::Group {
                return Err(Failure::not_found(Subject::Group));
            }
            Ok(PackageScope::Group { group: group.id, visible: visible(ctx).await? })
        }
        (None, None) => {
            gate::authorize_packages(ctx, None, action, &sought.packages())?;
            let origin = match sought {
                Sought::Named(rules, name) => rules.instance_origin(name),
                Sought::Format(_) | Sought::All => InstanceOrigin::AnyProject,
            };
            let root = match origin {
                InstanceOrigin::AnyProject => None,
                InstanceOrigin::RootNamespace(root) => Some(root),
                InstanceOrigin::Nowhere => return Err(Failure::not_found(Subject::Package)),
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
