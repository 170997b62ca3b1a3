//! Signing in with a password, and out.

use gateway::Gateway;
use serde_json::Value;
use time::Duration;

use super::{PASSWORD, Stage};

const SESSION: &str = "_entrepot_session";

/// The `Set-Cookie` line of a cookie.
fn set_cookie(answer: &testkit::Answer, name: &str) -> String {
    let cookies = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().expect("text"));
    let start = format!("{name}=");
    cookies.into_iter().find(|cookie| cookie.starts_with(&start)).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_password_signs_in_and_the_session_is_in_a_cookie_that_no_script_reads() {
    let stage = Stage::new().await;
    let mut browser = stage.browser();
    browser.get("/users/sign_in?redirect_to=/-/user_settings/account").await.expect(200);
    let fields =
        [("login", "developer"), ("password", PASSWORD), ("redirect_to", "/-/user_settings/account")];
    let answer = browser.submit("/users/sign_in", &fields).await.expect(303);
    assert_eq!(answer.header("location"), "/-/user_settings/account");
    let cookie = set_cookie(&answer, SESSION);
    for attribute in ["; HttpOnly", "; SameSite=Lax", "; Path=/", "; Expires="] {
        assert!(cookie.contains(attribute), "{attribute}: {cookie}");
    }
    assert!(!cookie.contains("Secure"), "the registry is reached over HTTP: {cookie}");
    let page = browser.get("/-/user_settings/account").await.expect(200).text();
    assert!(page.contains("developer") && page.contains("this one"), "{page}");
    assert!(!page.contains(browser.cookie(SESSION).expect("a session")), "the secret is in no page");
    // Whoever is signed in has no use for the page.
    let answer = browser.get("/users/sign_in?redirect_to=/-/user_settings/account").await.expect(303);
    assert_eq!(answer.header("location"), "/-/user_settings/account");
}

#[tokio::test]
async fn over_https_cookies_are_bound_to_it() {
    let stage = Stage::new().await;
    let gateway = Gateway::new(stage.world.model.clone(), "https://registry.test/base");
    let mut stage = stage;
    stage.client = stage.world.client(crate::router(&gateway, Value::Null));
    let mut browser = stage.browser();
    let page = browser.get("/users/sign_in").await.expect(200);
    assert!(set_cookie(&page, "__Host-_entrepot_form").contains("; Secure"), "{:?}", page.headers);
    assert!(page.text().contains("action=\"/base/users/sign_in\""), "{}", page.text());
    let fields = [("login", "developer"), ("password", PASSWORD)];
    let answer = browser.submit("/users/sign_in", &fields).await.expect(303);
    assert_eq!(answer.header("location"), "/base/");
    let cookie = set_cookie(&answer, "__Host-_entrepot_session");
    assert!(cookie.contains("; Secure") && cookie.contains("; Path=/;"), "{cookie}");
    browser.get("/-/user_settings/account").await.expect(200);
}

#[tokio::test]
async fn a_wrong_password_is_told_beside_the_form() {
    let stage = Stage::new().await;
    let mut browser = stage.browser();
    browser.get("/users/sign_in").await.expect(200);
    for (login, password) in [("developer", "wrong"), ("nobody\"><b>", PASSWORD), ("outsider", "")] {
        let fields = [("login", login), ("password", password), ("redirect_to", "/x")];
        let answer = browser.submit("/users/sign_in", &fields).await.expect(422);
        let page = answer.text();
        assert!(page.contains("Invalid login or password."), "{page}");
        assert!(page.contains("name=\"redirect_to\" value=\"/x\""), "{page}");
        assert!(!page.contains("<b>") && !page.contains("value=\"wrong\""), "{page}");
    }
    assert_eq!(browser.cookie(SESSION), None);
}

#[tokio::test]
async fn nobody_is_sent_on_to_another_site() {
    let stage = Stage::new().await;
    for target in
        ["//evil.test", "/\\evil.test", "https://evil.test/", "/\t/evil.test", "javascript:alert(1)"]
    {
        let mut browser = stage.browser();
        let query =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("redirect_to", target).finish();
        let page = browser.get(&format!("/users/sign_in?{query}")).await.expect(200).text();
        assert!(!page.contains("evil.test") && !page.contains("alert"), "{page}");
        let fields = [("login", "developer"), ("password", PASSWORD), ("redirect_to", target)];
        let answer = browser.submit("/users/sign_in", &fields).await.expect(303);
        assert_eq!(answer.header("location"), "/", "{target}");
        let answer = browser.get(&format!("/users/sign_in?{query}")).await.expect(303);
        assert_eq!(answer.header("location"), "/", "{target}");
    }
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let stage = Stage::new().await;
    let mut browser = stage.signed_in().await;
    let secret = browser.cookie(SESSION).expect("a session").to_owned();
    browser.get("/").await.expect(200);
    let answer = browser.submit("/users/sign_out", &[]).await.expect(303);
    assert_eq!(answer.header("location"), "/users/sign_in");
    assert_eq!(browser.cookie(SESSION), None);
    let page = browser.get("/users/sign_in").await.expect(200).text();
    assert!(page.contains("You are signed out."), "{page}");
    let page = browser.get("/users/sign_in").await.expect(200).text();
    assert!(!page.contains("You are signed out."), "it is told once: {page}");
    browser.set_cookie(SESSION, &secret);
    browser.get("/-/user_settings/account").await.expect(303);
}

#[tokio::test]
async fn a_session_that_is_over_counts_as_none_and_its_cookie_goes() {
    let stage = Stage::new().await;
    for path in ["/", "/users/sign_in"] {
        let mut browser = stage.signed_in().await;
        stage.world.clock.advance(Duration::days(8));
        browser.get(path).await.expect(200);
        assert_eq!(browser.cookie(SESSION), None, "{path}");
    }
    let mut browser = stage.signed_in().await;
    stage.world.clock.advance(Duration::days(8));
    let answer = browser.get("/-/user_settings/personal_access_tokens").await.expect(303);
    let sign_in = "/users/sign_in?redirect_to=%2F-%2Fuser_settings%2Fpersonal_access_tokens";
    assert_eq!(answer.header("location"), sign_in);
    browser.get(sign_in).await.expect(200);
    assert_eq!(browser.cookie(SESSION), None);
}

#[tokio::test]
async fn tokens_open_no_page() {
    let stage = Stage::new().await;
    let path = "/-/user_settings/account";
    let answer = stage.client.get(path).by(&stage.world.people.developer).send().await;
    assert_eq!(answer.status, 303, "a page is asked with a session alone");
    let secret = stage.world.people.developer.secret().expect("a token");
    let mut browser = stage.browser();
    browser.set_cookie(SESSION, secret);
    browser.get(path).await.expect(303);
}
