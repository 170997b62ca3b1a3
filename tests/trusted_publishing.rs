//! Trusted publishing: which ID tokens are exchanged, for what, how often, and what the token may do.

use domain::Visibility;
use serde_json::{Value, json};
use testkit::{Answer, Client, Issuer, Person, Project, World};
use time::Duration;

use crate::world::{code, router};

const CREATE: &str = "mutation C($input: CreateTrustedPublisherInput!) { createTrustedPublisher(input: $input) { \
    trustedPublisher { id issuer audience claims { name value } limits { namePattern } } errors } }";
const DELETE: &str =
    "mutation D($input: DeleteTrustedPublisherInput!) { deleteTrustedPublisher(input: $input) { errors } }";
const EXCHANGE: &str = "mutation E($input: ExchangeIdTokenInput!) { exchangeIdToken(input: $input) { \
    token expiresAt projectId errors } }";
const LIST: &str =
    "query L($path: ID!) { project(fullPath: $path) { trustedPublishers { nodes { id claims { name } } } } }";

struct Registry {
    issuer: Issuer,
    world: World,
    client: Client,
    project: Project,
    other: Project,
}

impl Registry {
    async fn new() -> Self {
        let issuer = Issuer::start().await;
        let world = World::trusting(formats::rules(), &[issuer.url()]).await;
        let client = world.client(router(&world));
        let group = world.group("acme", Visibility::Private).await;
        let project = world.project(&group, "web", Visibility::Private).await;
        let other = world.project(&group, "other", Visibility::Private).await;
        Self { issuer, world, client, project, other }
    }

    fn publisher(&self) -> Value {
        json!({ "projectPath": self.project.full_path, "issuer": self.issuer.url(), "audience": "registry",
            "claims": [{ "name": "repository", "value": "acme/web" }, { "name": "ref_protected", "value": "true" }] })
    }

    async fn trust(&self, changes: Value) -> Value {
        let mut input = self.publisher();
        input.as_object_mut().expect("an object").extend(changes.as_object().expect("an object").clone());
        let by = &self.world.people.maintainer;
        let answer = self.world.graphql(by, CREATE, json!({ "input": input })).await;
        let publisher = answer["data"]["createTrustedPublisher"]["trustedPublisher"].clone();
        assert!(publisher.is_object(), "{answer}");
        publisher
    }

    /// What CI says of a job, with `changes`.
    fn claims(&self, changes: Value) -> Value {
        let now = self.world.now().unix_timestamp();
        let mut claims = json!({ "iss": self.issuer.url(), "aud": "registry", "iat": now, "nbf": now, "exp": now + 300,
            "sub": "repo:acme/web:ref:refs/heads/main", "repository": "acme/web", "ref_protected": true });
        for (name, value) in changes.as_object().expect("an object") {
            if value.is_null() {
                claims.as_object_mut().expect("an object").remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        claims
    }

    async fn exchange(&self, token: &str, project: Option<&Project>) -> Result<String, String> {
        let mut input = json!({ "idToken": token });
        if let Some(project) = project {
            input["projectPath"] = project.full_path.clone().into();
        }
        let nobody = &self.world.people.anonymous;
        let answer = self.world.graphql(nobody, EXCHANGE, json!({ "input": input })).await;
        match answer["data"]["exchangeIdToken"]["token"].as_str() {
            Some(token) => Ok(token.to_owned()),
            None => {
                let error = &answer["errors"][0];
                let code = error["extensions"]["code"].as_str().unwrap_or_else(|| panic!("{answer}"));
                Err(format!("{code} {}", error["message"].as_str().unwrap_or_default()))
            }
        }
    }

    fn path(project: &Project, name: &str) -> String {
        format!("/api/v4/projects/{}/packages/generic/{name}/1.0.0/file.bin", project.id)
    }

    async fn publish(&self, project: &Project, name: &str, token: &str) -> Answer {
        let by = Person::bearing(token);
        let request = self.client.put(Self::path(project, name)).body("content");
        request.by_way_of(&by, testkit::Carried::Bearer).send().await
    }
}

#[tokio::test]
async fn a_token_of_ci_publishes_to_its_project_for_a_while() {
    let registry = Registry::new().await;
    registry.trust(json!({})).await;
    let id_token = registry.issuer.token(&registry.claims(json!({ "jti": "one" })));
    let token = registry.exchange(&id_token, Some(&registry.project)).await.expect("a token");
    assert!(token.starts_with("gltp-"));
    registry.publish(&registry.project, "tool", &token).await.expect(201);
    let path = Registry::path(&registry.project, "tool");
    let bearer = format!("Bearer {token}");
    registry.client.get(&path).header("authorization", &bearer).send().await.expect(200);
    let basic =
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("__token__:{token}"));
    registry.client.get(&path).header("authorization", format!("Basic {basic}")).send().await.expect(200);

    // Only there, only that.
    registry.publish(&registry.other, "tool", &token).await.expect(404);
    let by = Person::bearing(token.as_str());
    let destroy =
        "mutation D($input: DestroyPackageNameInput!) { destroyPackageName(input: $input) { errors } }";
    let scope = json!({ "projectPath": registry.project.full_path });
    let named = json!({ "input": { "scope": scope, "packageType": "GENERIC", "packageName": "tool" } });
    assert_eq!(code(&registry.world, &by, destroy, named).await, "FORBIDDEN");
    let personal = "mutation P($input: CreatePersonalAccessTokenInput!) { createPersonalAccessToken(input: $input) { token } }";
    let input = json!({ "input": { "name": "more", "scopes": ["api"] } });
    assert_eq!(code(&registry.world, &by, personal, input).await, "FORBIDDEN");
    assert_eq!(
        code(&registry.world, &by, CREATE, json!({ "input": registry.publisher() })).await,
        "FORBIDDEN"
    );

    registry.world.clock.advance(Duration::minutes(15));
    registry.client.get(&path).header("authorization", &bearer).send().await.expect(401);
}

#[tokio::test]
async fn an_id_token_is_exchanged_once() {
    let registry = Registry::new().await;
    registry.trust(json!({})).await;
    let claims = registry.claims(json!({ "jti": "one" }));
    let first = registry.issuer.token(&claims);
    registry.exchange(&first, None).await.expect("a token");
    // The same again, and another with the same id.
    for token in [&first, &registry.issuer.token(&registry.claims(json!({ "jti": "one", "extra": 1 })))] {
        let told = registry.exchange(token, None).await.expect_err("refused");
        assert!(told.starts_with("UNAUTHENTICATED") && told.contains("exchanged already"), "{told}");
    }
    // Without an id, by what was signed; all at once, one gets through.
    let nameless = registry.issuer.token(&registry.claims(json!({})));
    let attempts = futures::future::join_all((0..8).map(|_| registry.exchange(&nameless, None))).await;
    assert_eq!(attempts.iter().filter(|attempt| attempt.is_ok()).count(), 1, "{attempts:?}");
    // Until nobody would accept it any more: it expires at 5 minutes, with a minute's leeway.
    registry.world.clock.advance(Duration::seconds(359));
    let told = registry.exchange(&first, None).await.expect_err("refused");
    assert!(told.contains("exchanged already"), "{told}");
    registry.world.clock.advance(Duration::seconds(2));
    let told = registry.exchange(&first, None).await.expect_err("refused");
    assert!(told.contains("expired"), "{told}");
}

#[tokio::test]
async fn claims_audience_issuer_and_signature_have_to_fit_to_the_letter() {
    let registry = Registry::new().await;
    registry.trust(json!({})).await;
    let now = registry.world.now().unix_timestamp();
    for (number, changes) in [
        json!({ "repository": "acme/web2" }),
        json!({ "repository": "acme/WEB" }),
        json!({ "repository": ["acme/web"] }),
        json!({ "repository": null }),
        json!({ "ref_protected": false }),
        json!({ "aud": "registry2" }),
        json!({ "aud": null }),
        json!({ "aud": ["a", "b"] }),
        json!({ "iss": "https://elsewhere.example.org" }),
        json!({ "iss": format!("{}/", registry.issuer.url()) }),
        json!({ "exp": now - 61 }),
        json!({ "exp": null }),
        json!({ "iat": null }),
        json!({ "iat": now + 120 }),
        json!({ "nbf": now + 120 }),
        json!({ "exp": now + 200_000 }),
    ]
    .into_iter()
    .enumerate()
    {
        let mut claims = registry.claims(changes.clone());
        claims["jti"] = number.to_string().into();
        let token = registry.issuer.token(&claims);
        let told = registry.exchange(&token, Some(&registry.project)).await.expect_err("refused");
        assert!(told.starts_with("UNAUTHENTICATED The ID token is refused"), "{changes}: {told}");
    }
    let good = registry.claims(json!({ "jti": "good" }));
    for token in
        [registry.issuer.forged(&good), format!("{}x", registry.issuer.token(&good)), "a.b.c".to_owned()]
    {
        assert!(registry.exchange(&token, Some(&registry.project)).await.is_err());
    }
    // Numbers and booleans are compared as text, an audience may be one of several, and nothing above has used the token up.
    let good = registry.claims(json!({ "jti": "good", "aud": ["other", "registry"] }));
    let token = registry.issuer.token(&good);
    let told = registry.exchange(&token, Some(&registry.other)).await.expect_err("another project");
    let absent = Project { full_path: "acme/absent".to_owned(), ..registry.other.clone() };
    assert_eq!(registry.exchange(&token, Some(&absent)).await, Err(told), "nobody learns which it is");
    registry.exchange(&token, Some(&registry.project)).await.expect("a token");
}

#[tokio::test]
async fn new_keys_are_fetched_when_a_token_names_one() {
    let registry = Registry::new().await;
    registry.trust(json!({})).await;
    for number in 0..3 {
        let claims = registry.claims(json!({ "jti": number.to_string() }));
        registry.exchange(&registry.issuer.token(&claims), None).await.expect("a token");
    }
    assert_eq!(registry.issuer.asked(), 1, "keys are kept");
    registry.issuer.rotate("second");
    let told = registry.exchange(&registry.issuer.token(&registry.claims(json!({ "jti": "x" }))), None).await;
    assert!(
        told.expect_err("not so soon").contains("no such key"),
        "nobody makes the server ask all the time"
    );
    assert_eq!(registry.issuer.asked(), 1);
}

#[tokio::test]
async fn who_decides_whom_a_project_trusts() {
    let registry = Registry::new().await;
    let people = &registry.world.people;
    let input = json!({ "input": registry.publisher() });
    for (person, expected) in [
        (&people.developer, "FORBIDDEN"),
        (&people.outsider, "NOT_FOUND"),
        (&people.anonymous, "UNAUTHENTICATED"),
    ] {
        assert_eq!(code(&registry.world, person, CREATE, input.clone()).await, expected, "{}", person.name);
    }
    for (field, value) in [
        ("issuer", json!("https://elsewhere.example.org")),
        ("issuer", json!("http://169.254.169.254")),
        ("audience", json!(" ")),
        ("claims", json!([])),
        ("claims", json!([{ "name": "aud", "value": "registry" }])),
        ("claims", json!([{ "name": "sub", "value": "" }])),
        ("claims", json!([{ "name": "sub", "value": "a" }, { "name": "sub", "value": "b" }])),
        ("limits", json!([{}])),
    ] {
        let mut input = registry.publisher();
        input[field] = value.clone();
        let input = json!({ "input": input });
        assert_eq!(
            code(&registry.world, &people.maintainer, CREATE, input).await,
            "INVALID",
            "{field} {value}"
        );
    }
    let publisher = registry.trust(json!({ "limits": [{ "namePattern": "web-*" }], "audience": null })).await;
    assert_eq!(
        publisher["audience"], "http://registry.test",
        "the address of the server, when nothing is said"
    );
    let path = json!({ "path": registry.project.full_path });
    let listed = registry.world.graphql(&people.maintainer, LIST, path.clone()).await;
    assert_eq!(listed["data"]["project"]["trustedPublishers"]["nodes"][0]["id"], publisher["id"]);
    assert_eq!(code(&registry.world, &people.developer, LIST, path).await, "FORBIDDEN");

    let claims = registry.claims(json!({ "aud": "http://registry.test", "jti": "1" }));
    let token = registry.exchange(&registry.issuer.token(&claims), None).await.expect("a token");
    registry.publish(&registry.project, "web-1", &token).await.expect(201);
    registry.publish(&registry.project, "other", &token).await.expect(403);
    let input = json!({ "input": { "id": publisher["id"] } });
    assert_eq!(code(&registry.world, &people.developer, DELETE, input.clone()).await, "NOT_FOUND");
    assert_eq!(code(&registry.world, &people.maintainer, DELETE, input.clone()).await, "OK");
    registry.publish(&registry.project, "web-2", &token).await.expect(401);
    assert_eq!(code(&registry.world, &people.maintainer, DELETE, input).await, "NOT_FOUND");
    let claims = registry.claims(json!({ "aud": "http://registry.test", "jti": "2" }));
    assert!(registry.exchange(&registry.issuer.token(&claims), None).await.is_err());
}

#[tokio::test]
async fn the_routes_speak_as_the_field_does() {
    let registry = Registry::new().await;
    registry.trust(json!({})).await;
    let audience = registry.client.get("/_/oidc/audience").send().await.expect(200).json();
    assert_eq!(audience, json!({ "audience": "http://registry.test" }));
    let token = |jti: &str| registry.issuer.token(&registry.claims(json!({ "jti": jti })));
    let minted =
        registry.client.post("/_/oidc/mint-token").json(&json!({ "token": token("1") })).send().await;
    let minted = minted.expect(200).json();
    assert_eq!(minted["success"], true);
    registry.publish(&registry.project, "one", minted["token"].as_str().expect("a token")).await.expect(201);
    let refused =
        registry.client.post("/_/oidc/mint-token").json(&json!({ "token": token("1") })).send().await;
    let refused = refused.expect(422).json();
    assert_eq!(refused["errors"][0]["code"], "invalid-token");
    registry.client.post("/_/oidc/mint-token").json(&json!({})).send().await.expect(422);

    let npm = "/-/npm/v1/oidc/token/exchange/package/@acme%2Fweb";
    let bearer = format!("Bearer {}", token("npm"));
    let exchanged =
        registry.client.post(npm).header("authorization", &bearer).send().await.expect(201).json();
    assert!(exchanged["token"].as_str().is_some_and(|token| token.starts_with("gltp-")), "{exchanged}");
    registry.client.post(npm).header("authorization", &bearer).send().await.expect(401);
    registry.client.post(npm).send().await.expect(401);

    let path = format!("/api/v4/projects/{}/trusted_publishing/tokens", registry.project.id);
    let exchanged = registry.client.post(&path).json(&json!({ "id_token": token("2") })).send().await;
    let exchanged = exchanged.expect(201).json();
    assert_eq!(exchanged["project_id"], registry.project.id.0);
    let again = registry.client.post(&path).json(&json!({ "id_token": token("2") })).send().await.expect(401);
    assert!(again.text().contains("exchanged already"), "{}", again.text());

    // A token that two projects trust needs a word on which is meant.
    registry.trust(json!({ "projectPath": registry.other.full_path })).await;
    let told = registry.exchange(&token("3"), None).await.expect_err("which");
    assert!(told.starts_with("UNAUTHENTICATED") && told.contains("projectPath"), "{told}");
    let strange =
        registry.issuer.token(&registry.claims(json!({ "jti": "4", "repository": "acme/strange" })));
    assert_eq!(registry.exchange(&strange, None).await, Err(told), "nobody learns whether others trust it");
    registry.exchange(&token("3"), Some(&registry.other)).await.expect("a token");
}

#[tokio::test]
async fn a_project_elsewhere_does_not_stand_in_the_way_of_npm() {
    let registry = Registry::new().await;
    let elsewhere = registry.world.group("acme2", Visibility::Private).await;
    let copy = registry.world.project(&elsewhere, "web", Visibility::Private).await;
    let publisher = registry.trust(json!({})).await;
    registry.trust(json!({ "projectPath": copy.full_path })).await;
    let exchange = |name: &str, jti: &str| {
        let token = registry.issuer.token(&registry.claims(json!({ "jti": jti })));
        let path = format!("/-/npm/v1/oidc/token/exchange/package/{name}");
        registry.client.post(path).header("authorization", format!("Bearer {token}")).send()
    };
    let given = exchange("@acme%2Fweb", "1").await.expect(201).json();
    registry.publish(&registry.project, "one", given["token"].as_str().expect("a token")).await.expect(201);
    let told = exchange("web", "2").await.expect(401).text();
    assert!(told.contains("not exactly one project") && !told.contains("acme2"), "{told}");
    // Nor does it get what was meant for the other, once that trusts nobody.
    let maintainer = &registry.world.people.maintainer;
    assert_eq!(
        code(&registry.world, maintainer, DELETE, json!({ "input": { "id": publisher["id"] } })).await,
        "OK"
    );
    exchange("@acme%2Fweb", "3").await.expect(401);
    exchange("@acme2%2Fweb", "4").await.expect(201);
}
