//! Protection rules: what they keep from whom, at every door; where they hold; who makes them.
//!
//! That every format asks is among the checks of `testkit::protocol`.

mod doors;
mod formats;
mod rest;

use domain::{Role, Visibility};
use serde_json::{Value, json};
use testkit::{Client, Group, Person, Project, World, artefacts::npm};

use crate::world::{code, payload, world};

const CREATE: &str = "mutation C($input: CreatePackagesProtectionRuleInput!) { \
    createPackagesProtectionRule(input: $input) { clientMutationId errors packageProtectionRule { id \
    packageNamePattern packageType minimumAccessLevelForPush minimumAccessLevelForDelete projectId namespacePath } } }";
const UPDATE: &str = "mutation U($input: UpdatePackagesProtectionRuleInput!) { \
    updatePackagesProtectionRule(input: $input) { errors packageProtectionRule { id packageNamePattern \
    packageType minimumAccessLevelForPush minimumAccessLevelForDelete } } }";
const DELETE: &str = "mutation D($input: DeletePackagesProtectionRuleInput!) { \
    deletePackagesProtectionRule(input: $input) { errors packageProtectionRule { id packageNamePattern } } }";
const RULES: &str = "query R($path: ID!, $reach: PackagesProtectionRuleReach!, $first: Int, $after: String) { \
    project(fullPath: $path) { packagesProtectionRules(reach: $reach, first: $first, after: $after) { \
    nodes { packageNamePattern namespacePath } pageInfo { hasNextPage endCursor } } } }";

/// A project in `acme/tools`.
struct Stage {
    world: World,
    client: Client,
    acme: Group,
    project: Project,
}

impl Stage {
    async fn new() -> Self {
        let (world, client) = world().await;
        let acme = world.group("acme", Visibility::Private).await;
        let tools = world.subgroup(&acme, "tools", Visibility::Private).await;
        let project = world.project(&tools, "web", Visibility::Private).await;
        Self { world, client, acme, project }
    }

    /// The payload of a mutation, by the owner, who may everything.
    async fn change(&self, document: &str, input: Value) -> Value {
        payload(&self.world, &self.world.people.owner, document, input).await
    }

    /// A rule of the project; gives its id.
    async fn rule(&self, kind: &str, pattern: &str, levels: Value) -> String {
        self.rule_of(json!({ "projectPath": self.project.full_path }), kind, pattern, levels).await
    }

    /// A rule of a place; gives its id.
    async fn rule_of(&self, place: Value, kind: &str, pattern: &str, levels: Value) -> String {
        let mut input = json!({ "packageType": kind, "packageNamePattern": pattern });
        for more in [place, levels] {
            input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        }
        let payload = self.change(CREATE, input).await;
        assert_eq!(payload["errors"], json!([]), "{payload}");
        payload["packageProtectionRule"]["id"].as_str().expect("an id").to_owned()
    }

    /// Publishes a generic package.
    async fn publish(&self, name: &str, person: &Person) -> testkit::Answer {
        self.publish_to(&self.project, name, person).await
    }

    async fn publish_to(&self, project: &Project, name: &str, person: &Person) -> testkit::Answer {
        let path = format!("/api/v4/projects/{}/packages/generic/{name}/1.0.0/file.bin", project.id);
        self.client.put(path).body("content").by(person).send().await
    }

    async fn publish_npm(&self, name: &str, version: &str, person: &Person) -> testkit::Answer {
        let path = format!("/api/v4/projects/{}/packages/npm/{}", self.project.id, name.replace('/', "%2f"));
        let document = npm::Version::new(name, version).document();
        self.client.put(path).json(&document).by(person).send().await
    }

    /// Patterns of the project's rules, as `person` sees them; null when they may not.
    async fn patterns(&self, person: &Person, reach: &str) -> Value {
        let variables = json!({ "path": self.project.full_path, "reach": reach });
        let answer = self.world.graphql(person, RULES, variables).await;
        let rules = &answer["data"]["project"]["packagesProtectionRules"];
        match rules["nodes"].as_array() {
            Some(nodes) => nodes.iter().map(|rule| rule["packageNamePattern"].clone()).collect(),
            None => rules.clone(),
        }
    }

    /// What the audit log says, newest first.
    async fn log(&self, names: &[&str]) -> Vec<Value> {
        let document = "query E($names: [AuditEventName!]) { auditEvents(scope: {}, filter: { eventNames: $names }) { \
            nodes { eventName authorName entityPath targetType targetDetails packageType packageName message details } } }";
        let administrator = &self.world.people.administrator;
        let answer = self.world.graphql(administrator, document, json!({ "names": names })).await;
        answer["data"]["auditEvents"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
    }
}

#[tokio::test]
async fn a_rule_of_a_group_holds_in_everything_below_and_nobody_there_weakens_it() {
    let stage = Stage::new().await;
    let people = &stage.world.people;
    let elsewhere = stage.world.group("elsewhere", Visibility::Private).await;
    let outside = stage.world.project(&elsewhere, "web", Visibility::Private).await;
    stage.publish("tool", &people.developer).await.expect(201);
    let owners = json!({ "minimumAccessLevelForPush": "OWNER" });
    let id = stage.rule_of(json!({ "namespacePath": "acme" }), "GENERIC", "to*", owners).await;
    stage.rule("GENERIC", "tool", json!({ "minimumAccessLevelForPush": "MAINTAINER" })).await;

    for (person, status) in [(&people.developer, 403), (&people.maintainer, 403), (&people.owner, 201)] {
        let answer = stage.publish("tool", person).await.expect(status);
        // The developer may not see rules, and learns nothing of them.
        let told =
            if person.name == "maintainer" { "'to*' covers 'tool': only owners" } else { "protected.\"" };
        assert!(status == 201 || answer.text().contains(told), "{}", answer.text());
    }
    stage.publish("other", &people.developer).await.expect(201);
    stage.publish_to(&outside, "tool", &people.developer).await.expect(201);
    let direct = stage.world.project(&stage.acme, "direct", Visibility::Private).await;
    stage.publish_to(&direct, "tool", &people.maintainer).await.expect(403);
    // An owner of the project alone is one there, and so passes.
    stage.world.join(&stage.project, &people.outsider, Role::Owner).await;
    stage.publish("tool", &people.outsider).await.expect(201);

    assert_eq!(stage.patterns(&people.maintainer, "OWN").await, json!(["tool"]));
    assert_eq!(stage.patterns(&people.maintainer, "INHERITED").await, json!(["tool", "to*"]));
    let of_group = "query G { group(fullPath: \"acme\") { packagesProtectionRules { nodes { packageNamePattern namespacePath } } } \
        namespace(fullPath: \"acme/tools\") { packagesProtectionRules(reach: INHERITED) { nodes { packageNamePattern } } } }";
    let seen = stage.world.graphql(&people.owner, of_group, Value::Null).await;
    let expected = json!([{ "packageNamePattern": "to*", "namespacePath": "acme" }]);
    assert_eq!(seen["data"]["group"]["packagesProtectionRules"]["nodes"], expected, "{seen}");
    let below = &seen["data"]["namespace"]["packagesProtectionRules"]["nodes"];
    assert_eq!(below, &json!([{ "packageNamePattern": "to*" }]), "{seen}");
    let hidden = stage.world.graphql(&people.maintainer, of_group, Value::Null).await;
    assert_eq!(hidden["data"]["group"]["packagesProtectionRules"], Value::Null, "{hidden}");

    stage.change(DELETE, json!({ "id": id })).await;
    stage.publish("tool", &people.maintainer).await.expect(201);
    stage.publish("tool", &people.developer).await.expect(403);
}

#[tokio::test]
async fn rules_are_made_changed_and_deleted() {
    let stage = Stage::new().await;
    let path = &stage.project.full_path;
    let input = json!({ "projectPath": path, "packageType": "NPM", "packageNamePattern": "@acme/*",
        "minimumAccessLevelForPush": "MAINTAINER", "clientMutationId": "7" });
    let created = stage.change(CREATE, input).await;
    let rule = &created["packageProtectionRule"];
    let id = rule["id"].as_str().expect("an id").to_owned();
    assert!(id.starts_with("gid://gitlab/Packages::Protection::Rule/"), "{id}");
    assert_eq!(created["clientMutationId"], "7");
    assert_eq!(rule["packageType"], "NPM");
    assert_eq!(rule["minimumAccessLevelForDelete"], Value::Null);
    assert_eq!(rule["projectId"], format!("gid://gitlab/Project/{}", stage.project.id));
    assert_eq!(rule["namespacePath"], Value::Null);

    // What is left out stays, a null takes away.
    let changed = stage.change(UPDATE, json!({ "id": id, "minimumAccessLevelForDelete": "ADMIN" })).await;
    let rule = &changed["packageProtectionRule"];
    assert_eq!(rule["packageNamePattern"], "@acme/*");
    assert_eq!(rule["minimumAccessLevelForPush"], "MAINTAINER");
    assert_eq!(rule["minimumAccessLevelForDelete"], "ADMIN");
    let input = json!({ "id": id, "minimumAccessLevelForPush": null, "packageNamePattern": "web*" });
    let changed = stage.change(UPDATE, input).await;
    let rule = &changed["packageProtectionRule"];
    assert_eq!(
        (&rule["packageNamePattern"], &rule["minimumAccessLevelForPush"]),
        (&json!("web*"), &Value::Null)
    );
    let maintainer = &stage.world.people.maintainer;
    stage.publish_npm("@acme/web", "1.0.0", maintainer).await.expect(200);
    stage.publish_npm("web", "1.0.0", maintainer).await.expect(200);
    let refused = stage.change(UPDATE, json!({ "id": id, "minimumAccessLevelForDelete": null })).await;
    let words = "A rule must have at least a minimum access role for push or delete.";
    assert_eq!(refused["errors"], json!([words]));
    assert_eq!(refused["packageProtectionRule"], Value::Null);

    let deleted = stage.change(DELETE, json!({ "id": id })).await;
    assert_eq!(deleted["packageProtectionRule"]["packageNamePattern"], "web*", "as it was");
    let gone = json!({ "input": { "id": id } });
    assert_eq!(code(&stage.world, &stage.world.people.owner, DELETE, gone).await, "NOT_FOUND");
    let kinds =
        ["CREATED", "UPDATED", "DELETED"].map(|kind| format!("PACKAGE_REGISTRY_PROTECTION_RULE_{kind}"));
    let log = stage.log(&kinds.each_ref().map(String::as_str)).await;
    let told: Vec<_> =
        log.iter().map(|event| (event["message"].as_str(), event["entityPath"].as_str())).collect();
    let of = |text| (Some(text), Some("acme/tools/web"));
    let expected = [
        of("Deleted protection rule web* of npm packages"),
        of("Changed protection rule web* of npm packages"),
        of("Changed protection rule @acme/* of npm packages"),
        of("Created protection rule @acme/* of npm packages"),
    ];
    assert_eq!(told, expected, "and nothing of what was refused");
    assert_eq!(log[2]["details"]["change"], "minimum_access_level_for_delete");
    assert_eq!(log[2]["details"]["to"], "admin");
    assert_eq!(log[0]["targetType"], "Packages::Protection::Rule");
}

#[tokio::test]
async fn rules_are_listed_newest_first_in_pages() {
    let stage = Stage::new().await;
    for pattern in ["one", "two", "three"] {
        stage.rule("GENERIC", pattern, json!({ "minimumAccessLevelForPush": "OWNER" })).await;
    }
    let people = &stage.world.people;
    for person in [&people.maintainer, &people.owner, &people.administrator, &people.api_reader] {
        assert_eq!(stage.patterns(person, "OWN").await, json!(["three", "two", "one"]), "{}", person.name);
    }
    for person in [&people.developer, &people.guest, &people.reader] {
        assert_eq!(stage.patterns(person, "OWN").await, Value::Null, "{}", person.name);
    }
    let variables = json!({ "path": stage.project.full_path, "reach": "OWN", "first": 2 });
    let first = stage.world.graphql(&people.owner, RULES, variables.clone()).await;
    let page = &first["data"]["project"]["packagesProtectionRules"];
    assert_eq!(page["pageInfo"]["hasNextPage"], true);
    let mut variables = variables;
    variables["after"] = page["pageInfo"]["endCursor"].clone();
    let second = stage.world.graphql(&people.owner, RULES, variables).await;
    let nodes = &second["data"]["project"]["packagesProtectionRules"]["nodes"];
    assert_eq!(nodes, &json!([{ "packageNamePattern": "one", "namespacePath": null }]));
}

#[tokio::test]
async fn what_can_be_no_rule_is_refused_and_written_down() {
    let stage = Stage::new().await;
    stage.rule("NPM", "web", json!({ "minimumAccessLevelForPush": "OWNER" })).await;
    let long = "a".repeat(256);
    for (kind, pattern, levels, words) in [
        (
            "NPM",
            "web",
            json!({ "minimumAccessLevelForPush": "MAINTAINER" }),
            "Package name pattern has already been taken",
        ),
        ("NPM", "lib", json!({}), "A rule must have at least a minimum access role for push or delete."),
        ("NPM", " ", json!({ "minimumAccessLevelForPush": "OWNER" }), "Package name pattern can't be blank"),
        (
            "NPM",
            &long,
            json!({ "minimumAccessLevelForPush": "OWNER" }),
            "is too long (maximum is 255 characters)",
        ),
        ("NPM", "a\nb", json!({ "minimumAccessLevelForPush": "OWNER" }), "it holds a control character"),
        (
            "NPM",
            "@acme/a b*",
            json!({ "minimumAccessLevelForPush": "OWNER" }),
            "'@acme/a b*' fits no npm name",
        ),
        ("PYPI", "-*", json!({ "minimumAccessLevelForPush": "OWNER" }), "'-*' fits no PyPI name"),
    ] {
        let mut input = json!({ "projectPath": stage.project.full_path, "packageType": kind, "packageNamePattern": pattern });
        input.as_object_mut().expect("an object").extend(levels.as_object().expect("an object").clone());
        let payload = stage.change(CREATE, input).await;
        let told = payload["errors"][0].as_str().unwrap_or_default();
        assert!(told.contains(words), "{pattern:?}: {payload}");
        assert_eq!(payload["packageProtectionRule"], Value::Null);
    }
    assert_eq!(stage.patterns(&stage.world.people.owner, "OWN").await, json!(["web"]), "nothing changes");
    // The same pattern for another format is another rule, and so is one with other letters.
    stage.rule("GENERIC", "web", json!({ "minimumAccessLevelForPush": "OWNER" })).await;
    stage.rule("MAVEN", "com/acme*", json!({ "minimumAccessLevelForDelete": "OWNER" })).await;
    let refused = stage.log(&["PACKAGE_REGISTRY_WRITE_REFUSED"]).await;
    assert_eq!(refused.len(), 7);
    assert!(refused.iter().all(|event| event["details"]["operation"] == "createPackagesProtectionRule"));
    assert_eq!(refused[6]["details"]["code"], "DUPLICATE");
}

#[tokio::test]
async fn only_maintainers_decide_in_a_project_and_only_owners_in_a_group() {
    let stage = Stage::new().await;
    let people = &stage.world.people;
    let id = stage.rule("NPM", "web", json!({ "minimumAccessLevelForPush": "OWNER" })).await;
    let of_group = json!({ "namespacePath": "acme" });
    let group_id =
        stage.rule_of(of_group.clone(), "NPM", "lib", json!({ "minimumAccessLevelForPush": "OWNER" })).await;
    let create = |place: Value| {
        let mut input =
            json!({ "packageType": "NPM", "packageNamePattern": "x", "minimumAccessLevelForPush": "OWNER" });
        input.as_object_mut().expect("an object").extend(place.as_object().expect("an object").clone());
        json!({ "input": input })
    };
    let of_project = json!({ "projectPath": stage.project.full_path });
    for (person, project, group, by_id) in [
        (&people.anonymous, "UNAUTHENTICATED", "UNAUTHENTICATED", "UNAUTHENTICATED"),
        (&people.outsider, "NOT_FOUND", "NOT_FOUND", "NOT_FOUND"),
        (&people.developer, "FORBIDDEN", "FORBIDDEN", "NOT_FOUND"),
        (&people.api_reader, "FORBIDDEN", "FORBIDDEN", "FORBIDDEN"),
        (&people.writer, "FORBIDDEN", "FORBIDDEN", "FORBIDDEN"),
    ] {
        let told = |document, variables| code(&stage.world, person, document, variables);
        assert_eq!(told(CREATE, create(of_project.clone())).await, project, "{}", person.name);
        assert_eq!(told(CREATE, create(of_group.clone())).await, group, "{}", person.name);
        let update = json!({ "input": { "id": id, "packageNamePattern": "y" } });
        assert_eq!(told(UPDATE, update).await, by_id, "{}", person.name);
        assert_eq!(told(DELETE, json!({ "input": { "id": id } })).await, by_id, "{}", person.name);
    }
    let maintainer = &people.maintainer;
    assert_eq!(code(&stage.world, maintainer, CREATE, create(of_group)).await, "FORBIDDEN");
    assert_eq!(
        code(&stage.world, maintainer, DELETE, json!({ "input": { "id": group_id } })).await,
        "NOT_FOUND"
    );
    assert_eq!(code(&stage.world, maintainer, DELETE, json!({ "input": { "id": id } })).await, "OK");
    for place in [json!({}), json!({ "projectPath": "acme/tools/web", "namespacePath": "acme" })] {
        assert_eq!(code(&stage.world, &people.owner, CREATE, create(place)).await, "INVALID");
    }
    let elsewhere = json!({ "input": { "id": group_id, "projectPath": stage.project.full_path } });
    assert_eq!(code(&stage.world, &people.owner, DELETE, elsewhere).await, "NOT_FOUND", "not of that place");
    let another = json!({ "input": { "id": "gid://gitlab/Packages::Package/1" } });
    let answer = stage.world.graphql(&people.owner, DELETE, another).await;
    assert!(
        answer["errors"][0]["message"].as_str().is_some_and(|text| text.contains("Protection::Rule")),
        "{answer}"
    );
    // A user decides in their own namespace.
    let own = create(json!({ "namespacePath": "outsider" }));
    assert_eq!(code(&stage.world, &people.outsider, CREATE, own.clone()).await, "OK");
    assert_eq!(code(&stage.world, &people.owner, CREATE, own).await, "FORBIDDEN");
}
