//! Marking versions as yanked or unlisted.

use access::Action;
use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use domain::Failure;
use store::packages::{self, FlagChange, FlagState};

use super::{
    inputs::{PackageScopeInput, PackageTypeEnum},
    query::Coordinates,
    tag::open_version,
    types::{Node, Package},
};
use crate::{
    context::ContextExt,
    outcome::{OrError, Outcome},
};

/// Longest reason, in characters.
const MAX_REASON_LENGTH: usize = 1024;
/// Most flags set by one mutation.
const MAX_FLAGS: usize = 100;

/// A mark on a version: it changes how the version is listed, never what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::PackageFlag")]
pub(crate) enum PackageFlag {
    /// Not to be chosen unless asked for by its very version.
    Yanked,
    /// Installable and not found by searching.
    Unlisted,
}

/// Marks versions of one name.
#[derive(InputObject)]
pub(crate) struct SetPackageFlagsInput {
    scope: PackageScopeInput,
    package_type: PackageTypeEnum,
    package_name: String,
    flags: Vec<PackageFlagInput>,
}

/// A version and what becomes of one of its flags.
#[derive(InputObject)]
pub(crate) struct PackageFlagInput {
    package_version: String,
    flag: PackageFlag,
    /// Why, as clients show it.
    reason: Option<String>,
    /// False takes the flag back.
    #[graphql(default = true)]
    set: bool,
}

/// The versions whose flags were changed.
#[derive(SimpleObject)]
pub(crate) struct SetPackageFlagsPayload {
    packages: Option<Vec<Package>>,
    errors: Vec<String>,
}

#[derive(Default)]
pub(crate) struct FlagMutation;

#[Object]
impl FlagMutation {
    /// Sets flags of versions, or takes them back; all or none (ours).
    async fn set_package_flags(
        &self,
        ctx: &Context<'_>,
        input: SetPackageFlagsInput,
    ) -> Outcome<Option<SetPackageFlagsPayload>> {
        set(ctx, input).await.map(Some).or_error()
    }
}

async fn set(ctx: &Context<'_>, input: SetPackageFlagsInput) -> Result<SetPackageFlagsPayload, Failure> {
    let rules = ctx.state().rules.get(input.package_type.into())?;
    if input.flags.is_empty() || input.flags.len() > MAX_FLAGS {
        return Err(Failure::invalid("flags", format!("From 1 to {MAX_FLAGS} flags are changed at once")));
    }
    let mut changes = Vec::with_capacity(input.flags.len());
    for wanted in input.flags {
        let reason = wanted.reason.filter(|reason| !reason.is_empty());
        if reason.as_ref().is_some_and(|reason| {
            reason.chars().count() > MAX_REASON_LENGTH || reason.chars().any(char::is_control)
        }) {
            let message = format!("A reason is one line of at most {MAX_REASON_LENGTH} characters");
            return Err(Failure::invalid("reason", message));
        }
        let version = Some(wanted.package_version.as_str());
        let coordinates = Coordinates::parse(ctx, input.package_type, &input.package_name, version)?;
        let package = open_version(ctx, &input.scope, &coordinates, Action::DestroyPackages).await?;
        let state = if wanted.set { FlagState::Set(reason) } else { FlagState::Removed };
        changes.push(FlagChange { package, flag: wanted.flag.into(), state });
    }
    let packages = changes.iter().map(|change| Node::alone(change.package.clone()).into()).collect();
    packages::set_flags(ctx.store(), rules, changes, ctx.now()).await?;
    Ok(SetPackageFlagsPayload { packages: Some(packages), errors: Vec::new() })
}
