//! The routes, as GitLab has them; those of a group are ours.

use http::Method;
use serde_json::{Value, json};
use testkit::{Answer, Person};

use super::Stage;

impl Stage {
    fn rules(&self) -> String {
        format!("/api/v4/projects/{}/packages/protection/rules", self.project.id)
    }

    async fn send(&self, method: Method, path: &str, body: Value, person: &Person) -> Answer {
        let request = self.client.request(method, path).by(person);
        if body.is_null() { request.send().await } else { request.json(&body).send().await }
    }
}

#[tokio::test]
async fn the_routes_are_gitlabs() {
    let stage = Stage::new().await;
    let maintainer = &stage.world.people.maintainer;
    let rules = stage.rules();
    let body = json!({ "package_name_pattern": "@acme/*", "package_type": "npm",
        "minimum_access_level_for_push": "maintainer", "minimum_access_level_for_delete": null });
    let created = stage.send(Method::POST, &rules, body.clone(), maintainer).await.expect(201).json();
    let id = created["id"].as_i64().expect("a number");
    let expected = json!({ "id": id, "project_id": stage.project.id.0, "package_name_pattern": "@acme/*",
        "package_type": "npm", "minimum_access_level_for_push": "maintainer", "minimum_access_level_for_delete": null });
    assert_eq!(created, expected);
    let taken = stage.send(Method::POST, &rules, body, maintainer).await.expect(422).json();
    assert_eq!(taken, json!({ "message": { "error": ["Package name pattern has already been taken"] } }));

    let one = format!("{rules}/{id}");
    let change = json!({ "minimum_access_level_for_delete": "admin" });
    let changed = stage.send(Method::PATCH, &one, change, maintainer).await.expect(200).json();
    assert_eq!(changed["minimum_access_level_for_push"], "maintainer", "what is not given stays");
    assert_eq!(changed["minimum_access_level_for_delete"], "admin");
    let change = json!({ "minimum_access_level_for_push": null, "package_name_pattern": "web" });
    let changed = stage.send(Method::PATCH, &one, change, maintainer).await.expect(200).json();
    assert_eq!(changed["minimum_access_level_for_push"], Value::Null, "a null takes away");
    assert_eq!(changed["package_name_pattern"], "web");
    let change = json!({ "minimum_access_level_for_delete": "" });
    let refused = stage.send(Method::PATCH, &one, change, maintainer).await.expect(422).json();
    assert!(refused["message"]["error"][0].as_str().is_some_and(|text| text.starts_with("A rule must have")));

    let body = json!({ "package_name_pattern": "tool", "package_type": "generic", "minimum_access_level_for_delete": "owner" });
    stage.send(Method::POST, &rules, body, maintainer).await.expect(201);
    let listed = stage.send(Method::GET, &rules, Value::Null, maintainer).await.expect(200).json();
    let patterns: Vec<_> =
        listed.as_array().expect("a list").iter().map(|rule| &rule["package_name_pattern"]).collect();
    assert_eq!(patterns, ["web", "tool"], "oldest first");
    stage.send(Method::DELETE, &one, Value::Null, maintainer).await.expect(204);
    stage.send(Method::DELETE, &one, Value::Null, maintainer).await.expect(404);
    stage.send(Method::PATCH, &one, json!({ "package_name_pattern": "x" }), maintainer).await.expect(404);
}

#[tokio::test]
async fn what_is_refused_is_told_with_gitlabs_status() {
    let stage = Stage::new().await;
    let people = &stage.world.people;
    let rules = stage.rules();
    for (body, told) in [
        (
            json!({ "package_type": "npm", "minimum_access_level_for_push": "owner" }),
            "package_name_pattern is missing",
        ),
        (
            json!({ "package_name_pattern": "x", "minimum_access_level_for_push": "owner" }),
            "package_type is missing",
        ),
        (
            json!({ "package_name_pattern": "x", "package_type": "floppy", "minimum_access_level_for_push": "owner" }),
            "package_type does not have a valid value",
        ),
        (
            json!({ "package_name_pattern": "x", "package_type": "npm", "minimum_access_level_for_push": "developer" }),
            "minimum_access_level_for_push does not have a valid value",
        ),
        (
            json!({ "package_name_pattern": "x", "package_type": "npm", "minimum_access_level_for_delete": "maintainer" }),
            "minimum_access_level_for_delete does not have a valid value",
        ),
        (
            json!({ "package_name_pattern": "x", "package_type": "npm" }),
            "minimum_access_level_for_push, minimum_access_level_for_delete are missing, at least one parameter must be provided",
        ),
    ] {
        let answer = stage.send(Method::POST, &rules, body, &people.maintainer).await.expect(400);
        assert_eq!(answer.json(), json!({ "error": told }));
    }
    stage.send(Method::DELETE, &format!("{rules}/x"), Value::Null, &people.maintainer).await.expect(400);
    let id = stage.rule("NPM", "web", json!({ "minimumAccessLevelForPush": "OWNER" })).await;
    let id = id.rsplit('/').next().expect("a number");
    let body = json!({ "package_name_pattern": "x", "package_type": "npm", "minimum_access_level_for_push": "owner" });
    for (person, read, write) in [
        (&people.anonymous, 404, 401),
        (&people.impostor, 401, 401),
        (&people.outsider, 404, 404),
        (&people.developer, 403, 403),
        (&people.api_reader, 200, 403),
        (&people.writer, 403, 403),
    ] {
        stage.send(Method::GET, &rules, Value::Null, person).await.expect(read);
        stage.send(Method::POST, &rules, body.clone(), person).await.expect(write);
        let one = format!("{rules}/{id}");
        stage.send(Method::PATCH, &one, json!({ "package_name_pattern": "y" }), person).await.expect(write);
        stage.send(Method::DELETE, &one, Value::Null, person).await.expect(write);
    }
    assert_eq!(stage.patterns(&people.owner, "OWN").await, json!(["web"]), "nothing changes");
    // A rule of another project is none here.
    let other = stage.world.project(&stage.acme, "other", domain::Visibility::Private).await;
    let elsewhere = format!("/api/v4/projects/{}/packages/protection/rules/{id}", other.id);
    stage.send(Method::DELETE, &elsewhere, Value::Null, &people.owner).await.expect(404);
    stage
        .send(Method::PATCH, &elsewhere, json!({ "package_name_pattern": "y" }), &people.owner)
        .await
        .expect(404);
}

#[tokio::test]
async fn a_group_has_the_same_routes() {
    let stage = Stage::new().await;
    let people = &stage.world.people;
    let rules = "/api/v4/groups/acme/packages/protection/rules";
    let body = json!({ "package_name_pattern": "tool", "package_type": "generic", "minimum_access_level_for_push": "owner" });
    stage.send(Method::POST, rules, body.clone(), &people.maintainer).await.expect(403);
    let created = stage.send(Method::POST, rules, body, &people.owner).await.expect(201).json();
    assert_eq!((&created["project_id"], &created["group_full_path"]), (&Value::Null, &json!("acme")));
    stage.publish("tool", &people.maintainer).await.expect(403);
    let one = format!("{rules}/{}", created["id"]);
    let change = json!({ "minimum_access_level_for_push": "maintainer" });
    stage.send(Method::PATCH, &one, change, &people.owner).await.expect(200);
    stage.publish("tool", &people.maintainer).await.expect(201);
    let listed = stage.send(Method::GET, rules, Value::Null, &people.owner).await.expect(200).json();
    assert_eq!(listed[0]["minimum_access_level_for_push"], "maintainer");
    stage.send(Method::GET, rules, Value::Null, &people.maintainer).await.expect(403);
    stage.send(Method::DELETE, &one, Value::Null, &people.owner).await.expect(204);
    stage.publish("tool", &people.developer).await.expect(201);
}
