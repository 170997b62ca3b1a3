//! How much room packages take: what is shared is told apart from what is not.

use domain::Visibility;
use serde_json::{Value, json};
use testkit::{Client, Project, World};

use crate::world::world;

const STORAGE: &str = "query S($project: ID!, $group: ID!) { project(fullPath: $project) { statistics { packagesSize } \
    packageStorage { size exclusiveBytes sharedBytes packageTypes { packageType size exclusiveBytes sharedBytes } } } \
    group(fullPath: $group) { packageStorage { size exclusiveBytes sharedBytes } } }";

async fn publish(world: &World, client: &Client, project: &Project, path: &str, content: &str) {
    let path = format!("/api/v4/projects/{}/packages/{path}", project.id);
    let status = client.put(path).body(content.to_owned()).by(&world.people.developer).send().await.status;
    assert!(status.is_success(), "{status}");
}

async fn storage(world: &World, project: &Project, group: &str) -> Value {
    let variables = json!({ "project": project.full_path, "group": group });
    let answer = world.graphql(&world.people.owner, STORAGE, variables).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"].clone()
}

#[tokio::test]
async fn shared_bytes_are_told_apart() {
    let (world, client) = world().await;
    let acme = world.group("acme", Visibility::Private).await;
    let tools = world.subgroup(&acme, "tools", Visibility::Private).await;
    let web = world.project(&acme, "web", Visibility::Private).await;
    let cli = world.project(&tools, "cli", Visibility::Private).await;
    let nothing = storage(&world, &web, "acme").await;
    assert_eq!(nothing["project"]["packageStorage"]["size"], 0.0);
    assert_eq!(nothing["project"]["packageStorage"]["packageTypes"], json!([]));

    publish(&world, &client, &web, "generic/app/1/own.bin", "12345").await;
    publish(&world, &client, &web, "generic/app/2/again.bin", "12345").await;
    publish(&world, &client, &web, "generic/app/1/both.bin", "123456789").await;
    publish(&world, &client, &web, "maven/com/acme/app/1/app-1.txt", "123456789").await;
    publish(&world, &client, &cli, "generic/app/1/both.bin", "123456789").await;
    let seen = storage(&world, &web, "acme").await;
    let project = &seen["project"];
    assert_eq!(project["statistics"]["packagesSize"], 28.0);
    let of_project = &project["packageStorage"];
    assert_eq!(of_project["size"], 28.0);
    assert_eq!((&of_project["exclusiveBytes"], &of_project["sharedBytes"]), (&json!(5.0), &json!(9.0)));
    assert_eq!(
        of_project["packageTypes"],
        json!([
            { "packageType": "MAVEN", "size": 9.0, "exclusiveBytes": 0.0, "sharedBytes": 9.0 },
            { "packageType": "GENERIC", "size": 19.0, "exclusiveBytes": 5.0, "sharedBytes": 9.0 },
        ])
    );
    let of_group = &seen["group"]["packageStorage"];
    assert_eq!(*of_group, json!({ "size": 37.0, "exclusiveBytes": 14.0, "sharedBytes": 0.0 }));
    let below = storage(&world, &cli, "acme/tools").await;
    assert_eq!(
        below["group"]["packageStorage"],
        json!({ "size": 9.0, "exclusiveBytes": 0.0, "sharedBytes": 9.0 })
    );

    for (person, is_shown) in [(&world.people.maintainer, true), (&world.people.developer, false)] {
        let variables = json!({ "project": web.full_path, "group": "acme" });
        let answer = world.graphql(person, STORAGE, variables).await;
        assert_eq!(answer["data"]["project"]["statistics"].is_object(), is_shown, "{}", person.name);
        assert_eq!(answer["data"]["project"]["packageStorage"].is_object(), is_shown, "{}", person.name);
        assert_eq!(answer["data"]["group"]["packageStorage"], Value::Null, "{}", person.name);
    }
}

/// Whether strangers store the same content is not told: neither by what is used nor by what a retention would free.
#[tokio::test]
async fn what_others_store_changes_nothing_that_is_told() {
    const PREVIEW: &str = "query P($project: ID!) { packageRetentionPreview(projectPath: $project, rules: [{ keepLast: 1 }]) { \
        versionsCount exclusiveBytes sharedBytes } }";
    let (world, client) = world().await;
    let acme = world.group("acme", Visibility::Private).await;
    let web = world.project(&acme, "web", Visibility::Private).await;
    for (version, content) in [("1", "known to few"), ("2", "new")] {
        publish(&world, &client, &web, &format!("generic/app/{version}/a.bin"), content).await;
    }
    let told = async || {
        let preview = world.graphql(&world.people.owner, PREVIEW, json!({ "project": web.full_path })).await;
        (storage(&world, &web, "acme").await, preview["data"].clone())
    };
    let before = told().await;
    assert_eq!(before.1["packageRetentionPreview"]["exclusiveBytes"], 12.0);
    let strangers = world.group("strangers", Visibility::Private).await;
    let secret = world.project(&strangers, "secret", Visibility::Private).await;
    publish(&world, &client, &secret, "generic/app/1/a.bin", "known to few").await;
    assert_eq!(told().await, before);
    // Within the namespace it is told.
    let other = world.project(&acme, "other", Visibility::Private).await;
    publish(&world, &client, &other, "generic/app/1/a.bin", "known to few").await;
    let (storage, preview) = told().await;
    assert_eq!(storage["project"]["packageStorage"]["sharedBytes"], 12.0);
    assert_eq!(
        preview["packageRetentionPreview"],
        json!({ "versionsCount": 1, "exclusiveBytes": 0.0, "sharedBytes": 12.0 })
    );
}
