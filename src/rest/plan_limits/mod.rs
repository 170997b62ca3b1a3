//! How large files may be, under GitLab's names for limits of a plan. There is one plan here, `default`, as in GitLab's free
//! edition; limits of what is no package are left unread.

use std::collections::HashSet;

use axum::response::Response;
use domain::{Failure, PackageFormat, limits::file_size_key};
use gateway::{Call, Intent, Levels, RouteTable, dialect};
use http::{Method, StatusCode};
use serde_json::{Map, Value};

use crate::params::{Params, enum_named};

gateway::operations!("plan_limits/operations.graphql": RestPlanLimits, RestUpdatePlanLimits);

/// The only plan.
const PLAN: &str = "default";

/// Adds the routes of this noun.
pub(crate) fn routes(table: &mut RouteTable) {
    let path = "/api/v4/application/plan_limits";
    table.route(Method::GET, Levels::Project, path, Intent::Read, show);
    table.route(Method::PUT, Levels::Project, path, Intent::Write, update);
}

/// The limits under GitLab's names.
macro_rules! entries {
    ($limits:expr) => {
        $limits.file_size_limits.iter().map(|limit| entry(&limit.package_type, &limit.maximum_size))
    };
}

async fn show(call: Call) -> Result<Response, Failure> {
    plan(&Params::of_query(&call))?;
    let limits = call.run::<RestPlanLimits>(rest_plan_limits::Variables {}).await?.instance_limits;
    answer(entries!(limits))
}

async fn update(mut call: Call) -> Result<Response, Failure> {
    let params = Params::read(&mut call).await?;
    let plan = params.required("plan_name").and_then(|_| plan(&params));
    // GitLab's formats that this server does not know are passed over. Whoever may not read the limits changes nothing of them: the
    // model refuses that, and writes it down.
    let known = call.run::<RestPlanLimits>(rest_plan_limits::Variables {}).await;
    let known =
        known.map(|limits| entries!(limits.instance_limits).flatten().map(|(name, _)| name).collect());
    let file_size_limits = match (&plan, known) {
        (Ok(()), Ok(known)) => changes(&params, &known)?,
        _ => Vec::new(),
    };
    let input = rest_update_plan_limits::UpdateInstanceLimitsInput {
        file_size_limits: Some(file_size_limits),
        graphql: None,
        rate_limits: None,
    };
    let updated = call.run::<RestUpdatePlanLimits>(rest_update_plan_limits::Variables { input }).await?;
    // Whoever may not is refused above, and told nothing of parameters.
    plan?;
    let payload = updated.update_instance_limits.and_then(|payload| payload.instance_limits);
    let limits = payload.ok_or_else(Failure::internal)?;
    answer(entries!(limits))
}

/// Refuses every plan but the one there is.
fn plan(params: &Params) -> Result<(), Failure> {
    params.choice("plan_name", |name| (name == PLAN).then_some(()))?;
    Ok(())
}

/// The limits that the parameters change, of those that are known.
fn changes(
    params: &Params,
    known: &HashSet<String>,
) -> Result<Vec<rest_update_plan_limits::FileSizeLimitInput>, Failure> {
    let mut changes = Vec::new();
    for format in PackageFormat::ALL.iter().filter(|format| known.contains(&file_size_key(**format))) {
        let Some(size) = params.natural(&file_size_key(*format))? else { continue };
        let package_type = enum_named(format.sdl_name()).ok_or_else(Failure::internal)?;
        let maximum_size = size.to_string();
        changes.push(rest_update_plan_limits::FileSizeLimitInput { package_type, maximum_size });
    }
    Ok(changes)
}

/// One limit under GitLab's name.
fn entry(package_type: &impl serde::Serialize, size: &str) -> Option<(String, Value)> {
    let name = serde_json::to_value(package_type).ok()?;
    let format = PackageFormat::ALL.iter().find(|format| name == format.sdl_name())?;
    Some((file_size_key(*format), size.parse::<u64>().ok()?.into()))
}

fn answer(entries: impl Iterator<Item = Option<(String, Value)>>) -> Result<Response, Failure> {
    let entries: Option<Map<String, Value>> = entries.collect();
    Ok(dialect::answer(StatusCode::OK, &entries.ok_or_else(Failure::internal)?))
}
