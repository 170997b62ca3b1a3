//! Accounts at a provider, and what of its answers is not believed.

use serde_json::{Value, json};
use testkit::{Issuer, Person, Trusted, World};
use time::Duration;

use super::{BEGIN, Browser, people};
use crate::world::{accepted, code};

const COMPLETE: &str = "mutation C($input: CompleteProviderSignInInput!) { completeProviderSignIn(input: $input) { \
    session user { username name } errors } }";
const UNLINK: &str =
    "mutation U($input: UnlinkUserIdentityInput!) { unlinkUserIdentity(input: $input) { errors } }";
const ME: &str = "{ currentUser { username email identities { id provider label } sessions { id } } }";

struct Registry {
    issuer: Issuer,
    world: World,
}

impl Registry {
    async fn new(create_users: bool) -> Self {
        let issuer = Issuer::start().await;
        let providers = vec![people(&issuer, create_users)];
        let world = World::believing(formats::rules(), Trusted { providers, ..Trusted::default() }).await;
        Self { issuer, world }
    }

    fn nobody(&self) -> &Person {
        &self.world.people.anonymous
    }

    /// Signs in the account `subject`, of which the ID token says `changes` as well.
    async fn arrive(&self, by: &Person, subject: &str, changes: Value) -> Result<Person, String> {
        let browser = Browser::begin(&self.world, by).await;
        let input = browser.come_back(&self.issuer, &self.world, subject, "code", changes);
        self.complete(by, &input).await
    }

    async fn complete(&self, by: &Person, input: &Value) -> Result<Person, String> {
        let answer = self.world.graphql(by, COMPLETE, json!({ "input": input })).await;
        let done = &answer["data"]["completeProviderSignIn"];
        match done["session"].as_str() {
            Some(secret) => {
                let mut person = Person::signed_in(secret);
                done["user"]["username"].as_str().expect("a name").clone_into(&mut person.name);
                Ok(person)
            }
            None => {
                let error = &answer["errors"][0];
                let code = error["extensions"]["code"].as_str().unwrap_or_else(|| panic!("{answer}"));
                Err(format!("{code} {}", error["message"].as_str().unwrap_or_default()))
            }
        }
    }

    async fn me(&self, person: &Person) -> Value {
        self.world.graphql(person, ME, json!({})).await["data"]["currentUser"].clone()
    }
}

#[tokio::test]
async fn an_account_is_linked_by_whoever_is_signed_in_and_signs_in_from_then_on() {
    let registry = Registry::new(false).await;
    let options = "{ signInOptions { passwords providers { name label } } }";
    let options = registry.world.graphql(registry.nobody(), options, json!({})).await;
    let expected = json!({ "passwords": true, "providers": [{ "name": "people", "label": "Our people" }] });
    assert_eq!(options["data"]["signInOptions"], expected);

    // The same mail address as the guest's makes nobody the guest.
    let mail = json!({ "email": "guest@registry.test", "email_verified": true });
    let told = registry.arrive(registry.nobody(), "7", mail.clone()).await.expect_err("nobody knows it");
    assert!(told.starts_with("FORBIDDEN No user is linked to this account of Our people"), "{told}");

    let guest = registry.world.people.guest.clone();
    let person = registry.arrive(&guest, "7", json!({})).await.expect("linked");
    assert_eq!(person.name, "guest");
    let me = registry.me(&person).await;
    assert_eq!(me["identities"][0]["label"], "Our people");
    assert_eq!(me["sessions"].as_array().map(Vec::len), Some(1));
    let again = registry.arrive(registry.nobody(), "7", json!({})).await.expect("known");
    assert_eq!(registry.me(&again).await["sessions"].as_array().map(Vec::len), Some(2));
    // From a session, the new one takes its place.
    let linked = registry.arrive(&again, "8", json!({})).await.expect("linked");
    assert_eq!(registry.me(&linked).await["sessions"].as_array().map(Vec::len), Some(2));
    assert_eq!(code(&registry.world, &again, ME, json!({})).await, "UNAUTHENTICATED");
    let told =
        registry.arrive(&registry.world.people.reporter, "7", json!({})).await.expect_err("the guest's");
    assert!(told.starts_with("DUPLICATE"), "{told}");

    let ids: Vec<Value> = registry.me(&linked).await["identities"].as_array().expect("two").clone();
    let input = json!({ "id": ids[0]["id"] });
    assert_eq!(
        code(&registry.world, &registry.world.people.reporter, UNLINK, json!({ "input": input })).await,
        "NOT_FOUND"
    );
    accepted(&registry.world, &linked, UNLINK, input).await;
    assert!(registry.arrive(registry.nobody(), "7", json!({})).await.is_err());
    let last = json!({ "input": { "id": ids[1]["id"] } });
    assert_eq!(code(&registry.world, &linked, UNLINK, last).await, "INVALID", "there is no password");
}

#[tokio::test]
async fn whom_only_the_provider_knows_becomes_a_user_where_that_is_wanted() {
    let registry = Registry::new(true).await;
    let claims = json!({ "login": "Guest!", "name": "A\u{7}nn", "email": "guest@registry.test", "email_verified": true });
    let ann = registry.arrive(registry.nobody(), "1", claims).await.expect("a user");
    assert_eq!(ann.name, "Guest1", "the guest has the name, and keeps the mail address");
    assert_eq!(registry.me(&ann).await["email"], Value::Null);
    let unsure = json!({ "email": "ben@example.org", "email_verified": false });
    let ben = registry.arrive(registry.nobody(), "2", unsure).await.expect("a user");
    assert_eq!((ben.name.as_str(), &registry.me(&ben).await["email"]), ("ben", &Value::Null));
    let cara = registry.arrive(registry.nobody(), "3", json!({ "login": "4711" })).await.expect("a user");
    assert_eq!(cara.name, "user", "nothing of it can be a user name");
    // What the ID token leaves out is asked for, and believed of the same account alone.
    registry
        .issuer
        .tell(json!({ "sub": "4", "login": "dora", "email": "dora@example.org", "email_verified": true }));
    let dora = registry.arrive(registry.nobody(), "4", json!({})).await.expect("a user");
    assert_eq!(
        (dora.name.as_str(), &registry.me(&dora).await["email"]),
        ("dora", &json!("dora@example.org"))
    );
    let emil = registry.arrive(registry.nobody(), "5", json!({})).await.expect("a user");
    assert_eq!(emil.name, "user1");
}

#[tokio::test]
async fn what_is_not_for_this_attempt_is_refused() {
    let registry = Registry::new(true).await;
    let (issuer, world) = (&registry.issuer, &registry.world);
    let now = world.now().unix_timestamp();
    for (changes, why) in [
        (json!({ "nonce": "another" }), "belongs to another attempt"),
        (json!({ "nonce": null }), "belongs to another attempt"),
        (json!({ "aud": "them" }), "issued for somebody else"),
        (json!({ "aud": ["us", "them"] }), "issued to somebody else"),
        (json!({ "azp": "them" }), "issued to somebody else"),
        (json!({ "iss": "https://elsewhere.example.org" }), "not one that the administrator"),
        (json!({ "exp": now - 61 }), "expired"),
        (json!({ "sub": null }), "who it is of"),
    ] {
        let told = registry.arrive(registry.nobody(), "1", changes.clone()).await.expect_err(why);
        assert!(told.starts_with("UNAUTHENTICATED") && told.contains(why), "{changes}: {told}");
    }
    let browser = Browser::begin(world, registry.nobody()).await;
    let forged = issuer.forged(&browser.claims(issuer, world, "1", json!({})));
    let input = browser.with_token(issuer, "code", forged);
    let told = registry.complete(registry.nobody(), &input).await.expect_err("forged");
    assert!(told.contains("signature"), "{told}");

    // The code, the state, the issuer: each has to be the one of the attempt, which is used up by being wrong.
    for (name, value, why) in [
        ("code", "another", "does not redeem the code"),
        ("state", "another", "belongs to another sign-in"),
        ("provider", "another", "belongs to another sign-in"),
        ("issuer", "https://elsewhere.example.org", "another issuer"),
        ("attempt", "entpa-another", "not begun in this browser"),
    ] {
        let browser = Browser::begin(world, registry.nobody()).await;
        let right = browser.come_back(issuer, world, "1", "code", json!({}));
        let mut wrong = right.clone();
        wrong[name] = value.into();
        let told = registry.complete(registry.nobody(), &wrong).await.expect_err(why);
        assert!(told.starts_with("UNAUTHENTICATED") && told.contains(why), "{name}: {told}");
        if name != "attempt" {
            let told = registry.complete(registry.nobody(), &right).await.expect_err("used up");
            assert!(told.contains("begin again"), "{told}");
        }
    }
    // A code of another browser, whose verifier is another.
    let (mine, theirs) =
        (Browser::begin(world, registry.nobody()).await, Browser::begin(world, registry.nobody()).await);
    theirs.come_back(issuer, world, "1", "theirs", json!({}));
    let mut input = mine.come_back(issuer, world, "1", "mine", json!({}));
    input["code"] = "theirs".into();
    assert!(registry.complete(registry.nobody(), &input).await.expect_err("PKCE").contains("redeem"));

    let browser = Browser::begin(world, registry.nobody()).await;
    let input = browser.come_back(issuer, world, "1", "code", json!({}));
    world.clock.advance(Duration::minutes(10));
    assert!(registry.complete(registry.nobody(), &input).await.expect_err("late").contains("ten minutes"));
}

#[tokio::test]
async fn an_attempt_to_link_is_ended_by_whoever_began_it() {
    let registry = Registry::new(true).await;
    let people = &registry.world.people;
    for other in [registry.nobody(), &people.reporter] {
        let browser = Browser::begin(&registry.world, &people.guest).await;
        let input = browser.come_back(&registry.issuer, &registry.world, "1", "code", json!({}));
        let told = registry.complete(other, &input).await.expect_err("somebody else");
        assert!(told.starts_with("UNAUTHENTICATED") && told.contains("has changed"), "{told}");
    }
    // Nor does somebody become another who has signed in meanwhile.
    let browser = Browser::begin(&registry.world, registry.nobody()).await;
    let input = browser.come_back(&registry.issuer, &registry.world, "1", "code", json!({}));
    let told = registry.complete(&people.guest, &input).await.expect_err("signed in by now");
    assert!(told.contains("has changed"), "{told}");
    let begin = json!({ "input": { "provider": "people" } });
    assert_eq!(code(&registry.world, &people.api_reader, BEGIN, begin).await, "FORBIDDEN");
    let unknown = json!({ "input": { "provider": "nobody" } });
    assert_eq!(code(&registry.world, registry.nobody(), BEGIN, unknown).await, "INVALID");
}

#[tokio::test]
async fn a_provider_is_asked_as_it_wants_to_be_asked() {
    let registry = Registry::new(true).await;
    registry.issuer.declare(json!({ "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "authorization_response_iss_parameter_supported": true }));
    let browser = Browser::begin(&registry.world, registry.nobody()).await;
    let asked = |name: &str| browser.asked(name);
    assert_eq!(browser.address.path(), "/authorize");
    assert_eq!((asked("client_id").as_str(), asked("response_type").as_str()), ("us", "code"));
    assert_eq!((asked("scope").as_str(), asked("code_challenge_method").as_str()), ("openid email", "S256"));
    assert_eq!(asked("redirect_uri"), "http://registry.test/users/auth/people/callback");
    // Who says that it names itself has to (RFC 9207).
    let mut input = browser.come_back(&registry.issuer, &registry.world, "1", "code", json!({}));
    let told = registry.complete(registry.nobody(), &input).await.expect_err("silent");
    assert!(told.contains("does not say whose it is"), "{told}");
    let browser = Browser::begin(&registry.world, registry.nobody()).await;
    input = browser.come_back(&registry.issuer, &registry.world, "1", "code", json!({}));
    input["issuer"] = registry.issuer.url().into();
    registry.complete(registry.nobody(), &input).await.expect("a session");
}

#[tokio::test]
async fn a_provider_that_cannot_be_used_is_told_from_an_answer_that_is_wrong() {
    for peculiarity in [
        json!({ "issuer": "https://elsewhere.example.org" }),
        json!({ "token_endpoint": "http://10.0.0.1/token" }),
        json!({ "authorization_endpoint": null }),
    ] {
        let registry = Registry::new(true).await;
        registry.issuer.declare(peculiarity.clone());
        let begin = json!({ "input": { "provider": "people" } });
        let outcome = code(&registry.world, registry.nobody(), BEGIN, begin).await;
        assert_eq!(outcome, "UNAVAILABLE", "{peculiarity}");
    }
}
