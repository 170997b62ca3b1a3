//! Marking versions as deprecated.

use std::collections::HashSet;

use access::Action;
use async_graphql::{Context, InputObject, Object, SimpleObject};
use domain::Failure;
use store::packages::{self, Deprecation};

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

/// Longest message, in characters.
const MAX_MESSAGE_LENGTH: usize = 1024;
/// Most versions at once: npm deprecates all that a package has.
const MAX_DEPRECATIONS: usize = 10_000;

/// Marks versions of one name.
#[derive(InputObject)]
pub(crate) struct SetPackageDeprecationsInput {
    scope: PackageScopeInput,
    package_type: PackageTypeEnum,
    package_name: String,
    deprecations: Vec<PackageDeprecationInput>,
}

/// A version and what to say of it.
#[derive(InputObject)]
pub(crate) struct PackageDeprecationInput {
    package_version: String,
    /// Null or empty takes the mark back.
    message: Option<String>,
}

/// The versions as they are now.
#[derive(SimpleObject)]
pub(crate) struct SetPackageDeprecationsPayload {
    packages: Option<Vec<Package>>,
    errors: Vec<String>,
}

#[derive(Default)]
pub(crate) struct DeprecateMutation;

#[Object]
impl DeprecateMutation {
    /// Marks versions as deprecated with a message, or takes the mark back; all or none (ours).
    async fn set_package_deprecations(
        &self,
        ctx: &Context<'_>,
        input: SetPackageDeprecationsInput,
    ) -> Outcome<Option<SetPackageDeprecationsPayload>> {
        let rules = ctx.state().rules.get(input.package_type.into()).or_error()?;
        let many = input.deprecations.len();
        if many == 0 || many > MAX_DEPRECATIONS {
            let message = format!("From 1 to {MAX_DEPRECATIONS} versions are deprecated at once");
            return Err(Failure::invalid("deprecations", message)).or_error();
        }
        let mut deprecations = Vec::with_capacity(many);
        let mut named = HashSet::with_capacity(many);
        for wanted in input.deprecations {
            let message = wanted.message.filter(|message| !message.is_empty());
            if message.as_ref().is_some_and(|message| message.chars().count() > MAX_MESSAGE_LENGTH) {
                return Err(Failure::invalid("message", "The message is longer than 1024 characters"))
                    .or_error();
            }
            let version = Some(wanted.package_version.as_str());
            let coordinates =
                Coordinates::parse(ctx, input.package_type, &input.package_name, version).or_error()?;
            let package =
                open_version(ctx, &input.scope, &coordinates, Action::DestroyPackages).await.or_error()?;
            if !named.insert(package.id) {
                let message = format!("Version {} is named twice", wanted.package_version);
                return Err(Failure::invalid("deprecations", message)).or_error();
            }
            deprecations.push(Deprecation { package, message });
        }
        packages::deprecate(ctx.store(), rules, deprecations.clone(), ctx.now()).await.or_error()?;
        let packages = deprecations
            .into_iter()
            .map(|Deprecation { mut package, message }| {
                package.status = match message {
                    Some(_) => domain::PackageStatus::Deprecated,
                    None => domain::PackageStatus::Default,
                };
                package.deprecation = message;
                Node::alone(package).into()
            })
            .collect();
        Ok(Some(SetPackageDeprecationsPayload { packages: Some(packages), errors: Vec::new() }))
    }
}
