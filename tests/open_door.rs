//! What scripts and front ends send to `POST /api/graphql`, as far as it is no adapter's.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Visibility;
use serde_json::{Value, json};

use crate::world::{code, world};

const MANY: &str = "query A($path: ID!, $first: Int) { project(fullPath: $path) { packages(first: $first) { nodes { id } } } } \
    query B($rows: Int!) { packageIndexes(scope: {}, packageType: NPM, first: $rows) { count } }";
const OPTIONAL: &str = "query A($path: ID!, $first: Int, $after: String) { \
    project(fullPath: $path) { packages(first: $first, after: $after) { nodes { id } } } }";

#[tokio::test]
async fn variables_may_be_left_out() {
    let (world, _) = world().await;
    let group = world.group("acme", Visibility::Private).await;
    let project = world.project(&group, "web", Visibility::Private).await;
    let reporter = &world.people.reporter;
    for variables in [
        json!({ "path": project.full_path }),
        json!({ "path": project.full_path, "first": null }),
        json!({ "path": project.full_path, "first": 10, "after": null }),
    ] {
        let answer = world.graphql(reporter, OPTIONAL, variables.clone()).await;
        assert!(answer["data"]["project"]["packages"]["nodes"].is_array(), "{variables}: {answer}");
    }
}

#[tokio::test]
async fn one_of_several_operations_is_run() {
    let (world, _) = world().await;
    let group = world.group("acme", Visibility::Private).await;
    let project = world.project(&group, "web", Visibility::Private).await;
    let variables = json!({ "path": project.full_path, "first": 1 });
    let answer = world.graphql_named(&world.people.reporter, MANY, "A", variables).await;
    assert!(answer["data"]["project"]["packages"]["nodes"].is_array(), "{answer}");
}

/// What no database keeps, or not every one, is refused alike on each, and named.
#[tokio::test]
async fn texts_and_instants_that_cannot_be_kept_are_refused() {
    const FOUND: &str = "query P($path: ID!, $name: String) { project(fullPath: $path) { packages(packageName: $name) { count } } }";
    const WRITTEN: &str = "{ project(fullPath: \"a\\u0000\") { id } }";
    const LOG: &str =
        "query L($after: Time) { auditEvents(scope: {}, filter: { createdAfter: $after }) { count } }";
    let (world, _) = world().await;
    let people = &world.people;
    for (document, variables, field) in [
        (FOUND, json!({ "path": "acme\0" }), "path"),
        (FOUND, json!({ "path": "acme", "name": "a\0" }), "name"),
        (WRITTEN, json!({}), "fullPath"),
    ] {
        let answer = world.graphql(&people.anonymous, document, variables).await;
        let extensions = &answer["errors"][0]["extensions"];
        assert_eq!(
            (&extensions["code"], &extensions["field"]),
            (&json!("INVALID"), &json!(field)),
            "{answer}"
        );
    }
    for instant in ["9999-12-31T23:59:59-23:00", "0000-01-01T00:00:00+23:00"] {
        let found = code(&world, &people.administrator, LOG, json!({ "after": instant })).await;
        assert_eq!(found, "INVALID", "{instant}");
    }
}

/// A cursor says what the list is sorted by; one that says it otherwise was not given here.
#[tokio::test]
async fn cursors_with_a_value_of_another_kind_are_refused() {
    const LIST: &str = "query L($sort: ProjectSort!, $after: String) { projects(sort: $sort, after: $after) { nodes { id } } }";
    let (world, _) = world().await;
    let cursor = |order: &str, value: &Value| {
        URL_SAFE_NO_PAD.encode(json!({ "o": order, "v": value, "i": 1 }).to_string())
    };
    let (text, number) = (json!({ "t": "a" }), json!({ "n": 1 }));
    let (instant, nul) = (json!({ "d": "2026-11-26T00:00:00Z" }), json!({ "t": "a\0" }));
    let far = json!({ "d": "9999-12-31T23:59:59-23:00" });
    for (sort, order, right, wrong) in [
        ("NAME_ASC", "name+", Some(&text), vec![&number, &instant, &nul, &Value::Null]),
        ("CREATED_DESC", "created-", Some(&instant), vec![&text, &number, &far]),
        ("ID_ASC", "id+", None, vec![&text, &number]),
    ] {
        let answer = |value: Value| {
            let variables = json!({ "sort": sort, "after": cursor(order, &value) });
            let world = &world;
            async move { code(world, &world.people.anonymous, LIST, variables).await }
        };
        assert_eq!(answer(right.cloned().unwrap_or_default()).await, "OK", "{sort}");
        for value in wrong {
            assert_eq!(answer(value.clone()).await, "INVALID", "{sort} {value}");
        }
    }
}

/// Whatever GraphQL itself finds wrong has a code as well.
#[tokio::test]
async fn every_error_has_a_code() {
    let (world, _) = world().await;
    for document in [
        "{",
        "{ unknown }",
        "{ package(id: \"gid://gitlab/Project/1\") { id } }",
        "mutation { destroyPackage(input: {}) { errors } }",
    ] {
        assert_eq!(code(&world, &world.people.owner, document, json!({})).await, "INVALID", "{document}");
    }
}

#[tokio::test]
async fn deprecations_are_some_and_each_of_another_version() {
    const DEPRECATE: &str = "mutation D($input: SetPackageDeprecationsInput!) { setPackageDeprecations(input: $input) { errors } }";
    let (world, client) = world().await;
    let group = world.group("acme", Visibility::Private).await;
    let project = world.project(&group, "web", Visibility::Private).await;
    let version = testkit::artefacts::npm::Version::new("app", "1.0.0").document();
    let path = format!("/api/v4/projects/{}/packages/npm/app", project.id);
    client.put(path).json(&version).by(&world.people.developer).send().await.expect(200);
    let one = json!({ "packageVersion": "1.0.0", "message": "old" });
    for (deprecations, expected) in
        [(json!([]), "INVALID"), (json!([one, one]), "INVALID"), (json!([one]), "OK")]
    {
        let input = json!({ "scope": { "projectPath": project.full_path }, "packageType": "NPM", "packageName": "app",
            "deprecations": deprecations });
        let answer = code(&world, &world.people.maintainer, DEPRECATE, json!({ "input": input })).await;
        assert_eq!(answer, expected, "{deprecations}");
    }
}

#[tokio::test]
async fn mail_addresses_are_searched_by_administrators_only() {
    const SEARCH: &str = "query S($search: String) { users(search: $search) { count nodes { username } } }";
    let (world, _) = world().await;
    let input = json!({ "username": "quiet", "name": "Quiet", "email": "hidden.away@example.org" });
    let created = "mutation C($input: CreateUserInput!) { createUser(input: $input) { errors } }";
    let people = &world.people;
    assert_eq!(code(&world, &people.administrator, created, json!({ "input": input })).await, "OK");
    for (person, count) in [(&people.administrator, 1), (&people.outsider, 0)] {
        let answer = world.graphql(person, SEARCH, json!({ "search": "hidden.away" })).await;
        assert_eq!(answer["data"]["users"]["count"], count, "{}: {answer}", person.name);
        assert_eq!(answer["data"]["users"]["nodes"].as_array().map(Vec::len), Some(count), "{answer}");
    }
}
