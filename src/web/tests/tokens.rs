//! Personal access tokens.

use serde_json::{Value, json};
use testkit::Person;

use super::Stage;

const TOKENS: &str = "/-/user_settings/personal_access_tokens";

/// The secret on a page.
fn secret(page: &str) -> &str {
    let (_, after) = page.split_once("id=\"token\" value=\"").unwrap_or_else(|| panic!("no secret: {page}"));
    after.split('"').next().expect("a value")
}

#[tokio::test]
async fn a_token_is_made_used_and_revoked() {
    let stage = Stage::new().await;
    let mut browser = stage.signed_in().await;
    browser.get(TOKENS).await.expect(200);
    let fields = [
        ("name", "laptop"),
        ("scopes", "read_api"),
        ("scopes", "read_package_registry"),
        ("expires_at", "2027-01-31"),
    ];
    let page = browser.submit(TOKENS, &fields).await.expect(200).text();
    let person = Person::bearing(secret(&page));
    let document = "query T { currentUser { username } currentAccessToken { name scopes expiresAt } }";
    let answer = stage.world.graphql(&person, document, Value::Null).await;
    let expected = json!({
        "currentUser": { "username": "developer" },
        "currentAccessToken": {
            "name": "laptop", "scopes": ["read_api", "read_package_registry"], "expiresAt": "2027-01-31",
        },
    });
    assert_eq!(answer["data"], expected);
    let page = browser.get(TOKENS).await.expect(200).text();
    assert!(page.contains("laptop") && page.contains("expires 2027-01-31"), "{page}");
    assert!(!page.contains(person.secret().expect("a secret")), "it is shown once: {page}");

    let before = page.split("aria-label=\"Revoke laptop\"").next().expect("the button");
    let action = before.rsplit("action=\"").next().and_then(|rest| rest.split('"').next()).expect("its form");
    browser.submit(action, &[]).await.expect(303);
    let page = browser.get(TOKENS).await.expect(200).text();
    assert!(page.contains("The token was revoked.") && !page.contains("laptop"), "{page}");
    assert!(stage.world.try_graphql(&person, document, Value::Null).await.is_err());
}

#[tokio::test]
async fn what_is_wrong_is_told_beside_the_form_and_what_was_typed_stays() {
    let stage = Stage::new().await;
    let mut browser = stage.signed_in().await;
    browser.get(TOKENS).await.expect(200);
    for (name, scope, day, says) in [
        ("<i>x</i>", "api", "tomorrow", "is no day"),
        ("<i>x</i>", "api", "2020-01-01", "2020-01-01"),
        ("<i>x</i>", "everything", "", "everything"),
        ("", "api", "", "name"),
    ] {
        let fields = [("name", name), ("scopes", scope), ("expires_at", day)];
        let answer = browser.submit(TOKENS, &fields).await.expect(422);
        let page = answer.text();
        assert!(page.contains("role=\"alert\"") && page.contains(says), "{says}: {page}");
        assert!(!page.contains("<i>"), "{page}");
        assert_eq!(page.contains("value=\"api\" checked"), scope == "api", "{page}");
    }
    browser.submit(TOKENS, &[("name", "none")]).await.expect(422);
    let path = format!("{TOKENS}/999/revoke");
    browser.submit(&path, &[]).await.expect(404);
}
