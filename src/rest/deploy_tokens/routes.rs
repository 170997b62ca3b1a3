//! Listing, showing, creating and revoking deploy tokens.

use axum::response::Response;
use domain::{Failure, Subject};
use gateway::{Call, Intent, Levels, RouteTable, dialect};
use http::{Method, StatusCode};
use serde_json::Value;

use super::{
    RestCreateDeployToken, RestDeployTokens, RestGroupDeployTokens, RestProjectDeployTokens,
    RestRevokeDeployToken, rest_create_deploy_token, rest_deploy_tokens, rest_group_deploy_tokens,
    rest_project_deploy_tokens, rest_revoke_deploy_token,
};
use crate::{
    pagination::{PageNumber, find_by_id},
    params::{Params, path_id},
    shape::{Place, no_content},
    token_limits::limits,
};

/// A token as every route shows one.
macro_rules! token_json {
    ($token:expr) => {
        serde_json::json!({
            "id": $crate::shape::id(&$token.id),
            "name": $token.name,
            "username": $token.username,
            "expires_at": $token.expires_at,
            "revoked": $token.revoked,
            "expired": $token.expired,
            "scopes": $token.scopes,
            "limits": $crate::token_limits::limits_json!($token.limits),
        })
    };
}

/// Adds the routes of this noun.
pub(crate) fn routes(table: &mut RouteTable) {
    let of_instance = "/api/v4/deploy_tokens";
    table.route(Method::GET, Levels::Project, of_instance, Intent::Read, list_all);
    for place in Place::ALL {
        let all = format!("{}/deploy_tokens", place.prefix());
        let one = format!("{all}/{{token_id}}");
        let levels = Levels::Project;
        table.route(Method::GET, levels, &all, Intent::Read, move |call| list(call, place));
        table.route(Method::POST, levels, &all, Intent::Write, move |call| create(call, place));
        table.route(Method::GET, levels, &one, Intent::Read, move |call| show(call, place));
        table.route(Method::DELETE, levels, &one, Intent::Write, move |call| revoke(call, place));
    }
}

async fn list(call: Call, place: Place) -> Result<Response, Failure> {
    let params = Params::of_query(&call);
    let page = PageNumber::of(&params)?;
    let (rows, count) = read(&call, place, params.flag("active")?, page).await?;
    page.respond(&call, &rows, count)
}

/// Every token of the instance, for administrators.
async fn list_all(call: Call) -> Result<Response, Failure> {
    let params = Params::of_query(&call);
    let page = PageNumber::of(&params)?;
    let variables = rest_deploy_tokens::Variables {
        active: params.flag("active")?,
        first: page.first(),
        skip: page.skip(),
        count_limit: PageNumber::count_limit(),
    };
    let tokens = call.run::<RestDeployTokens>(variables).await?.deploy_tokens;
    let rows: Vec<_> = tokens.nodes.iter().map(|token| token_json!(token)).collect();
    page.respond(&call, &rows, tokens.count)
}

async fn show(call: Call, place: Place) -> Result<Response, Failure> {
    let wanted = path_id(&call, "token_id")?;
    let token = find_by_id(wanted, Subject::Token, |page| read(&call, place, None, page)).await?;
    // GitLab's DELETE leaves nothing to show.
    if token["revoked"] == true {
        return Err(Failure::not_found(Subject::Token));
    }
    Ok(dialect::answer(StatusCode::OK, &token))
}

async fn read(
    call: &Call,
    place: Place,
    active: Option<bool>,
    page: PageNumber,
) -> Result<(Vec<Value>, i64), Failure> {
    let full_path = call.param("id").to_owned();
    let missing = || Failure::not_found(place.subject());
    let (first, skip, count_limit) = (page.first(), page.skip(), PageNumber::count_limit());
    match place {
        Place::Project => {
            let variables =
                rest_project_deploy_tokens::Variables { full_path, active, first, skip, count_limit };
            let found = call.run::<RestProjectDeployTokens>(variables).await?.project;
            let tokens = found.ok_or_else(missing)?.deploy_tokens;
            Ok((tokens.nodes.iter().map(|token| token_json!(token)).collect(), tokens.count))
        }
        Place::Group => {
            let variables =
                rest_group_deploy_tokens::Variables { full_path, active, first, skip, count_limit };
            let found = call.run::<RestGroupDeployTokens>(variables).await?.group;
            let tokens = found.ok_or_else(missing)?.deploy_tokens;
            Ok((tokens.nodes.iter().map(|token| token_json!(token)).collect(), tokens.count))
        }
    }
}

async fn create(mut call: Call, place: Place) -> Result<Response, Failure> {
    let params = Params::read(&mut call).await?;
    let (project_path, group_path) = place.paths(&call);
    let input = rest_create_deploy_token::CreateDeployTokenInput {
        project_path,
        group_path,
        name: params.required("name")?,
        username: params.filled("username")?,
        scopes: params.scopes()?,
        limits: limits(&params, |package_type, name_pattern| rest_create_deploy_token::TokenLimitInput {
            package_type,
            name_pattern,
        })?,
        expires_at: params.instant("expires_at")?,
    };
    let created = call.run::<RestCreateDeployToken>(rest_create_deploy_token::Variables { input }).await?;
    let payload = created.create_deploy_token.ok_or_else(Failure::internal)?;
    let token = payload.deploy_token.ok_or_else(Failure::internal)?;
    let mut body = token_json!(token);
    body["token"] = payload.token.into();
    Ok(dialect::answer(StatusCode::CREATED, &body))
}

async fn revoke(call: Call, place: Place) -> Result<Response, Failure> {
    let (project_path, group_path) = place.paths(&call);
    let id = format!("gid://gitlab/DeployToken/{}", path_id(&call, "token_id")?);
    let input = rest_revoke_deploy_token::RevokeDeployTokenInput { id, project_path, group_path };
    call.run::<RestRevokeDeployToken>(rest_revoke_deploy_token::Variables { input }).await?;
    Ok(no_content())
}
