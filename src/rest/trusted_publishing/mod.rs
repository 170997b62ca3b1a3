//! Trusted publishing: an ID token of CI for a short-lived token. Beside our own address under the project there are those that
//! clients of the field know from their public registry, where the token alone says which project it is for.

use axum::response::Response;
use domain::{ErrorCode, Failure};
use gateway::{Call, Intent, Levels, RouteTable, dialect};
use http::{Method, StatusCode};
use serde_json::json;

use crate::{params::Params, shape::id};

gateway::operations!("trusted_publishing/operations.graphql": RestExchangeIdToken);

/// Where npm exchanges the ID token of its CI before it publishes: at the root of the host, whatever the path of its registry is.
const NPM: &str = "/-/npm/v1/oidc/token/exchange/package/{name}";

/// Adds the routes of this noun.
pub(crate) fn routes(table: &mut RouteTable) {
    let levels = Levels::Project;
    let of_project = "/api/v4/projects/{id}/trusted_publishing/tokens";
    table.route(Method::POST, levels, of_project, Intent::Exchange, exchange);
    table.route(Method::GET, levels, "/_/oidc/audience", Intent::Open, audience);
    table.route(Method::POST, levels, "/_/oidc/mint-token", Intent::Exchange, mint);
    table.route(Method::POST, levels, NPM, Intent::Exchange, exchange_for_npm);
}

type Exchanged = rest_exchange_id_token::RestExchangeIdTokenExchangeIdToken;

/// What an ID token is exchanged for.
#[derive(Default)]
struct For {
    project: Option<String>,
    npm_package: Option<String>,
}

async fn run(call: &Call, id_token: String, wanted: For) -> Result<Exchanged, Failure> {
    let input = rest_exchange_id_token::ExchangeIdTokenInput {
        id_token,
        project_path: wanted.project,
        package_type: wanted.npm_package.as_ref().map(|_| rest_exchange_id_token::PackageTypeEnum::Npm),
        package_name: wanted.npm_package,
    };
    let done = call.run::<RestExchangeIdToken>(rest_exchange_id_token::Variables { input }).await?;
    done.exchange_id_token.ok_or_else(Failure::internal)
}

async fn exchange(mut call: Call) -> Result<Response, Failure> {
    let params = Params::read(&mut call).await?;
    let wanted = For { project: Some(call.param("id").to_owned()), npm_package: None };
    let done = run(&call, params.required("id_token")?, wanted).await;
    answered(done, |done| {
        json!({
            "token": done.token,
            "expires_at": done.expires_at,
            "project_id": done.project_id.as_deref().map(id),
        })
    })
}

/// npm brings the ID token as a Bearer and reads the token of the answer. A refusal it tells only to who asks it to be verbose.
/// The scope of the package says the root namespace, as at the address of the instance.
async fn exchange_for_npm(call: Call) -> Result<Response, Failure> {
    let refused = || Failure::new(ErrorCode::Unauthenticated, "An ID token is needed as a Bearer");
    let bearer = call.header("authorization").and_then(|value| value.split_once(' '));
    let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let (_, id_token) = bearer.ok_or_else(refused)?;
    let wanted = For { project: None, npm_package: Some(call.param("name").to_owned()) };
    let done = run(&call, id_token.trim().to_owned(), wanted).await;
    answered(done, |done| json!({ "token": done.token }))
}

/// 201 with what was exchanged, or 401 with the reason.
fn answered(
    done: Result<Exchanged, Failure>,
    shown: impl FnOnce(Exchanged) -> serde_json::Value,
) -> Result<Response, Failure> {
    match done {
        Ok(done) => Ok(dialect::answer(StatusCode::CREATED, &shown(done))),
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
        Ok(token) => match run(&call, token, For::default()).await {
            Ok(done) => {
                return Ok(dialect::answer(
                    StatusCode::OK,
                    &json!({ "success": true, "token": done.token, "expires": done.expires_at }),
                ));
            }
            Err(failure) if failure.code == ErrorCode::Unauthenticated => ("invalid-token", failure.message),
            Err(failure) => return Err(failure),
        },
        Err(failure) => ("invalid-payload", failure.message),
    };
    let errors = json!([{ "code": code, "description": description }]);
    let body = json!({ "message": "Token request failed", "errors": errors });
    Ok(dialect::answer(StatusCode::UNPROCESSABLE_ENTITY, &body))
}
