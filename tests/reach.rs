//! How far roles reach beside packages, and what is told of what may not be known.

use domain::{RegistryAccessLevel, Role, Visibility};
use http::Method;
use serde_json::{Value, json};

use crate::world::world;

#[tokio::test]
async fn the_visibility_of_a_project_is_its_owners() {
    let (world, client) = world().await;
    let group = world.group("acme", Visibility::Public).await;
    let project = world.project(&group, "web", Visibility::Private).await;
    let path = format!("/api/v4/projects/{}", project.id);
    let put = |body: Value| client.put(&path).json(&body);
    let maintainer = &world.people.maintainer;
    put(json!({ "visibility": "public" })).by(maintainer).send().await.expect(403);
    put(json!({ "package_registry_access_level": "public" })).by(maintainer).send().await.expect(200);
    let seen = put(json!({ "visibility": "public" })).by(&world.people.owner).send().await.expect(200).json();
    assert_eq!(seen["visibility"], "public");
}

#[tokio::test]
async fn a_group_known_for_an_open_registry_only_is_not_found() {
    let (world, client) = world().await;
    let group = world.group("acme", Visibility::Private).await;
    let mut project = world.project(&group, "web", Visibility::Private).await;
    world.set_registry(&mut project, RegistryAccessLevel::Public).await;
    for of in [
        "/groups/acme",
        "/groups/acme/members",
        "/groups/acme/members/all",
        "/groups/acme/subgroups",
        "/groups/acme/descendant_groups",
        "/groups/acme/projects",
        "/groups/acme/packages/protection/rules",
        "/projects/acme%2Fweb",
        "/projects/acme%2Fweb/members",
        "/projects/acme%2Fweb/packages/protection/rules",
        "/projects/acme%2Fweb/job_token_scope",
    ] {
        for person in [&world.people.anonymous, &world.people.outsider] {
            client.get(format!("/api/v4{of}")).by(person).send().await.expect(404);
        }
        client.get(format!("/api/v4{of}")).by(&world.people.owner).send().await.expect(200);
    }
    client.get("/api/v4/groups/acme/packages").by(&world.people.anonymous).send().await.expect(200);
}

#[tokio::test]
async fn bots_are_listed_to_administrators_only() {
    let (world, client) = world().await;
    let group = world.group("acme", Visibility::Private).await;
    let project = world.project(&group, "web", Visibility::Private).await;
    let bot = world.project_bot(&project, Role::Developer).await;
    let user = client.get("/api/v4/user").by(&bot).send().await.expect(200).json();
    let username = user["username"].as_str().expect("a name");
    for path in ["/api/v4/users?search=_bot_".to_owned(), format!("/api/v4/users?username={username}")] {
        let seen = client.get(&path).by(&world.people.outsider).send().await.expect(200);
        assert_eq!((seen.header("x-total"), seen.json()), ("0", json!([])), "{path}");
        let seen = client.get(&path).by(&world.people.administrator).send().await.expect(200);
        assert_eq!((seen.header("x-total"), &seen.json()[0]["username"]), ("1", &json!(username)), "{path}");
    }
}

#[tokio::test]
async fn texts_have_bounds_that_are_told() {
    let (world, client) = world().await;
    let group = world.group("acme", Visibility::Private).await;
    let project = world.project(&group, "web", Visibility::Private).await;
    let (owner, administrator) = (&world.people.owner, &world.people.administrator);
    let mail = format!("{}@example.org", "a".repeat(900_000));
    let user = json!({ "username": "new", "name": "New", "email": mail });
    let long = |length: usize| json!({ "description": "\u{e4}".repeat(length) });
    let token = json!({ "name": "ci", "scopes": ["read_api"], "description": "a".repeat(256) });
    for (method, path, body, by, field) in [
        (Method::POST, "/api/v4/users".to_owned(), user, administrator, "email"),
        (Method::PUT, format!("/api/v4/projects/{}", project.id), long(2001), owner, "description"),
        (Method::PUT, "/api/v4/groups/acme".to_owned(), long(2001), owner, "description"),
        (Method::POST, "/api/v4/user/personal_access_tokens".to_owned(), token, owner, "description"),
    ] {
        let told = client.request(method, &path).json(&body).by(by).send().await.expect(400).text();
        assert!(told.contains(&format!("{field} is too long")) && told.len() < 200, "{path}: {told}");
    }
    client.put("/api/v4/groups/acme").json(&long(2000)).by(owner).send().await.expect(200);
}

#[tokio::test]
async fn a_method_that_is_not_there_is_told_as_gitlab_does() {
    let (_world, client) = world().await;
    let path = "/api/v4/version";
    let answer = client.request(Method::PATCH, path).json(&json!({ "a": 1 })).send().await.expect(405);
    assert_eq!(answer.json(), json!({ "error": "405 Not Allowed" }));
    assert_eq!((answer.header("allow"), answer.header("connection")), ("GET, HEAD", ""));
    let large = client.request(Method::PATCH, path).body(vec![b'a'; 100_000]).send().await.expect(405);
    assert_eq!(large.header("connection"), "close", "what is not read cannot be passed over");
    let chunks = futures::stream::repeat_with(|| Ok(bytes::Bytes::from_static(&[0; 10_000])));
    let endless = client.request(Method::PATCH, path).stream(chunks).send().await.expect(405);
    assert_eq!(endless.header("connection"), "close");
}
