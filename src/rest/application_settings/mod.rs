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

/// Every setting. Whether requests for what is not here are forwarded is GitLab's again.
const SETTINGS: [&str; 10] = [
    ANYONE_MAY_PULL,
    REGISTRY_ENABLED,
    "maven_package_requests_forwarding",
    "lock_maven_package_requests_forwarding",
    "npm_package_requests_forwarding",
    "lock_npm_package_requests_forwarding",
    "pypi_package_requests_forwarding",
    "lock_pypi_package_requests_forwarding",
    "rubygems_package_requests_forwarding",
    "lock_rubygems_package_requests_forwarding",
];

/// The settings as every route shows them.
macro_rules! settings_json {
    ($settings:expr) => {
        serde_json::json!({
            ANYONE_MAY_PULL: $settings.package_registry_allow_anyone_to_pull_option,
            REGISTRY_ENABLED: $settings.package_registry_enabled,
            "maven_package_requests_forwarding": $settings.maven_package_requests_forwarding,
            "lock_maven_package_requests_forwarding": $settings.lock_maven_package_requests_forwarding,
            "npm_package_requests_forwarding": $settings.npm_package_requests_forwarding,
            "lock_npm_package_requests_forwarding": $settings.lock_npm_package_requests_forwarding,
            "pypi_package_requests_forwarding": $settings.pypi_package_requests_forwarding,
            "lock_pypi_package_requests_forwarding": $settings.lock_pypi_package_requests_forwarding,
            "rubygems_package_requests_forwarding": $settings.rubygems_package_requests_forwarding,
            "lock_rubygems_package_requests_forwarding": $settings.lock_rubygems_package_requests_forwarding,
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
        maven_package_requests_forwarding: params.flag("maven_package_requests_forwarding")?,
        lock_maven_package_requests_forwarding: params.flag("lock_maven_package_requests_forwarding")?,
        npm_package_requests_forwarding: params.flag("npm_package_requests_forwarding")?,
        lock_npm_package_requests_forwarding: params.flag("lock_npm_package_requests_forwarding")?,
        pypi_package_requests_forwarding: params.flag("pypi_package_requests_forwarding")?,
        lock_pypi_package_requests_forwarding: params.flag("lock_pypi_package_requests_forwarding")?,
        rubygems_package_requests_forwarding: params.flag("rubygems_package_requests_forwarding")?,
        lock_rubygems_package_requests_forwarding: params
            .flag("lock_rubygems_package_requests_forwarding")?,
    };
    let nothing = !SETTINGS.iter().any(|name| params.has(name));
    let variables = rest_update_application_settings::Variables { input };
    let updated = call.run::<RestUpdateApplicationSettings>(variables).await?.update_instance_settings;
    // Whoever may not is refused above, and told nothing of parameters.
    if nothing {
        let message = format!("{} are missing, at least one parameter must be provided", SETTINGS.join(", "));
        return Err(Failure::invalid(ANYONE_MAY_PULL, message));
    }
    let settings = updated.and_then(|payload| payload.instance_settings).ok_or_else(Failure::internal)?;
    Ok(dialect::answer(StatusCode::OK, &settings_json!(settings)))
}
