//! The whole server's routes over a world.

use axum::Router;
use gateway::RouteInfo;
use serde_json::{Value, json};
use testkit::{Client, Person, World};

/// A world that knows every format, with a client of every route.
pub(crate) async fn world() -> (World, Client) {
    let world = World::new(formats::rules()).await;
    let client = world.client(router(&world));
    (world, client)
}

/// Every route that speaks through the gateway.
pub(crate) fn router(world: &World) -> Router {
    formats::router(&world.gateway)
        .merge(rest::router(&world.gateway))
        .merge(web::router(&world.gateway, Value::Null))
}

/// What the routes declare.
pub(crate) fn routes() -> Vec<RouteInfo> {
    let mut routes = formats::route_infos();
    routes.extend(rest::route_infos());
    routes.extend(web::route_infos());
    routes
}

/// The payload of a mutation; there has to be one.
pub(crate) async fn payload(world: &World, person: &Person, document: &str, input: Value) -> Value {
    let answer = world.graphql(person, document, json!({ "input": input })).await;
    let payload = answer["data"].as_object().and_then(|data| data.values().next()).cloned();
    payload.filter(|payload| !payload.is_null()).unwrap_or_else(|| panic!("{answer}"))
}

/// The payload of a mutation that is accepted.
pub(crate) async fn accepted(world: &World, person: &Person, document: &str, input: Value) -> Value {
    let payload = payload(world, person, document, input).await;
    assert_eq!(payload["errors"], json!([]), "{payload}");
    payload
}

/// The outcome of a document at the open door: `OK`, or the code of its first error.
pub(crate) async fn code(world: &World, person: &Person, document: &str, variables: Value) -> String {
    let response = match world.try_graphql(person, document, variables).await {
        Ok(response) => response,
        Err(failure) => return failure.code.name().to_owned(),
    };
    match response["errors"][0]["extensions"]["code"].as_str() {
        Some(code) => code.to_owned(),
        None if response["errors"].is_array() => response["errors"].to_string(),
        None => "OK".to_owned(),
    }
}

/// The secret of a fresh session of somebody who is a user.
pub(crate) async fn session(world: &World, person: &Person) -> String {
    const SET: &str =
        "mutation S($input: SetUserPasswordInput!) { setUserPassword(input: $input) { errors } }";
    const SIGN_IN: &str = "mutation S($input: SignInInput!) { signIn(input: $input) { session errors } }";
    let password = "a password of the test";
    let input = json!({ "username": person.name, "password": password });
    accepted(world, &world.people.administrator, SET, input).await;
    let input = json!({ "login": person.name, "password": password });
    let begun = accepted(world, &world.people.anonymous, SIGN_IN, input).await;
    begun["session"].as_str().expect("a secret").to_owned()
}
