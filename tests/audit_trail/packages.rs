//! What is written down of packages.

use domain::Scope;
use serde_json::{Value, json};

use super::Trail;

/// What GitLab writes of a package, field by field: the entity is the project's own group, and the project where there is none.
#[tokio::test]
async fn packages_are_written_down_as_gitlab_does() {
    let trail = Trail::new().await;
    let world = &trail.world;
    let settings = "mutation S($input: UpdateNamespacePackageSettingsInput!) { \
        updateNamespacePackageSettings(input: $input) { errors } }";
    let upload = |project: i64| format!("/api/v4/projects/{project}/packages/generic/app/1.0.0/a.bin");
    let put = |path: String, person| trail.client.put(path).body("content").by(person).send();
    let before = trail.newest().await;
    put(upload(trail.project.id.0), &world.people.developer).await.expect(201);
    assert_eq!(trail.since(&before).await, [Value::Null; 0], "nothing, until the owner wants it");

    let input = json!({ "namespacePath": "acme", "auditEventsEnabled": true });
    world.graphql(&world.people.owner, settings, json!({ "input": input })).await;
    let token = world.deploy_token(&trail.project, Scope::WritePackageRegistry).await;
    let before = trail.newest().await;
    put(upload(trail.project.id.0), &world.people.developer).await.expect(201);
    put(upload(trail.project.id.0).replace("1.0.0", "2.0.0"), &token).await.expect(201);
    let written = trail.since(&before).await;
    assert_eq!(written[0]["eventName"], "package_registry_package_files_added");
    let event = &written[1];
    assert_eq!(event["eventName"], "package_registry_package_published");
    assert_eq!((&event["entityType"], &event["entityPath"]), (&json!("Group"), &json!("acme")));
    assert_eq!(event["targetType"], "Packages::Generic::Package");
    assert_eq!(event["targetDetails"], "acme/web/app-2.0.0");
    assert_eq!(event["message"], "Generic package published");
    assert_eq!(event["details"]["auth_token_type"], "DeployToken");
    assert_eq!(event["details"]["author_class"], "Gitlab::Audit::DeployTokenAuthor");
    assert_eq!(written[0]["details"]["auth_token_type"], "PersonalAccessToken");

    let outsider = &world.people.outsider;
    let create =
        "mutation C($input: CreateProjectInput!) { createProject(input: $input) { project { id } } }";
    let created = world.graphql(outsider, create, json!({ "input": { "path": "own" } })).await;
    let id = created["data"]["createProject"]["project"]["id"].as_str().expect("an id");
    let id: i64 = id.rsplit('/').next().and_then(|id| id.parse().ok()).expect("a number");
    let input = json!({ "namespacePath": "outsider", "auditEventsEnabled": true });
    world.graphql(outsider, settings, json!({ "input": input })).await;
    let before = trail.newest().await;
    put(upload(id), outsider).await.expect(201);
    let written = trail.since(&before).await;
    assert_eq!(
        (&written[0]["entityType"], &written[0]["entityPath"]),
        (&json!("Project"), &json!("outsider/own"))
    );
}
