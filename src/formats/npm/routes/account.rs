//! Who the caller is: `whoami`, `ping`, and the login of old.

use axum::response::Response;
use domain::{Carrier, Credential, ErrorCode, Failure};
use gateway::Call;
use http::StatusCode;
use serde_json::json;

use crate::npm::{
    NpmWhoami, npm_whoami,
    wire::{self, LoginBody},
};

/// Largest body of a login.
const MAX_BODY: usize = 16 * 1024;

/// What a login with a password is told. npm prints it.
const NO_PASSWORDS: &str =
    "401 Unauthorized - Give an access token as the password, or write one into .npmrc as _authToken";

/// `npm whoami`, also for what is no user: a deploy token, a trusted publisher.
pub(super) async fn whoami(call: Call) -> Result<Response, Failure> {
    let username = call.run::<NpmWhoami>(npm_whoami::Variables {}).await?.current_username;
    let username = username.ok_or_else(Failure::unauthenticated)?;
    Ok(super::json(&json!({ "username": username })))
}

/// `npm ping`.
pub(super) async fn ping(_call: Call) -> Result<Response, Failure> {
    Ok(super::json(&json!({})))
}

/// `npm login --auth-type=legacy`. There are no passwords here: a token given in the place of one is checked and handed
/// back, so that npm writes it where it would write one of ours.
pub(super) async fn login(mut call: Call) -> Result<Response, Failure> {
    let body = call.read_body(MAX_BODY).await?;
    let LoginBody { name, password } = wire::parse(&body)?;
    let credential =
        Credential { carrier: Carrier::Basic, username: Some(name.clone()), secret: password.clone() };
    match call.gateway.authenticate(Some(&credential), call.origin).await {
        Ok(session) if !session.is_anonymous() => {
            let body = json!({ "ok": true, "id": format!("org.couchdb.user:{name}"), "token": password });
            Ok(gateway::dialect::answer(StatusCode::CREATED, &body))
        }
        Err(failure) if failure.code != ErrorCode::Unauthenticated => Err(failure),
        Ok(_) | Err(_) => {
            let body = json!({ "message": NO_PASSWORDS, "error": NO_PASSWORDS });
            Ok(gateway::dialect::answer(StatusCode::UNAUTHORIZED, &body))
        }
    }
}
