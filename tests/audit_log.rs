//! Reading the audit log: who may, filters, pages, the export.

use domain::{Role, Scope, Visibility};
use serde_json::{Value, json};
use testkit::{Client, Group, Person, Project, World, artefacts::npm};

use crate::world::{code, world};

const GROUP: &str = "query G($path: ID!, $filter: AuditEventFilterInput, $first: Int, $after: String) { \
    group(fullPath: $path) { auditEvents(filter: $filter, first: $first, after: $after) { count \
    pageInfo { hasNextPage endCursor } nodes { id eventName authorName packageName createdAt } } } }";
const INSTANCE: &str = "query I { auditEvents(scope: {}) { nodes { id } } }";

struct Stage {
    world: World,
    client: Client,
    group: Group,
    project: Project,
}

impl Stage {
    /// A group that audits, with packages by a developer, a maintainer and a deploy token.
    async fn new() -> Self {
        let (world, client) = world().await;
        let group = world.group("acme", Visibility::Private).await;
        let project = world.project(&group, "web", Visibility::Private).await;
        let stage = Self { world, client, group, project };
        let settings = "mutation S($input: UpdateNamespacePackageSettingsInput!) { \
            updateNamespacePackageSettings(input: $input) { errors } }";
        let input = json!({ "namespacePath": "acme", "auditEventsEnabled": true });
        stage.world.graphql(&stage.world.people.owner, settings, json!({ "input": input })).await;
        let token = stage.world.deploy_token(&stage.project, Scope::WritePackageRegistry).await;
        for (name, person) in [
            ("one", &stage.world.people.developer),
            ("two", &stage.world.people.maintainer),
            ("three", &token),
        ] {
            stage.publish(name, person).await;
        }
        stage
    }

    async fn publish(&self, name: &str, person: &Person) {
        let path = format!("/api/v4/projects/{}/packages/npm/{name}", self.project.id);
        let document = npm::Version::new(name, "1.0.0").document();
        self.client.put(path).json(&document).by(person).send().await.expect(200);
    }

    async fn of_group(&self, person: &Person, filter: Value) -> Vec<Value> {
        let variables = json!({ "path": "acme", "filter": filter });
        let answer = self.world.graphql(person, GROUP, variables).await;
        let nodes = answer["data"]["group"]["auditEvents"]["nodes"].as_array();
        nodes.unwrap_or_else(|| panic!("{answer}")).clone()
    }

    async fn names(&self, person: &Person, filter: Value) -> Vec<String> {
        let events = self.of_group(person, filter).await;
        events.iter().filter_map(|event| Some(event["packageName"].as_str()?.to_owned())).collect()
    }
}

#[tokio::test]
async fn owners_read_everything_and_developers_what_they_did() {
    let stage = Stage::new().await;
    let people = &stage.world.people;
    for person in [&people.owner, &people.administrator, &people.api_reader] {
        assert_eq!(stage.names(person, Value::Null).await, ["three", "two", "one"], "{}", person.name);
    }
    assert_eq!(stage.names(&people.developer, Value::Null).await, ["one"]);
    assert_eq!(stage.names(&people.maintainer, Value::Null).await, ["two"]);
    let variables = json!({ "path": "acme" });
    for (person, refusal) in
        [(&people.guest, "FORBIDDEN"), (&people.reporter, "FORBIDDEN"), (&people.reader, "FORBIDDEN")]
    {
        let outcome = code(&stage.world, person, GROUP, variables.clone()).await;
        assert_eq!(outcome, refusal, "{}", person.name);
    }
    // Nobody asks about others by naming them.
    let developer = people.developer.user().expect("a user");
    let others =
        json!({ "path": "acme", "filter": { "authorId": format!("gid://gitlab/User/{developer}") } });
    assert_eq!(code(&stage.world, &people.maintainer, GROUP, others).await, "FORBIDDEN");
    assert_eq!(code(&stage.world, &people.owner, INSTANCE, Value::Null).await, "FORBIDDEN");
    assert_eq!(code(&stage.world, &people.anonymous, INSTANCE, Value::Null).await, "UNAUTHENTICATED");
    assert_eq!(code(&stage.world, &people.administrator, INSTANCE, Value::Null).await, "OK");
}

#[tokio::test]
async fn events_are_filtered() {
    let stage = Stage::new().await;
    let owner = &stage.world.people.owner;
    let developer = stage.world.people.developer.user().expect("a user");
    let all = stage.of_group(owner, Value::Null).await;
    let of = |name: &str| {
        let event = all.iter().find(|event| event["packageName"] == name).expect("an event");
        (event["id"].clone(), event["authorName"].clone(), event["createdAt"].clone())
    };
    let (id, _, at) = of("two");
    let (_, token_name, _) = of("three");
    let published = "PACKAGE_REGISTRY_PACKAGE_PUBLISHED";
    for (filter, names) in [
        (json!({ "eventNames": [published] }), vec!["three", "two", "one"]),
        (json!({ "eventNames": ["PACKAGE_REGISTRY_SETTINGS_UPDATED"] }), vec![]),
        (json!({ "authorId": format!("gid://gitlab/User/{developer}") }), vec!["one"]),
        (json!({ "authorName": "maintainer" }), vec!["two"]),
        (json!({ "authorName": token_name }), vec!["three"]),
        (json!({ "packageName": "two" }), vec!["two"]),
        (json!({ "packageType": "NPM", "packageName": "one" }), vec!["one"]),
        (json!({ "packageType": "GENERIC" }), vec![]),
        (json!({ "id": id }), vec!["two"]),
        (json!({ "createdBefore": "2000-01-01T00:00:00Z" }), vec![]),
        (json!({ "createdAfter": "2000-01-01T00:00:00Z" }), vec!["three", "two", "one"]),
        (json!({ "createdAfter": "2999-01-01T00:00:00Z" }), vec![]),
        (json!({ "createdAfter": at, "packageName": "two" }), vec!["two"]),
        (json!({ "entityType": "PROJECT" }), vec![]),
    ] {
        assert_eq!(stage.names(owner, filter.clone()).await, names, "{filter}");
    }
    let kinds: Vec<_> = all.iter().rev().map(|event| event["eventName"].as_str().expect("a name")).collect();
    let mut expected = vec!["group_created"];
    expected.extend(["member_created"; 5]);
    expected.push("package_registry_settings_updated");
    expected.extend(["package_registry_package_published"; 3]);
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn pages_go_on_while_events_are_written() {
    let stage = Stage::new().await;
    let owner = &stage.world.people.owner;
    let mut after = Value::Null;
    let mut names = Vec::new();
    loop {
        let variables = json!({ "path": "acme", "first": 2, "after": after });
        let answer = stage.world.graphql(owner, GROUP, variables).await;
        let page = &answer["data"]["group"]["auditEvents"];
        for event in page["nodes"].as_array().expect("a page") {
            let name =
                event["packageName"].as_str().unwrap_or_else(|| event["eventName"].as_str().expect("a name"));
            names.push(name.to_owned());
        }
        stage.publish(&format!("later-{}", names.len()), &stage.world.people.developer).await;
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    let mut expected = vec!["three", "two", "one", "package_registry_settings_updated"];
    expected.extend(["member_created"; 5]);
    expected.push("group_created");
    assert_eq!(names, expected);
}

#[tokio::test]
async fn rest_shows_them_as_gitlab_does() {
    let stage = Stage::new().await;
    let people = &stage.world.people;
    let list = format!("/api/v4/groups/{}/audit_events", stage.group.id);
    let answer = stage.client.get(&list).by(&people.owner).send().await.expect(200);
    assert_eq!(answer.header("x-total"), "10");
    let events = answer.json();
    let token_event = &events[0];
    assert_eq!(token_event["author_id"], -2);
    let event = &events[2];
    assert_eq!(event["author_id"], json!(people.developer.user().expect("a user").0));
    assert_eq!(event["entity_id"], json!(stage.group.id.0));
    assert_eq!(event["entity_type"], "Group");
    assert_eq!(event["event_name"], "package_registry_package_published");
    let details = &event["details"];
    assert_eq!(details["custom_message"], "Npm package published");
    assert_eq!(details["target_details"], "acme/web/one-1.0.0");
    assert_eq!(details["entity_path"], "acme");
    let one = format!("{list}/{}", event["id"]);
    assert_eq!(stage.client.get(&one).by(&people.owner).send().await.expect(200).json(), *event);

    let of_project = format!("/api/v4/projects/{}/audit_events", stage.project.id);
    let kinds = stage.client.get(&of_project).by(&people.maintainer).send().await.expect(200).json();
    assert_eq!(kinds.as_array().map(Vec::len), Some(5), "its packages, its token, its creation: {kinds}");
    let filtered =
        format!("{of_project}?event_name=package_registry_package_published&author_name=developer");
    let filtered = stage.client.get(filtered).by(&people.maintainer).send().await.expect(200).json();
    assert_eq!(filtered.as_array().map(Vec::len), Some(1), "{filtered}");
    for (path, person, status) in [
        (&list, &people.anonymous, 404),
        (&list, &people.outsider, 404),
        (&list, &people.reporter, 403),
        (&of_project, &people.reporter, 403),
        (&"/api/v4/audit_events".to_owned(), &people.owner, 403),
        (&"/api/v4/audit_events".to_owned(), &people.administrator, 200),
        (&format!("{list}/999999"), &people.owner, 404),
        (&format!("{list}?event_name=nonsense"), &people.owner, 400),
        (&format!("{list}?created_after=nonsense"), &people.owner, 400),
    ] {
        stage.client.get(path).by(person).send().await.expect(status);
    }
}

#[tokio::test]
async fn keyset_pages_and_the_export_hold_the_same_events() {
    let stage = Stage::new().await;
    let owner = &stage.world.people.owner;
    let mut path = format!("/api/v4/groups/{}/audit_events?pagination=keyset&per_page=3", stage.group.id);
    let mut paged = Vec::new();
    loop {
        let answer = stage.client.get(&path).by(owner).send().await.expect(200);
        assert_eq!(answer.header("x-total"), "", "keyset pages are not counted");
        paged.extend(answer.json().as_array().expect("a page").clone());
        let Some(link) = answer.header("link").strip_suffix(">; rel=\"next\"") else { break };
        path = link.trim_start_matches("<http://registry.test").to_owned();
    }
    let export = format!("/api/v4/groups/{}/audit_events/export.ndjson", stage.group.id);
    let answer = stage.client.get(&export).by(owner).send().await.expect(200);
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    let text = answer.text();
    let mut exported: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("one event a line")).collect();
    exported.reverse();
    assert_eq!(paged.len(), 10);
    assert_eq!(exported, paged, "oldest first");
    stage.client.get(&export).by(&stage.world.people.reporter).send().await.expect(403);
}

/// An export longer than a page of the model.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_log_is_exported_whole() {
    let (world, client) = world().await;
    let group = world.group("acme", Visibility::Private).await;
    let project = world.project(&group, "web", Visibility::Private).await;
    let developer = world.people.developer.clone();
    world.join(&project, &world.people.outsider, Role::Guest).await;
    let mut toggled = project.clone();
    for number in 0..1_050 {
        let level = if number % 2 == 0 { "disabled" } else { "enabled" };
        toggled.registry = domain::RegistryAccessLevel::from_name(level).expect("a level");
        let level = toggled.registry;
        world.set_registry(&mut toggled, level).await;
    }
    let export = format!("/api/v4/projects/{}/audit_events/export.ndjson", project.id);
    let answer = client.get(&export).by(&world.people.maintainer).send().await.expect(200);
    let levels = answer.text().lines().filter(|line| line.contains("access_level_updated")).count();
    assert_eq!(levels, 1_050);
    assert_eq!(
        client.get(&export).by(&developer).send().await.expect(200).text(),
        "",
        "nothing of their own"
    );
}
