//! Creating, rotating and revoking personal access tokens.

use axum::response::Response;
use domain::Failure;
use gateway::{Call, dialect};
use http::StatusCode;

use super::{
    RestCreateAccessToken, RestRevokeAccessToken, RestRotateAccessToken, list::current,
    rest_create_access_token, rest_revoke_access_token, rest_rotate_access_token, token_gid, token_json,
};
use crate::{
    params::{Params, path_id},
    shape::{no_content, user_gid},
    token_limits::limits,
};

pub(super) async fn create(call: Call) -> Result<Response, Failure> {
    create_token(call, None).await
}

pub(super) async fn create_for_user(call: Call) -> Result<Response, Failure> {
    let user = user_gid(path_id(&call, "user_id")?);
    create_token(call, Some(user)).await
}

async fn create_token(mut call: Call, user_id: Option<String>) -> Result<Response, Failure> {
    let params = Params::read(&mut call).await?;
    let input = rest_create_access_token::CreatePersonalAccessTokenInput {
        name: params.required("name")?,
        description: params.text("description")?,
        scopes: params.scopes()?,
        limits: limits(&params, |package_type, name_pattern| rest_create_access_token::TokenLimitInput {
            package_type,
            name_pattern,
        })?,
        expires_at: params.date("expires_at")?,
        user_id,
    };
    let created = call.run::<RestCreateAccessToken>(rest_create_access_token::Variables { input }).await?;
    let payload = created.create_personal_access_token.ok_or_else(Failure::internal)?;
    let token = payload.personal_access_token.ok_or_else(Failure::internal)?;
    let mut body = token_json!(token);
    body["token"] = payload.token.into();
    Ok(dialect::answer(StatusCode::CREATED, &body))
}

pub(super) async fn rotate(call: Call) -> Result<Response, Failure> {
    let id = token_gid(path_id(&call, "token_id")?);
    rotate_token(call, id).await
}

pub(super) async fn rotate_current(call: Call) -> Result<Response, Failure> {
    let id = current(&call).await?.id;
    rotate_token(call, id).await
}

async fn rotate_token(mut call: Call, id: String) -> Result<Response, Failure> {
    let params = Params::read(&mut call).await?;
    let expires_at = params.date("expires_at")?;
    let input = rest_rotate_access_token::RotatePersonalAccessTokenInput { id, expires_at };
    let rotated = call.run::<RestRotateAccessToken>(rest_rotate_access_token::Variables { input }).await?;
    let payload = rotated.rotate_personal_access_token.ok_or_else(Failure::internal)?;
    let token = payload.personal_access_token.ok_or_else(Failure::internal)?;
    let mut body = token_json!(token);
    body["token"] = payload.token.into();
    Ok(dialect::answer(StatusCode::OK, &body))
}

pub(super) async fn revoke(call: Call) -> Result<Response, Failure> {
    let id = token_gid(path_id(&call, "token_id")?);
    revoke_token(&call, id).await
}

pub(super) async fn revoke_current(call: Call) -> Result<Response, Failure> {
    let id = current(&call).await?.id;
    revoke_token(&call, id).await
}

async fn revoke_token(call: &Call, id: String) -> Result<Response, Failure> {
    let input = rest_revoke_access_token::RevokePersonalAccessTokenInput { id };
    call.run::<RestRevokeAccessToken>(rest_revoke_access_token::Variables { input }).await?;
    Ok(no_content())
}
