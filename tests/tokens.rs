//! Access tokens of projects and groups, and what tokens are limited to: who makes them, how far they reach, when they end.

mod doors;

use domain::Visibility;
use serde_json::{Value, json};
use testkit::{Answer, Client, Person, Project, World};
use time::Duration;

use crate::world::{accepted, code, world};

const ADD_MEMBER: &str = "mutation M($input: AddMemberInput!) { addMember(input: $input) { errors } }";
const CREATE: &str = "mutation C($input: CreateAccessTokenInput!) { createAccessToken(input: $input) { \
    token accessToken { id userId name scopes limits { packageType namePattern } accessLevel { stringValue } active expiresAt } errors } }";
const ROTATE: &str = "mutation R($input: RotateAccessTokenInput!) { rotateAccessToken(input: $input) { \
    token accessToken { id userId accessLevel { stringValue } } errors } }";
const REVOKE: &str = "mutation R($input: RevokeAccessTokenInput!) { revokeAccessToken(input: $input) { \
    accessToken { active revoked } errors } }";
const CREATE_PERSONAL: &str = "mutation P($input: CreatePersonalAccessTokenInput!) { \
    createPersonalAccessToken(input: $input) { token personalAccessToken { id limits { packageType namePattern } } errors } }";
const CREATE_DEPLOY: &str = "mutation D($input: CreateDeployTokenInput!) { createDeployToken(input: $input) { \
    token deployToken { limits { packageType namePattern } } errors } }";
const CREATE_GROUP: &str =
    "mutation G($input: CreateGroupInput!) { createGroup(input: $input) { group { id } errors } }";
const DESTROY: &str =
    "mutation D($input: DestroyPackageNameInput!) { destroyPackageName(input: $input) { errors } }";
const PACKAGES: &str = "query P($path: ID!, $type: PackageTypeEnum) { project(fullPath: $path) { id \
    packages(packageType: $type) { nodes { name userPermissions { destroyPackage } } } } }";

struct Registry {
    world: World,
    client: Client,
    project: Project,
}

impl Registry {
    async fn new() -> Self {
        let (world, client) = world().await;
        let group = world.group("acme", Visibility::Private).await;
        let project = world.project(&group, "web", Visibility::Private).await;
        Self { world, client, project }
    }

    /// What a mutation answers that is accepted.
    async fn run(&self, by: &Person, document: &str, input: Value) -> Value {
        accepted(&self.world, by, document, input).await
    }

    /// The first error of a mutation that is refused: its code and its text.
    async fn refused(&self, by: &Person, document: &str, input: Value) -> (String, String) {
        let answer = self.world.graphql(by, document, json!({ "input": input })).await;
        let error = &answer["errors"][0];
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        (text(&error["extensions"]["code"]), text(&error["message"]))
    }

    async fn project_token(&self, fields: Value) -> (Person, Value) {
        let mut input = json!({ "projectPath": self.project.full_path, "name": "bot", "scopes": ["api"] });
        input.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
        let made = self.run(&self.world.people.maintainer, CREATE, input).await;
        (Person::bearing(made["token"].as_str().expect("a token")), made["accessToken"].clone())
    }

    fn path(&self, name: &str) -> String {
        format!("/api/v4/projects/{}/packages/generic/{name}/1.0.0/file.bin", self.project.id)
    }

    async fn publish(&self, name: &str, by: &Person) -> Answer {
        self.client.put(self.path(name)).body("content").by(by).send().await
    }

    async fn pull(&self, name: &str, by: &Person) -> Answer {
        self.client.get(self.path(name)).by(by).send().await
    }
}

#[tokio::test]
async fn a_project_token_acts_in_its_project_with_its_role_and_nowhere_else() {
    let registry = Registry::new().await;
    let other = registry.world.group("other", Visibility::Private).await;
    let other = registry.world.project(&other, "lib", Visibility::Private).await;
    let (bot, token) = registry.project_token(json!({ "accessLevel": "DEVELOPER" })).await;
    assert!(bot.secret().is_some_and(|secret| secret.starts_with("glpat-")));
    assert_eq!(token["accessLevel"]["stringValue"], "DEVELOPER");
    assert_eq!((&token["active"], &token["limits"]), (&json!(true), &json!([])));
    assert_eq!(token["expiresAt"], "2027-11-23", "a year, when nothing is said");

    registry.publish("app", &bot).await.expect(201);
    registry.pull("app", &bot).await.expect(200);
    let scope = json!({ "projectPath": registry.project.full_path });
    let named = json!({ "scope": scope, "packageType": "GENERIC", "packageName": "app" });
    assert_eq!(registry.refused(&bot, DESTROY, named).await.0, "FORBIDDEN", "a developer deletes nothing");
    let elsewhere = registry.path("app").replace(&registry.project.id.to_string(), &other.id.to_string());
    registry.client.get(elsewhere).by(&bot).send().await.expect(404);
    let user = registry.client.get("/api/v4/user").by(&bot).send().await.expect(200).json();
    let username = user["username"].as_str().expect("a name");
    assert!(username.starts_with(&format!("project_{}_bot_", registry.project.id)), "{username}");

    let group = registry.project.full_path.split('/').next().expect("a group");
    let input = json!({ "groupPath": group, "userId": token["userId"], "accessLevel": "OWNER" });
    let answer =
        registry.world.graphql(&registry.world.people.owner, ADD_MEMBER, json!({ "input": input })).await;
    assert!(
        answer.to_string().contains("belongs to an access token"),
        "{answer}: who renews it would get that too"
    );

    // It stays where it was made for.
    for (document, input) in [
        (CREATE_GROUP, json!({ "name": "Own", "path": "own" })),
        (CREATE_PERSONAL, json!({ "name": "more", "scopes": ["api"] })),
        (CREATE, json!({ "projectPath": registry.project.full_path, "name": "more", "scopes": ["api"] })),
    ] {
        assert_eq!(registry.refused(&bot, document, input).await.0, "FORBIDDEN", "{document}");
    }
    let (maintainer, _) = registry.project_token(json!({})).await;
    let input = json!({ "projectPath": registry.project.full_path, "name": "more", "scopes": ["api"] });
    assert_eq!(registry.refused(&maintainer, CREATE, input).await.0, "FORBIDDEN", "no bot makes another");
}

#[tokio::test]
async fn nobody_gives_or_renews_more_than_they_have() {
    let registry = Registry::new().await;
    let people = &registry.world.people;
    let path = &registry.project.full_path;
    let owner = json!({ "projectPath": path, "name": "bot", "scopes": ["api"], "accessLevel": "OWNER" });
    let (code, text) = registry.refused(&people.maintainer, CREATE, owner.clone()).await;
    assert_eq!(code, "FORBIDDEN");
    assert!(text.contains("more than your own role"), "{text}");
    let made = registry.run(&people.owner, CREATE, owner).await;
    let id = &made["accessToken"]["id"];
    let (code, _) = registry.refused(&people.maintainer, ROTATE, json!({ "id": id })).await;
    assert_eq!(code, "FORBIDDEN", "a new secret is as good as a new token");
    registry.run(&people.maintainer, REVOKE, json!({ "id": id })).await;
    for (input, field) in [
        (
            json!({ "projectPath": path, "groupPath": "acme", "name": "bot", "scopes": ["api"] }),
            "projectPath",
        ),
        (json!({ "name": "bot", "scopes": ["api"] }), "projectPath"),
        (json!({ "projectPath": path, "name": "bot", "scopes": [] }), "Scopes"),
        (json!({ "projectPath": path, "name": "bot", "scopes": ["read_registry"] }), "read_registry"),
        (json!({ "projectPath": path, "name": "bot", "scopes": ["root"] }), "root"),
        (
            json!({ "projectPath": path, "name": "bot", "scopes": ["api"], "expiresAt": "2026-11-23" }),
            "2026-11-23",
        ),
    ] {
        let (code, text) = registry.refused(&people.owner, CREATE, input).await;
        assert_eq!(code, "INVALID", "{text}");
        assert!(text.contains(field), "{field}: {text}");
    }
}

#[tokio::test]
async fn a_token_ends_when_it_is_revoked_rotated_or_expired_or_its_project_is_gone() {
    let registry = Registry::new().await;
    let people = &registry.world.people;
    let (first, token) = registry.project_token(json!({ "accessLevel": "DEVELOPER" })).await;
    registry.publish("app", &first).await.expect(201);
    let rotated = registry.run(&people.maintainer, ROTATE, json!({ "id": token["id"] })).await;
    assert_eq!(rotated["accessToken"]["userId"], token["userId"], "the bot stays");
    assert_eq!(rotated["accessToken"]["accessLevel"]["stringValue"], "DEVELOPER");
    registry.pull("app", &first).await.expect(401);
    let second = Person::bearing(rotated["token"].as_str().expect("a token"));
    registry.pull("app", &second).await.expect(200);
    let again = registry.refused(&people.maintainer, ROTATE, json!({ "id": token["id"] })).await;
    assert_eq!(again.0, "INVALID", "what is revoked is not renewed");

    let id = &rotated["accessToken"]["id"];
    let revoked = registry.run(&people.maintainer, REVOKE, json!({ "id": id })).await;
    assert_eq!(revoked["accessToken"], json!({ "active": false, "revoked": true }));
    registry.pull("app", &second).await.expect(401);

    let (third, _) = registry.project_token(json!({ "expiresAt": "2026-11-25" })).await;
    registry.pull("app", &third).await.expect(200);
    registry.world.clock.advance(Duration::days(2));
    registry.pull("app", &third).await.expect(401);

    let (fourth, _) = registry.project_token(json!({})).await;
    registry.client.get("/api/v4/user").by(&fourth).send().await.expect(200);
    let destroy = "mutation D($input: DestroyProjectInput!) { destroyProject(input: $input) { errors } }";
    registry.run(&people.owner, destroy, json!({ "fullPath": registry.project.full_path })).await;
    registry.client.get("/api/v4/user").by(&fourth).send().await.expect(401);
}

#[tokio::test]
async fn the_rest_api_speaks_gitlabs_shapes() {
    let registry = Registry::new().await;
    let people = &registry.world.people;
    for (all, by, below) in [
        (
            format!("/api/v4/projects/{}/access_tokens", registry.project.id),
            &people.maintainer,
            &people.developer,
        ),
        ("/api/v4/groups/acme/access_tokens".to_owned(), &people.owner, &people.maintainer),
    ] {
        let body = json!({ "name": "ci", "scopes": ["api"], "expires_at": "2027-01-31", "access_level": 30 });
        registry.client.post(&all).json(&body).by(below).send().await.expect(403);
        let made = registry.client.post(&all).json(&body).by(by).send().await.expect(201).json();
        assert_eq!(
            (&made["name"], &made["access_level"], &made["expires_at"], &made["active"], &made["revoked"]),
            (&json!("ci"), &json!(30), &json!("2027-01-31"), &json!(true), &json!(false))
        );
        let bot = Person::bearing(made["token"].as_str().expect("a token"));
        registry.publish("app", &bot).await.expect(201);
        let one = format!("{all}/{}", made["id"]);
        let listed = registry.client.get(&all).by(by).send().await.expect(200).json();
        assert_eq!((&listed[0]["id"], &listed[0]["token"]), (&made["id"], &Value::Null));
        let kind = if all.contains("projects") { "project" } else { "group" };
        assert_eq!(listed[0]["resource_type"], kind);
        let shown = registry.client.get(&one).by(by).send().await.expect(200).json();
        assert_eq!(shown["user_id"], made["user_id"]);
        let rotated = registry.client.post(format!("{one}/rotate")).by(by).send().await.expect(200).json();
        registry.pull("app", &bot).await.expect(401);
        let second = format!("{all}/{}", rotated["id"]);
        registry.client.delete(&second).by(below).send().await.expect(403);
        registry.client.delete(&second).by(by).send().await.expect(204);
        let active =
            registry.client.get(format!("{all}?state=active")).by(by).send().await.expect(200).json();
        assert_eq!(active, json!([]));
        let elsewhere = if all.contains("projects") {
            "/api/v4/groups/acme/access_tokens".to_owned()
        } else {
            format!("/api/v4/projects/{}/access_tokens", registry.project.id)
        };
        let wrong = format!("{elsewhere}/{}", rotated["id"]);
        registry.client.delete(wrong).by(&people.owner).send().await.expect(404);
    }
}

/// A personal token of the owner, limited to generic packages called `web-*`.
async fn limited(registry: &Registry) -> Person {
    let limits = json!([{ "packageType": "GENERIC", "namePattern": "web-*" }]);
    let input = json!({ "name": "limited", "scopes": ["api"], "limits": limits });
    let made = registry.run(&registry.world.people.owner, CREATE_PERSONAL, input).await;
    assert_eq!(made["personalAccessToken"]["limits"], limits);
    Person::bearing(made["token"].as_str().expect("a token"))
}

#[tokio::test]
async fn a_limited_token_reaches_the_packages_it_is_limited_to() {
    let registry = Registry::new().await;
    let owner = &registry.world.people.owner;
    let token = limited(&registry).await;
    registry.publish("other", owner).await.expect(201);
    registry.publish("web-1", &token).await.expect(201);
    registry.pull("web-1", &token).await.expect(200);

    let told = "Generic packages named 'web-*'";
    for answer in [registry.publish("other", &token).await, registry.pull("other", &token).await] {
        let answer = answer.expect(403);
        assert!(answer.text().contains(told), "{}", answer.text());
    }
    let npm = format!("/api/v4/projects/{}/packages/npm/web-1", registry.project.id);
    registry.client.get(npm).by(&token).send().await.expect(403);
    for above in ["groups/acme/-/packages", "packages"] {
        let path = |name| format!("/api/v4/{above}/generic/{name}/1.0.0/file.bin");
        registry.client.get(path("web-1")).by(&token).send().await.expect(200);
        registry.client.get(path("other")).by(&token).send().await.expect(403);
    }
    let upload = "mutation U($input: CreateUploadInput!) { createUpload(input: $input) { errors } }";
    let mut input = json!({ "projectPath": registry.project.full_path, "packageType": "GENERIC",
        "packageName": "other", "packageVersion": "1.0.0", "fileName": "file.bin" });
    let (code, text) = registry.refused(&token, upload, input.clone()).await;
    assert_eq!(code, "FORBIDDEN");
    assert!(text.contains(told), "{text}");
    input["packageName"] = "web-2".into();
    registry.run(&token, upload, input).await;
}

#[tokio::test]
async fn a_limited_token_lists_and_changes_nothing_beyond() {
    let registry = Registry::new().await;
    let people = &registry.world.people;
    let token = limited(&registry).await;
    registry.publish("web-1", &people.owner).await.expect(201);
    registry.publish("other", &people.owner).await.expect(201);
    let path = &registry.project.full_path;
    let list = |kind: Value| json!({ "path": path, "type": kind });
    for kind in [Value::Null, json!("GENERIC"), json!("NPM")] {
        let answer = registry.world.graphql(&token, PACKAGES, list(kind)).await;
        assert_eq!(answer["data"]["project"]["packages"], Value::Null, "{answer}");
        assert!(answer["data"]["project"]["id"].is_string(), "the project itself is no package");
    }
    let packages = format!("/api/v4/projects/{}/packages", registry.project.id);
    registry.client.get(&packages).by(&token).send().await.expect(403);

    // What it could change beside packages could lead to a token without limits.
    for (document, input) in [
        (CREATE_PERSONAL, json!({ "name": "more", "scopes": ["api"] })),
        (CREATE_DEPLOY, json!({ "projectPath": path, "name": "more", "scopes": ["read_package_registry"] })),
        (CREATE, json!({ "projectPath": path, "name": "more", "scopes": ["api"] })),
        (CREATE_GROUP, json!({ "name": "More", "path": "more" })),
    ] {
        let (code, text) = registry.refused(&token, document, input).await;
        assert_eq!(code, "FORBIDDEN", "{document}");
        assert!(text.contains("web-*"), "{text}");
    }
    let named = |name: &str| json!({ "scope": { "projectPath": path }, "packageType": "GENERIC", "packageName": name });
    assert_eq!(registry.refused(&token, DESTROY, named("other")).await.0, "FORBIDDEN");
    registry.run(&token, DESTROY, named("web-1")).await;
}

#[tokio::test]
async fn deploy_tokens_and_those_of_projects_are_limited_alike_and_by_format_alone() {
    let registry = Registry::new().await;
    let people = &registry.world.people;
    registry.publish("app", &people.owner).await.expect(201);
    let limits = json!([{ "packageType": "GENERIC", "namePattern": null }]);
    let path = &registry.project.full_path;
    let input =
        json!({ "projectPath": path, "name": "ci", "scopes": ["read_package_registry"], "limits": limits });
    let made = registry.run(&people.maintainer, CREATE_DEPLOY, input).await;
    assert_eq!(made["deployToken"]["limits"], limits);
    let deploy = made["token"].as_str().expect("a token").to_owned();
    let (bot, token) = registry.project_token(json!({ "limits": limits })).await;
    assert_eq!(token["limits"], limits);

    let npm = format!("/api/v4/projects/{}/packages/npm/app", registry.project.id);
    registry.pull("app", &bot).await.expect(200);
    registry.client.get(&npm).by(&bot).send().await.expect(403);
    registry.client.get(registry.path("app")).header("deploy-token", &deploy).send().await.expect(200);
    registry.client.get(&npm).header("deploy-token", &deploy).send().await.expect(403);
    // Every package of the format is within: a list of them is, too.
    let answer = registry.world.graphql(&bot, PACKAGES, json!({ "path": path, "type": "GENERIC" })).await;
    let node = &answer["data"]["project"]["packages"]["nodes"][0];
    assert_eq!((&node["name"], &node["userPermissions"]["destroyPackage"]), (&json!("app"), &json!(true)));

    for (limits, told) in [
        (json!([{}]), "packageType or a namePattern"),
        (json!([{ "namePattern": " " }]), "blank"),
        (json!(vec![json!({ "packageType": "NPM" }); 21]), "at most 20"),
    ] {
        let input = json!({ "projectPath": path, "name": "ci", "scopes": ["api"], "limits": limits });
        let (code, text) = registry.refused(&people.maintainer, CREATE, input).await;
        assert_eq!(code, "INVALID");
        assert!(text.contains(told), "{text}");
    }
    let unknown = json!({ "input": { "projectPath": path, "name": "ci", "scopes": ["api"],
        "limits": [{ "packageType": "FLOPPY" }] } });
    assert_ne!(code(&registry.world, &people.maintainer, CREATE, unknown).await, "OK");
}
