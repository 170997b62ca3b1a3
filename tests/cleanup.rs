//! The clean-up policy of a project: of the files of one name that a package has, the newest stay.

use domain::Visibility;
use serde_json::{Value, json};
use testkit::{Client, Project, World};
use time::Duration;

use crate::world::{accepted, world};

struct Stage {
    world: World,
    client: Client,
    project: Project,
}

impl Stage {
    async fn new() -> Self {
        let (world, client) = world().await;
        let group = world.group("acme", Visibility::Private).await;
        let project = world.project(&group, "web", Visibility::Private).await;
        Self { world, client, project }
    }

    async fn publish(&self, path: &str, content: &str) {
        let path = format!("/api/v4/projects/{}/packages/{path}", self.project.id);
        let developer = &self.world.people.developer;
        let answer = self.client.put(path).body(content.to_owned()).by(developer).send().await;
        assert!(answer.status.is_success(), "{}", answer.text());
    }

    async fn fetch(&self, path: &str) -> String {
        let path = format!("/api/v4/projects/{}/packages/{path}", self.project.id);
        self.client.get(path).by(&self.world.people.reporter).send().await.expect(200).text()
    }

    /// Names of all files of all packages, one for each file.
    async fn files(&self) -> Vec<String> {
        let document = "query F($path: ID!) { project(fullPath: $path) { packages(first: 20, includeVersionless: true) { \
            nodes { id } } } }";
        let variables = json!({ "path": self.project.full_path });
        let answer = self.world.graphql(&self.world.people.reporter, document, variables).await;
        let mut names = Vec::new();
        for package in answer["data"]["project"]["packages"]["nodes"].as_array().expect("packages") {
            let document = "query F($id: PackagesPackageID!) { package(id: $id) { packageFiles(first: 100) { \
                nodes { fileName } } } }";
            let variables = json!({ "id": package["id"] });
            let answer = self.world.graphql(&self.world.people.reporter, document, variables).await;
            let files = answer["data"]["package"]["packageFiles"]["nodes"].as_array().expect("files").clone();
            names.extend(files.iter().map(|file| file["fileName"].as_str().expect("a name").to_owned()));
        }
        names.sort();
        names
    }

    async fn runs(&self) -> Vec<Value> {
        let document = "query R($path: ID!) { project(fullPath: $path) { backgroundJobRuns { nodes { kind status result \
            jobName } } } }";
        let variables = json!({ "path": self.project.full_path });
        let answer = self.world.graphql(&self.world.people.maintainer, document, variables).await;
        answer["data"]["project"]["backgroundJobRuns"]["nodes"].as_array().expect("runs").clone()
    }
}

#[tokio::test]
async fn the_newest_files_of_each_name_stay() {
    let stage = Stage::new().await;
    let enable = "mutation A { updateNamespacePackageSettings(input: { namespacePath: \"acme\", auditEventsEnabled: true }) { \
        errors } }";
    stage.world.graphql(&stage.world.people.owner, enable, Value::Null).await;
    for round in 0..12 {
        stage.publish("generic/app/1/a.bin", &format!("a{round}")).await;
    }
    for round in 0..3 {
        stage.publish("generic/app/1/b.bin", &format!("b{round}")).await;
        stage.publish("generic/app/2/a.bin", &format!("again{round}")).await;
    }
    assert_eq!(stage.files().await.len(), 18);
    stage.world.run_jobs().await;
    assert_eq!(stage.files().await.len(), 18, "nobody wants it");
    stage.world.clock.advance(Duration::HOUR);
    stage.world.keep_duplicates(&stage.project, 10).await;
    stage.world.clock.advance(Duration::HOUR);
    stage.world.run_jobs().await;
    assert_eq!(stage.files().await.len(), 16);
    assert_eq!(stage.fetch("generic/app/1/a.bin").await, "a11");
    let runs = stage.runs().await;
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["kind"], "PACKAGE_CLEANUP");
    assert_eq!(runs[0]["jobName"], format!("package_cleanup:project:{}", stage.project.id));
    assert_eq!(runs[0]["result"], json!({ "files_deleted": 2, "bytes": 4 }));
    stage.publish("generic/app/1/a.bin", "a12").await;
    stage.world.clock.advance(Duration::hours(11));
    stage.world.run_jobs().await;
    assert_eq!(stage.files().await.len(), 17, "every twelve hours");
    stage.world.clock.advance(Duration::hours(1));
    stage.world.run_jobs().await;
    assert_eq!(stage.files().await.len(), 16);
    let events = "query E { group(fullPath: \"acme\") { auditEvents(filter: { eventNames: [\
        PACKAGE_REGISTRY_PACKAGE_FILE_DELETED] }) { count nodes { authorName details } } } }";
    let answer = stage.world.graphql(&stage.world.people.owner, events, Value::Null).await;
    let events = &answer["data"]["group"]["auditEvents"];
    assert_eq!(events["count"], 3, "{answer}");
    assert_eq!(events["nodes"][0]["authorName"], "Clean-up policy");
    assert_eq!(events["nodes"][0]["details"]["file_name"], "a.bin");
}

/// The documents of formats are made anew: of a Maven build, the files of one name that went are no longer told of.
#[tokio::test]
async fn one_of_each_is_enough_where_only_that_is_kept() {
    let stage = Stage::new().await;
    let path = "maven/com/acme/app/1.0/app-1.0.jar";
    for round in 0..5 {
        stage.publish(path, &format!("jar{round}")).await;
        stage.publish("generic/app/1/a.bin", &format!("a{round}")).await;
    }
    stage.world.keep_duplicates(&stage.project, 1).await;
    stage.world.clock.advance(Duration::HOUR);
    stage.world.run_jobs().await;
    let names = stage.files().await;
    assert_eq!(names.iter().filter(|name| *name == "app-1.0.jar").count(), 1, "{names:?}");
    assert_eq!(names.iter().filter(|name| *name == "a.bin").count(), 1, "{names:?}");
    assert_eq!(stage.fetch(path).await, "jar4");
    assert_eq!(stage.fetch("generic/app/1/a.bin").await, "a4");
}

#[tokio::test]
async fn a_policy_that_keeps_all_deletes_nothing() {
    let stage = Stage::new().await;
    for round in 0..3 {
        stage.publish("generic/app/1/a.bin", &format!("a{round}")).await;
    }
    stage.world.keep_duplicates(&stage.project, 0).await;
    stage.world.clock.advance(Duration::DAY);
    stage.world.run_jobs().await;
    assert_eq!(stage.files().await.len(), 3);
    assert_eq!(stage.runs().await, [Value::Null; 0]);
}

/// What a rule keeps from being deleted by some, a policy does not delete for them. A rule for publishing keeps nothing.
#[tokio::test]
async fn files_of_a_package_that_is_protected_from_deletion_stay() {
    const RULE: &str = "mutation C($input: CreatePackagesProtectionRuleInput!) { \
        createPackagesProtectionRule(input: $input) { errors } }";
    let stage = Stage::new().await;
    for (pattern, level) in [("Kept*", "minimumAccessLevelForDelete"), ("free", "minimumAccessLevelForPush")]
    {
        let mut input = json!({ "projectPath": stage.project.full_path, "packageType": "GENERIC", "packageNamePattern": pattern });
        input[level] = "OWNER".into();
        accepted(&stage.world, &stage.world.people.owner, RULE, input).await;
    }
    for name in ["kept-one", "free", "maven"] {
        for round in 0..3 {
            let path = format!("/api/v4/projects/{}/packages/generic/{name}/1/{name}.bin", stage.project.id);
            let put = stage.client.put(path).body(format!("{name}{round}")).by(&stage.world.people.owner);
            put.send().await.expect(201);
        }
    }
    stage.world.keep_duplicates(&stage.project, 1).await;
    stage.world.clock.advance(Duration::HOUR);
    stage.world.run_jobs().await;
    assert_eq!(
        stage.files().await,
        ["free.bin", "kept-one.bin", "kept-one.bin", "kept-one.bin", "maven.bin"]
    );
    assert_eq!(stage.runs().await[0]["result"], json!({ "files_deleted": 4, "bytes": 22 }));
}
