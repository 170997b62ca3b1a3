//! What came to the registry beside single packages: deleting several at once, rules, policies and logs keep to a token's limits.

use serde_json::{Value, json};
use testkit::Person;

use super::{Registry, limited};
use crate::world::code;

const VERSION: &str = "query V($scope: PackageScopeInput!, $name: String!) { packageVersion(scope: $scope, \
    packageType: GENERIC, packageName: $name, packageVersion: \"1.0.0\") { id canDestroy packageFiles { nodes { id } } } }";
const DESTROY_PACKAGES: &str =
    "mutation D($input: DestroyPackagesInput!) { destroyPackages(input: $input) { errors } }";
const DESTROY_FILES: &str =
    "mutation F($input: DestroyPackageFilesInput!) { destroyPackageFiles(input: $input) { errors } }";
const PUBLISH: &str = "mutation P($input: PublishPackageInput!) { publishPackage(input: $input) { errors } }";
const CREATE_RULE: &str = "mutation C($input: CreatePackagesProtectionRuleInput!) { \
    createPackagesProtectionRule(input: $input) { errors packageProtectionRule { id } } }";
const DELETE_RULE: &str = "mutation D($input: DeletePackagesProtectionRuleInput!) { \
    deletePackagesProtectionRule(input: $input) { errors } }";
const UPDATE_POLICY: &str = "mutation U($input: UpdatePackagesCleanupPolicyInput!) { \
    updatePackagesCleanupPolicy(input: $input) { errors } }";
const RUNS: &str = "query R($path: ID!) { project(fullPath: $path) { backgroundJobRuns { count } } }";
const LOG: &str = "query A($path: ID!) { project(fullPath: $path) { auditEvents { nodes { message } } } }";

impl Registry {
    /// The global ids of a package and of its file, as the owner sees them.
    async fn ids(&self, name: &str) -> (Value, Value) {
        let details = self.details(&self.world.people.owner, name).await;
        (details["id"].clone(), details["packageFiles"]["nodes"][0]["id"].clone())
    }

    async fn details(&self, by: &Person, name: &str) -> Value {
        let scope = json!({ "projectPath": self.project.full_path });
        let answer = self.world.graphql(by, VERSION, json!({ "scope": scope, "name": name })).await;
        answer["data"]["packageVersion"].clone()
    }

    async fn is_limited(&self, by: &Person, document: &str, input: Value) {
        let (code, text) = self.refused(by, document, input).await;
        assert_eq!(code, "FORBIDDEN", "{document}");
        assert!(text.contains("named 'web-*'"), "{document}: {text}");
    }
}

#[tokio::test]
async fn several_go_at_once_only_when_all_are_within_the_limits() {
    let registry = Registry::new().await;
    let owner = registry.world.people.owner.clone();
    let token = limited(&registry).await;
    for name in ["web-1", "web-2", "other"] {
        registry.publish(name, &owner).await.expect(201);
    }
    assert_eq!(registry.details(&token, "web-1").await["canDestroy"], true);
    let (one, _) = registry.ids("web-1").await;
    let (_, file) = registry.ids("web-2").await;
    let (other, other_file) = registry.ids("other").await;
    let path = &registry.project.full_path;
    registry.is_limited(&token, DESTROY_PACKAGES, json!({ "ids": [one, other] })).await;
    registry.pull("web-1", &owner).await.expect(200);
    registry.run(&token, DESTROY_PACKAGES, json!({ "ids": [one] })).await;
    registry.pull("web-1", &owner).await.expect(404);

    let files = |ids: Value| json!({ "projectPath": path, "ids": ids });
    registry.is_limited(&token, DESTROY_FILES, files(json!([file, other_file]))).await;
    registry.pull("web-2", &owner).await.expect(200);
    registry.run(&token, DESTROY_FILES, files(json!([file]))).await;
    registry.pull("web-2", &owner).await.expect(404);

    // Nor does it carry a file from beyond its limits to where it reaches.
    for remove in [false, true] {
        let input = json!({ "projectPath": path, "packageType": "GENERIC", "name": "web-3", "version": "1.0.0",
            "files": [{ "sourceFileId": other_file, "removeSource": remove }] });
        registry.is_limited(&token, PUBLISH, input).await;
    }
}

#[tokio::test]
async fn rules_bind_a_limited_token_and_it_changes_none() {
    let registry = Registry::new().await;
    let people = &registry.world.people;
    let token = limited(&registry).await;
    let path = &registry.project.full_path;
    let rule = |pattern: &str| {
        json!({ "projectPath": path, "packageType": "GENERIC", "packageNamePattern": pattern,
        "minimumAccessLevelForPush": "ADMIN", "minimumAccessLevelForDelete": "ADMIN" })
    };
    let kept = registry.run(&people.owner, CREATE_RULE, rule("web-kept")).await;
    let kept = &kept["packageProtectionRule"]["id"];
    let told = registry.publish("web-kept", &token).await.expect(403);
    assert!(told.text().contains("Package protected."), "{}", told.text());
    registry.publish("web-free", &token).await.expect(201);

    registry.is_limited(&token, CREATE_RULE, rule("web-more")).await;
    registry.is_limited(&token, DELETE_RULE, json!({ "id": kept, "projectPath": path })).await;
    registry.is_limited(&token, DELETE_RULE, json!({ "id": kept })).await;
    let policy = json!({ "projectPath": path, "keepNDuplicatedPackageFiles": "ONE_PACKAGE_FILE" });
    registry.is_limited(&token, UPDATE_POLICY, policy).await;
}

#[tokio::test]
async fn what_tells_of_all_packages_is_not_told_to_a_limited_token() {
    let registry = Registry::new().await;
    let owner = &registry.world.people.owner;
    let token = limited(&registry).await;
    let variables = json!({ "path": registry.project.full_path });
    for (by, expected) in [(owner, "OK"), (&token, "FORBIDDEN")] {
        assert_eq!(code(&registry.world, by, LOG, variables.clone()).await, expected);
        let answer = registry.world.graphql(by, RUNS, variables.clone()).await;
        let runs = &answer["data"]["project"]["backgroundJobRuns"];
        assert_eq!(runs.is_object(), expected == "OK", "{answer}");
    }
}
