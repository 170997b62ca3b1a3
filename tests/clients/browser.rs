//! People in a real browser: Chromium, with nothing but the pages.

use serde::Deserialize;
use serde_json::json;

use super::{Workplace, oidc_provider::Provider, sign_in::registry};
use crate::server::Database;

const SET_PASSWORD: &str =
    "mutation S($input: SetUserPasswordInput!) { setUserPassword(input: $input) { errors } }";
const PASSWORD: &str = "a password of the test";

/// What the person saw.
#[derive(Deserialize)]
struct Seen {
    /// The secret of the token that was made.
    token: String,
    /// What the browser complained of.
    complaints: Vec<String>,
}

#[test]
fn people_sign_in_and_make_a_token_in_a_browser() {
    let Some(place) = Workplace::new(&["node-with-chromium"], "") else { return };
    let Some(mut provider) = Provider::start() else { return };
    let registry = registry(Database::Sqlite, &mut provider);
    let server = &registry.server;
    server.graphql(SET_PASSWORD, &json!({ "input": { "username": "root", "password": PASSWORD } }));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/browser.mjs");
    let told = place.run(".", &[script, &server.url(), PASSWORD]);
    let seen: Seen = serde_json::from_str(told.trim()).unwrap_or_else(|error| panic!("{error}: {told}"));
    assert_eq!(seen.complaints, Vec::<String>::new());
    let headers = [("PRIVATE-TOKEN", seen.token.as_str())];
    let user = server.request("GET", "/api/v4/user", &headers, b"");
    assert!(user.status == 200 && user.text().contains("\"root\""), "{} {}", user.status, user.text());
}
