//! Changes that are refused for what they were given, to people who may make them: nothing changes, and it is written down.

use domain::{Scope, Visibility};
use gateway::Gateway;
use serde_json::{Value, json};
use testkit::{Client, Person, Project, World};

use crate::world::{accepted, code, world};

const REFUSALS: &str = "query R { auditEvents(scope: {}, filter: { eventNames: [PACKAGE_REGISTRY_WRITE_REFUSED] }, \
    first: 100) { nodes { entityPath authorName packageName details } } }";
const SETTINGS: &str = "mutation S($input: UpdateNamespacePackageSettingsInput!) { \
    updateNamespacePackageSettings(input: $input) { errors } }";
const CREATE_UPLOAD: &str =
    "mutation U($input: CreateUploadInput!) { createUpload(input: $input) { errors } }";
const FILES: &str =
    "query F($path: ID!) { project(fullPath: $path) { packages { nodes { name version } } } }";

struct Stage {
    world: World,
    client: Client,
    project: Project,
}

impl Stage {
    /// A project with version 1.0.0 of the generic package `app`, whose group refuses duplicates.
    async fn new() -> Self {
        let (world, client) = world().await;
        let group = world.group("acme", Visibility::Private).await;
        let project = world.project(&group, "web", Visibility::Private).await;
        let stage = Self { world, client, project };
        stage.put("app", "1.0.0", &stage.world.people.developer).await.expect(201);
        let input = json!({ "namespacePath": "acme", "genericDuplicatesAllowed": false });
        accepted(&stage.world, &stage.world.people.owner, SETTINGS, input).await;
        stage
    }

    async fn put(&self, name: &str, version: &str, person: &Person) -> testkit::Answer {
        put(&self.client, &self.project, (name, version), person).await
    }

    /// What was refused, oldest first: who, code, operation, and about which package.
    async fn refused(&self) -> Vec<[Value; 4]> {
        let answer = self.world.graphql(&self.world.people.administrator, REFUSALS, Value::Null).await;
        let mut events = answer["data"]["auditEvents"]["nodes"].as_array().expect("events").clone();
        events.reverse();
        let told = events.into_iter().map(|event| {
            assert_eq!(event["entityPath"], "acme/web");
            let details = &event["details"];
            [&event["authorName"], &details["code"], &details["operation"], &event["packageName"]]
                .map(Clone::clone)
        });
        told.collect()
    }

    async fn packages(&self) -> Value {
        let variables = json!({ "path": self.project.full_path });
        let answer = self.world.graphql(&self.world.people.owner, FILES, variables).await;
        answer["data"]["project"]["packages"]["nodes"].clone()
    }
}

async fn put(
    client: &Client,
    project: &Project,
    (name, version): (&str, &str),
    person: &Person,
) -> testkit::Answer {
    let path = format!("/api/v4/projects/{}/packages/generic/{name}/{version}/a.bin", project.id);
    client.put(path).body(format!("of {}", person.name)).by(person).send().await
}

#[tokio::test]
async fn what_breaks_a_rule_changes_nothing_and_is_written_down() {
    let stage = Stage::new().await;
    let people = &stage.world.people;
    let token = stage.world.deploy_token(&stage.project, Scope::WritePackageRegistry).await;
    let before = stage.packages().await;
    for person in [&people.developer, &token] {
        stage.put("app", "1.0.0", person).await.expect(400);
    }
    stage.put("app", "1.0.0", &people.anonymous).await.expect(401);
    let input = json!({ "projectPath": stage.project.full_path, "packageType": "GENERIC", "packageName": "app",
        "packageVersion": "no version" });
    let variables = json!({ "input": input });
    assert_eq!(code(&stage.world, &people.developer, CREATE_UPLOAD, variables).await, "INVALID");
    let refused = stage.refused().await;
    let told = |code: &str, operation: &str, person: &str| json!([person, code, operation, "app"]);
    let token_name = refused[1][0].as_str().unwrap_or_default().to_owned();
    assert_ne!(token_name, "");
    assert_eq!(
        json!(refused),
        json!([
            told("DUPLICATE", "publishPackage", "developer"),
            told("DUPLICATE", "publishPackage", &token_name),
            json!(["developer", "INVALID", "createUpload", null]),
        ])
    );
    assert_eq!(stage.packages().await, before, "nothing changes");
}

#[tokio::test]
async fn a_delete_that_a_rule_refuses_is_written_down() {
    const RULE: &str = "mutation C($input: CreatePackagesProtectionRuleInput!) { \
        createPackagesProtectionRule(input: $input) { errors } }";
    const IDS: &str = "query I($path: ID!) { project(fullPath: $path) { packages { nodes { id } } } }";
    const DESTROY: &str =
        "mutation D($input: DestroyPackageInput!) { destroyPackage(input: $input) { errors } }";
    let stage = Stage::new().await;
    let people = &stage.world.people;
    let rule = json!({ "projectPath": stage.project.full_path, "packageType": "GENERIC",
        "packageNamePattern": "app*", "minimumAccessLevelForDelete": "OWNER" });
    accepted(&stage.world, &people.owner, RULE, rule).await;
    let variables = json!({ "path": stage.project.full_path });
    let answer = stage.world.graphql(&people.owner, IDS, variables).await;
    let id = &answer["data"]["project"]["packages"]["nodes"][0]["id"];
    let answer = stage.world.graphql(&people.maintainer, DESTROY, json!({ "input": { "id": id } })).await;
    assert_ne!(answer["data"]["destroyPackage"]["errors"], json!([]), "{answer}");
    let refused = stage.refused().await;
    assert_eq!(json!(refused), json!([["maintainer", "PROTECTED", "destroyPackage", "app"]]));
    assert_eq!(stage.packages().await, json!([{ "name": "app", "version": "1.0.0" }]));
}

/// What one server wrote down, the other counts.
#[tokio::test]
async fn servers_on_one_database_count_refusals_together() {
    let stage = Stage::new().await;
    let other = Gateway::new(stage.world.replica().await, "http://registry.test");
    let other = Client::new(formats::router(&other));
    for _ in 0..8 {
        for client in [&stage.client, &other] {
            put(client, &stage.project, ("app", "1.0.0"), &stage.world.people.developer).await.expect(400);
        }
    }
    assert_eq!(stage.refused().await.len(), 10);
}
