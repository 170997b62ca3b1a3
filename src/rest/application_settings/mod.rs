//! The instance's switches, and how many requests are let through, under GitLab's names for application settings.

use axum::response::Response;
use domain::{Failure, Throttle, limits::rate_keys};
use gateway::{Call, Intent, Levels, RouteTable, dialect};
use http::{Method, StatusCode};

use rest_update_rate_limits::{RateLimitInput, UpdateInstanceLimitsInput};

use crate::params::{Params, enum_named};

gateway::operations!(
    "application_settings/operations.graphql":
    RestApplicationSettings, RestUpdateApplicationSettings, RestUpdateRateLimits
);

/// GitLab's switch: whether projects may open their registry to everyone.
const ANYONE_MAY_PULL: &str = "package_registry_allow_anyone_to_pull_option";
/// Ours: whether the package registry is on.
const REGISTRY_ENABLED: &str = "package_registry_enabled";

/// Every switch. Whether requests for what is not here are forwarded is GitLab's again.
const SWITCHES: [&str; 10] = [
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

/// The switches as every route shows them.
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
    let mut settings = settings_json!(answer.instance_settings);
    for limit in answer.instance_limits.rate_limits {
        let [enabled, requests, seconds] = rate_keys(throttle(&limit.name)?);
        settings[enabled] = limit.enabled.into();
        settings[requests] = limit.requests_per_period.into();
        settings[seconds] = limit.period_in_seconds.into();
    }
    Ok(dialect::answer(StatusCode::OK, &settings))
}

/// What of the schema's enum is meant: the names differ in their case and in GitLab's prefix.
fn throttle(name: &rest_application_settings::RateLimitName) -> Result<Throttle, Failure> {
    let name = serde_json::to_value(name).map_err(|_| Failure::internal())?;
    Throttle::ALL.into_iter().find(|throttle| name == sdl_name(*throttle)).ok_or_else(Failure::internal)
}

fn sdl_name(throttle: Throttle) -> String {
    throttle.name().trim_start_matches("throttle_").to_ascii_uppercase()
}

/// The rates that the parameters change.
fn rates(params: &Params) -> Result<Vec<RateLimitInput>, Failure> {
    let number = |name: &str| {
        let number = params.natural(name)?.map(i64::try_from).transpose();
        number.map_err(|_| Failure::invalid(name.to_owned(), format!("{name} is invalid")))
    };
    let mut rates = Vec::new();
    for throttle in Throttle::ALL {
        let [enabled, requests, seconds] = rate_keys(throttle);
        let enabled = params.flag(&enabled)?;
        let (requests_per_period, period_in_seconds) = (number(&requests)?, number(&seconds)?);
        if enabled.is_some() || requests_per_period.is_some() || period_in_seconds.is_some() {
            let name = enum_named(&sdl_name(throttle)).ok_or_else(Failure::internal)?;
            rates.push(RateLimitInput { name, enabled, requests_per_period, period_in_seconds });
        }
    }
    Ok(rates)
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
    let rates = rates(&params)?;
    let nothing = rates.is_empty() && !SWITCHES.iter().any(|name| params.has(name));
    // A rate may be refused for its numbers, a switch is not: nothing is changed by half.
    if !rates.is_empty() {
        let input =
            UpdateInstanceLimitsInput { rate_limits: Some(rates), graphql: None, file_size_limits: None };
        call.run::<RestUpdateRateLimits>(rest_update_rate_limits::Variables { input }).await?;
    }
    let variables = rest_update_application_settings::Variables { input };
    call.run::<RestUpdateApplicationSettings>(variables).await?;
    // Whoever may not is refused above, and told nothing of parameters.
    if nothing {
        let names = Throttle::ALL.into_iter().flat_map(rate_keys);
        let names: Vec<String> = SWITCHES.into_iter().map(str::to_owned).chain(names).collect();
        let message = format!("{} are missing, at least one parameter must be provided", names.join(", "));
        return Err(Failure::invalid(ANYONE_MAY_PULL, message));
    }
    show(call).await
}
