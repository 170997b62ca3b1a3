//! Signing in with a provider: away and back. With a real provider and a real browser that is gone through in `tests/clients`.

use domain::rules::RuleBook;
use serde_json::json;
use testkit::{Answer, ClientSecret, Issuer, ProviderSettings, Trusted, World};
use url::Url;

use super::Stage;

const ACCOUNT: &str = "/-/user_settings/account";

/// A registry whose users come from an issuer on this machine.
async fn stage_with_provider() -> (Issuer, Stage) {
    let issuer = Issuer::start().await;
    let provider = ProviderSettings {
        name: "people".to_owned(),
        label: "Our <people>".to_owned(),
        issuer: issuer.url().to_owned(),
        client_id: "us".to_owned(),
        client_secret: ClientSecret::new("hush".to_owned()),
        scopes: vec!["openid".to_owned()],
        create_users: true,
        username_claim: "login".to_owned(),
    };
    let trusted = Trusted { providers: vec![provider], ..Trusted::default() };
    let stage = Stage::of(World::believing(RuleBook::new([]), trusted).await).await;
    (issuer, stage)
}

/// Where a page leads by itself.
fn led_to(answer: &Answer) -> Url {
    let page = answer.text().replace("&#38;", "&");
    let (_, after) =
        page.split_once("http-equiv=\"refresh\" content=\"0; url=").expect("a page that leads on");
    after.split('"').next().and_then(|address| address.parse().ok()).expect("an address")
}

/// The address that the issuer sends a browser back to after it has signed `subject` in.
fn sent_back(issuer: &Issuer, stage: &Stage, address: &Url, subject: &str) -> String {
    let asked = |name: &str| {
        address
            .query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .expect("asked")
    };
    let now = stage.world.now().unix_timestamp();
    let token = issuer.token(&json!({
        "iss": issuer.url(), "aud": "us", "sub": subject, "login": subject, "iat": now, "exp": now + 300,
        "nonce": asked("nonce"),
    }));
    issuer.grant(subject, &asked("code_challenge"), token);
    let back = asked("redirect_uri");
    let path = back.strip_prefix("http://registry.test").expect("an address of the registry");
    format!("{path}?code={subject}&state={}", asked("state"))
}

#[tokio::test]
async fn a_provider_signs_in_and_the_browser_goes_on_to_where_it_was() {
    let (issuer, stage) = stage_with_provider().await;
    let mut browser = stage.browser();
    let page = browser.get(&format!("/users/sign_in?redirect_to={ACCOUNT}")).await.expect(200).text();
    assert!(page.contains("Sign in with Our &#60;people&#62;"), "{page}");
    let away = browser.submit("/users/auth/people", &[("redirect_to", ACCOUNT)]).await.expect(200);
    let address = led_to(&away);
    assert!(address.as_str().starts_with(&format!("{}/authorize?", issuer.url())), "{address}");
    let cookies: Vec<_> =
        away.headers.get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok()).collect();
    let attempt = cookies.iter().find(|cookie| cookie.starts_with("_entrepot_attempt=")).expect("an attempt");
    for attribute in ["; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=600"] {
        assert!(attempt.contains(attribute), "{attribute}: {attempt}");
    }

    let kept = browser.cookie("_entrepot_attempt").expect("an attempt").to_owned();
    let back = sent_back(&issuer, &stage, &address, "ann");
    // Another browser, which somebody led here, is not signed in.
    let mut led = stage.browser();
    led.get(&back).await.expect(403);
    assert_eq!(led.cookie("_entrepot_session"), None);

    let answer = browser.get(&back).await.expect(303);
    assert_eq!(answer.header("location"), ACCOUNT);
    assert_eq!(browser.cookie("_entrepot_attempt"), None);
    let page = browser.get(ACCOUNT).await.expect(200).text();
    assert!(page.contains("<code>ann</code>") && page.contains("Our &#60;people&#62;"), "{page}");

    let mut again = stage.browser();
    again.set_cookie("_entrepot_attempt", &kept);
    let page = again.get(&back).await.expect(422).text();
    assert!(page.contains("begin again"), "an attempt is good once: {page}");
}

#[tokio::test]
async fn an_account_is_linked_and_unlinked() {
    let (issuer, stage) = stage_with_provider().await;
    let mut browser = stage.signed_in().await;
    let page = browser.get(ACCOUNT).await.expect(200).text();
    assert!(page.contains("aria-label=\"Link Our &#60;people&#62;\""), "{page}");
    let away = browser.submit("/users/auth/people", &[("redirect_to", ACCOUNT)]).await.expect(200);
    let back = sent_back(&issuer, &stage, &led_to(&away), "dev");
    let answer = browser.get(&back).await.expect(303);
    assert_eq!(answer.header("location"), ACCOUNT);
    let page = browser.get(ACCOUNT).await.expect(200).text();
    assert!(page.contains("<code>developer</code>"), "{page}");
    let before = page.split("aria-label=\"Unlink").next().expect("the button");
    let action = before.rsplit("action=\"").next().and_then(|rest| rest.split('"').next()).expect("its form");
    browser.submit(action, &[]).await.expect(303);
    let page = browser.get(ACCOUNT).await.expect(200).text();
    assert!(page.contains("The account was unlinked.") && page.contains("aria-label=\"Link Our"), "{page}");
}

const CALLBACK: &str = "/users/auth/anybody/callback";

#[tokio::test]
async fn whoever_comes_back_without_an_attempt_begins_again() {
    let stage = Stage::new().await;
    for (query, cookie, says) in [
        ("?code=a&state=b", "", "was begun in another browser"),
        ("", "attempt=x", "was begun in another browser"),
        ("?error=access_denied&error_description=%3Cb%3E", "attempt=x", "(access_denied)"),
        ("?error=%3Cscript%3E", "attempt=x", "did not sign you in. Try again"),
        ("?code=a&state=b", "attempt=x", "begin again"),
    ] {
        let mut browser = stage.browser();
        browser.set_cookie("_entrepot_attempt", cookie);
        let answer = browser.get(&format!("{CALLBACK}{query}")).await;
        assert!(matches!(answer.status.as_u16(), 403 | 422), "{query}: {}", answer.status);
        let page = answer.text();
        assert!(page.contains(says) && page.contains("id=\"password\""), "{query}: {page}");
        assert_eq!(browser.cookie("_entrepot_attempt"), None, "{query}");
        assert_eq!(browser.cookie("_entrepot_session"), None, "{query}");
    }
    let mut browser = stage.signed_in().await;
    let answer = browser.get(&format!("{CALLBACK}?error=access_denied")).await.expect(422);
    assert!(answer.text().contains("(access_denied)"), "{}", answer.text());
}

#[tokio::test]
async fn a_provider_that_nobody_named_is_refused() {
    let stage = Stage::new().await;
    let mut browser = stage.browser();
    browser.get("/users/sign_in").await.expect(200);
    let answer = browser.submit("/users/auth/nobody", &[]).await.expect(422);
    assert!(answer.text().contains("There is no provider &#39;nobody&#39;"), "{}", answer.text());
    browser.get("/users/auth/nobody").await.expect(405);
}
