//! The instance's switches.

use access::Action;
use async_graphql::{Context, InputObject, MaybeUndefined, Object, SimpleObject};
use store::instance_settings::{self, ForwardingChange, InstanceSettingsChange};

use crate::{
    context::ContextExt,
    gate,
    outcome::{OrError, Outcome},
};

/// The instance's switches (ours).
#[derive(SimpleObject)]
#[expect(clippy::struct_excessive_bools, reason = "one for each switch")]
pub(crate) struct InstanceSettings {
    /// Whether the package registry is on.
    package_registry_enabled: bool,
    /// Whether projects may open their registry to everyone.
    package_registry_allow_anyone_to_pull_option: bool,
    /// Whether requests for Maven packages that are not here are forwarded. Null where nobody decided.
    maven_package_requests_forwarding: Option<bool>,
    /// Whether no namespace may decide otherwise about Maven.
    lock_maven_package_requests_forwarding: bool,
    /// Whether requests for npm packages that are not here are forwarded. Null where nobody decided.
    npm_package_requests_forwarding: Option<bool>,
    /// Whether no namespace may decide otherwise about npm.
    lock_npm_package_requests_forwarding: bool,
    /// Whether requests for PyPI packages that are not here are forwarded. Null where nobody decided.
    pypi_package_requests_forwarding: Option<bool>,
    /// Whether no namespace may decide otherwise about PyPI.
    lock_pypi_package_requests_forwarding: bool,
    /// Whether requests for RubyGems that are not here are forwarded. Null where nobody decided.
    rubygems_package_requests_forwarding: Option<bool>,
    /// Whether no namespace may decide otherwise about RubyGems.
    lock_rubygems_package_requests_forwarding: bool,
}

impl From<instance_settings::InstanceSettings> for InstanceSettings {
    fn from(settings: instance_settings::InstanceSettings) -> Self {
        // In the order of FORWARDED.
        let [maven, npm, pypi, rubygems] = settings.forwarding;
        Self {
            package_registry_enabled: settings.package_registry_enabled,
            package_registry_allow_anyone_to_pull_option: settings
                .package_registry_allow_anyone_to_pull_option,
            maven_package_requests_forwarding: maven.enabled,
            lock_maven_package_requests_forwarding: maven.locked,
            npm_package_requests_forwarding: npm.enabled,
            lock_npm_package_requests_forwarding: npm.locked,
            pypi_package_requests_forwarding: pypi.enabled,
            lock_pypi_package_requests_forwarding: pypi.locked,
            rubygems_package_requests_forwarding: rubygems.enabled,
            lock_rubygems_package_requests_forwarding: rubygems.locked,
        }
    }
}

/// Switches to change; what is left out stays.
#[derive(InputObject)]
pub(crate) struct UpdateInstanceSettingsInput {
    package_registry_enabled: Option<bool>,
    package_registry_allow_anyone_to_pull_option: Option<bool>,
    /// Null leaves it to the namespaces, as with the other formats.
    maven_package_requests_forwarding: MaybeUndefined<bool>,
    lock_maven_package_requests_forwarding: Option<bool>,
    npm_package_requests_forwarding: MaybeUndefined<bool>,
    lock_npm_package_requests_forwarding: Option<bool>,
    pypi_package_requests_forwarding: MaybeUndefined<bool>,
    lock_pypi_package_requests_forwarding: Option<bool>,
    rubygems_package_requests_forwarding: MaybeUndefined<bool>,
    lock_rubygems_package_requests_forwarding: Option<bool>,
}

fn forwarding(enabled: MaybeUndefined<bool>, locked: Option<bool>) -> ForwardingChange {
    ForwardingChange { enabled: enabled.as_opt_ref().map(Option::<&bool>::copied), locked }
}

/// The switches as they now are.
#[derive(SimpleObject)]
pub(crate) struct UpdateInstanceSettingsPayload {
    instance_settings: Option<InstanceSettings>,
    errors: Vec<String>,
}

#[derive(Default)]
pub(crate) struct InstanceMutation;

#[Object]
impl InstanceMutation {
    /// Changes the instance's switches (ours). For administrators.
    async fn update_instance_settings(
        &self,
        ctx: &Context<'_>,
        input: UpdateInstanceSettingsInput,
    ) -> Outcome<Option<UpdateInstanceSettingsPayload>> {
        gate::authorize_instance(ctx, Action::Administer).or_error()?;
        let change = InstanceSettingsChange {
            package_registry_enabled: input.package_registry_enabled,
            package_registry_allow_anyone_to_pull_option: input.package_registry_allow_anyone_to_pull_option,
            forwarding: [
                forwarding(
                    input.maven_package_requests_forwarding,
                    input.lock_maven_package_requests_forwarding,
                ),
                forwarding(input.npm_package_requests_forwarding, input.lock_npm_package_requests_forwarding),
                forwarding(
                    input.pypi_package_requests_forwarding,
                    input.lock_pypi_package_requests_forwarding,
                ),
                forwarding(
                    input.rubygems_package_requests_forwarding,
                    input.lock_rubygems_package_requests_forwarding,
                ),
            ],
        };
        let settings = instance_settings::update(ctx.store(), change, ctx.now()).await.or_error()?;
        let instance_settings = Some(settings.into());
        Ok(Some(UpdateInstanceSettingsPayload { instance_settings, errors: Vec::new() }))
    }
}
