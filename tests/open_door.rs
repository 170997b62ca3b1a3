//! What scripts and front ends send to `POST /api/graphql`, as far as it is no adapter's.

use domain::Visibility;
use serde_json::json;

use crate::world::world;

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
