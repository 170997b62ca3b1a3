//! A list costs a constant number of SQL statements, whatever the size of its page.

use domain::Visibility;
use serde_json::{Value, json};
use testkit::{Client, Person, Project, World, artefacts::npm};

use crate::world::world;

/// Packages in the project: more than the larger page.
const PACKAGES: usize = 30;
const SMALL: usize = 2;
const LARGE: usize = 25;

const OF_PROJECT: &str = "query L($path: ID!, $first: Int!) { project(fullPath: $path) { packages(first: $first) { \
    count nodes { id name version status createdAt tags { nodes { name } } project { fullPath } \
    userPermissions { destroyPackage } } pageInfo { hasNextPage endCursor } } } }";
const OF_GROUP: &str = "query L($path: ID!, $first: Int!) { group(fullPath: $path) { packages(first: $first) { \
    nodes { id name version tags { nodes { name } } project { fullPath } } pageInfo { endCursor } } } }";

async fn stage() -> (World, Client, Project) {
    let (world, client) = world().await;
    let group = world.group("acme", Visibility::Private).await;
    let project = world.project(&group, "many", Visibility::Private).await;
    for number in 0..PACKAGES {
        let version = npm::Version::new(format!("package-{number:03}"), "1.0.0");
        let path = format!("/api/v4/projects/{}/packages/npm/{}", project.id, version.name);
        client.put(path).json(&version.document()).by(&world.people.developer).send().await.expect(200);
    }
    (world, client, project)
}

/// Statements that `work` costs when everything that is kept between requests is warm.
async fn cost<F: Future<Output = usize>>(world: &World, work: impl Fn() -> F) -> (usize, u64) {
    let mut least = (0, u64::MAX);
    for _ in 0..3 {
        let before = world.statements();
        let rows = work().await;
        let statements = world.statements() - before;
        if statements < least.1 {
            least = (rows, statements);
        }
    }
    least
}

async fn nodes(
    world: &World,
    person: &Person,
    document: &str,
    noun: &str,
    path: &str,
    first: usize,
) -> usize {
    let answer = world.graphql(person, document, json!({ "path": path, "first": first })).await;
    let nodes = answer["data"][noun]["packages"]["nodes"].as_array();
    nodes.unwrap_or_else(|| panic!("no list: {answer}")).len()
}

#[tokio::test(flavor = "multi_thread")]
async fn graphql_lists_of_packages() {
    let (world, _, project) = stage().await;
    let reporter = &world.people.reporter;
    for (document, noun, path) in
        [(OF_PROJECT, "project", project.full_path.as_str()), (OF_GROUP, "group", "acme")]
    {
        let ask = |first| nodes(&world, reporter, document, noun, path, first);
        let (small, few) = cost(&world, || ask(SMALL)).await;
        let (large, many) = cost(&world, || ask(LARGE)).await;
        assert_eq!((small, large), (SMALL, LARGE), "{noun}: full pages");
        assert_eq!(few, many, "{noun}: {SMALL} rows cost {few} statements, {LARGE} rows {many}");
        assert!(many <= 12, "{noun}: {many} statements");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rest_lists_of_packages() {
    let (world, client, project) = stage().await;
    let reporter = &world.people.reporter;
    for list in
        [format!("/api/v4/projects/{}/packages", project.id), "/api/v4/groups/acme/packages".to_owned()]
    {
        let ask = |size: usize| {
            let request = client.get(format!("{list}?per_page={size}")).by(reporter);
            async move { request.send().await.expect(200).json().as_array().map_or(0, Vec::len) }
        };
        let (small, few) = cost(&world, || ask(SMALL)).await;
        let (large, many) = cost(&world, || ask(LARGE)).await;
        assert_eq!((small, large), (SMALL, LARGE), "{list}: full pages");
        assert_eq!(few, many, "{list}: {SMALL} rows cost {few} statements, {LARGE} rows {many}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn npm_search() {
    let (world, client, project) = stage().await;
    let reporter = &world.people.reporter;
    let list = format!("/api/v4/projects/{}/packages/npm/-/v1/search?text=package", project.id);
    let ask = |size: usize| {
        let request = client.get(format!("{list}&size={size}")).by(reporter);
        async move { request.send().await.expect(200).json()["objects"].as_array().map_or(0, Vec::len) }
    };
    let (small, few) = cost(&world, || ask(SMALL)).await;
    let (large, many) = cost(&world, || ask(LARGE)).await;
    assert_eq!((small, large), (SMALL, LARGE), "full pages");
    assert_eq!(few, many, "{SMALL} rows cost {few} statements, {LARGE} rows {many}");
}

/// One packument costs as much with many versions as with one.
#[tokio::test(flavor = "multi_thread")]
async fn packuments() {
    let (world, client, project) = stage().await;
    let path = format!("/api/v4/projects/{}/packages/npm/grown", project.id);
    let mut costs = Vec::new();
    for number in 0..12 {
        let mut version = npm::Version::new("grown", format!("1.0.{number}"));
        version.tags = vec!["latest".to_owned(), format!("tag-{number}")];
        let before = world.statements();
        client.put(&path).json(&version.document()).by(&world.people.developer).send().await.expect(200);
        costs.push(world.statements() - before);
        let answer = client.get(&path).by(&world.people.reporter).send().await.expect(200).json();
        assert_eq!(answer["versions"].as_object().map_or(0, serde_json::Map::len), number + 1);
    }
    // What runs beside a request, such as noting when a token was last used, is counted with it now and then: the least counts.
    let least = |costs: &[u64]| costs.iter().min().copied();
    assert!(least(&costs[9..]) <= least(&costs[2..5]), "the twelfth costs what the third did: {costs:?}");
    let ask = || async {
        let answer = client.get(&path).by(&world.people.reporter).send().await.expect(200);
        let versions: Value = answer.json();
        versions["versions"].as_object().map_or(0, serde_json::Map::len)
    };
    let (versions, statements) = cost(&world, ask).await;
    assert_eq!(versions, 12);
    assert!(statements <= 8, "a packument costs {statements} statements");
}
