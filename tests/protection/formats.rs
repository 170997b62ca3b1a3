//! Whatever the format, only those may delete whose role a rule asks for, at every door that deletes.

use domain::{Role, Scope};
use serde_json::json;
use testkit::Person;

use super::Stage;
use crate::doors::{self, FORMATS, package_name};

const VERSION: &str = "query V($scope: PackageScopeInput!, $type: PackageTypeEnum!, $name: String!) { \
    packageVersion(scope: $scope, packageType: $type, packageName: $name, packageVersion: \"1.0.0\") { id } }";
const DESTROY: &str = "mutation D($input: DestroyPackageInput!) { destroyPackage(input: $input) { errors } }";
const DESTROY_MANY: &str =
    "mutation D($input: DestroyPackagesInput!) { destroyPackages(input: $input) { errors } }";
const DESTROY_NAME: &str =
    "mutation D($input: DestroyPackageNameInput!) { destroyPackageName(input: $input) { errors } }";

impl Stage {
    /// What a deletion came to: done, refused for want of the right, or by a rule.
    async fn destroy(
        &self,
        door: &str,
        format: domain::PackageFormat,
        name: &str,
        by: &Person,
    ) -> &'static str {
        let scope = json!({ "projectPath": self.project.full_path });
        let named = package_name(format, name);
        let variables = json!({ "scope": scope, "type": format.sdl_name(), "name": named });
        let found = self.world.graphql(&self.world.people.owner, VERSION, variables).await;
        let id = found["data"]["packageVersion"]["id"].as_str().unwrap_or_else(|| panic!("{found}"));
        let (document, input) = match door {
            "destroyPackage" => (DESTROY, json!({ "id": id })),
            "destroyPackages" => (DESTROY_MANY, json!({ "ids": [id] })),
            "destroyPackageName" => (
                DESTROY_NAME,
                json!({ "scope": scope, "packageType": format.sdl_name(), "packageName": named }),
            ),
            door => {
                let number = id.rsplit('/').next().expect("a global id");
                let rest = format!("/api/v4/projects/{}/packages/{number}", self.project.id);
                let own = doors::deletes(format, &self.project, name).filter(|_| door == "own");
                let answer = self.client.delete(own.unwrap_or(rest)).by(by).send().await;
                let told = answer.text();
                return match answer.status.as_u16() {
                    200..300 => "done",
                    403 if told.contains("Package is deletion protected.") => "protected",
                    403 => "forbidden",
                    other => panic!("{}: {other} {told}", answer.described),
                };
            }
        };
        let answer = self.world.graphql(by, document, json!({ "input": input })).await.to_string();
        match answer.as_str() {
            told if told.contains("deletion protected") => "protected",
            told if told.contains("FORBIDDEN") => "forbidden",
            told => {
                assert!(told.contains("\"errors\":[]"), "{told}");
                "done"
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_keeps_deletion_to_the_role_that_a_rule_asks_for() {
    let stage = Stage::new().await;
    let (world, people) = (&stage.world, &stage.world.people);
    // The level that each reaches, and whether they delete where there is no rule.
    let everybody: Vec<(u8, bool, Person)> = vec![
        // Deploy tokens reach no level; those of a project delete.
        (0, true, world.deploy_token(&stage.project, Scope::WritePackageRegistry).await),
        (0, false, world.group_deploy_token(&stage.acme, Scope::WritePackageRegistry).await),
        (1, false, people.developer.clone()),
        (2, true, people.maintainer.clone()),
        (2, true, world.project_bot(&stage.project, Role::Maintainer).await),
        (2, true, world.job(&stage.project, &people.maintainer).await),
        (3, true, people.owner.clone()),
        (3, true, world.group_bot(&stage.acme, Role::Owner).await),
        (4, true, people.administrator.clone()),
    ];
    for format in FORMATS {
        for (level, least) in [("OWNER", 3), ("ADMIN", 4)] {
            let prefix = level.to_lowercase();
            let pattern = package_name(format, &format!("{prefix}-*"));
            stage.rule(format.sdl_name(), &pattern, json!({ "minimumAccessLevelForDelete": level })).await;
            for (number, (standing, deletes, person)) in everybody.iter().enumerate() {
                let expected = match (*deletes, *standing >= least) {
                    (false, _) => "forbidden",
                    (true, false) => "protected",
                    (true, true) => "done",
                };
                for door in ["own", "rest", "destroyPackage", "destroyPackages", "destroyPackageName"] {
                    let name = format!("{prefix}-{number}-{}", door.to_lowercase());
                    let publish = doors::publish(&stage.client, format, &stage.project, &name);
                    let published = publish.by(&people.developer).send().await;
                    assert!(published.status.is_success(), "{}", published.text());
                    let seen = stage.destroy(door, format, &name, person).await;
                    assert_eq!(seen, expected, "{format:?}, {level}: {door} by {}", person.name);
                }
            }
        }
    }
}
