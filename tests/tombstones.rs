//! A name and version that were served never come back with other bytes, wherever what served them went.

use domain::{PackageFormat, Visibility};
use serde_json::json;
use testkit::{Project, artefacts::npm};

use crate::{
    doors::publish,
    world::{accepted, world},
};

const DESTROY_PROJECT: &str =
    "mutation D($input: DestroyProjectInput!) { destroyProject(input: $input) { errors } }";
const DESTROY_GROUP: &str =
    "mutation D($input: DestroyGroupInput!) { destroyGroup(input: $input) { errors } }";

#[tokio::test]
async fn a_project_of_a_deleted_ones_path_does_not_serve_other_bytes() {
    let (world, client) = world().await;
    let owner = &world.people.owner;
    let other = npm::Version::new("@acme/lib", "1.0.0").with("description", json!("other bytes")).document();
    let republish = |project: &Project| {
        let path = format!("/api/v4/projects/{}/packages/npm/@acme%2flib", project.id);
        client.put(path).json(&other).by(owner).send()
    };
    let mut group = world.group("acme", Visibility::Private).await;
    let mut project = world.project(&group, "web", Visibility::Private).await;
    let sibling = world.project(&group, "web2", Visibility::Private).await;
    publish(&client, PackageFormat::Npm, &project, "lib").by(owner).send().await.expect(200);
    accepted(&world, owner, DESTROY_PROJECT, json!({ "fullPath": project.full_path })).await;
    project = world.project(&group, "web", Visibility::Private).await;
    let told = republish(&project).await.expect(403).text();
    assert!(told.contains("already exists") || told.contains("deleted"), "{told}");
    publish(&client, PackageFormat::Npm, &project, "lib").by(owner).send().await.expect(200);

    accepted(&world, owner, DESTROY_GROUP, json!({ "fullPath": "acme" })).await;
    group = world.group("acme", Visibility::Private).await;
    project = world.project(&group, "WEB", Visibility::Private).await;
    republish(&project).await.expect(403);
    // What was never served at an address is free there.
    let elsewhere =
        world.project(&group, sibling.full_path.trim_start_matches("acme/"), Visibility::Private).await;
    republish(&elsewhere).await.expect(200);
}
