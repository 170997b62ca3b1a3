//! Design decision 5, through real protocols: visibility × registry access level × person × action.
//!
//! What is expected is computed from `access::decide`, whose own tests hold the table; what is tested here is that every door
//! asks it, for the right thing, and tells the answer in its dialect. Single reads, lists and group and instance endpoints
//! have to agree.

use std::{fmt::Write as _, sync::Arc};

use access::{Action, Denied, Facts, InstanceFacts, ProjectFacts, decide};
use domain::{RegistryAccessLevel, Role, Scope, Visibility};
use serde_json::{Value, json};
use testkit::{Answer, Client, Group, Person, Project, World, artefacts::npm};

use crate::world::world;

/// Somebody who asks, and whether their deploy token was made for the project or a group above it.
struct Caller {
    person: Person,
    covered: bool,
}

/// A project with something in it, and the number of its combination.
struct Case {
    project: Project,
    number: usize,
}

struct Matrix {
    world: World,
    client: Client,
    group: Group,
    cases: Vec<Case>,
    complaints: String,
    checked: usize,
}

/// A deploy token whose scope opens nothing here.
const OF_ANOTHER_KIND: &str = "token of another kind";

const PACKAGE_VERSION: &str = "query V($scope: PackageScopeInput!, $type: PackageTypeEnum!, $name: String!) { \
    packageVersion(scope: $scope, packageType: $type, packageName: $name, packageVersion: \"1.0.0\") { id } }";
const CREATE_UPLOAD: &str =
    "mutation U($input: CreateUploadInput!) { createUpload(input: $input) { upload { id } errors } }";
const DESTROY: &str = "mutation D($input: DestroyPackageInput!) { destroyPackage(input: $input) { errors } }";

impl Matrix {
    /// Twelve projects of a public group, each with an npm package and a generic one of its own name.
    async fn new() -> Self {
        let (world, client) = world().await;
        let group = world.group("acme", Visibility::Public).await;
        let mut cases = Vec::new();
        for visibility in Visibility::ALL {
            for level in RegistryAccessLevel::ALL {
                let path = format!("{}-{}", visibility.name(), level.name());
                let mut project = world.project(&group, &path, *visibility).await;
                project.registry = *level;
                cases.push(Case { project, number: cases.len() });
            }
        }
        let matrix = Self { world, client, group, cases, complaints: String::new(), checked: 0 };
        for case in &matrix.cases {
            let owner = &matrix.world.people.owner;
            matrix.publish_npm(case, &case.name(), owner).await.expect(200);
            matrix.publish_generic(case, &case.name(), owner).await.expect(201);
        }
        matrix
    }

    /// Gives every project the level it stands for; until then all can be published to.
    async fn close_doors(&mut self) {
        for case in &mut self.cases {
            let level = case.project.registry;
            self.world.set_registry(&mut case.project, level).await;
        }
    }

    async fn callers(&self, case: &Case) -> Vec<Caller> {
        let world = &self.world;
        let elsewhere =
            world.deserted_group(&format!("elsewhere-{}", case.number), Visibility::Private).await;
        let sibling =
            world.project(&self.group, &format!("sibling-{}", case.number), Visibility::Private).await;
        let read = Scope::ReadPackageRegistry;
        let write = Scope::WritePackageRegistry;
        let mut callers: Vec<Caller> = world
            .people
            .all()
            .into_iter()
            .map(|person| Caller { person: person.clone(), covered: false })
            .collect();
        for (mut person, covered, name) in [
            (world.deploy_token(&case.project, read).await, true, "project reader"),
            (world.deploy_token(&case.project, write).await, true, "project writer"),
            (world.group_deploy_token(&self.group, read).await, true, "group reader"),
            (world.group_deploy_token(&self.group, write).await, true, "group writer"),
            (world.deploy_token(&sibling, write).await, false, "writer of a sibling"),
            (world.group_deploy_token(&elsewhere, write).await, false, "writer of another group"),
            (world.deploy_token(&case.project, Scope::ReadRepository).await, true, OF_ANOTHER_KIND),
        ] {
            name.clone_into(&mut person.name);
            callers.push(Caller { person, covered });
        }
        callers
    }

    async fn publish_npm(&self, case: &Case, name: &str, person: &Person) -> Answer {
        let document = npm::Version::new(name, "1.0.0").document();
        self.client.put(case.project(&format!("npm/{name}"))).json(&document).by(person).send().await
    }

    async fn publish_generic(&self, case: &Case, name: &str, person: &Person) -> Answer {
        let path = case.project(&format!("generic/{name}/1.0.0/file.bin"));
        self.client.put(path).body("content").by(person).send().await
    }

    async fn get(&self, path: String, person: &Person) -> Answer {
        self.client.get(path).by(person).send().await
    }

    /// The outcome of a document at the open door: `OK`, or the code of its first error.
    async fn ask(&self, person: &Person, document: &str, variables: Value) -> String {
        let response = match self.world.try_graphql(person, document, variables).await {
            Ok(response) => response,
            Err(failure) => return failure.code.name().to_owned(),
        };
        match response["errors"][0]["extensions"]["code"].as_str() {
            Some(code) => code.to_owned(),
            None if response["errors"].is_array() => response["errors"].to_string(),
            None if response["data"].to_string().contains("\"errors\":[\"") => response["data"].to_string(),
            None => "OK".to_owned(),
        }
    }

    fn note(
        &mut self,
        what: &str,
        case: &Case,
        caller: &Caller,
        seen: impl ToString,
        expected: impl ToString,
    ) {
        self.checked += 1;
        let (seen, expected) = (seen.to_string(), expected.to_string());
        if seen != expected {
            let _ = writeln!(
                self.complaints,
                "{what} of {} by {}: {seen}, expected {expected}",
                case.name(),
                caller.person.name
            );
        }
    }

    fn finish(self) {
        assert!(self.complaints.is_empty(), "of {} checks:\n{}", self.checked, self.complaints);
    }
}

impl Case {
    /// What the project and its packages are called.
    fn name(&self) -> String {
        format!("{}-{}", self.project.visibility.name(), self.project.registry.name())
    }

    fn project(&self, rest: &str) -> String {
        format!("/api/v4/projects/{}/packages/{rest}", self.project.id)
    }

    fn scope(&self) -> Value {
        json!({ "projectPath": self.project.full_path })
    }
}

/// What the decision is.
fn expected(
    case: &Case,
    caller: &Caller,
    action: Action,
    instance: InstanceFacts,
) -> Option<Result<(), Denied>> {
    let facts = ProjectFacts {
        id: case.project.id,
        visibility: case.project.visibility,
        registry: case.project.registry,
        role: caller.person.role.filter(|_| caller.person.user().is_some()),
        token_covers: caller.covered,
        instance,
    };
    let accepted = caller.person.accepted;
    accepted.then(|| decide(caller.person.viewer(), action, &Facts::Project(facts)))
}

/// The status that formats answer a decision with; none stands for a credential that is not accepted.
fn status(decision: Option<Result<(), Denied>>) -> u16 {
    match decision {
        None | Some(Err(Denied::Unauthenticated)) => 401,
        Some(Ok(())) => 200,
        Some(Err(Denied::Hidden | Denied::InstanceRegistryDisabled)) => 404,
        Some(Err(Denied::Forbidden | Denied::InsufficientScope | Denied::RegistryDisabled)) => 403,
    }
}

/// The code of the GraphQL error.
fn code(decision: Option<Result<(), Denied>>) -> &'static str {
    match decision {
        None | Some(Err(Denied::Unauthenticated)) => "UNAUTHENTICATED",
        Some(Ok(())) => "OK",
        Some(Err(Denied::Hidden)) => "NOT_FOUND",
        Some(Err(Denied::Forbidden | Denied::InsufficientScope)) => "FORBIDDEN",
        Some(Err(Denied::RegistryDisabled | Denied::InstanceRegistryDisabled)) => "REGISTRY_DISABLED",
    }
}

/// Success as 200, whatever its kind.
fn plain(answer: &Answer) -> u16 {
    if answer.status.is_success() { 200 } else { answer.status.as_u16() }
}

async fn reads(matrix: &mut Matrix, instance: InstanceFacts) {
    let cases = std::mem::take(&mut matrix.cases);
    for case in &cases {
        for caller in matrix.callers(case).await {
            let name = case.name();
            let person = &caller.person;
            let pull = expected(case, &caller, Action::PullPackages, instance);
            let view = expected(case, &caller, Action::ViewPackages, instance);
            for (what, path) in [
                ("packument", format!("npm/{name}")),
                ("tags", format!("npm/-/package/{name}/dist-tags")),
                ("tarball", format!("npm/{name}/-/{name}-1.0.0.tgz")),
                ("generic file", format!("generic/{name}/1.0.0/file.bin")),
            ] {
                let answer = matrix.get(case.project(&path), person).await;
                matrix.note(what, case, &caller, plain(&answer), status(pull));
            }
            let variables = json!({ "scope": case.scope(), "type": "NPM", "name": name });
            let answer = matrix.ask(person, PACKAGE_VERSION, variables).await;
            matrix.note("packageVersion", case, &caller, answer, code(view));
            // At the other levels a package that may not be pulled is not there.
            let elsewhere = match (instance.registry_enabled, pull) {
                (_, None) => 401,
                (true, Some(Ok(()))) => 200,
                (false, _) if person.is_anonymous() => 404,
                (_, Some(_)) if person.is_anonymous() => 401,
                (_, Some(_)) => 404,
            };
            // The group itself is asked for, before anything in it: a token that reads no packages is told so.
            let of_group = match elsewhere {
                404 if instance.registry_enabled && person.name == OF_ANOTHER_KIND => 403,
                status => status,
            };
            let group = format!("/api/v4/groups/{}/-/packages", matrix.group.id);
            for (what, path) in [
                ("packument of the group", format!("{group}/npm/{name}")),
                ("generic file of the group", format!("{group}/generic/{name}/1.0.0/file.bin")),
            ] {
                let answer = matrix.get(path, person).await;
                matrix.note(what, case, &caller, plain(&answer), of_group);
            }
            if instance.registry_enabled {
                let path = format!("/api/v4/packages/generic/{name}/1.0.0/file.bin");
                let answer = matrix.get(path, person).await;
                matrix.note("generic file of the instance", case, &caller, plain(&answer), elsewhere);
            }
        }
    }
    matrix.cases = cases;
}

#[tokio::test(flavor = "multi_thread")]
async fn view_and_pull() {
    let mut matrix = Matrix::new().await;
    matrix.close_doors().await;
    reads(&mut matrix, InstanceFacts::default()).await;
    matrix.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn view_and_pull_when_the_instance_forbids_open_registries() {
    let mut matrix = Matrix::new().await;
    matrix.close_doors().await;
    matrix.world.switch_anyone_may_pull(false).await;
    reads(&mut matrix, InstanceFacts { anyone_may_pull: false, ..InstanceFacts::default() }).await;
    matrix.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn view_and_pull_when_the_registry_of_the_instance_is_off() {
    let mut matrix = Matrix::new().await;
    matrix.close_doors().await;
    matrix.world.switch_registry(false).await;
    reads(&mut matrix, InstanceFacts { registry_enabled: false, ..InstanceFacts::default() }).await;
    matrix.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn publish() {
    let mut matrix = Matrix::new().await;
    matrix.close_doors().await;
    let cases = std::mem::take(&mut matrix.cases);
    for case in &cases {
        for (number, caller) in matrix.callers(case).await.into_iter().enumerate() {
            let decision = expected(case, &caller, Action::PublishPackages, InstanceFacts::default());
            let name = format!("{}-{number}", case.name());
            let answer = matrix.publish_npm(case, &name, &caller.person).await;
            matrix.note("npm publish", case, &caller, plain(&answer), status(decision));
            let answer = matrix.publish_generic(case, &name, &caller.person).await;
            matrix.note("generic upload", case, &caller, plain(&answer), status(decision));
            let input = json!({
                "projectPath": case.project.full_path, "packageType": "GENERIC", "packageName": name,
                "packageVersion": "1.0.0", "fileName": "file.bin",
            });
            let answer = matrix.ask(&caller.person, CREATE_UPLOAD, json!({ "input": input })).await;
            matrix.note("createUpload", case, &caller, answer, code(decision));
            // Tags are published, too.
            let path = case.project(&format!("npm/-/package/{}/dist-tags/next", case.name()));
            let answer = matrix.client.put(path).json(&json!("1.0.0")).by(&caller.person).send().await;
            matrix.note("dist-tag add", case, &caller, plain(&answer), status(decision));
        }
    }
    matrix.world.nothing_stays_staged().await;
    matrix.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn delete() {
    let mut matrix = Matrix::new().await;
    let owner = matrix.world.people.owner.clone();
    let mut callers = Vec::new();
    let mut victims = Vec::new();
    for case in &matrix.cases {
        let of_case = matrix.callers(case).await;
        for number in 0..of_case.len() {
            for door in ["npm", "graphql"] {
                matrix
                    .publish_npm(case, &format!("{}-{door}-{number}", case.name()), &owner)
                    .await
                    .expect(200);
            }
            let name = format!("{}-graphql-{number}", case.name());
            let variables = json!({ "scope": case.scope(), "type": "NPM", "name": name });
            let found = matrix.world.graphql(&owner, PACKAGE_VERSION, variables).await;
            victims.push(found["data"]["packageVersion"]["id"].clone());
        }
        callers.push(of_case);
    }
    let mut victims = victims.into_iter();
    matrix.close_doors().await;
    let cases = std::mem::take(&mut matrix.cases);
    for (case, callers) in cases.iter().zip(callers) {
        for (number, caller) in callers.into_iter().enumerate() {
            let decision = expected(case, &caller, Action::DestroyPackages, InstanceFacts::default());
            let name = format!("{}-npm-{number}", case.name());
            let path = case.project(&format!("npm/{name}/-/{name}-1.0.0.tgz"));
            let answer = matrix.client.delete(path).by(&caller.person).send().await;
            matrix.note("npm unpublish", case, &caller, plain(&answer), status(decision));
            let id = victims.next();
            let answer = matrix.ask(&caller.person, DESTROY, json!({ "input": { "id": id } })).await;
            matrix.note("destroyPackage", case, &caller, answer, code(decision));
        }
    }
    matrix.finish();
}

/// "Allow anyone to pull" opens a private project in a private group at the group's endpoints, and nothing beside it.
#[tokio::test(flavor = "multi_thread")]
async fn an_open_registry_in_a_private_group() {
    let (world, client) = world().await;
    let client = Arc::new(client);
    let group = world.group("hidden", Visibility::Private).await;
    let mut open = world.project(&group, "open", Visibility::Private).await;
    let shut = world.project(&group, "shut", Visibility::Private).await;
    for (project, name) in [(&open, "open"), (&shut, "shut")] {
        let path = format!("/api/v4/projects/{}/packages/npm/{name}", project.id);
        let document = npm::Version::new(name, "1.0.0").document();
        client.put(path).json(&document).by(&world.people.developer).send().await.expect(200);
    }
    let of_group = |name: &str| format!("/api/v4/groups/{}/-/packages/npm/{name}", group.id);
    let people = &world.people;
    client.get(of_group("open")).send().await.expect(401);
    client.get(of_group("open")).by(&people.outsider).send().await.expect(404);
    world.set_registry(&mut open, RegistryAccessLevel::Public).await;
    client.get(of_group("open")).send().await.expect(200);
    client.get(of_group("open")).by(&people.outsider).send().await.expect(200);
    client.get(of_group("shut")).send().await.expect(401);
    client.get(of_group("shut")).by(&people.outsider).send().await.expect(404);
    let member = world.people.outsider.clone();
    world.join(&shut, &member, Role::Reporter).await;
    client.get(of_group("shut")).by(&member).send().await.expect(200);
}
