//! Who comes too often is told so, at every door and in the words of its clients, until enough time has passed.

use domain::Visibility;
use serde_json::{Value, json};
use testkit::{Answer, Issuer, Person, World};
use time::Duration;

use crate::{
    doors::{self, FORMATS, Level},
    limits::set,
    world::{code, router, world},
};

const SETTINGS: &str = "/api/v4/application/settings";
const TOLD: &str = "This endpoint has been requested too many times. Try again later.";

/// Lets 10 requests of this kind through in 60 seconds.
async fn ten_a_minute(world: &World, name: &str) {
    let rate = json!({ "name": name, "enabled": true, "requestsPerPeriod": 10, "periodInSeconds": 60 });
    set(world, json!({ "rateLimits": [rate] })).await;
}

/// What everybody is told who came too often at once, whatever the client.
fn is_refused(answer: &Answer, throttle: &str) {
    assert_eq!(answer.status, 429, "{}: {}", answer.described, answer.text());
    for (name, value) in [
        ("retry-after", "6"),
        ("ratelimit-name", throttle),
        ("ratelimit-limit", "10"),
        ("ratelimit-observed", "10"),
        ("ratelimit-remaining", "0"),
        ("ratelimit-reset", "1795435206"),
        ("ratelimit-resettime", "Mon, 23 Nov 2026 12:00:06 GMT"),
    ] {
        assert_eq!(answer.header(name), value, "{}: {name}", answer.described);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn package_managers_without_a_credential_are_counted_by_address() {
    let (world, client) = world().await;
    let group = world.group("acme", Visibility::Public).await;
    let project = world.project(&group, "web", Visibility::Public).await;
    for format in FORMATS {
        let publish = doors::publish(&client, format, &project, "tool").by(&world.people.developer);
        assert!(publish.send().await.status.is_success());
    }
    ten_a_minute(&world, "UNAUTHENTICATED_PACKAGES_API").await;
    let all = FORMATS.map(|format| doors::reads(format, Level::Project(project.id.0), "tool")[0].1.clone());
    let from = async |address: &str, path: &str| client.get(path).from_address(address).send().await;
    for _ in 0..10 {
        from("203.0.113.7", &all[0]).await.expect(200);
    }
    for (format, path) in FORMATS.into_iter().zip(&all) {
        world.write_down_uses().await;
        let before = world.statements();
        let refused = from("203.0.113.7", path).await;
        assert_eq!(world.statements(), before, "the database is not asked");
        is_refused(&refused, "throttle_unauthenticated_packages_api");
        let body = refused.json();
        let told = match format.slug() {
            "npm" => json!({ "message": TOLD, "error": TOLD }),
            "maven" => {
                json!({ "type": "about:blank", "title": "Too Many Requests", "status": 429, "detail": TOLD,
                "message": TOLD, "error": TOLD })
            }
            _ => json!({ "message": { "error": TOLD } }),
        };
        assert_eq!(body, told, "{}", format.title());
        from("203.0.113.8", path).await.expect(200);
        // Whoever presents an accepted credential is not counted by address, and other requests are counted apart.
        let known = client.get(path.as_str()).from_address("203.0.113.7").by(&world.people.reporter);
        known.send().await.expect(200);
    }
    from("203.0.113.7", "/api/v4/groups").await.expect(200);
    world.clock.advance(Duration::seconds(6));
    from("203.0.113.7", &all[0]).await.expect(200);
    from("203.0.113.7", &all[0]).await.expect(429);
}

#[tokio::test]
async fn callers_are_counted_by_who_they_are() {
    let (world, client) = world().await;
    let group = world.group("acme", Visibility::Private).await;
    let project = world.project(&group, "web", Visibility::Private).await;
    let deploy_token = world.deploy_token(&project, domain::Scope::ReadPackageRegistry).await;
    let people = &world.people;
    doors::publish(&client, FORMATS[0], &project, "tool").by(&people.developer).send().await.expect(201);
    let job = world.job(&project, &people.developer).await;
    ten_a_minute(&world, "AUTHENTICATED_PACKAGES_API").await;
    let path = &doors::reads(FORMATS[0], Level::Project(project.id.0), "tool")[0].1;
    let times = async |person: &Person| {
        let mut answered = 0;
        loop {
            let answer = client.get(path).by(person).send().await;
            if answer.status != 200 {
                is_refused(&answer, "throttle_authenticated_packages_api");
                return answered;
            }
            answered += 1;
        }
    };
    assert_eq!(times(&people.reporter).await, 10);
    assert_eq!(times(&people.maintainer).await, 10);
    assert_eq!(times(&deploy_token).await, 10);
    assert_eq!(times(&job).await, 10, "a job counts as its user");
    assert_eq!(times(&people.developer).await, 0);
    // An upload is refused before it is read.
    let publish = doors::publish(&client, FORMATS[0], &project, "other").by(&people.developer).send().await;
    is_refused(&publish, "throttle_authenticated_packages_api");
    client.get("/api/v4/user").by(&people.reporter).send().await.expect(200);
}

#[tokio::test]
async fn the_api_is_counted_and_packages_with_it_where_they_are_not_counted_apart() {
    let (world, client) = world().await;
    ten_a_minute(&world, "UNAUTHENTICATED_API").await;
    for _ in 0..10 {
        client.get("/api/v4/groups").send().await.expect(200);
    }
    let refused = client.get("/api/v4/groups").send().await;
    is_refused(&refused, "throttle_unauthenticated_api");
    assert_eq!(refused.json(), json!({ "message": { "error": TOLD } }));
    client.get("/api/v4/packages/npm/tool").send().await.expect(429);
    // The door of GraphQL is the same door; what its answer looks like is tried with the server.
    let refused = world.try_graphql(&world.people.anonymous, "{ __typename }", Value::Null).await;
    let refused = refused.expect_err("too many");
    assert_eq!(
        refused.message,
        "Too many requests: throttle_unauthenticated_api lets 10 through in 60 seconds, try again in 6 seconds"
    );
    assert_eq!(code(&world, &world.people.reporter, "{ __typename }", Value::Null).await, "OK");
}

#[tokio::test]
async fn no_credential_is_looked_at_after_too_many_wrong_ones() {
    let (world, client) = world().await;
    let impostor = Person::impostor();
    ten_a_minute(&world, "FAILED_AUTHENTICATION").await;
    let ask = async |person: &Person, address: &str| {
        client.get("/api/v4/user").from_address(address).by(person).send().await
    };
    for _ in 0..11 {
        ask(&impostor, "203.0.113.7").await.expect(401);
    }
    world.write_down_uses().await;
    let before = world.statements();
    for person in [&impostor, &world.people.reporter] {
        is_refused(&ask(person, "203.0.113.7").await, "throttle_failed_authentication");
    }
    assert_eq!(world.statements(), before, "the database is not asked");
    ask(&world.people.reporter, "203.0.113.8").await.expect(200);
    client.get("/api/v4/groups").from_address("203.0.113.7").send().await.expect(200);
    world.clock.advance(Duration::seconds(6));
    ask(&world.people.reporter, "203.0.113.7").await.expect(200);
}

#[tokio::test]
async fn id_tokens_are_exchanged_so_often_only() {
    let issuer = Issuer::start().await;
    let world = World::trusting(formats::rules(), &[issuer.url()]).await;
    let client = world.client(router(&world));
    ten_a_minute(&world, "SIGN_IN").await;
    let mint = async || client.post("/_/oidc/mint-token").json(&json!({ "token": "nonsense" })).send().await;
    for _ in 0..10 {
        mint().await.expect(422);
    }
    is_refused(&mint().await, "throttle_sign_in");
    let exchange = "mutation E { exchangeIdToken(input: { idToken: \"nonsense\" }) { token } }";
    let answer = world.graphql(&world.people.anonymous, exchange, Value::Null).await;
    let extensions = &answer["errors"][0]["extensions"];
    assert_eq!(extensions["code"], "RATE_LIMITED", "{answer}");
    assert_eq!(extensions["throttled"]["retryAfter"], 6, "{answer}");
    world.clock.advance(Duration::seconds(6));
    mint().await.expect(422);
}

#[tokio::test]
async fn rates_are_gitlabs_application_settings() {
    let (world, client) = world().await;
    let people = &world.people;
    client.get(SETTINGS).by(&people.owner).send().await.expect(403);
    let before = client.get(SETTINGS).by(&people.administrator).send().await.expect(200).json();
    for (name, value) in [
        ("throttle_unauthenticated_packages_api_enabled", json!(false)),
        ("throttle_unauthenticated_packages_api_requests_per_period", json!(800)),
        ("throttle_unauthenticated_packages_api_period_in_seconds", json!(15)),
        ("throttle_authenticated_api_requests_per_period", json!(7_200)),
        ("throttle_failed_authentication_enabled", json!(true)),
        ("throttle_sign_in_period_in_seconds", json!(60)),
        ("package_registry_enabled", json!(true)),
    ] {
        assert_eq!(before[name], value, "{name}");
    }
    let mut expected = before;
    let mut changes = json!({});
    for (name, value) in [
        ("throttle_authenticated_packages_api_enabled", json!(true)),
        ("throttle_authenticated_packages_api_period_in_seconds", json!(30)),
        ("package_registry_allow_anyone_to_pull_option", json!(false)),
    ] {
        changes[name] = value.clone();
        expected[name] = value;
    }
    let put = async |body: &Value, person: &Person| client.put(SETTINGS).json(body).by(person).send().await;
    assert_eq!(put(&changes, &people.administrator).await.expect(200).json(), expected);
    assert_eq!(client.get(SETTINGS).by(&people.administrator).send().await.json(), expected);

    // What is refused changes nothing by half.
    for (value, told) in [
        (json!(9), "must be between 10 and 1000000"),
        (json!(-1), "is invalid"),
        (json!("many"), "is invalid"),
    ] {
        let name = "throttle_authenticated_api_requests_per_period";
        let body = json!({ name: value, "package_registry_enabled": false });
        let refused = put(&body, &people.administrator).await.expect(400);
        assert!(
            refused.json()["error"].as_str().is_some_and(|text| text.contains(told)),
            "{}",
            refused.text()
        );
    }
    let body = json!({ "throttle_authenticated_api_enabled": true });
    put(&body, &people.owner).await.expect(403);
    put(&body, &people.anonymous).await.expect(401);
    assert_eq!(client.get(SETTINGS).by(&people.administrator).send().await.json(), expected);
}
