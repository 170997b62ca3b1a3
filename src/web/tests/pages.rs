//! What the pages look like in the wire, and what stands around them.

use domain::{ErrorCode, Failure, Visibility};
use gateway::{Dialect as _, FailedRequest};
use http::Method;
use serde_json::json;
use testkit::Answer;
use time::Duration;

use super::Stage;
use crate::{error::WebDialect, site::Site};

/// A secret that makes the tokens on pages the same with each run.
const FORM: &str = "of-the-test";

/// A page without what differs from run to run.
fn page(answer: &Answer) -> String {
    let text = answer.text().replace(crate::assets::STYLESHEET.as_str(), "[stylesheet]");
    let mut redacted = String::new();
    for piece in text.split_inclusive('"') {
        let is_token = piece.len() == 44
            && piece[..43].bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        redacted.push_str(if is_token { "[token]\"" } else { piece });
    }
    redacted
}

#[tokio::test]
async fn the_page_to_sign_in_on() {
    let stage = Stage::new().await;
    let mut browser = stage.browser();
    browser.set_cookie("_entrepot_form", FORM);
    assert_snapshot!("sign_in", page(&browser.get("/users/sign_in?redirect_to=/x").await.expect(200)));
}

#[tokio::test]
async fn the_start_page() {
    let stage = Stage::new().await;
    let group = stage.world.group("acme", Visibility::Private).await;
    stage.world.project(&group, "web", Visibility::Private).await;
    let open = stage.world.group("open", Visibility::Public).await;
    stage.world.project(&open, "tool", Visibility::Public).await;
    assert_snapshot!("start_anonymous", page(&stage.browser().get("/").await.expect(200)));
    let mut browser = stage.signed_in().await;
    assert_snapshot!("start", page(&browser.get("/").await.expect(200)));
}

#[tokio::test]
async fn the_start_page_has_more_pages() {
    let stage = Stage::new().await;
    for number in 10..31 {
        stage.world.group(&format!("group-{number}"), Visibility::Public).await;
    }
    let mut browser = stage.browser();
    let first = browser.get("/").await.expect(200).text();
    assert!(first.contains("group-10") && !first.contains("group-30"), "{first}");
    let (_, after) = first.split_once("href=\"/?groups_after=").expect("a next page");
    let next = format!("/?groups_after={}", after.split('#').next().expect("a place"));
    let second = browser.get(&next).await.expect(200).text();
    assert!(second.contains("group-30") && !second.contains("group-10"), "{second}");
    assert!(second.contains("First page") && !second.contains("Next page"), "{second}");
    browser.get("/?groups_after=nonsense").await.expect(422);
}

#[tokio::test]
async fn the_start_page_is_for_browsers_alone() {
    let stage = Stage::new().await;
    for accept in ["*/*", "application/json"] {
        let answer = stage.client.get("/").header("accept", accept).send().await.expect(200);
        assert_eq!(answer.json(), json!({ "name": "entrepot" }));
        assert_eq!(answer.header("vary"), "Accept");
    }
}

#[tokio::test]
async fn the_account_and_the_tokens() {
    let stage = Stage::new().await;
    let mut browser = stage.signed_in().await;
    stage.world.clock.advance(Duration::minutes(1));
    assert_snapshot!("account", page(&browser.get("/-/user_settings/account").await.expect(200)));
    assert_snapshot!(
        "tokens",
        page(&browser.get("/-/user_settings/personal_access_tokens").await.expect(200))
    );
}

#[tokio::test]
async fn what_people_write_is_text() {
    let stage = Stage::new().await;
    let document = "mutation G($input: CreateGroupInput!) { createGroup(input: $input) { errors } }";
    let input = json!({
        "name": "x", "path": "x", "visibility": "public", "description": "<script>alert(\"1\")</script>'&",
    });
    stage.run_as_administrator(document, json!({ "input": input })).await;
    let page = stage.browser().get("/").await.expect(200).text();
    assert!(page.contains("&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;&#39;&#38;"), "{page}");
    assert!(!page.contains("<script"), "{page}");
}

#[tokio::test]
async fn failures_are_pages() {
    let stage = Stage::new().await;
    let mut browser = stage.browser();
    let missing = browser.request(Method::DELETE, "/users/sign_in");
    let missing = browser.send(missing).await.expect(405);
    assert_eq!(missing.header("allow"), "GET, POST, HEAD");
    assert_snapshot!("method_not_allowed", page(&missing));
    assert_snapshot!("not_a_form", page(&browser.post("/users/sign_out", &[]).await.expect(403)));
    let response = crate::not_found(&stage.world.gateway);
    assert_eq!(response.status(), 404);
}

#[test]
fn every_failure_has_its_status() {
    let failed = |method| FailedRequest { method, path: "/x".to_owned(), anonymous: true };
    let table = [
        (ErrorCode::Forbidden, 403),
        (ErrorCode::Protected, 403),
        (ErrorCode::NotFound, 404),
        (ErrorCode::Duplicate, 409),
        (ErrorCode::TooLarge, 413),
        (ErrorCode::Invalid, 422),
        (ErrorCode::RateLimited, 429),
        (ErrorCode::Internal, 500),
        (ErrorCode::Unavailable, 503),
    ];
    let dialect = WebDialect(Site::default());
    for (code, status) in table {
        let response = dialect.failure(&Failure::new(code, "because"), &failed(Method::GET));
        assert_eq!(response.status(), status, "{code:?}");
        let retry = matches!(status, 429 | 503);
        assert_eq!(response.headers().contains_key("retry-after"), retry, "{code:?}");
    }
    // Who has to sign in is led there from a page, and told so by a form, which would lose what was typed.
    let response = dialect.failure(&Failure::unauthenticated(), &failed(Method::GET));
    assert_eq!(response.status(), 303);
    assert_eq!(response.headers()["location"], "/users/sign_in?redirect_to=%2Fx");
    assert_eq!(dialect.failure(&Failure::unauthenticated(), &failed(Method::POST)).status(), 401);
}

#[tokio::test]
async fn every_page_keeps_to_itself() {
    let stage = Stage::new().await;
    let mut browser = stage.signed_in().await;
    for (path, status) in [
        ("/", 200),
        ("/-/user_settings/account", 200),
        ("/-/user_settings/personal_access_tokens", 200),
        ("/users/auth/x/callback", 422),
        ("/users/sign_out", 405),
    ] {
        let answer = browser.get(path).await.expect(status);
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; style-src 'self'; form-action 'self'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{path}");
    }
    let styles = browser.get(&crate::assets::STYLESHEET).await.expect(200);
    assert_eq!(styles.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(styles.header("content-type"), "text/css; charset=utf-8");
    assert!(styles.headers.get("set-cookie").is_none(), "it says nothing of anybody");
}
