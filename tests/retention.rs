//! Retention: what a policy lets go, who decides, and that the dry run says exactly what the run then does.

use std::collections::BTreeSet;

use domain::Visibility;
use graphql::Worker;
use serde_json::{Value, json};
use testkit::{Person, Project, World, artefacts::npm};
use time::Duration;

use crate::world::{code, world};

const UPDATE: &str = "mutation U($input: UpdatePackageRetentionPolicyInput!) { updatePackageRetentionPolicy(input: $input) { \
    errors packageRetentionPolicy { enabled nextRunAt rules { packageType namePattern versionPattern keepLast \
    youngerThanDays downloadedWithinDays } } } }";
const PREVIEW: &str = "query P($project: ID, $group: ID, $rules: [PackageRetentionRuleInput!], $after: String) { \
    packageRetentionPreview(projectPath: $project, groupPath: $group, rules: $rules) { versionsCount exclusiveBytes \
    sharedBytes packages(first: 100, after: $after) { count pageInfo { hasNextPage endCursor } nodes { id projectPath name \
    version size } } } }";

async fn preview(world: &World, variables: Value) -> Value {
    let answer = world.graphql(&world.people.owner, PREVIEW, variables).await;
    let preview = &answer["data"]["packageRetentionPreview"];
    assert!(preview.is_object(), "{answer}");
    preview.clone()
}

/// What a preview lists, page by page, as `name version`.
async fn listed(world: &World, mut variables: Value) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    loop {
        let preview = preview(world, variables.clone()).await;
        let packages = &preview["packages"];
        assert_eq!(packages["count"], preview["versionsCount"]);
        for node in packages["nodes"].as_array().expect("nodes") {
            let text = |field: &str| node[field].as_str().expect("a text").to_owned();
            assert!(all.insert(format!("{} {} {}", text("projectPath"), text("name"), text("version"))));
        }
        if packages["pageInfo"]["hasNextPage"] != true {
            assert_eq!(preview["versionsCount"], all.len());
            return all;
        }
        variables["after"] = packages["pageInfo"]["endCursor"].clone();
    }
}

async fn decide(world: &World, person: &Person, input: Value) -> Value {
    let answer = world.graphql(person, UPDATE, json!({ "input": input })).await;
    let payload = &answer["data"]["updatePackageRetentionPolicy"];
    assert_eq!(payload["errors"], json!([]), "{answer}");
    payload["packageRetentionPolicy"].clone()
}

/// Every version that is there, as `path name version`.
async fn left(world: &World, project: &Project) -> BTreeSet<String> {
    let document = "query L($path: ID!, $after: String) { project(fullPath: $path) { packages(first: 100, after: $after) { \
        pageInfo { hasNextPage endCursor } nodes { name version } } } }";
    let (mut all, mut after) = (BTreeSet::new(), Value::Null);
    loop {
        let variables = json!({ "path": project.full_path, "after": after });
        let answer = world.graphql(&world.people.owner, document, variables).await;
        let packages = &answer["data"]["project"]["packages"];
        for node in packages["nodes"].as_array().expect("nodes") {
            let text = |field: &str| node[field].as_str().expect("a text").to_owned();
            all.insert(format!("{} {} {}", project.full_path, text("name"), text("version")));
        }
        if packages["pageInfo"]["hasNextPage"] != true {
            return all;
        }
        after = packages["pageInfo"]["endCursor"].clone();
    }
}

#[tokio::test]
async fn maintainers_and_owners_decide() {
    let (world, _) = world().await;
    let group = world.group("acme", Visibility::Private).await;
    let project = world.project(&group, "web", Visibility::Private).await;
    let people = &world.people;
    let rules = json!([{ "keepLast": 3 }]);
    for (person, of_project, of_group) in [
        (&people.anonymous, "UNAUTHENTICATED", "UNAUTHENTICATED"),
        (&people.outsider, "NOT_FOUND", "NOT_FOUND"),
        (&people.developer, "FORBIDDEN", "FORBIDDEN"),
        (&people.maintainer, "OK", "FORBIDDEN"),
        (&people.owner, "OK", "OK"),
    ] {
        let input = json!({ "input": { "projectPath": project.full_path, "rules": rules } });
        assert_eq!(code(&world, person, UPDATE, input).await, of_project, "{}", person.name);
        let input = json!({ "input": { "groupPath": "acme", "rules": rules } });
        assert_eq!(code(&world, person, UPDATE, input).await, of_group, "{}", person.name);
        let outcome = code(&world, person, PREVIEW, json!({ "project": project.full_path })).await;
        assert_eq!(outcome, of_project, "{}", person.name);
    }
    let read = "query R($path: ID!) { project(fullPath: $path) { packageRetentionPolicy { enabled nextRunAt rules { keepLast \
        namePattern } } } group(fullPath: \"acme\") { packageRetentionPolicy { enabled } } }";
    let seen = world.graphql(&people.owner, read, json!({ "path": project.full_path })).await;
    let policy = &seen["data"]["project"]["packageRetentionPolicy"];
    assert_eq!(policy["rules"], json!([{ "keepLast": 3, "namePattern": "*" }]), "{seen}");
    assert_eq!(policy["nextRunAt"], "2026-11-24T12:00:00.000Z", "{seen}");
    assert_eq!(seen["data"]["group"]["packageRetentionPolicy"], json!({ "enabled": true }));
    let seen = world.graphql(&people.developer, read, json!({ "path": project.full_path })).await;
    assert_eq!(seen["data"]["project"]["packageRetentionPolicy"], Value::Null);
}

#[tokio::test]
async fn rules_that_cannot_be_meant_change_nothing() {
    let (world, _) = world().await;
    let group = world.group("acme", Visibility::Private).await;
    let project = world.project(&group, "web", Visibility::Private).await;
    let owner = &world.people.owner;
    for (rules, path) in [
        (json!([{}]), json!(["rules", 0, "keepLast"])),
        (json!([{ "keepLast": 1 }, { "keepLast": -1 }]), json!(["rules", 1, "keepLast"])),
        (json!([{ "keepLast": 1, "namePattern": "" }]), json!(["rules", 0, "namePattern"])),
        (
            json!([{ "keepLast": 1, "versionPattern": "*a".repeat(20) }]),
            json!(["rules", 0, "versionPattern"]),
        ),
        (json!([{ "youngerThanDays": 0 }]), json!(["rules", 0, "youngerThanDays"])),
    ] {
        let input = json!({ "input": { "projectPath": project.full_path, "rules": rules } });
        let answer = world.graphql(owner, UPDATE, input).await;
        assert_eq!(answer["errors"][0]["extensions"]["problems"][0]["path"], path, "{answer}");
    }
    for input in [json!({}), json!({ "projectPath": project.full_path, "groupPath": "acme" })] {
        assert_eq!(code(&world, owner, UPDATE, json!({ "input": input })).await, "INVALID");
    }
    let read = "query R($path: ID!) { project(fullPath: $path) { packageRetentionPolicy { enabled } } }";
    let seen = world.graphql(owner, read, json!({ "path": project.full_path })).await;
    assert_eq!(seen["data"]["project"]["packageRetentionPolicy"], Value::Null);
}

#[tokio::test]
async fn each_condition_keeps_what_it_says() {
    let (world, client) = world().await;
    let group = world.group("acme", Visibility::Private).await;
    let project = world.project(&group, "web", Visibility::Private).await;
    let (developer, reporter) = (&world.people.developer, &world.people.reporter);
    let path = |name: &str| format!("/api/v4/projects/{}/packages/npm/{name}", project.id);
    // One a day.
    for version in ["1.0.0", "1.1.0-rc1", "1.1.0", "2.0.0"] {
        let document = npm::Version::new("app", version).document();
        client.put(path("app")).json(&document).by(developer).send().await.expect(200);
        world.clock.advance(Duration::DAY);
    }
    let generic = format!("/api/v4/projects/{}/packages/generic/app/1.0.0/a.bin", project.id);
    client.put(generic).body("a").by(developer).send().await.expect(201);
    client.get(format!("{}/-/app-1.0.0.tgz", path("app"))).by(reporter).send().await.expect(200);
    world.write_down_uses().await;
    for (rule, expected) in [
        (json!({ "keepLast": 2, "packageType": "NPM" }), vec!["1.0.0", "1.1.0-rc1"]),
        (json!({ "keepLast": 9 }), vec![]),
        (json!({ "youngerThanDays": 3, "namePattern": "a*" }), vec!["1.0.0", "1.1.0-rc1"]),
        (
            json!({ "downloadedWithinDays": 1, "packageType": "NPM", "namePattern": "APP" }),
            vec!["1.1.0", "1.1.0-rc1", "2.0.0"],
        ),
        (
            json!({ "keepLast": 1, "downloadedWithinDays": 1, "packageType": "NPM" }),
            vec!["1.1.0", "1.1.0-rc1"],
        ),
        (json!({ "youngerThanDays": 1, "versionPattern": "*-rc*" }), vec!["1.1.0-rc1"]),
        (json!({ "youngerThanDays": 1, "versionPattern": "1.1.0" }), vec!["1.1.0"]),
        (json!({ "youngerThanDays": 1, "versionPattern": "1_1%" }), vec![]),
        (json!({ "youngerThanDays": 1, "namePattern": "li*" }), vec![]),
    ] {
        let variables = json!({ "project": project.full_path, "rules": [rule] });
        let expected: BTreeSet<_> =
            expected.iter().map(|version| format!("acme/web app {version}")).collect();
        assert_eq!(listed(&world, variables).await, expected, "{rule}");
    }
    let rules =
        json!([{ "keepLast": 3, "packageType": "NPM" }, { "youngerThanDays": 1, "versionPattern": "*-rc*" }]);
    let both = listed(&world, json!({ "project": project.full_path, "rules": rules })).await;
    assert_eq!(both.len(), 2, "what one rule lets go goes: {both:?}");
}

#[tokio::test]
async fn the_nearest_policy_holds() {
    let (world, _) = world().await;
    let acme = world.group("acme", Visibility::Private).await;
    let tools = world.subgroup(&acme, "tools", Visibility::Private).await;
    let owner = world.people.owner.clone();
    let mut projects = Vec::new();
    for (group, path) in [(&acme, "web"), (&tools, "cli"), (&tools, "own"), (&tools, "off")] {
        let project = world.project(group, path, Visibility::Private).await;
        world.fill(&project, 2, 5).await;
        projects.push(project);
    }
    decide(&world, &owner, json!({ "groupPath": "acme", "rules": [{ "keepLast": 4 }] })).await;
    decide(&world, &owner, json!({ "projectPath": "acme/tools/own", "rules": [{ "keepLast": 2 }] })).await;
    decide(&world, &owner, json!({ "projectPath": "acme/tools/off", "enabled": false })).await;
    let of_group = listed(&world, json!({ "group": "acme" })).await;
    assert_eq!(of_group.len(), 4, "two projects, two names, one version: {of_group:?}");
    let of_project = listed(&world, json!({ "project": "acme/tools/cli" })).await;
    assert_eq!(of_project.len(), 2, "what holds from above");
    decide(&world, &owner, json!({ "groupPath": "acme/tools", "rules": [{ "keepLast": 3 }] })).await;
    assert_eq!(listed(&world, json!({ "group": "acme" })).await.len(), 2);
    assert_eq!(listed(&world, json!({ "group": "acme/tools" })).await.len(), 4);
    assert_eq!(listed(&world, json!({ "project": "acme/tools/own" })).await.len(), 6);
    world.run_jobs().await;
    for project in &projects {
        assert_eq!(left(&world, project).await.len(), 10, "a day of grace");
    }
    world.clock.advance(Duration::DAY);
    world.run_jobs().await;
    let mut counts = Vec::new();
    for project in &projects {
        counts.push(left(&world, project).await.len());
    }
    assert_eq!(counts, [8, 6, 4, 10]);
}

#[tokio::test]
async fn what_a_protection_rule_covers_stays() {
    let (world, _) = world().await;
    let acme = world.group("acme", Visibility::Private).await;
    let project = world.project(&acme, "web", Visibility::Private).await;
    let other = world.project(&acme, "other", Visibility::Private).await;
    world.fill(&project, 4, 3).await;
    world.fill(&other, 1, 3).await;
    let owner = world.people.owner.clone();
    let variables = json!({ "project": project.full_path, "rules": [{ "keepLast": 1 }] });
    assert_eq!(listed(&world, variables.clone()).await.len(), 8);
    let protect = "mutation P($input: CreatePackagesProtectionRuleInput!) { createPackagesProtectionRule(input: $input) { \
        errors } }";
    for (place, kind, pattern, left) in [
        (json!({ "projectPath": project.full_path }), "PYPI", "*", 8),
        (json!({ "projectPath": other.full_path }), "NPM", "*", 8),
        (json!({ "projectPath": project.full_path }), "NPM", "BULK-2*", 6),
        (json!({ "namespacePath": "acme" }), "NPM", "*k-0", 4),
    ] {
        let mut input = json!({ "packageType": kind, "packageNamePattern": pattern,
            "minimumAccessLevelForDelete": "OWNER" });
        input.as_object_mut().expect("an object").extend(place.as_object().expect("an object").clone());
        let answer = world.graphql(&owner, protect, json!({ "input": input })).await;
        assert_eq!(answer["data"]["createPackagesProtectionRule"]["errors"], json!([]), "{answer}");
        assert_eq!(listed(&world, variables.clone()).await.len(), left, "{pattern}");
    }
    let of_group = listed(&world, json!({ "group": "acme", "rules": [{ "keepLast": 1 }] })).await;
    assert_eq!(of_group.len(), 4, "the other project's own rule counts there: {of_group:?}");
    decide(&world, &owner, json!({ "projectPath": project.full_path, "rules": [{ "keepLast": 1 }] })).await;
    world.clock.advance(Duration::DAY);
    world.run_jobs().await;
    let left = left(&world, &project).await;
    assert_eq!(left.len(), 8, "{left:?}");
    assert_eq!(left.iter().filter(|version| version.contains("bulk-2")).count(), 3);
}

/// The dry run lists what the run deletes, and says how many bytes are freed in the end: on ten thousand versions, with two servers
/// at it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_dry_run_and_the_run_agree_byte_for_byte() {
    let (world, _) = world().await;
    let group = world.group("acme", Visibility::Private).await;
    let project = world.project(&group, "web", Visibility::Private).await;
    let other = world.project(&group, "other", Visibility::Private).await;
    world.fill(&project, 1000, 10).await;
    world.fill(&other, 3, 3).await;
    let owner = world.people.owner.clone();
    let enable = "mutation A { updateNamespacePackageSettings(input: { namespacePath: \"acme\", auditEventsEnabled: true }) { \
        errors } }";
    world.graphql(&owner, enable, Value::Null).await;
    let rules = json!([
        { "keepLast": 6, "namePattern": "*" },
        { "youngerThanDays": 4, "namePattern": "BULK-*7", "packageType": "NPM" },
    ]);
    decide(&world, &owner, json!({ "projectPath": project.full_path, "rules": rules })).await;
    world.clock.advance(Duration::DAY);
    let variables = json!({ "project": project.full_path });
    let planned = preview(&world, variables.clone()).await;
    let expected = listed(&world, variables.clone()).await;
    let before = left(&world, &project).await;
    assert_eq!(before.len(), 10_000);
    assert!(expected.len() > 4000 && expected.len() < 6000, "{}", expected.len());
    assert!(planned["sharedBytes"].as_f64() > Some(0.0), "some contents are shared: {planned}");
    // Files that share contents leave some that none has.
    let unused = world.collectable(Duration::ZERO).await[0].1;

    world.model.ensure_jobs().await.expect("a list of jobs");
    let replica = world.replica().await;
    let (one, two) = (work(&world.model, "one"), work(&replica, "two"));
    let (one, two) = tokio::join!(one, two);
    assert!(one + two >= 1);

    let after = left(&world, &project).await;
    let gone: BTreeSet<_> = before.difference(&after).cloned().collect();
    assert_eq!(gone, expected);
    assert_eq!(left(&world, &other).await.len(), 9);
    let document = "query R($path: ID!) { project(fullPath: $path) { backgroundJobRuns(first: 1) { nodes { status kind \
        result } } } }";
    let answer = world.graphql(&owner, document, json!({ "path": project.full_path })).await;
    let run = &answer["data"]["project"]["backgroundJobRuns"]["nodes"][0];
    assert_eq!(
        (&run["status"], &run["kind"]),
        (&json!("SUCCEEDED"), &json!("PACKAGE_RETENTION")),
        "{answer}"
    );
    assert_eq!(run["result"]["versions_planned"], expected.len());
    assert_eq!(run["result"]["versions_deleted"], expected.len());
    assert_eq!(run["result"]["exclusive_bytes"].as_f64(), planned["exclusiveBytes"].as_f64());
    assert_eq!(run["result"]["shared_bytes"].as_f64(), planned["sharedBytes"].as_f64());
    let freed = world.collectable(Duration::ZERO).await[0].1 - unused;
    assert_eq!(json!(freed).as_f64(), planned["exclusiveBytes"].as_f64(), "byte for byte");
    let events = "query E { group(fullPath: \"acme\") { auditEvents(filter: { eventNames: [\
        PACKAGE_REGISTRY_PACKAGE_DELETED] }, first: 1) { count nodes { authorName } } } }";
    let answer = world.graphql(&owner, events, Value::Null).await;
    let events = &answer["data"]["group"]["auditEvents"];
    assert_eq!(events["count"], expected.len(), "each deletion once: {answer}");
    assert_eq!(events["nodes"][0]["authorName"], "Retention policy");
    assert_eq!(preview(&world, variables).await["versionsCount"], 0);
}

async fn work(model: &graphql::Model, name: &str) -> usize {
    let worker = Worker { name: name.to_owned(), keep_deleted: Duration::days(3650) };
    let (mut ran, mut idle) = (0, 0);
    while idle < 20 {
        if model.run_next_job(&worker).await.expect("a job") {
            ran += 1;
            idle = 0;
        } else {
            idle += 1;
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    ran
}
