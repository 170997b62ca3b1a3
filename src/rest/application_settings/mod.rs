//! The instance's switches, under GitLab's names for application settings.

use axum::response::Response;
use domain::Failure;
use gateway::{Call, Intent, Levels, RouteTable, dialect};
use http::{Method, StatusCode};

use crate::params::Params;

gateway::operations!(
    "application_settings/operations.graphql": RestApplicationSettings, RestUpdateApplicationSettings
);

/// GitLab's switch: whether projects may open their registry to everyone.
const ANYONE_MAY_PULL: &str = "package_registry_allow_anyone_to_pull_option";
/// Ours: whether the package registry is on.
const REGISTRY_ENABLED: &str = "package_registry_enabled";

/// The settings as every route shows them.
macro_rules! settings_json {
    ($settings:expr) => {
        serde_json::json!({
            ANYONE_MAY_PULL: $settings.package_registry_allow_anyone_to_pull_option,
            REGISTRY_ENABLED: $settings.package_registry_enabled,
        })
    };
}

/// Adds the routes of this noun.
pub(crate) fn routes(table: &mut RouteTable) {
    let path = "/api/v4/application/settings";
    table.route(Method::GET, Levels::Project, path, Intent::Read, show);
    table.route(Method::PUT, Levels::Project, path, Intent::Write, update);
}

async fn show(call: Call) -> Result<Response, Failure> {
    let answer = call.run::<RestApplicationSettings>(rest_application_settings::Variables {}).await?;
    Ok(dialect::answer(StatusCode::OK, &settings_json!(answer.instance_settings)))
}

async fn update(mut call: Call) -> Result<Response, Failure> {
    let params = Params::read(&mut call).await?;
    let input = rest_update_application_settings::UpdateInstanceSettingsInput {
        package_registry_enabled: params.flag(REGISTRY_ENABLED)?,
        package_registry_allow_anyone_to_pull_option: params.flag(ANYONE_MAY_PULL)?,
    };
    let nothing = input.package_registry_enabled.is_none()
        && input.package_registry_allow_anyone_to_pull_option.is_none();
    let variables = rest_update_application_settings::Variables { input };
    let updated = call.run::<RestUpdateApplicationSettings>(variables).await?.update_instance_settings;
    // Whoever may not is refused above, and told nothing of parameters.
    if nothing {
        let message = format!(
            "{ANYONE_MAY_PULL}, {REGISTRY_ENABLED} are missing, at least one parameter must be provided"
        );
        return Err(Failure::invalid(ANYONE_MAY_PULL, message));
    }
    let settings = updated.and_then(|payload| payload.instance_settings).ok_or_else(Failure::internal)?;
    Ok(dialect::answer(StatusCode::OK, &settings_json!(settings)))
}
