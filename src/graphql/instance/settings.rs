//! The instance's switches.

use access::Action;
use async_graphql::{Context, InputObject, Object, SimpleObject};
use store::instance_settings::{self, InstanceSettingsChange};

use crate::{
    context::ContextExt,
    gate,
    outcome::{OrError, Outcome},
};

/// The instance's switches (ours).
#[derive(SimpleObject)]
pub(crate) struct InstanceSettings {
    /// Whether the package registry is on.
    package_registry_enabled: bool,
    /// Whether projects may open their registry to everyone.
    package_registry_allow_anyone_to_pull_option: bool,
}

impl From<instance_settings::InstanceSettings> for InstanceSettings {
    fn from(settings: instance_settings::InstanceSettings) -> Self {
        Self {
            package_registry_enabled: settings.package_registry_enabled,
            package_registry_allow_anyone_to_pull_option: settings
                .package_registry_allow_anyone_to_pull_option,
        }
    }
}

/// Switches to change; what is left out stays.
#[derive(InputObject)]
pub(crate) struct UpdateInstanceSettingsInput {
    package_registry_enabled: Option<bool>,
    package_registry_allow_anyone_to_pull_option: Option<bool>,
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
        };
        let settings = instance_settings::update(ctx.store(), change, ctx.now()).await.or_error()?;
        let instance_settings = Some(settings.into());
        Ok(Some(UpdateInstanceSettingsPayload { instance_settings, errors: Vec::new() }))
    }
}
