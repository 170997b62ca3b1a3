//! What owners of a namespace decide about its packages: who may, what it does to a publish, and where it holds.

use domain::Visibility;
use serde_json::{Value, json};
use testkit::{Answer, Client, Person, Project, World, artefacts::npm};

use crate::world::{code, world};

const UPDATE: &str = "mutation S($input: UpdateNamespacePackageSettingsInput!) { \
    updateNamespacePackageSettings(input: $input) { clientMutationId errors packageSettings { \
    mavenDuplicatesAllowed genericDuplicatesAllowed genericDuplicateExceptionRegex auditEventsEnabled \
    nugetSymbolServerEnabled npmPackageRequestsForwarding lockNpmPackageRequestsForwarding \
    duplicateSettings { packageType duplicatesAllowed exceptionRegex inherited } } } }";
const SETTINGS: &str = "query S($path: ID!) { group(fullPath: $path) { packageSettings { \
    genericDuplicatesAllowed genericDuplicateExceptionRegex terraformModuleDuplicatesAllowed auditEventsEnabled \
    npmPackageRequestsForwarding lockNpmPackageRequestsForwarding npmPackageRequestsForwardingLocked \
    mavenPackageRequestsForwarding } } }";

struct Stage {
    world: World,
    client: Client,
    project: Project,
}

impl Stage {
    /// A project in `acme/tools`.
    async fn new() -> Self {
        let (world, client) = world().await;
        let acme = world.group("acme", Visibility::Private).await;
        let tools = world.subgroup(&acme, "tools", Visibility::Private).await;
        let project = world.project(&tools, "web", Visibility::Private).await;
        Self { world, client, project }
    }

    async fn update(&self, person: &Person, path: &str, fields: Value) -> Value {
        let mut input = fields;
        input["namespacePath"] = path.into();
        self.world.graphql(person, UPDATE, json!({ "input": input })).await
    }

    /// As the owner, who may.
    async fn set(&self, path: &str, fields: Value) -> Value {
        let answer = self.update(&self.world.people.owner, path, fields).await;
        let payload = &answer["data"]["updateNamespacePackageSettings"];
        assert_eq!(payload["errors"], json!([]), "{answer}");
        payload["packageSettings"].clone()
    }

    async fn settings(&self, person: &Person, path: &str) -> Value {
        let answer = self.world.graphql(person, SETTINGS, json!({ "path": path })).await;
        answer["data"]["group"]["packageSettings"].clone()
    }

    async fn upload(&self, version: &str, file: &str, body: &str) -> Answer {
        let path = format!("/api/v4/projects/{}/packages/generic/app/{version}/{file}", self.project.id);
        self.client.put(path).body(body.to_owned()).by(&self.world.people.developer).send().await
    }
}

#[tokio::test]
async fn only_owners_decide_and_see() {
    let stage = Stage::new().await;
    let people = &stage.world.people;
    for (person, refusal) in [
        (&people.anonymous, "UNAUTHENTICATED"),
        (&people.outsider, "NOT_FOUND"),
        (&people.developer, "FORBIDDEN"),
        (&people.maintainer, "FORBIDDEN"),
        (&people.reader, "FORBIDDEN"),
        (&people.api_reader, "FORBIDDEN"),
    ] {
        let input = json!({ "namespacePath": "acme", "genericDuplicatesAllowed": false });
        let answer = code(&stage.world, person, UPDATE, json!({ "input": input })).await;
        assert_eq!(answer, refusal, "{}", person.name);
    }
    for person in [&people.maintainer, &people.developer, &people.outsider] {
        assert_eq!(stage.settings(person, "acme").await, Value::Null, "{}", person.name);
    }
    for person in [&people.owner, &people.api_reader, &people.administrator] {
        let settings = stage.settings(person, "acme").await;
        assert_eq!(settings["genericDuplicatesAllowed"], true, "{}: nothing changed", person.name);
        assert_eq!(settings["terraformModuleDuplicatesAllowed"], false, "GitLab's default");
    }
    let missing = json!({ "input": { "namespacePath": "acme/nothing" } });
    assert_eq!(code(&stage.world, &people.owner, UPDATE, missing).await, "NOT_FOUND");
}

#[tokio::test]
async fn what_is_left_out_stays_and_what_is_given_is_echoed() {
    let stage = Stage::new().await;
    let fields = json!({
        "genericDuplicatesAllowed": false, "genericDuplicateExceptionRegex": ".*-SNAPSHOT", "auditEventsEnabled": true,
        "clientMutationId": "7",
    });
    let answer = stage.update(&stage.world.people.owner, "acme", fields).await;
    assert_eq!(answer["data"]["updateNamespacePackageSettings"]["clientMutationId"], "7");
    let settings = stage.set("acme", json!({ "nugetSymbolServerEnabled": true })).await;
    assert_eq!(settings["genericDuplicatesAllowed"], false);
    assert_eq!(settings["genericDuplicateExceptionRegex"], ".*-SNAPSHOT");
    assert_eq!(settings["auditEventsEnabled"], true);
    assert_eq!(settings["nugetSymbolServerEnabled"], true);
    assert_eq!(settings["mavenDuplicatesAllowed"], true);
}

#[tokio::test]
async fn a_pattern_that_is_none_is_refused_as_gitlabs_page_reads_it() {
    let stage = Stage::new().await;
    let owner = &stage.world.people.owner;
    for (fields, path) in [
        (json!({ "mavenDuplicateExceptionRegex": "[" }), json!(["mavenDuplicateExceptionRegex"])),
        (
            json!({ "genericDuplicateExceptionRegex": "(\\w{900}){900}" }),
            json!(["genericDuplicateExceptionRegex"]),
        ),
        (json!({ "nugetDuplicateExceptionRegex": "a".repeat(256) }), json!(["nugetDuplicateExceptionRegex"])),
        (
            json!({ "duplicateSettings": [{ "packageType": "NPM", "exceptionRegex": "(a)\\1" }] }),
            json!(["duplicateSettings", 0, "exceptionRegex"]),
        ),
    ] {
        let mut fields = fields;
        fields["auditEventsEnabled"] = true.into();
        let answer = stage.update(owner, "acme", fields).await;
        assert_eq!(answer["data"]["updateNamespacePackageSettings"], Value::Null);
        let error = &answer["errors"][0];
        assert_eq!(error["extensions"]["code"], "INVALID", "{answer}");
        assert_eq!(error["extensions"]["problems"][0]["path"], path, "{answer}");
        assert_eq!(error["extensions"]["problems"][0]["message"], error["message"], "{answer}");
        assert_eq!(stage.settings(owner, "acme").await["auditEventsEnabled"], false, "nothing changed");
    }
}

#[tokio::test]
async fn refused_duplicates_are_refused_at_publish() {
    let stage = Stage::new().await;
    stage.upload("1.0.0", "a.bin", "first").await.expect(201);
    stage.upload("1.0.0", "a.bin", "second").await.expect(201);
    // Said above, it holds below.
    stage.set("acme", json!({ "genericDuplicatesAllowed": false })).await;
    let refused = stage.upload("1.0.0", "a.bin", "third").await.expect(400);
    assert_eq!(refused.json()["message"], "400 Bad request - Duplicate package is not allowed");
    stage.upload("1.0.0", "b.bin", "another file").await.expect(201);
    stage.upload("2.0.0", "a.bin", "another version").await.expect(201);
    // The nearest group that says something is heard.
    stage.set("acme/tools", json!({ "genericDuplicatesAllowed": true })).await;
    stage.upload("1.0.0", "a.bin", "third").await.expect(201);
    let back = json!({ "duplicateSettings": [{ "packageType": "GENERIC", "duplicatesAllowed": null }] });
    stage.set("acme/tools", back).await;
    stage.upload("1.0.0", "a.bin", "fourth").await.expect(400);
}

#[tokio::test]
async fn an_exception_turns_the_answer_around() {
    let stage = Stage::new().await;
    for (allowed, exception, snapshot, release) in [
        (false, ".*-SNAPSHOT", 201, 400),
        (true, ".*-SNAPSHOT", 400, 201),
        (false, "app", 201, 201),
        (false, "ap", 400, 400),
        (true, "", 201, 201),
    ] {
        let settings =
            json!({ "genericDuplicatesAllowed": allowed, "genericDuplicateExceptionRegex": exception });
        stage.set("acme/tools", settings).await;
        for (version, status) in [("1-SNAPSHOT", snapshot), ("1", release)] {
            let file = format!("{allowed}{}.bin", exception.len());
            stage.upload(version, &file, "first").await.expect(201);
            stage.upload(version, &file, "second").await.expect(status);
        }
    }
}

#[tokio::test]
async fn every_format_takes_the_same_settings() {
    let stage = Stage::new().await;
    let path = format!("/api/v4/projects/{}/packages/npm/web", stage.project.id);
    let developer = &stage.world.people.developer;
    let publish = || {
        let document = npm::Version::new("web", "1.0.0").document();
        stage.client.put(&path).json(&document).by(developer).send()
    };
    publish().await.expect(200);
    publish().await.expect(403);
    let allowed = json!({ "duplicateSettings": [{ "packageType": "NPM", "duplicatesAllowed": true }] });
    let settings = stage.set("acme", allowed).await;
    let of_npm = settings["duplicateSettings"].as_array().expect("a list");
    let of_npm = of_npm.iter().find(|settings| settings["packageType"] == "NPM").expect("npm");
    assert_eq!(of_npm["duplicatesAllowed"], true);
    assert_eq!(of_npm["inherited"], false);
    publish().await.expect(200);
    let only = json!({ "duplicateSettings":
        [{ "packageType": "NPM", "duplicatesAllowed": false, "exceptionRegex": "@acme/.*" }] });
    stage.set("acme/tools", only).await;
    publish().await.expect(403);
}

#[tokio::test]
async fn forwarding_is_inherited_and_locked() {
    let stage = Stage::new().await;
    let owner = &stage.world.people.owner;
    let below = || stage.settings(owner, "acme/tools");
    assert_eq!(below().await["npmPackageRequestsForwarding"], Value::Null);
    stage.set("acme", json!({ "npmPackageRequestsForwarding": false })).await;
    assert_eq!(below().await["npmPackageRequestsForwarding"], false);
    stage.set("acme/tools", json!({ "npmPackageRequestsForwarding": true })).await;
    assert_eq!(below().await["npmPackageRequestsForwarding"], true);
    stage.set("acme", json!({ "lockNpmPackageRequestsForwarding": true })).await;
    let locked = below().await;
    assert_eq!(locked["npmPackageRequestsForwarding"], false, "who locks is heard");
    assert_eq!(locked["npmPackageRequestsForwardingLocked"], true);
    assert_eq!(locked["lockNpmPackageRequestsForwarding"], false);
    let input = json!({ "namespacePath": "acme/tools", "npmPackageRequestsForwarding": true });
    assert_eq!(code(&stage.world, owner, UPDATE, json!({ "input": input })).await, "INVALID");
    stage.set("acme/tools", json!({ "mavenPackageRequestsForwarding": true })).await;
    stage.set("acme", json!({ "lockNpmPackageRequestsForwarding": false })).await;
    assert_eq!(below().await["npmPackageRequestsForwarding"], true, "what was said is remembered");
    stage.set("acme/tools", json!({ "npmPackageRequestsForwarding": null })).await;
    assert_eq!(below().await["npmPackageRequestsForwarding"], false);
}

/// Above all namespaces stands the instance, which REST sets under GitLab's names too.
#[tokio::test]
async fn forwarding_is_the_instances_first() {
    let stage = Stage::new().await;
    let (owner, administrator) = (&stage.world.people.owner, &stage.world.people.administrator);
    let below = || stage.settings(owner, "acme/tools");
    let set = async |settings: Value| {
        let request = stage.client.put("/api/v4/application/settings").json(&settings);
        request.by(administrator).send().await.expect(200).json()
    };
    let seen = set(json!({ "npm_package_requests_forwarding": true })).await;
    assert_eq!(seen["npm_package_requests_forwarding"], true);
    assert_eq!(seen["pypi_package_requests_forwarding"], Value::Null, "nobody decided");
    assert_eq!(below().await["npmPackageRequestsForwarding"], true);
    stage.set("acme", json!({ "npmPackageRequestsForwarding": false })).await;
    assert_eq!(below().await["npmPackageRequestsForwarding"], false, "who is nearer is heard");
    set(json!({ "lock_npm_package_requests_forwarding": true })).await;
    let locked = below().await;
    assert_eq!(locked["npmPackageRequestsForwarding"], true, "but for a lock");
    assert_eq!(locked["npmPackageRequestsForwardingLocked"], true);
    let input = json!({ "namespacePath": "acme", "npmPackageRequestsForwarding": false });
    assert_eq!(code(&stage.world, owner, UPDATE, json!({ "input": input })).await, "INVALID");
    set(json!({ "lock_npm_package_requests_forwarding": false })).await;
    assert_eq!(below().await["npmPackageRequestsForwarding"], false);
    let undecided = "mutation I($input: UpdateInstanceSettingsInput!) { updateInstanceSettings(input: $input) { \
        instanceSettings { npmPackageRequestsForwarding lockNpmPackageRequestsForwarding } } }";
    let input = json!({ "npmPackageRequestsForwarding": null });
    let answer = stage.world.graphql(administrator, undecided, json!({ "input": input })).await;
    let expected = json!({ "npmPackageRequestsForwarding": null, "lockNpmPackageRequestsForwarding": false });
    assert_eq!(answer["data"]["updateInstanceSettings"]["instanceSettings"], expected, "{answer}");
    stage.set("acme", json!({ "npmPackageRequestsForwarding": null })).await;
    assert_eq!(below().await["npmPackageRequestsForwarding"], Value::Null);
}

#[tokio::test]
async fn a_users_own_namespace_has_settings_too() {
    let stage = Stage::new().await;
    let outsider = &stage.world.people.outsider;
    let document =
        "query N($path: ID!) { namespace(fullPath: $path) { packageSettings { auditEventsEnabled } } }";
    let fields = json!({ "auditEventsEnabled": true });
    let answer = stage.update(outsider, "outsider", fields).await;
    assert_eq!(
        answer["data"]["updateNamespacePackageSettings"]["packageSettings"]["auditEventsEnabled"], true,
        "{answer}"
    );
    let seen = stage.world.graphql(outsider, document, json!({ "path": "outsider" })).await;
    assert_eq!(seen["data"]["namespace"]["packageSettings"]["auditEventsEnabled"], true, "{seen}");
    let seen = stage.world.graphql(&stage.world.people.owner, document, json!({ "path": "outsider" })).await;
    assert_eq!(seen["data"]["namespace"]["packageSettings"], Value::Null, "{seen}");
}
