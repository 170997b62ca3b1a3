//! Signing in by way of a certified OpenID Connect provider: its pages, its redirects, its tokens.

use std::fs;

use serde_json::{Value, json};

use super::{Registry, oidc_provider::Provider};
use crate::server::{Database, ROOT_TOKEN, Server, Setup, databases};

const BEGIN: &str = "mutation B($input: BeginProviderSignInInput!) { beginProviderSignIn(input: $input) { \
    authorizationUrl attempt errors } }";
const COMPLETE: &str = "mutation C($input: CompleteProviderSignInInput!) { completeProviderSignIn(input: $input) { \
    session expiresAt user { username } errors } }";
const USER: &str = "query U($name: String!) { user(username: $name) { name email admin } }";

/// Runs a document as whoever has the token, or as nobody; gives the whole answer.
fn ask(server: &Server, token: Option<&str>, document: &str, input: &Value) -> Value {
    let body = json!({ "query": document, "variables": { "input": input } }).to_string();
    let mut headers = vec![("Content-Type", "application/json")];
    headers.extend(token.map(|token| ("PRIVATE-TOKEN", token)));
    let response = server.request("POST", "/api/graphql", &headers, body.as_bytes());
    serde_json::from_slice(&response.body).unwrap_or_else(|_| panic!("{}", response.text()))
}

/// Where the browser is to be sent, and the secret that it keeps.
fn begin(server: &Server, token: Option<&str>) -> (String, Value) {
    let answer = ask(server, token, BEGIN, &json!({ "provider": "people" }));
    let begun = &answer["data"]["beginProviderSignIn"];
    let address = begun["authorizationUrl"].as_str().unwrap_or_else(|| panic!("{answer}"));
    (address.to_owned(), begun["attempt"].clone())
}

/// What `completeProviderSignIn` is told by a browser that kept `attempt` and came back.
fn input(attempt: &Value, back: &Value) -> Value {
    json!({ "attempt": attempt, "provider": "people", "code": back["code"], "state": back["state"], "issuer": back["iss"] })
}

/// Whose session it became.
fn complete(server: &Server, token: Option<&str>, input: &Value) -> Result<String, String> {
    let answer = ask(server, token, COMPLETE, input);
    let payload = &answer["data"]["completeProviderSignIn"];
    match payload["user"]["username"].as_str() {
        Some(name) => {
            assert!(
                payload["session"].as_str().is_some_and(|secret| secret.starts_with("entps-")),
                "{answer}"
            );
            Ok(name.to_owned())
        }
        None => {
            Err(format!("{} {}", answer["errors"][0]["extensions"]["code"], answer["errors"][0]["message"]))
        }
    }
}

fn refused(server: &Server, token: Option<&str>, input: &Value, why: &str) {
    let told = complete(server, token, input).expect_err(why);
    assert!(told.contains("UNAUTHENTICATED") && told.contains(why), "{why}: {told}");
}

pub(super) fn registry(database: Database, provider: &mut Provider) -> Registry {
    let folder = Box::leak(Box::new(tempfile::tempdir().expect("a folder")));
    let file = folder.path().join("entrepot.toml");
    let text = format!(
        "[[sign_in.providers]]\nname = \"people\"\nissuer = \"{}\"\n\
         client_id = \"entrepot\"\nclient_secret = \"of-the-test\"\ncreate_users = true\n",
        provider.issuer
    );
    fs::write(&file, text).expect("written");
    // What a test starts with lives as long as the test's process.
    let file: &'static str = file.display().to_string().leak();
    let variables: &'static [_] = Box::leak(Box::new([("ENTREPOT_CONFIG", file)]));
    let registry = Registry::new(Setup { variables, ..database.into() });
    provider.send_back_to(&format!("{}/users/auth/people/callback", registry.server.url()));
    registry
}

#[test]
fn people_come_in_by_way_of_it() {
    for database in databases() {
        let Some(mut provider) = Provider::start() else { return };
        let registry = registry(database, &mut provider);
        let server = &registry.server;

        // Somebody whom only the provider knows becomes a user; what the ID token leaves out, user info tells.
        let (address, attempt) = begin(server, None);
        let back = provider.browse("ann", &address);
        assert_eq!(back["iss"], provider.issuer.as_str(), "{back}");
        let first = input(&attempt, &back);
        assert_eq!(complete(server, None, &first).as_deref(), Ok("ann"));
        let ann = server.graphql(USER, &json!({ "name": "ann" }));
        let expected = json!({ "name": "Somebody called ann", "email": "ann@example.org", "admin": false });
        assert_eq!(ann["user"], expected);
        // Once.
        refused(server, None, &first, "not begun in this browser");
        let (_, another) = begin(server, None);
        refused(server, None, &input(&another, &back), "belongs to another sign-in");

        // A second time it is the same user.
        let (address, attempt) = begin(server, None);
        let back = provider.browse("ann", &address);
        assert_eq!(complete(server, None, &input(&attempt, &back)).as_deref(), Ok("ann"));

        // A code that was used is worth nothing in another attempt, whose state is right.
        let (address, attempt) = begin(server, None);
        let mut stolen = provider.browse("ben", &address);
        stolen["code"] = back["code"].clone();
        refused(server, None, &input(&attempt, &stolen), "does not redeem the code");
        // A fresh code of another browser is not either: its verifier is another.
        let (one, attempt) = begin(server, None);
        let (two, _) = begin(server, None);
        let (mut one, two) = (provider.browse("ben", &one), provider.browse("mallory", &two));
        one["code"] = two["code"].clone();
        refused(server, None, &input(&attempt, &one), "does not redeem the code");
        let (address, attempt) = begin(server, None);
        let mut strange = provider.browse("ben", &address);
        strange["iss"] = "https://elsewhere.example.org".into();
        refused(server, None, &input(&attempt, &strange), "another issuer");
        let (address, attempt) = begin(server, None);
        let mut silent = provider.browse("ben", &address);
        silent.as_object_mut().expect("an object").remove("iss");
        refused(server, None, &input(&attempt, &silent), "does not say whose it is");

        // Whoever is signed in links the account instead, and comes back as the same one only.
        let (address, attempt) = begin(server, Some(ROOT_TOKEN));
        let back = provider.browse("boss", &address);
        refused(server, None, &input(&attempt, &back), "has changed since");
        let (address, attempt) = begin(server, Some(ROOT_TOKEN));
        let back = provider.browse("boss", &address);
        assert_eq!(complete(server, Some(ROOT_TOKEN), &input(&attempt, &back)).as_deref(), Ok("root"));
        let (address, attempt) = begin(server, None);
        let back = provider.browse("boss", &address);
        assert_eq!(complete(server, None, &input(&attempt, &back)).as_deref(), Ok("root"));
    }
}
