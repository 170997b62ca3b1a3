//! Listing and showing personal access tokens.

use axum::response::Response;
use domain::{Failure, Subject};
use gateway::{Call, dialect};
use http::StatusCode;

use super::{
    RestAccessToken, RestCurrentAccessToken, RestOwnAccessTokens, RestUserAccessTokens, rest_access_token,
    rest_current_access_token, rest_own_access_tokens, rest_user_access_tokens, token_gid, token_json,
};
use crate::{
    pagination::PageNumber,
    params::{Params, enum_named, path_id},
    shape::{user_gid, withheld},
};

/// `state`, or what the older filter `revoked` amounts to.
pub(crate) fn state<State: serde::de::DeserializeOwned>(params: &Params) -> Result<Option<State>, Failure> {
    let state = params.choice("state", |name| match name {
        "active" => enum_named("ACTIVE"),
        "inactive" => enum_named("INACTIVE"),
        _ => None,
    })?;
    if state.is_some() {
        return Ok(state);
    }
    Ok(params.flag("revoked")?.and_then(|revoked| enum_named(if revoked { "INACTIVE" } else { "ACTIVE" })))
}

pub(super) async fn list(call: Call) -> Result<Response, Failure> {
    let params = Params::of_query(&call);
    let page = PageNumber::of(&params)?;
    let (rows, count): (Vec<_>, _) = match params.number("user_id")? {
        Some(user) => {
            let variables = rest_user_access_tokens::Variables {
                user_id: user_gid(user),
                state: state(&params)?,
                first: page.first(),
                skip: page.skip(),
                count_limit: PageNumber::count_limit(),
            };
            let user = call.run::<RestUserAccessTokens>(variables).await?.user;
            let tokens = user.and_then(|user| user.personal_access_tokens).ok_or_else(|| withheld(&call))?;
            (tokens.nodes.iter().map(|token| token_json!(token)).collect(), tokens.count)
        }
        None => {
            let variables = rest_own_access_tokens::Variables {
                state: state(&params)?,
                first: page.first(),
                skip: page.skip(),
                count_limit: PageNumber::count_limit(),
            };
            let user = call.run::<RestOwnAccessTokens>(variables).await?.current_user;
            let user = user.ok_or_else(Failure::unauthenticated)?;
            let tokens = user.personal_access_tokens.ok_or_else(|| withheld(&call))?;
            (tokens.nodes.iter().map(|token| token_json!(token)).collect(), tokens.count)
        }
    };
    page.respond(&call, &rows, count)
}

/// The token in use.
pub(super) async fn current(
    call: &Call,
) -> Result<rest_current_access_token::RestCurrentAccessTokenCurrentAccessToken, Failure> {
    let token = call
        .run::<RestCurrentAccessToken>(rest_current_access_token::Variables {})
        .await?
        .current_access_token;
    token.ok_or_else(Failure::unauthenticated)
}

pub(super) async fn show_current(call: Call) -> Result<Response, Failure> {
    Ok(dialect::answer(StatusCode::OK, &token_json!(current(&call).await?)))
}

pub(super) async fn show(call: Call) -> Result<Response, Failure> {
    let variables = rest_access_token::Variables { id: token_gid(path_id(&call, "token_id")?) };
    let token = call.run::<RestAccessToken>(variables).await?.personal_access_token;
    let token = token.ok_or_else(|| Failure::not_found(Subject::Token))?;
    Ok(dialect::answer(StatusCode::OK, &token_json!(token)))
}
