//! The projects and the people of the matrix.

use std::sync::Arc;

use domain::{PackageFormat, RegistryAccessLevel, Role, Scope, Visibility};
use serde_json::{Value, json};
use testkit::{Answer, Client, Group, Person, Project, World};

use super::table::{Action, Caller, Instance, Outcome, Setting, Standing, expected};
use crate::{
    doors::{self, FORMATS, file_name, package_name},
    limits::count_no_wrong_credentials,
    world::{code, world},
};

/// A project of one visibility and access level, with a package of every format that is called like it, and those who ask.
pub(crate) struct Case {
    pub(crate) project: Project,
    pub(crate) name: String,
    pub(crate) callers: Vec<(Person, Caller)>,
    /// The global ids of the packages.
    pub(crate) ids: Vec<(PackageFormat, String)>,
}

/// Twelve cases in a public group.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) client: Client,
    pub(crate) group: Group,
    pub(crate) cases: Vec<Arc<Case>>,
}

const VERSION: &str = "query V($scope: PackageScopeInput!, $type: PackageTypeEnum!, $name: String!) { \
    packageVersion(scope: $scope, packageType: $type, packageName: $name, packageVersion: \"1.0.0\") { id } }";

/// Success as 200, whatever its kind.
pub(crate) fn plain(answer: &Answer) -> u16 {
    if answer.status.is_success() { 200 } else { answer.status.as_u16() }
}

impl Stage {
    /// The cases, published while all registries are on, and then set to what they stand for.
    pub(crate) async fn new() -> Self {
        let (world, client) = world().await;
        count_no_wrong_credentials(&world).await;
        let group = world.group("acme", Visibility::Public).await;
        let mut stage = Self { world, client, group, cases: Vec::new() };
        for visibility in Visibility::ALL {
            for level in RegistryAccessLevel::ALL {
                let case = stage.case(*visibility, *level).await;
                stage.cases.push(Arc::new(case));
            }
        }
        stage
    }

    async fn case(&self, visibility: Visibility, level: RegistryAccessLevel) -> Case {
        let name = format!("{}-{}", visibility.name(), level.name());
        let mut project = self.world.project(&self.group, &name, visibility).await;
        let mut ids = Vec::new();
        for format in FORMATS {
            ids.push((format, self.publish(&project, format, &name).await));
        }
        self.world.set_registry(&mut project, level).await;
        let callers = self.callers(&project).await;
        Case { project, name, callers, ids }
    }

    /// Publishes `name` as an owner, and gives the global id.
    pub(crate) async fn publish(&self, project: &Project, format: PackageFormat, name: &str) -> String {
        let owner = &self.world.people.owner;
        let answer = doors::publish(&self.client, format, project, name).by(owner).send().await;
        assert!(answer.status.is_success(), "{}: {}", answer.described, answer.text());
        let scope = json!({ "projectPath": project.full_path });
        let variables =
            json!({ "scope": scope, "type": format.sdl_name(), "name": package_name(format, name) });
        let found = self.world.graphql(owner, VERSION, variables).await;
        found["data"]["packageVersion"]["id"].as_str().unwrap_or_else(|| panic!("{found}")).to_owned()
    }

    /// Everybody, with what they are to `project`.
    async fn callers(&self, project: &Project) -> Vec<(Person, Caller)> {
        let (world, people) = (&self.world, &self.world.people);
        let full = |standing| Caller { standing, reads: true, writes: true };
        let reader = |standing| Caller { standing, reads: true, writes: false };
        let user = |person: &Person| Standing::User(person.role);
        let mut callers = Vec::new();
        for person in [&people.impostor, &people.revoked, &people.expired] {
            callers.push((person.clone(), full(Standing::Rejected)));
        }
        callers.push((people.anonymous.clone(), full(Standing::Nobody)));
        callers.push((people.administrator.clone(), full(Standing::Administrator)));
        for person in [
            &people.outsider,
            &people.guest,
            &people.reporter,
            &people.developer,
            &people.maintainer,
            &people.owner,
            &people.writer,
        ] {
            callers.push((person.clone(), full(user(person))));
        }
        for person in [&people.reader, &people.api_reader] {
            callers.push((person.clone(), reader(user(person))));
        }
        let path =
            |what: &str| format!("{what}-{}", project.full_path.rsplit('/').next().unwrap_or_default());
        let elsewhere = world.deserted_group(&path("elsewhere"), Visibility::Private).await;
        let sibling = world.project(&self.group, &path("sibling"), Visibility::Private).await;
        let (reads, writes) = (Scope::ReadPackageRegistry, Scope::WritePackageRegistry);
        let token = |covers| Standing::DeployToken { covers };
        let nothing = Caller { standing: token(true), reads: false, writes: false };
        let [developer, maintainer] =
            [Role::Developer, Role::Maintainer].map(|role| Standing::User(Some(role)));
        for (name, mut person, caller) in [
            ("project reader", world.deploy_token(project, reads).await, reader(token(true))),
            ("project writer", world.deploy_token(project, writes).await, full(token(true))),
            (
                "group reader",
                world.group_deploy_token(&self.group, reads).await,
                reader(Standing::GroupDeployToken),
            ),
            (
                "group writer",
                world.group_deploy_token(&self.group, writes).await,
                full(Standing::GroupDeployToken),
            ),
            ("writer of a sibling", world.deploy_token(&sibling, writes).await, full(token(false))),
            ("writer elsewhere", world.group_deploy_token(&elsewhere, writes).await, full(token(false))),
            ("repository reader", world.deploy_token(project, Scope::ReadRepository).await, nothing),
            ("project bot", world.project_bot(project, Role::Developer).await, full(developer)),
            ("group bot", world.group_bot(&self.group, Role::Maintainer).await, full(maintainer)),
            ("job of the developer", world.job(project, &people.developer).await, full(developer)),
            ("job of a sibling", world.job(&sibling, &people.maintainer).await, full(Standing::ShutOutJob)),
            ("trusted publisher", world.trusted_publisher(project).await, full(Standing::TrustedPublisher)),
            ("publisher of a sibling", world.trusted_publisher(&sibling).await, full(token(false))),
        ] {
            name.clone_into(&mut person.name);
            callers.push((person, caller));
        }
        callers
    }

    /// The outcome of a document at the open door: `OK`, or the code of its first error.
    pub(crate) async fn ask(&self, person: &Person, document: &str, variables: Value) -> String {
        code(&self.world, person, document, variables).await
    }

    pub(crate) async fn get(&self, path: &str, person: &Person) -> Answer {
        self.client.get(path).by(person).send().await
    }
}

impl Case {
    pub(crate) fn setting(&self, instance: Instance) -> Setting {
        Setting { visibility: self.project.visibility, level: self.project.registry, instance }
    }

    pub(crate) fn expected(&self, caller: Caller, action: Action, instance: Instance) -> Outcome {
        expected(self.setting(instance), caller, action)
    }

    pub(crate) fn scope(&self) -> Value {
        json!({ "projectPath": self.project.full_path })
    }

    /// Variables that name the package of `format`, and its file.
    pub(crate) fn coordinates(&self, format: PackageFormat) -> Value {
        json!({
            "scope": self.scope(), "type": format.sdl_name(),
            "name": package_name(format, &self.name), "file": file_name(format, &self.name),
        })
    }
}

/// What was seen of a case that should have been otherwise.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) complaints: Vec<String>,
    pub(crate) checked: usize,
}

impl Notes {
    /// Notes what was seen, and complains unless it was expected.
    pub(crate) fn note(&mut self, what: &str, place: &str, person: &Person, seen: &str, expected: &str) {
        self.checked += 1;
        if seen != expected {
            self.complaints
                .push(format!("{what} of {place} by {}: {seen}, expected {expected}", person.name));
        }
    }
}

/// Runs `check` on every case at once, and fails with everything that was otherwise than expected.
pub(crate) async fn all<F, Fut>(stage: &Arc<Stage>, what: &str, check: F)
where
    F: Fn(Arc<Stage>, Arc<Case>) -> Fut,
    Fut: Future<Output = Notes> + Send + 'static,
{
    let running: Vec<_> =
        stage.cases.iter().map(|case| tokio::spawn(check(Arc::clone(stage), Arc::clone(case)))).collect();
    let mut notes = Notes::default();
    for case in running {
        let of_case = case.await.expect("no panic");
        notes.complaints.extend(of_case.complaints);
        notes.checked += of_case.checked;
    }
    assert!(
        notes.complaints.is_empty(),
        "{what}, of {} checks:\n{}",
        notes.checked,
        notes.complaints.join("\n")
    );
    assert!(notes.checked > 0, "{what}: nothing was checked");
}
