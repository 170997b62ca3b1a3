//! The cookie of a session at the doors of the real server: it counts for pages and, with the token of a page, for GraphQL.

use serde_json::{Value, json};

use crate::{
    clients::Registry,
    server::{Database, Response, Server},
};

const SET_PASSWORD: &str =
    "mutation S($input: SetUserPasswordInput!) { setUserPassword(input: $input) { errors } }";
const PASSWORD: &str = "a password of the test";
const COOKIE: &str = "_entrepot_session";

/// What a form is proved with.
fn token(page: &str) -> &str {
    let (_, after) =
        page.split_once("name=\"csrf-token\" content=\"").unwrap_or_else(|| panic!("no token: {page}"));
    after.split('"').next().expect("a value")
}

/// The cookies that an answer sets, as a browser sends them.
fn cookies(answer: &Response) -> String {
    let set = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
    let pairs: Vec<&str> = set.filter_map(|(_, cookie)| cookie.split(';').next()).collect();
    pairs.join("; ")
}

fn page(server: &Server, path: &str, cookie: &str) -> Response {
    server.request("GET", path, &[("Accept", "text/html"), ("Cookie", cookie)], b"")
}

/// Signs root in, and gives the cookie and the token of the session.
fn sign_in(server: &Server) -> (String, String) {
    server.graphql(SET_PASSWORD, &json!({ "input": { "username": "root", "password": PASSWORD } }));
    let form = page(server, "/users/sign_in", "");
    let cookie = cookies(&form);
    let body = format!(
        "authenticity_token={}&login=root&password={}",
        token(&form.text()),
        PASSWORD.replace(' ', "+")
    );
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Cookie", cookie.as_str()),
        ("Origin", &server.url()),
        ("Sec-Fetch-Site", "same-origin"),
    ];
    let answer = server.request("POST", "/users/sign_in", &headers, body.as_bytes());
    assert_eq!(answer.status, 303, "{}", answer.text());
    let cookie = cookies(&answer);
    assert!(cookie.starts_with(COOKIE), "{cookie}");
    let token = token(&page(server, "/", &cookie).text()).to_owned();
    (cookie, token)
}

/// Asks GraphQL who asks; gives the status and the answer.
fn ask(server: &Server, headers: &[(&str, &str)]) -> (u16, Value) {
    let headers = [&[("Content-Type", "application/json")], headers].concat();
    let body = json!({ "query": "{ currentUser { username } }" }).to_string();
    let answer = server.request("POST", "/api/graphql", &headers, body.as_bytes());
    (answer.status, serde_json::from_slice(&answer.body).expect("JSON"))
}

#[test]
fn graphql_takes_the_cookie_with_the_token_of_a_page_alone() {
    let registry = Registry::new(Database::Sqlite);
    let server = &registry.server;
    let (cookie, token) = sign_in(server);
    let cookie = cookie.as_str();
    let right = [("Cookie", cookie), ("X-CSRF-Token", token.as_str())];
    assert_eq!(ask(server, &right), (200, json!({ "data": { "currentUser": { "username": "root" } } })));
    for (headers, says) in [
        (&[("Cookie", cookie)][..], "has to carry the csrf-token"),
        (&[("Cookie", cookie), ("X-CSRF-Token", "")], "is not the one of this session"),
        (&[("Cookie", cookie), ("X-CSRF-Token", &token[1..])], "is not the one of this session"),
        (&[right[0], right[1], ("Sec-Fetch-Site", "cross-site")], "another site"),
        (&[right[0], right[1], ("Origin", "http://evil.test")], "another site"),
    ] {
        let (status, answer) = ask(server, headers);
        assert_eq!(status, 403, "{headers:?}: {answer}");
        assert!(answer["errors"][0]["message"].as_str().is_some_and(|text| text.contains(says)), "{answer}");
        assert!(answer["data"].is_null(), "{answer}");
    }
    // A token wins over the cookie, which is not looked at then.
    let (status, answer) =
        ask(server, &[("Cookie", cookie), ("PRIVATE-TOKEN", "glpat-nobodyissuedthistoken")]);
    assert_eq!((status, &answer["errors"][0]["message"]), (401, &json!("Invalid token")));

    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Cookie", cookie)];
    let form = format!("authenticity_token={token}");
    assert_eq!(server.request("POST", "/users/sign_out", &headers, form.as_bytes()).status, 303);
    let (status, answer) = ask(server, &right);
    let message = &answer["errors"][0]["message"];
    assert_eq!(
        (status, message),
        (401, &json!("The session has ended: sign in again")),
        "never a silent nobody"
    );
}

#[test]
fn no_other_door_looks_at_the_cookie() {
    let registry = Registry::new(Database::Sqlite);
    let server = &registry.server;
    let (cookie, token) = sign_in(server);
    let headers = [("Cookie", cookie.as_str()), ("X-CSRF-Token", token.as_str())];
    assert_eq!(server.request("GET", "/api/v4/user", &headers, b"").status, 401);
    let path = format!("{}/generic/a/1.0.0/a.bin", registry.project_packages());
    assert_eq!(server.request("PUT", &path, &headers, b"x").status, 401);
    let secret = cookie.split('=').nth(1).and_then(|rest| rest.split(';').next()).expect("a secret");
    for (name, value) in [
        ("PRIVATE-TOKEN", secret.to_owned()),
        ("Authorization", format!("Bearer {secret}")),
        ("Deploy-Token", secret.to_owned()),
    ] {
        assert_eq!(server.request("GET", "/api/v4/user", &[(name, &value)], b"").status, 401, "{name}");
    }
}

#[test]
fn browsers_get_pages_where_tools_get_json() {
    let server = Server::start(Database::Sqlite);
    for (path, status) in [("/", 200), ("/nowhere", 404)] {
        let tool = server.request("GET", path, &[("Accept", "*/*")], b"");
        assert_eq!((tool.status, tool.header("content-type")), (status, "application/json"), "{path}");
        let browser = page(&server, path, "");
        assert_eq!(
            (browser.status, browser.header("content-type")),
            (status, "text/html; charset=utf-8"),
            "{path}"
        );
    }
    let script = page(&server, "/api/nowhere", "");
    assert_eq!((script.status, script.header("content-type")), (404, "application/json"));
}
