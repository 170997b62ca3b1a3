//! Listing, showing, creating, rotating and revoking access tokens of projects and groups.

use axum::response::Response;
use domain::{Failure, Subject};
use gateway::{Call, Intent, Levels, RouteTable, dialect};
use http::{Method, StatusCode};
use serde_json::Value;

use super::{
    RestCreateResourceAccessToken, RestGroupAccessTokens, RestProjectAccessTokens,
    RestRevokeResourceAccessToken, RestRotateResourceAccessToken, rest_create_resource_access_token,
    rest_group_access_tokens, rest_project_access_tokens, rest_revoke_resource_access_token,
    rest_rotate_resource_access_token,
};
use crate::{
    access_tokens::{state, token_json},
    pagination::{PageNumber, find_by_id},
    params::{Params, access_level, path_id},
    shape::{Place, no_content},
    token_limits::limits,
};

/// A token as every route shows one: as a personal one, with its role.
macro_rules! resource_token_json {
    ($token:expr) => {{
        let mut token = token_json!($token);
        token["access_level"] = $token.access_level.integer_value.into();
        token
    }};
}

/// Adds the routes of this noun.
pub(crate) fn routes(table: &mut RouteTable) {
    for place in Place::ALL {
        let all = format!("{}/access_tokens", place.prefix());
        let one = format!("{all}/{{token_id}}");
        let rotated = format!("{one}/rotate");
        let levels = Levels::Project;
        table.route(Method::GET, levels, &all, Intent::Read, move |call| list(call, place));
        table.route(Method::POST, levels, &all, Intent::Write, move |call| create(call, place));
        table.route(Method::GET, levels, &one, Intent::Read, move |call| show(call, place));
        table.route(Method::DELETE, levels, &one, Intent::Write, move |call| revoke(call, place));
        table.route(Method::POST, levels, &rotated, Intent::Write, move |call| rotate(call, place));
    }
}

/// Says what kind of thing a token belongs to, and which.
fn of(mut token: Value, place: Place, id: &str) -> Value {
    token["resource_type"] = match place {
        Place::Project => "project",
        Place::Group => "group",
    }
    .into();
    token["resource_id"] = crate::shape::id(id);
    token
}

async fn list(call: Call, place: Place) -> Result<Response, Failure> {
    let params = Params::of_query(&call);
    let page = PageNumber::of(&params)?;
    let (rows, count) = read(&call, place, Some(&params), page).await?;
    page.respond(&call, &rows, count)
}

async fn show(call: Call, place: Place) -> Result<Response, Failure> {
    let wanted = path_id(&call, "token_id")?;
    let token = find_by_id(wanted, Subject::Token, |page| read(&call, place, None, page)).await?;
    Ok(dialect::answer(StatusCode::OK, &token))
}

async fn read(
    call: &Call,
    place: Place,
    filter: Option<&Params>,
    page: PageNumber,
) -> Result<(Vec<Value>, i64), Failure> {
    let full_path = call.param("id").to_owned();
    let missing = || Failure::not_found(place.subject());
    let (first, skip, count_limit) = (page.first(), page.skip(), PageNumber::count_limit());
    match place {
        Place::Project => {
            let state = filter.map(state).transpose()?.flatten();
            let variables =
                rest_project_access_tokens::Variables { full_path, state, first, skip, count_limit };
            let found = call.run::<RestProjectAccessTokens>(variables).await?.project.ok_or_else(missing)?;
            let rows = found
                .access_tokens
                .nodes
                .iter()
                .map(|token| of(resource_token_json!(token), place, &found.id));
            Ok((rows.collect(), found.access_tokens.count))
        }
        Place::Group => {
            let state = filter.map(state).transpose()?.flatten();
            let variables =
                rest_group_access_tokens::Variables { full_path, state, first, skip, count_limit };
            let found = call.run::<RestGroupAccessTokens>(variables).await?.group.ok_or_else(missing)?;
            let rows = found
                .access_tokens
                .nodes
                .iter()
                .map(|token| of(resource_token_json!(token), place, &found.id));
            Ok((rows.collect(), found.access_tokens.count))
        }
    }
}

async fn create(mut call: Call, place: Place) -> Result<Response, Failure> {
    let params = Params::read(&mut call).await?;
    let (project_path, group_path) = place.paths(&call);
    let input = rest_create_resource_access_token::CreateAccessTokenInput {
        project_path,
        group_path,
        name: params.required("name")?,
        description: params.text("description")?,
        scopes: params.scopes()?,
        limits: limits(&params, |package_type, name_pattern| {
            rest_create_resource_access_token::TokenLimitInput { package_type, name_pattern }
        })?,
        expires_at: params.date("expires_at")?,
        access_level: access_level(&params, "access_level")?,
    };
    let variables = rest_create_resource_access_token::Variables { input };
    let created = call.run::<RestCreateResourceAccessToken>(variables).await?;
    let payload = created.create_access_token.ok_or_else(Failure::internal)?;
    let token = payload.access_token.ok_or_else(Failure::internal)?;
    let mut body = resource_token_json!(token);
    body["token"] = payload.token.into();
    Ok(dialect::answer(StatusCode::CREATED, &body))
}

fn token_gid(call: &Call) -> Result<String, Failure> {
    Ok(format!("gid://gitlab/PersonalAccessToken/{}", path_id(call, "token_id")?))
}

async fn rotate(mut call: Call, place: Place) -> Result<Response, Failure> {
    let params = Params::read(&mut call).await?;
    let (project_path, group_path) = place.paths(&call);
    let input = rest_rotate_resource_access_token::RotateAccessTokenInput {
        id: token_gid(&call)?,
        project_path,
        group_path,
        expires_at: params.date("expires_at")?,
    };
    let variables = rest_rotate_resource_access_token::Variables { input };
    let rotated = call.run::<RestRotateResourceAccessToken>(variables).await?;
    let payload = rotated.rotate_access_token.ok_or_else(Failure::internal)?;
    let token = payload.access_token.ok_or_else(Failure::internal)?;
    let mut body = resource_token_json!(token);
    body["token"] = payload.token.into();
    Ok(dialect::answer(StatusCode::OK, &body))
}

async fn revoke(call: Call, place: Place) -> Result<Response, Failure> {
    let (project_path, group_path) = place.paths(&call);
    let id = token_gid(&call)?;
    let input = rest_revoke_resource_access_token::RevokeAccessTokenInput { id, project_path, group_path };
    let variables = rest_revoke_resource_access_token::Variables { input };
    call.run::<RestRevokeResourceAccessToken>(variables).await?;
    Ok(no_content())
}
