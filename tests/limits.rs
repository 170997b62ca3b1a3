//! The instance's limits: who reads and changes them, within what bounds, and that documents and files keep to them.

use std::io;

use bytes::Bytes;
use domain::Visibility;
use futures::stream;
use serde_json::{Value, json};
use testkit::{Answer, World};

use crate::{
    doors::{self, FORMATS},
    world::{accepted, code, world},
};

const READ: &str = "query L { instanceLimits { \
    graphql { anonymousComplexity signedInComplexity depth length batchSize } \
    rateLimits { name enabled requestsPerPeriod periodInSeconds } \
    fileSizeLimits { packageType maximumSize } } }";
const UPDATE: &str = "mutation U($input: UpdateInstanceLimitsInput!) { updateInstanceLimits(input: $input) { \
    instanceLimits { graphql { anonymousComplexity signedInComplexity depth length batchSize } \
    rateLimits { name enabled requestsPerPeriod periodInSeconds } \
    fileSizeLimits { packageType maximumSize } } errors } }";
const PLAN_LIMITS: &str = "/api/v4/application/plan_limits";

/// Changes limits as the administrator; gives those now in force.
pub(crate) async fn set(world: &World, input: Value) -> Value {
    accepted(world, &world.people.administrator, UPDATE, input).await["instanceLimits"].clone()
}

/// Lets wrong credentials pass uncounted: for tests that present more of them than one address may.
pub(crate) async fn count_no_wrong_credentials(world: &World) {
    set(world, json!({ "rateLimits": [{ "name": "FAILED_AUTHENTICATION", "enabled": false }] })).await;
}

async fn read(world: &World) -> Value {
    let answer = world.graphql(&world.people.administrator, READ, Value::Null).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["instanceLimits"].clone()
}

#[tokio::test]
async fn limits_are_gitlabs_until_an_administrator_changes_some() {
    let (world, _) = world().await;
    let before = read(&world).await;
    assert_eq!(
        before["graphql"],
        json!({ "anonymousComplexity": 200, "signedInComplexity": 250, "depth": 20, "length": 10_000, "batchSize": 10 })
    );
    let rate = |name: &str, enabled: bool, requests: u64, seconds: u64| json!({ "name": name, "enabled": enabled, "requestsPerPeriod": requests, "periodInSeconds": seconds });
    let rates = json!([
        rate("UNAUTHENTICATED_API", false, 3_600, 3_600),
        rate("AUTHENTICATED_API", false, 7_200, 3_600),
        rate("UNAUTHENTICATED_PACKAGES_API", false, 800, 15),
        rate("AUTHENTICATED_PACKAGES_API", false, 1_000, 15),
        rate("FAILED_AUTHENTICATION", true, 1_200, 60),
        rate("SIGN_IN", true, 300, 60),
    ]);
    assert_eq!(before["rateLimits"], rates);
    let size = |kind: &str, size: &str| json!({ "packageType": kind, "maximumSize": size });
    for known in [
        size("GENERIC", "5368709120"),
        size("NPM", "524288000"),
        size("MAVEN", "3221225472"),
        size("PYPI", "3221225472"),
    ] {
        assert!(before["fileSizeLimits"].as_array().is_some_and(|sizes| sizes.contains(&known)), "{before}");
    }

    let input = json!({
        "graphql": { "depth": 15 },
        "rateLimits": [{ "name": "SIGN_IN", "requestsPerPeriod": 20 }],
        "fileSizeLimits": [{ "packageType": "NPM", "maximumSize": "6000000000" }, { "packageType": "PYPI", "maximumSize": 0 }],
    });
    let after = set(&world, input.clone()).await;
    let mut expected = before.clone();
    expected["graphql"]["depth"] = 15.into();
    expected["rateLimits"][5]["requestsPerPeriod"] = 20.into();
    for limit in expected["fileSizeLimits"].as_array_mut().expect("a list") {
        match limit["packageType"].as_str() {
            Some("NPM") => limit["maximumSize"] = "6000000000".into(),
            Some("PYPI") => limit["maximumSize"] = "0".into(),
            _ => {}
        }
    }
    assert_eq!(after, expected);
    assert_eq!(read(&world).await, expected);

    // What changed stands in the audit log, and only once.
    set(&world, input).await;
    let events = "query E { auditEvents(scope: {}, filter: { eventNames: [APPLICATION_SETTING_UPDATED] }) { nodes { details } } }";
    let events = world.graphql(&world.people.administrator, events, Value::Null).await;
    let events = events["data"]["auditEvents"]["nodes"].as_array().expect("events").clone();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(
        events[0]["details"]["changes"],
        json!([
            { "change": "graphql_depth", "from": 20, "to": 15 },
            { "change": "throttle_sign_in_requests_per_period", "from": 300, "to": 20 },
            { "change": "npm_max_file_size", "from": 524_288_000, "to": 6_000_000_000_u64 },
            { "change": "pypi_max_file_size", "from": 3_221_225_472_u64, "to": 0 },
        ])
    );
}

#[tokio::test]
async fn limits_are_for_administrators_and_within_bounds() {
    let (world, _) = world().await;
    let people = &world.people;
    let change = json!({ "input": { "graphql": { "depth": 15 } } });
    for (person, expected) in [
        (&people.anonymous, "UNAUTHENTICATED"),
        (&people.maintainer, "FORBIDDEN"),
        (&people.owner, "FORBIDDEN"),
        (&people.api_reader, "FORBIDDEN"),
        (&people.administrator, "OK"),
    ] {
        assert_eq!(code(&world, person, UPDATE, change.clone()).await, expected, "{}", person.name);
        assert_eq!(code(&world, person, READ, Value::Null).await, expected, "{}", person.name);
    }
    let before = read(&world).await;
    for (input, field) in [
        (json!({ "graphql": { "signedInComplexity": 49 } }), "graphql_signed_in_complexity"),
        (json!({ "graphql": { "anonymousComplexity": 1_000_000 } }), "graphql_anonymous_complexity"),
        (json!({ "graphql": { "depth": 33 } }), "graphql_depth"),
        (json!({ "graphql": { "length": 1_999 } }), "graphql_document_length"),
        (json!({ "graphql": { "batchSize": 0 } }), "graphql_batch_size"),
        (
            json!({ "graphql": { "depth": 10 }, "rateLimits": [{ "name": "AUTHENTICATED_API", "requestsPerPeriod": 9 }] }),
            "throttle_authenticated_api_requests_per_period",
        ),
        (
            json!({ "rateLimits": [{ "name": "SIGN_IN", "periodInSeconds": 3_601 }] }),
            "throttle_sign_in_period_in_seconds",
        ),
        (
            json!({ "fileSizeLimits": [{ "packageType": "NPM", "maximumSize": "9007199254740992" }] }),
            "npm_max_file_size",
        ),
    ] {
        let answer = world.graphql(&people.administrator, UPDATE, json!({ "input": input })).await;
        let extensions = &answer["errors"][0]["extensions"];
        assert_eq!(
            (&extensions["code"], &extensions["field"]),
            (&json!("INVALID"), &json!(field)),
            "{answer}"
        );
    }
    assert_eq!(read(&world).await, before, "what is refused changes nothing");
}

#[tokio::test]
async fn documents_keep_to_the_limits_and_the_lowest_do_not_lock_the_administrator_out() {
    let (world, _) = world().await;
    let people = &world.people;
    let replica = world.replica().await;
    let deep = "{ a: group(fullPath: \"a\") { projects { nodes { group { parent { id } } } } } }";
    let long = format!("{{ metadata {{ version }} }} #{}", " ".repeat(2_000));
    let aliases: Vec<_> = (0..60).map(|number| format!("a{number}: version")).collect();
    let wide = format!("{{ metadata {{ {} }} }}", aliases.join(" "));
    for document in [deep, &long, &wide] {
        assert_eq!(code(&world, &people.reporter, document, Value::Null).await, "OK");
        assert_eq!(code(&world, &people.anonymous, document, Value::Null).await, "OK");
    }
    let before = read(&world).await;
    let lowest = json!({
        "graphql": { "anonymousComplexity": 50, "signedInComplexity": 50, "depth": 5, "length": 2_000, "batchSize": 1 },
        "rateLimits": [{ "name": "AUTHENTICATED_API", "enabled": true, "requestsPerPeriod": 10, "periodInSeconds": 3_600 }],
    });
    set(&world, lowest).await;
    for document in [deep, &long, &wide] {
        assert_eq!(
            code(&world, &people.reporter, document, Value::Null).await,
            "TOO_LARGE",
            "{document:.80}"
        );
        assert_eq!(
            code(&world, &people.anonymous, document, Value::Null).await,
            "TOO_LARGE",
            "{document:.80}"
        );
    }
    // Another server follows when it looks.
    assert_eq!(replica.batch_limit(), 10);
    replica.follow_limits().await.expect("the limits");
    assert_eq!(replica.batch_limit(), 1);

    let mut back = before["graphql"].clone();
    back["depth"] = 19.into();
    let back = json!({ "graphql": back, "rateLimits": [{ "name": "AUTHENTICATED_API", "enabled": false }] });
    assert_eq!(set(&world, back).await["graphql"]["depth"], 19);
    assert_eq!(code(&world, &people.reporter, &wide, Value::Null).await, "OK");
}

/// The words of each client for a file that is too large.
fn is_told(answer: &Answer) {
    assert_eq!(answer.status, 400, "{}: {}", answer.described, answer.text());
    assert!(answer.text().contains("File is too large"), "{}: {}", answer.described, answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_every_format_keep_to_its_limit() {
    let (world, client) = world().await;
    let group = world.group("acme", Visibility::Private).await;
    let project = world.project(&group, "web", Visibility::Private).await;
    let developer = &world.people.developer;
    for format in FORMATS {
        let kind = format.sdl_name();
        let limit = |size: u64| json!({ "fileSizeLimits": [{ "packageType": kind, "maximumSize": size.to_string() }] });
        set(&world, limit(6)).await;
        is_told(&doors::publish(&client, format, &project, "large").by(developer).send().await);
        let upload = "mutation C($input: CreateUploadInput!) { createUpload(input: $input) { upload { maximumSize } errors } }";
        let input = json!({ "projectPath": project.full_path, "packageType": kind });
        let uploaded = accepted(&world, developer, upload, input.clone()).await;
        assert_eq!(uploaded["upload"]["maximumSize"], "6");
        // Another limit is none of its business.
        let other = if kind == "NPM" { "PYPI" } else { "NPM" };
        set(&world, json!({ "fileSizeLimits": [{ "packageType": other, "maximumSize": "1" }] })).await;
        set(&world, limit(0)).await;
        let uploaded = accepted(&world, developer, upload, input).await;
        assert_eq!(uploaded["upload"]["maximumSize"], "9223372036854775807");
        let published = doors::publish(&client, format, &project, "large").by(developer).send().await;
        assert!(published.status.is_success(), "{}: {}", published.described, published.text());
    }
    world.nothing_stays_staged().await;
}

/// A client that does not say how much it sends is stopped when it has sent too much, and not at its end.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_without_an_end_is_given_up_at_the_limit() {
    let (world, client) = world().await;
    let group = world.group("acme", Visibility::Private).await;
    let project = world.project(&group, "web", Visibility::Private).await;
    set(&world, json!({ "fileSizeLimits": [{ "packageType": "GENERIC", "maximumSize": "100000" }] })).await;
    let endless = stream::repeat_with(|| Ok::<_, io::Error>(Bytes::from_static(&[7; 1_000])));
    let path = format!("/api/v4/projects/{}/packages/generic/endless/1.0.0/file.bin", project.id);
    is_told(&client.put(path).stream(endless).by(&world.people.developer).send().await);
    world.nothing_stays_staged().await;
}

#[tokio::test]
async fn limits_cost_a_publish_no_statement() {
    let (world, client) = world().await;
    let group = world.group("acme", Visibility::Private).await;
    let project = world.project(&group, "web", Visibility::Private).await;
    // The least of some: now and then one pays for reading the switches anew, or for writing down who came.
    let cost = async |round: &str| {
        let mut least = u64::MAX;
        for number in 0..5 {
            let before = world.statements();
            let publish = doors::publish(&client, FORMATS[0], &project, &format!("{round}-{number}"));
            publish.by(&world.people.developer).send().await.expect(201);
            least = least.min(world.statements() - before);
        }
        least
    };
    let off = cost("off").await;
    let rate = |name: &str| json!({ "name": name, "enabled": true });
    let rates = ["AUTHENTICATED_PACKAGES_API", "UNAUTHENTICATED_PACKAGES_API"].map(rate);
    let sizes = json!([{ "packageType": "GENERIC", "maximumSize": "1000" }]);
    set(&world, json!({ "rateLimits": rates, "fileSizeLimits": sizes })).await;
    assert_eq!(cost("on").await, off);
}

#[tokio::test]
async fn plan_limits_are_gitlabs_over_the_same() {
    let (world, client) = world().await;
    let people = &world.people;
    client.get(PLAN_LIMITS).send().await.expect(401);
    client.get(PLAN_LIMITS).by(&people.owner).send().await.expect(403);
    let limits = client.get(PLAN_LIMITS).by(&people.administrator).send().await.expect(200).json();
    assert_eq!(limits["generic_packages_max_file_size"], 5_368_709_120_u64);
    assert_eq!(limits["npm_max_file_size"], 524_288_000);

    // As clients of GitLab's API send it: a form, or JSON; beside it limits of what is no package.
    let form = "plan_name=default&npm_max_file_size=600000000&ci_active_jobs=7";
    let request =
        client.put(PLAN_LIMITS).header("content-type", "application/x-www-form-urlencoded").body(form);
    let changed = request.by(&people.administrator).send().await.expect(200).json();
    assert_eq!(
        (&changed["npm_max_file_size"], &changed["ci_active_jobs"]),
        (&json!(600_000_000), &Value::Null)
    );
    let body = json!({ "plan_name": "default", "maven_max_file_size": 0, "pypi_max_file_size": "7" });
    let changed =
        client.put(PLAN_LIMITS).json(&body).by(&people.administrator).send().await.expect(200).json();
    assert_eq!((&changed["maven_max_file_size"], &changed["pypi_max_file_size"]), (&json!(0), &json!(7)));
    let path = format!("{PLAN_LIMITS}?plan_name=default");
    assert_eq!(client.get(path).by(&people.administrator).send().await.expect(200).json(), changed);

    let size = json!({ "plan_name": "default", "npm_max_file_size": 1 });
    for (person, body, expected) in [
        (&people.anonymous, &size, 401),
        (&people.owner, &size, 403),
        (&people.owner, &json!({ "npm_max_file_size": 1 }), 403),
        (&people.administrator, &json!({ "npm_max_file_size": 1 }), 400),
        (&people.administrator, &json!({ "plan_name": "premium", "npm_max_file_size": 1 }), 400),
        (&people.administrator, &json!({ "plan_name": "default", "npm_max_file_size": -1 }), 400),
        (&people.administrator, &json!({ "plan_name": "default", "npm_max_file_size": "many" }), 400),
        (&people.administrator, &json!({ "plan_name": "default", "npm_max_file_size": u64::MAX }), 400),
    ] {
        let answer = client.put(PLAN_LIMITS).json(body).by(person).send().await;
        assert_eq!(answer.status, expected, "{} {body}: {}", person.name, answer.text());
    }
    client.get(format!("{PLAN_LIMITS}?plan_name=premium")).by(&people.administrator).send().await.expect(400);
    assert_eq!(client.get(PLAN_LIMITS).by(&people.administrator).send().await.json(), changed);
}
