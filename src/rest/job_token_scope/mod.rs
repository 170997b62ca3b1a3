//! Whose CI jobs a project lets in.

use axum::response::Response;
use domain::{ErrorCode, Failure, Subject};
use gateway::{Call, Intent, Levels, RouteTable, dialect};
use http::{Method, StatusCode};
use serde_json::json;

use crate::{
    keyset::Keyset,
    params::{Params, path_id},
    shape::{Id, Place, id, known, no_content, withheld},
};

gateway::operations!(
    "job_token_scope/operations.graphql":
    RestJobTokenScope, RestJobTokenAllowlist, RestAllowJobTokens, RestDisallowJobTokens
);

/// Most projects of a page of the allowlist.
const MAX_PER_PAGE: i64 = 100;

/// Adds the routes of this noun.
pub(crate) fn routes(table: &mut RouteTable) {
    let levels = Levels::Project;
    let scope = "/api/v4/projects/{id}/job_token_scope";
    let allowlist = format!("{scope}/allowlist");
    let one = format!("{allowlist}/{{target_project_id}}");
    table.route(Method::GET, levels, scope, Intent::Read, show);
    table.route(Method::PATCH, levels, scope, Intent::Write, change);
    table.route(Method::GET, levels, &allowlist, Intent::Read, list);
    table.route(Method::POST, levels, &allowlist, Intent::Write, allow);
    table.route(Method::DELETE, levels, &one, Intent::Write, disallow);
}

/// Whether jobs of other projects have to be let in. Null of the model says that the caller may not know.
async fn is_enabled(call: &Call) -> Result<bool, Failure> {
    let variables = rest_job_token_scope::Variables { full_path: call.param("id").to_owned() };
    let project = call.run::<RestJobTokenScope>(variables).await?.project;
    let project = project.ok_or_else(|| Failure::not_found(Subject::Project))?;
    known(project.visibility, Place::Project)?;
    let scope = project.ci_job_token_scope.ok_or_else(|| withheld(call))?;
    Ok(scope.inbound_job_token_scope_enabled)
}

async fn show(call: Call) -> Result<Response, Failure> {
    let enabled = is_enabled(&call).await?;
    Ok(dialect::answer(StatusCode::OK, &json!({ "inbound_enabled": enabled, "outbound_enabled": false })))
}

/// The allowlist is always on here: turning it on is done, turning it off is refused.
async fn change(mut call: Call) -> Result<Response, Failure> {
    let params = Params::read(&mut call).await?;
    is_enabled(&call).await?;
    match params.flag("enabled")? {
        Some(true) => Ok(no_content()),
        Some(false) => {
            let message =
                "The job token allowlist cannot be turned off: add the projects whose jobs are let in";
            Err(Failure::invalid("enabled", message))
        }
        None => Err(Failure::invalid("enabled", "enabled is missing")),
    }
}

async fn list(call: Call) -> Result<Response, Failure> {
    let params = Params::of_query(&call);
    let first = params.number("per_page")?.unwrap_or(20).clamp(1, MAX_PER_PAGE);
    let after = params.filled("cursor")?;
    let full_path = call.param("id").to_owned();
    let variables = rest_job_token_allowlist::Variables { full_path, first, after };
    let project = call.run::<RestJobTokenAllowlist>(variables).await?.project;
    let project = project.ok_or_else(|| Failure::not_found(Subject::Project))?;
    known(project.visibility, Place::Project)?;
    let allowed = project.ci_job_token_scope.ok_or_else(|| withheld(&call))?.inbound_allowlist;
    let rows: Vec<_> = allowed
        .nodes
        .iter()
        .map(|project| {
            json!({
                "id": id(&project.id),
                "description": project.description,
                "name": project.name,
                "name_with_namespace": project.name_with_namespace,
                "path": project.path,
                "path_with_namespace": project.full_path,
                "created_at": project.created_at,
                "web_url": project.web_url,
            })
        })
        .collect();
    let next = allowed.page_info.end_cursor.as_deref().filter(|_| allowed.page_info.has_next_page);
    Keyset::respond(&call, &rows, next)
}

async fn allow(mut call: Call) -> Result<Response, Failure> {
    let params = Params::read(&mut call).await?;
    let missing = || Failure::invalid("target_project_id", "target_project_id is missing");
    let target = params.number("target_project_id")?.ok_or_else(missing)?;
    let input = rest_allow_job_tokens::CiJobTokenScopeAddProjectInput {
        project_path: call.param("id").to_owned(),
        target_project_path: target.to_string(),
        client_mutation_id: None,
    };
    let done = call.run::<RestAllowJobTokens>(rest_allow_job_tokens::Variables { input }).await?;
    refuse(done.ci_job_token_scope_add_project.map(|payload| payload.errors))?;
    let source = call.param("id").parse::<i64>().ok();
    let body = json!({ "source_project_id": source, "target_project_id": target });
    Ok(dialect::answer(StatusCode::CREATED, &body))
}

async fn disallow(call: Call) -> Result<Response, Failure> {
    let target = path_id(&call, "target_project_id")?;
    let input = rest_disallow_job_tokens::CiJobTokenScopeRemoveProjectInput {
        project_path: call.param("id").to_owned(),
        target_project_path: target.to_string(),
        client_mutation_id: None,
    };
    match call.run::<RestDisallowJobTokens>(rest_disallow_job_tokens::Variables { input }).await {
        Ok(done) => {
            refuse(done.ci_job_token_scope_remove_project.map(|payload| payload.errors))?;
            Ok(no_content())
        }
        // As REST says it of what is not there.
        Err(failure) if failure.code == ErrorCode::Invalid => Err(Failure::not_found(Subject::Project)),
        Err(failure) => Err(failure),
    }
}

/// What GitLab answers to what its mutation refuses.
fn refuse(errors: Option<Vec<String>>) -> Result<(), Failure> {
    match errors.unwrap_or_default().into_iter().next() {
        Some(error) => Err(Failure::new(ErrorCode::Invalid, error)),
        None => Ok(()),
    }
}
