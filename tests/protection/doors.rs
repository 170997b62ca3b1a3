//! What a rule keeps from whom, at every door that changes packages.

use domain::Scope;
use futures::StreamExt as _;
use serde_json::{Value, json};
use testkit::{Person, artefacts::pypi};

use super::Stage;
use crate::world::code;

const PUBLISH: &str =
    "mutation P($input: PublishPackageInput!) { publishPackage(input: $input) { errors package { id } } }";
const CREATE_UPLOAD: &str =
    "mutation U($input: CreateUploadInput!) { createUpload(input: $input) { upload { id } errors } }";
const PACKAGE: &str = "query V($scope: PackageScopeInput!, $type: PackageTypeEnum!, $name: String!) { \
    packageVersion(scope: $scope, packageType: $type, packageName: $name, packageVersion: \"1.0.0\") { id \
    protectionRuleExists packageFiles { nodes { id } } } }";

impl Stage {
    /// The details of version 1.0.0.
    async fn details(&self, kind: &str, name: &str) -> Value {
        let variables =
            json!({ "scope": { "projectPath": self.project.full_path }, "type": kind, "name": name });
        let answer = self.world.graphql(&self.world.people.owner, PACKAGE, variables).await;
        answer["data"]["packageVersion"].clone()
    }

    /// An upload that nobody has named yet.
    async fn upload(&self, person: &Person) -> (String, gateway::StagedBlob) {
        let input = json!({ "projectPath": self.project.full_path, "packageType": "GENERIC" });
        let answer = self.world.graphql(person, CREATE_UPLOAD, json!({ "input": input })).await;
        let id = answer["data"]["createUpload"]["upload"]["id"].as_str().expect("an upload").to_owned();
        let session = self.world.session(person).await.expect("a session");
        let body = futures::stream::iter([Ok(bytes::Bytes::from_static(b"content"))]).boxed();
        let staged = self.world.gateway.stage(&session, &id, body).await.expect("staged");
        (id, staged)
    }
}

#[tokio::test]
async fn each_level_is_reached_by_those_who_have_the_role_and_never_by_a_deploy_token() {
    let stage = Stage::new().await;
    let people = &stage.world.people;
    let of_project = stage.world.deploy_token(&stage.project, Scope::WritePackageRegistry).await;
    let of_group = stage.world.group_deploy_token(&stage.acme, Scope::WritePackageRegistry).await;
    for (level, least) in [("MAINTAINER", 2), ("OWNER", 3), ("ADMIN", 4)] {
        let name = format!("push-{}", level.to_lowercase());
        stage.rule("GENERIC", &name.to_uppercase(), json!({ "minimumAccessLevelForPush": level })).await;
        let everybody = [
            (0, &of_project),
            (0, &of_group),
            (1, &people.developer),
            (1, &people.writer),
            (2, &people.maintainer),
            (3, &people.owner),
            (4, &people.administrator),
        ];
        for (standing, person) in everybody {
            let allowed = standing >= least;
            let answer = stage.publish(&name, person).await.expect(if allowed { 201 } else { 403 });
            if !allowed {
                let told = answer.json()["message"].as_str().expect("a message").to_owned();
                let pattern = name.to_uppercase();
                let words = "403 Forbidden - Package protected.";
                // Who may not see rules learns that there is one, and nothing of it.
                if standing < 2 {
                    assert_eq!(told, words, "{}", person.name);
                } else {
                    let words = format!("{words} The protection rule '{pattern}' covers '{name}': only ");
                    assert!(told.starts_with(&words), "{told}");
                }
            }
            stage.publish("other", person).await.expect(201);
        }
        // A rule for publishing leaves deleting alone.
        let id = stage.details("GENERIC", &name).await["id"].clone();
        let destroy = "mutation D($input: DestroyPackageInput!) { destroyPackage(input: $input) { errors } }";
        let answer = stage.world.graphql(&people.maintainer, destroy, json!({ "input": { "id": id } })).await;
        assert_eq!(answer["data"]["destroyPackage"]["errors"], json!([]), "{answer}");
    }
    let refused = stage.log(&["PACKAGE_REGISTRY_WRITE_REFUSED"]).await;
    let event = refused.iter().find(|event| event["authorName"] == "developer").expect("it is written down");
    assert_eq!(event["details"]["code"], "PROTECTED");
    assert_eq!((&event["packageType"], &event["packageName"]), (&json!("GENERIC"), &json!("push-admin")));
}

#[tokio::test]
async fn deletion_is_kept_to_the_level_that_a_rule_asks_for() {
    let stage = Stage::new().await;
    let people = &stage.world.people;
    let token = stage.world.deploy_token(&stage.project, Scope::WritePackageRegistry).await;
    for (level, least) in [("OWNER", 3), ("ADMIN", 4)] {
        let name = format!("delete-{}", level.to_lowercase());
        stage.rule("GENERIC", &name, json!({ "minimumAccessLevelForDelete": level })).await;
        let everybody =
            [(0, &token), (2, &people.maintainer), (3, &people.owner), (4, &people.administrator)];
        for (standing, person) in everybody {
            // A rule for deleting leaves publishing alone, to deploy tokens too.
            stage.publish(&name, &token).await.expect(201);
            let details = stage.details("GENERIC", &name).await;
            let number =
                |id: &Value| id.as_str().and_then(|id| id.rsplit('/').next()).expect("an id").to_owned();
            let path = format!("/api/v4/projects/{}/packages/{}", stage.project.id, number(&details["id"]));
            let file = format!("{path}/package_files/{}", number(&details["packageFiles"]["nodes"][0]["id"]));
            let allowed = standing >= least;
            for path in [file, path] {
                let answer = stage.client.delete(&path).by(person).send().await;
                let answer = answer.expect(if allowed { 204 } else { 403 });
                let words = "403 Forbidden - Package is deletion protected.";
                let told = answer.text();
                assert!(allowed || told.contains(words), "{}: {told}", person.name);
            }
            let left = stage.details("GENERIC", &name).await;
            assert_eq!(left.is_null(), allowed, "{}", person.name);
        }
    }
}

/// Whatever else changes a package: tags, deprecations, flags, all versions at once, and files that move.
#[tokio::test]
async fn no_other_door_leads_around_a_rule() {
    let stage = Stage::new().await;
    let people = &stage.world.people;
    for version in ["1.0.0", "2.0.0"] {
        stage.publish_npm("web", version, &people.developer).await.expect(200);
    }
    stage.publish("web", &people.developer).await.expect(201);
    let levels = json!({ "minimumAccessLevelForPush": "OWNER", "minimumAccessLevelForDelete": "ADMIN" });
    stage.rule("NPM", "web", levels.clone()).await;
    stage.rule("GENERIC", "web", levels).await;
    let named = |fields: Value| {
        let scope = json!({ "projectPath": stage.project.full_path });
        let mut input = json!({ "scope": scope, "packageType": "NPM", "packageName": "web" });
        input.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
        json!({ "input": input })
    };
    let mutation = |name: &str| {
        let kind = name[..1].to_uppercase() + &name[1..];
        format!("mutation M($input: {kind}Input!) {{ {name}(input: $input) {{ errors }} }}")
    };
    let tag = json!({ "tag": "next", "packageVersion": "1.0.0" });
    for (person, passes) in [(&people.maintainer, false), (&people.owner, true)] {
        let told = code(&stage.world, person, &mutation("setPackageTag"), named(tag.clone())).await;
        assert_eq!(told == "OK", passes, "{}: {told}", person.name);
    }
    let deprecation = json!({ "deprecations": [{ "packageVersion": "1.0.0", "message": "old" }] });
    let flag = json!({ "flags": [{ "packageVersion": "1.0.0", "flag": "YANKED" }] });
    for (name, fields) in [
        ("removePackageTag", json!({ "tag": "next" })),
        ("setPackageDeprecations", deprecation),
        ("setPackageFlags", flag),
        ("destroyPackageName", json!({})),
    ] {
        let told = code(&stage.world, &people.owner, &mutation(name), named(fields)).await;
        assert_eq!(told, "PROTECTED", "{name}");
    }
    let web = stage.details("NPM", "web").await;
    let destroy = json!({ "input": { "id": web["id"] } });
    let answer = stage.world.graphql(&people.owner, &mutation("destroyPackage"), destroy).await;
    assert_eq!(answer["data"]["destroyPackage"]["errors"], json!(["Package is deletion protected."]));

    // A file that is published elsewhere and taken away here.
    let file = stage.details("GENERIC", "web").await["packageFiles"]["nodes"][0]["id"].clone();
    let moved = json!({ "projectPath": stage.project.full_path, "packageType": "GENERIC", "name": "other",
        "version": "1.0.0", "files": [{ "sourceFileId": file, "removeSource": true }] });
    assert_eq!(code(&stage.world, &people.owner, PUBLISH, json!({ "input": moved })).await, "PROTECTED");
    let mut copied = moved;
    copied["files"][0]["removeSource"] = false.into();
    assert_eq!(code(&stage.world, &people.owner, PUBLISH, json!({ "input": copied })).await, "OK");

    // An upload that says no name is refused when it is published.
    let (id, _staged) = stage.upload(&people.developer).await;
    let named = json!({ "projectPath": stage.project.full_path, "packageType": "GENERIC", "name": "web",
        "version": "3.0.0", "files": [{ "uploadId": id, "fileName": "a.bin" }] });
    assert_eq!(code(&stage.world, &people.developer, PUBLISH, json!({ "input": named })).await, "PROTECTED");
    let mut elsewhere = named;
    elsewhere["name"] = "free".into();
    assert_eq!(code(&stage.world, &people.developer, PUBLISH, json!({ "input": elsewhere })).await, "OK");
}

#[tokio::test]
async fn clients_read_why_in_their_own_dialect() {
    let stage = Stage::new().await;
    let people = &stage.world.people;
    stage.publish_npm("web", "1.0.0", &people.developer).await.expect(200);
    let both = json!({ "minimumAccessLevelForPush": "OWNER", "minimumAccessLevelForDelete": "OWNER" });
    for (kind, pattern) in [("NPM", "W*"), ("MAVEN", "com/acme/*"), ("PYPI", "My_Lib*")] {
        stage.rule(kind, pattern, both.clone()).await;
    }
    let packages = format!("/api/v4/projects/{}/packages", stage.project.id);
    let told = stage.publish_npm("web", "2.0.0", &people.maintainer).await.expect(403).json();
    let words = "Package protected. The protection rule 'W*' covers 'web': only owners may publish it, and no deploy token";
    assert_eq!(told, json!({ "message": words, "error": words }));
    let tag = stage.client.put(format!("{packages}/npm/-/package/web/dist-tags/next")).json(&json!("1.0.0"));
    assert_eq!(tag.by(&people.maintainer).send().await.expect(403).json()["error"], words);
    let tarball = format!("{packages}/npm/web/-/web-1.0.0.tgz/-rev/1");
    let told = stage.client.delete(tarball).by(&people.maintainer).send().await.expect(403).json();
    assert_eq!(told["error"], "Package is deletion protected.");

    let jar = format!("{packages}/maven/com/acme/app/1.0/app-1.0.jar");
    let told = stage.client.put(jar).body("x").by(&people.developer).send().await.expect(403);
    assert_eq!(told.header("content-type"), "application/problem+json");
    let detail = told.json()["detail"].as_str().expect("a detail").to_owned();
    assert_eq!(detail, "403 Forbidden - Package protected.");

    // In whatever spelling a name comes, it is the same name.
    for (name, status) in [("my-lib", 403), ("My_Lib", 403), ("MY.LIB.extra", 403), ("mylib", 201)] {
        let distribution = pypi::Distribution::new(name, "1.0.0");
        let form = distribution.form(&distribution.wheel_name(), &distribution.wheel());
        let post = stage.client.post(format!("{packages}/pypi")).header("content-type", pypi::content_type());
        post.body(form).by(&people.developer).send().await.expect(status);
    }
}

#[tokio::test]
async fn packages_say_whether_a_rule_covers_them() {
    let stage = Stage::new().await;
    let people = &stage.world.people;
    for name in ["tool", "other"] {
        stage.publish(name, &people.developer).await.expect(201);
    }
    let list = "query L { group(fullPath: \"acme\") { packages(sort: NAME_ASC) { nodes { name protectionRuleExists } } } }";
    let covered = async || {
        let answer = stage.world.graphql(&people.reporter, list, Value::Null).await;
        let nodes =
            answer["data"]["group"]["packages"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
        nodes.iter().map(|node| node["protectionRuleExists"] == true).collect::<Vec<_>>()
    };
    assert_eq!(covered().await, [false, false]);
    let deletes = json!({ "minimumAccessLevelForDelete": "OWNER" });
    stage.rule("GENERIC", "T*", deletes.clone()).await;
    stage.rule("NPM", "other", deletes.clone()).await;
    assert_eq!(covered().await, [false, true], "other, tool");
    stage.rule_of(json!({ "namespacePath": "acme/tools" }), "GENERIC", "*", deletes).await;
    assert_eq!(covered().await, [true, true]);
    assert_eq!(stage.details("GENERIC", "tool").await["protectionRuleExists"], true);
}
