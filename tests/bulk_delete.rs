//! Deleting several packages or files at once, and the clean-up policy: GitLab's answers.

use domain::{PackageFormat, Role, Visibility};
use serde_json::{Value, json};
use testkit::{Client, Person, Project, World};

use crate::{
    doors,
    world::{code, world},
};

const DESTROY: &str = "mutation D($input: DestroyPackagesInput!) { destroyPackages(input: $input) { errors clientMutationId } }";
const DESTROY_FILES: &str =
    "mutation F($input: DestroyPackageFilesInput!) { destroyPackageFiles(input: $input) { errors } }";
const VERSION: &str = "query V($scope: PackageScopeInput!, $type: PackageTypeEnum!, $name: String!) { \
    packageVersion(scope: $scope, packageType: $type, packageName: $name, packageVersion: \"1.0.0\") { id \
    packageFiles { nodes { id } } } }";
const NAMES: &str =
    "query N($path: ID!) { project(fullPath: $path) { packages(sort: NAME_ASC) { nodes { name } } } }";
const REFUSED: &str = "query E { auditEvents(scope: {}, first: 1) { nodes { eventName details } } }";
const POLICY: &str = "query C($path: ID!) { project(fullPath: $path) { packagesCleanupPolicy { \
    keepNDuplicatedPackageFiles nextRunAt } } }";
const UPDATE_POLICY: &str = "mutation U($input: UpdatePackagesCleanupPolicyInput!) { \
    updatePackagesCleanupPolicy(input: $input) { errors packagesCleanupPolicy { keepNDuplicatedPackageFiles \
    nextRunAt } } }";

struct Stage {
    world: World,
    client: Client,
    project: Project,
}

impl Stage {
    /// A private project `acme/web` with the packages `one`, `two` and `three` of one format.
    async fn new(format: PackageFormat) -> Self {
        let (world, client) = world().await;
        let acme = world.group("acme", Visibility::Private).await;
        let project = world.project(&acme, "web", Visibility::Private).await;
        let stage = Self { world, client, project };
        for name in ["one", "two", "three"] {
            stage.publish(&stage.project, format, name).await;
        }
        stage
    }

    async fn publish(&self, project: &Project, format: PackageFormat, name: &str) {
        let request = doors::publish(&self.client, format, project, name);
        let answer = request.by(&self.world.people.administrator).send().await;
        assert!(answer.status.is_success(), "{}: {}", answer.described, answer.text());
    }

    /// The global ids of a package and of its file.
    async fn ids(&self, project: &Project, format: PackageFormat, name: &str) -> (Value, Value) {
        let scope = json!({ "projectPath": project.full_path });
        let name = doors::package_name(format, name);
        let variables = json!({ "scope": scope, "type": format.sdl_name(), "name": name });
        let answer = self.world.graphql(&self.world.people.administrator, VERSION, variables).await;
        let package = &answer["data"]["packageVersion"];
        (package["id"].clone(), package["packageFiles"]["nodes"][0]["id"].clone())
    }

    async fn destroy(&self, person: &Person, ids: &[Value]) -> Value {
        self.world.graphql(person, DESTROY, json!({ "input": { "ids": ids, "clientMutationId": "7" } })).await
    }

    async fn destroy_files(&self, person: &Person, path: &str, ids: &[Value]) -> Value {
        let variables = json!({ "input": { "projectPath": path, "ids": ids } });
        self.world.graphql(person, DESTROY_FILES, variables).await
    }

    async fn names(&self, project: &Project) -> Vec<String> {
        let variables = json!({ "path": project.full_path });
        let answer = self.world.graphql(&self.world.people.administrator, NAMES, variables).await;
        let nodes = answer["data"]["project"]["packages"]["nodes"].as_array().expect("a list");
        nodes.iter().map(|node| node["name"].as_str().expect("a name").to_owned()).collect()
    }

    /// The newest event, which is of a refused change.
    async fn refused(&self) -> Value {
        let answer = self.world.graphql(&self.world.people.administrator, REFUSED, Value::Null).await;
        let event = &answer["data"]["auditEvents"]["nodes"][0];
        assert_eq!(event["eventName"], "package_registry_write_refused", "{answer}");
        event["details"].clone()
    }
}

fn told(answer: &Value) -> (&str, &str) {
    let error = &answer["errors"][0];
    let code = error["extensions"]["code"].as_str().unwrap_or_default();
    (code, error["message"].as_str().unwrap_or_default())
}

fn package_id(number: usize) -> Value {
    json!(format!("gid://gitlab/Packages::Package/{number}"))
}

#[tokio::test]
async fn packages_go_at_once_and_what_is_gone_is_passed_over() {
    let stage = Stage::new(PackageFormat::Generic).await;
    let maintainer = &stage.world.people.maintainer;
    let (one, _) = stage.ids(&stage.project, PackageFormat::Generic, "one").await;
    let (two, _) = stage.ids(&stage.project, PackageFormat::Generic, "two").await;
    let done = json!({ "data": { "destroyPackages": { "errors": [], "clientMutationId": "7" } } });
    let answer =
        stage.destroy(maintainer, &[one.clone(), two.clone(), package_id(999_999), one.clone()]).await;
    assert_eq!(answer["data"], done["data"], "{answer}");
    assert_eq!(stage.names(&stage.project).await, ["three"]);
    for path in ["one", "two"] {
        for (_, path) in doors::reads(PackageFormat::Generic, doors::Level::Project(stage.project.id.0), path)
        {
            stage.client.get(path).by(maintainer).send().await.expect(404);
        }
    }
    let again = stage.destroy(maintainer, &[one, two]).await;
    assert_eq!(again["data"], done["data"], "who clicks twice is told the same: {again}");
    assert_eq!(stage.destroy(maintainer, &[]).await["data"], done["data"]);
}

#[tokio::test]
async fn one_that_may_not_go_keeps_all_of_them() {
    let stage = Stage::new(PackageFormat::Npm).await;
    let people = &stage.world.people;
    let (one, _) = stage.ids(&stage.project, PackageFormat::Npm, "one").await;
    let other = stage.world.deserted_group("other", Visibility::Private).await;
    let lib = stage.world.project(&other, "lib", Visibility::Private).await;
    stage.publish(&lib, PackageFormat::Generic, "four").await;
    let (four, _) = stage.ids(&lib, PackageFormat::Generic, "four").await;
    let both = [one.clone(), four.clone()];
    for (person, ids, refusal) in [
        (&people.anonymous, &both, "UNAUTHENTICATED"),
        (&people.outsider, &both, "NOT_FOUND"),
        (&people.developer, &both, "FORBIDDEN"),
        (&people.api_reader, &both, "FORBIDDEN"),
    ] {
        let answer = stage.destroy(person, ids).await;
        assert_eq!(told(&answer).0, refusal, "{}: {answer}", person.name);
        assert_eq!(answer["data"]["destroyPackages"], Value::Null);
        if !person.is_anonymous() {
            assert_eq!(stage.refused().await["operation"], "destroyPackages");
        }
    }
    assert_eq!(stage.names(&stage.project).await, ["@acme/one", "@acme/three", "@acme/two"]);
    // Known, and not allowed: nothing goes. Not known: as if it were not there.
    stage.world.join(&lib, &people.maintainer, Role::Developer).await;
    let answer = stage.destroy(&people.maintainer, &both).await;
    assert_eq!(told(&answer).0, "FORBIDDEN", "{answer}");
    assert_eq!(stage.names(&stage.project).await.len(), 3);
    let answer = stage.destroy(&people.owner, &both).await;
    assert_eq!(answer["data"]["destroyPackages"]["errors"], json!([]), "{answer}");
    assert_eq!(stage.names(&stage.project).await, ["@acme/three", "@acme/two"]);
    assert_eq!(stage.names(&lib).await, ["four"]);
    let answer = stage.destroy(&people.owner, &[four]).await;
    assert_eq!(told(&answer).0, "NOT_FOUND", "{answer}");
}

#[tokio::test]
async fn a_hundred_at_most() {
    let stage = Stage::new(PackageFormat::Generic).await;
    let maintainer = &stage.world.people.maintainer;
    let (one, file) = stage.ids(&stage.project, PackageFormat::Generic, "one").await;
    let mut ids: Vec<_> = (1_000..1_100).map(package_id).collect();
    ids.push(one);
    let answer = stage.destroy(maintainer, &ids).await;
    assert_eq!(told(&answer), ("INVALID", "Cannot delete more than 100 packages"));
    assert_eq!(answer["errors"][0]["extensions"]["problems"][0]["path"], json!(["ids"]));
    assert_eq!(stage.refused().await["code"], "INVALID");
    let mut ids: Vec<_> =
        (1_000..1_100).map(|number| json!(format!("gid://gitlab/Packages::PackageFile/{number}"))).collect();
    ids.push(file);
    let answer = stage.destroy_files(maintainer, &stage.project.full_path, &ids).await;
    assert_eq!(told(&answer), ("INVALID", "Cannot delete more than 100 files"));
    assert_eq!(stage.names(&stage.project).await.len(), 3, "nothing changed");
    // An id of another class never gets that far: the place is told.
    let answer = stage.destroy(maintainer, &[json!("gid://gitlab/Packages::PackageFile/1")]).await;
    assert_eq!(told(&answer).0, "INVALID");
    let problem = &answer["errors"][0]["extensions"]["problems"][0];
    assert_eq!(problem["path"], json!(["ids", 0]));
    let explanation =
        "\"gid://gitlab/Packages::PackageFile/1\" does not represent an instance of Packages::Package";
    assert_eq!(problem["explanation"], explanation);
}

#[tokio::test]
async fn files_of_one_project_go_at_once() {
    let stage = Stage::new(PackageFormat::Pypi).await;
    let people = &stage.world.people;
    let path = stage.project.full_path.as_str();
    let (_, one) = stage.ids(&stage.project, PackageFormat::Pypi, "one").await;
    let (_, two) = stage.ids(&stage.project, PackageFormat::Pypi, "two").await;
    let other = stage.world.group("other", Visibility::Private).await;
    let lib = stage.world.project(&other, "lib", Visibility::Private).await;
    stage.publish(&lib, PackageFormat::Pypi, "four").await;
    let (_, four) = stage.ids(&lib, PackageFormat::Pypi, "four").await;
    let nowhere = json!("gid://gitlab/Packages::PackageFile/999999");
    for stranger in [four, nowhere] {
        let answer = stage.destroy_files(&people.maintainer, path, &[one.clone(), stranger]).await;
        assert_eq!(told(&answer), ("INVALID", "All files must be in the requested project"));
    }
    for (person, refusal) in [
        (&people.anonymous, "UNAUTHENTICATED"),
        (&people.outsider, "NOT_FOUND"),
        (&people.developer, "FORBIDDEN"),
    ] {
        let answer = stage.destroy_files(person, path, std::slice::from_ref(&one)).await;
        assert_eq!(told(&answer).0, refusal, "{}: {answer}", person.name);
    }
    let page = |name: &str| {
        let path = format!("/api/v4/projects/{}/packages/pypi/simple/{name}/", stage.project.id);
        stage.client.get(path).by(&people.maintainer).send()
    };
    assert!(page("one").await.text().contains(".whl"), "nothing changed");
    for _ in 0..2 {
        let answer = stage.destroy_files(&people.maintainer, path, &[one.clone(), two.clone()]).await;
        assert_eq!(answer["data"]["destroyPackageFiles"], json!({ "errors": [] }), "{answer}");
    }
    assert!(!page("one").await.text().contains(".whl") && !page("two").await.text().contains(".whl"));
    assert!(page("three").await.text().contains(".whl"));
    assert_eq!(
        stage.names(&stage.project).await,
        ["one", "three", "two"],
        "packages stay without their files"
    );
}

/// GitLab's text, one for each name; what is not protected goes.
#[tokio::test]
async fn what_is_protected_stays_and_is_named() {
    let stage = Stage::new(PackageFormat::Generic).await;
    let (owner, maintainer) = (&stage.world.people.owner, &stage.world.people.maintainer);
    let rule = json!({ "projectPath": stage.project.full_path, "packageNamePattern": "t*", "packageType": "GENERIC",
        "minimumAccessLevelForDelete": "OWNER" });
    let create = "mutation R($input: CreatePackagesProtectionRuleInput!) { \
        createPackagesProtectionRule(input: $input) { errors } }";
    let answer = stage.world.graphql(maintainer, create, json!({ "input": rule })).await;
    assert_eq!(answer["data"]["createPackagesProtectionRule"]["errors"], json!([]), "{answer}");
    let (mut packages, mut files) = (Vec::new(), Vec::new());
    for name in ["one", "two", "three"] {
        let (package, file) = stage.ids(&stage.project, PackageFormat::Generic, name).await;
        packages.push(package);
        files.push(file);
    }
    let texts = json!(["Package 'two' is deletion protected.", "Package 'three' is deletion protected."]);
    let sorted = |errors: &Value| {
        let mut errors: Vec<_> = errors.as_array().expect("errors").iter().map(Value::to_string).collect();
        errors.sort();
        errors
    };
    let answer = stage.destroy_files(maintainer, &stage.project.full_path, &files).await;
    assert_eq!(sorted(&answer["data"]["destroyPackageFiles"]["errors"]), sorted(&texts), "{answer}");
    let before = stage.world.statements();
    let answer = stage.destroy(maintainer, &packages).await;
    assert_eq!(sorted(&answer["data"]["destroyPackages"]["errors"]), sorted(&texts), "{answer}");
    assert!(stage.world.statements() - before < 40, "{} statements", stage.world.statements() - before);
    assert_eq!(stage.names(&stage.project).await, ["three", "two"]);
    let answer = stage.destroy(owner, &packages).await;
    assert_eq!(answer["data"]["destroyPackages"]["errors"], json!([]), "{answer}");
    assert!(stage.names(&stage.project).await.is_empty());
}

#[tokio::test]
async fn how_many_duplicated_files_are_kept() {
    let (world, _) = world().await;
    let acme = world.group("acme", Visibility::Private).await;
    let project = world.project(&acme, "web", Visibility::Private).await;
    let people = &world.people;
    let path = project.full_path.as_str();
    let policy = async |person: &Person| {
        let answer = world.graphql(person, POLICY, json!({ "path": path })).await;
        answer["data"]["project"]["packagesCleanupPolicy"].clone()
    };
    let set = async |kept: Value| {
        let input = json!({ "projectPath": path, "keepNDuplicatedPackageFiles": kept });
        let answer = world.graphql(&people.maintainer, UPDATE_POLICY, json!({ "input": input })).await;
        answer["data"]["updatePackagesCleanupPolicy"]["packagesCleanupPolicy"].clone()
    };
    let all = json!({ "keepNDuplicatedPackageFiles": "ALL_PACKAGE_FILES", "nextRunAt": null });
    assert_eq!(policy(&people.maintainer).await, all, "where nobody decided");
    assert_eq!(policy(&people.developer).await, Value::Null);
    let input = json!({ "projectPath": path, "keepNDuplicatedPackageFiles": "ONE_PACKAGE_FILE" });
    let refusal = code(&world, &people.developer, UPDATE_POLICY, json!({ "input": input })).await;
    assert_eq!(refusal, "FORBIDDEN");
    let ten = json!({ "keepNDuplicatedPackageFiles": "TEN_PACKAGE_FILES", "nextRunAt": "2026-11-24T00:00:00.000Z" });
    assert_eq!(set(json!("TEN_PACKAGE_FILES")).await, ten, "twelve hours on");
    assert_eq!(set(Value::Null).await, ten);
    assert_eq!(policy(&people.maintainer).await, ten);
    let input = json!({ "projectPath": path, "keepNDuplicatedPackageFiles": "TWO_PACKAGE_FILES" });
    let answer = world.graphql(&people.maintainer, UPDATE_POLICY, json!({ "input": input })).await;
    let problem = &answer["errors"][0]["extensions"]["problems"][0];
    assert_eq!(problem["path"], json!(["keepNDuplicatedPackageFiles"]), "{answer}");
    assert_eq!(set(json!("ALL_PACKAGE_FILES")).await, all);
}
