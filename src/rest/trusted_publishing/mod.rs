//! Trusted publishing: an ID token of CI for a short-lived token. Beside our own address under the project there are those that
//! clients of the field know from their public registry, where the token alone says which project it is for.

use axum::response::Response;
use domain::{ErrorCode, Failure};
use gateway::{Call, Intent, Levels, RouteTable, dialect};
use http::{Method, StatusCode};
use serde_json::json;

use crate::{params::Params, shape::id};

gateway::operations!("trusted_publishing/operations.graphql": RestExchangeIdToken);

/// Adds the routes of this noun.
pub(crate) fn routes(table: &mut RouteTable) {
    let levels = Levels::Project;
    let of_project = "/api/v4/projects/{id}/trusted_publishing/tokens";
    table.route(Method::POST, levels, of_project, Intent::Exchange, exchange);
    table.route(Method::GET, levels, "/_/oidc/audience", Intent::Open, audience);
    table.route(Method::POST, levels, "/_/oidc/mint-token", Intent::Exchange, mint);
}

type Exchanged = rest_exchange_id_token::RestExchangeIdTokenExchangeIdToken;

async fn run(call: &Call, id_token: String, project_path: Option<String>) -> Result<Exchanged, Failure> {
    let input = rest_exchange_id_token::ExchangeIdTokenInput { id_token, project_path };
    let done = call.run::<RestExchangeIdToken>(rest_exchange_id_token::Variables { input }).await?;
    done.exchange_id_token.ok_or_else(Failure::internal)
}

async fn exchange(mut call: Call) -> Result<Response, Failure> {
    let params = Params::read(&mut call).await?;
    let project = call.param("id").to_owned();
    match run(&call, params.required("id_token")?, Some(project)).await {
        Ok(done) => {
            let body = json!({
                "token": done.token,
                "expires_at": done.expires_at,
                "project_id": done.project_id.as_deref().map(id),
            });
            Ok(dialect::answer(StatusCode::CREATED, &body))
        }
        Err(failure) if failure.code == ErrorCode::Unauthenticated => {
            let message = format!("401 Unauthorized - {}", failure.message);
            Ok(dialect::answer(StatusCode::UNAUTHORIZED, &json!({ "message": message })))
        }
        Err(failure) => Err(failure),
    }
}

/// What the audience of an ID token is when a publisher was created without one.
async fn audience(call: Call) -> Result<Response, Failure> {
    Ok(dialect::answer(StatusCode::OK, &json!({ "audience": call.gateway.external_url() })))
}

/// As the field's publishing actions ask their registry, and read its answer.
async fn mint(mut call: Call) -> Result<Response, Failure> {
    let params = Params::read(&mut call).await?;
    let (code, description) = match params.required("token") {
        Ok(token) => match run(&call, token, None).await {
            Ok(done) => {
                return Ok(dialect::answer(
                    StatusCode::OK,
                    &json!({ "success": true, "token": done.token, "expires": done.expires_at }),
                ));
            }
            Err(failure) if failure.code == ErrorCode::Unauthenticated => ("invalid-token", failure.message),
            Err(failure) if failure.code == ErrorCode::Invalid => ("invalid-publisher", failure.message),
            Err(failure) => return Err(failure),
        },
        Err(failure) => ("invalid-payload", failure.message),
    };
    let errors = json!([{ "code": code, "description": description }]);
    let body = json!({ "message": "Token request failed", "errors": errors });
    Ok(dialect::answer(StatusCode::UNPROCESSABLE_ENTITY, &body))
}
