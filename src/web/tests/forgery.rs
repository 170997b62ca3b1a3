//! Requests that a foreign page makes a browser send.

use http::Method;
use serde_json::Value;

use super::{PASSWORD, Stage};

/// Every address that a form is sent to.
fn forms() -> Vec<String> {
    let forms = crate::route_infos().into_iter().filter(|route| route.method == Method::POST);
    forms
        .map(|route| {
            route.pattern.split('{').next().map_or_else(String::new, |start| fill(start, &route.pattern))
        })
        .collect()
}

/// The pattern with a number for its capture.
fn fill(start: &str, pattern: &str) -> String {
    match pattern.split_once('}') {
        Some((_, rest)) => format!("{start}1{rest}"),
        None => pattern.to_owned(),
    }
}

#[tokio::test]
async fn no_form_is_taken_without_its_proof() {
    let stage = Stage::new().await;
    let mut other = stage.signed_in().await;
    other.get("/").await.expect(200);
    let foreign = other.token();
    let mut anonymous = stage.browser();
    anonymous.get("/users/sign_in").await.expect(200);
    let of_a_form = anonymous.token();
    let mut browser = stage.signed_in().await;
    browser.get("/").await.expect(200);
    let right = browser.token();
    let forms = forms();
    assert!(forms.len() >= 8, "{forms:?}");
    for path in forms {
        for (fields, why) in [
            (vec![], "none"),
            (vec![("authenticity_token", "")], "an empty one"),
            (vec![("authenticity_token", foreign.as_str())], "that of another session"),
            (vec![("authenticity_token", of_a_form.as_str())], "that of no session"),
            (vec![("authenticity_token", &right[1..])], "a part"),
        ] {
            let answer = browser.post(&path, &fields).await;
            assert_eq!(answer.status, 403, "{path}: {why}");
            assert!(answer.text().contains("This form is not valid any more"), "{}", answer.text());
        }
        let fields = [("authenticity_token", right.as_str())];
        for (name, value) in
            [("sec-fetch-site", "cross-site"), ("origin", "http://evil.test"), ("origin", "null")]
        {
            let answer = browser.form(&path, &fields).header(name, value).send().await;
            assert_eq!(answer.status, 403, "{path}: {name} {value}");
            assert!(answer.text().contains("another site"), "{}", answer.text());
        }
        let request = browser.request(Method::POST, &path).header("content-type", "text/plain");
        let answer = request.body(format!("authenticity_token={right}")).send().await;
        assert_eq!(answer.status, 400, "{path}: a form of another kind");
    }
    // The session is as it was, and what is our own is taken.
    let own = browser.form("/users/sign_out", &[("authenticity_token", &right)]);
    let own = own.header("origin", "http://registry.test").header("sec-fetch-site", "same-origin");
    browser.send(own).await.expect(303);
}

#[tokio::test]
async fn nobody_is_signed_in_by_a_foreign_page() {
    let stage = Stage::new().await;
    let mut browser = stage.browser();
    let fields = [("login", "developer"), ("password", PASSWORD)];
    browser.post("/users/sign_in", &fields).await.expect(403);
    browser.get("/users/sign_in").await.expect(200);
    let mut attacker = stage.browser();
    attacker.get("/users/sign_in").await.expect(200);
    let token = attacker.token();
    let forged = [&fields[..], &[("authenticity_token", token.as_str())]].concat();
    browser.post("/users/sign_in", &forged).await.expect(403);
    assert_eq!(browser.cookie("_entrepot_session"), None);
    browser.submit("/users/sign_in", &fields).await.expect(303);
}

#[tokio::test]
async fn a_form_of_a_session_that_is_over_changes_nothing() {
    let stage = Stage::new().await;
    let mut browser = stage.signed_in().await;
    browser.get("/-/user_settings/personal_access_tokens").await.expect(200);
    stage.world.clock.advance(time::Duration::days(8));
    let fields = [("name", "late"), ("scopes", "api")];
    browser.submit("/-/user_settings/personal_access_tokens", &fields).await.expect(403);
    let document = "query T { user(username: \"developer\") { personalAccessTokens { nodes { name } } } }";
    let tokens = stage.run_as_administrator(document, Value::Null).await;
    assert!(!tokens.to_string().contains("late"), "{tokens}");
}
