//! The registry switched off for a project, a group with everything below, or the instance; and the instance's option that
//! lets registries be open to everyone. On every format and level, by GraphQL and by REST.

use std::{collections::BTreeSet, fmt::Write as _};

use domain::{PackageFormat, RegistryAccessLevel, Visibility};
use serde_json::{Value, json};
use testkit::{Client, Group, Person, Project, World};

use crate::{
    doors::{self, FORMATS, Level},
    world::{code, world},
};

const SETTINGS: &str = "/api/v4/application/settings";
const UPDATE_GROUP: &str = "mutation G($input: UpdateGroupInput!) { updateGroup(input: $input) { errors group { \
    packageRegistryEnabled packageRegistryAvailable } } }";
const UPDATE_PROJECT: &str =
    "mutation P($input: UpdateProjectInput!) { updateProject(input: $input) { errors } }";
const LISTS: &str = "query L($project: ID!, $sub: ID!) { project(fullPath: $project) { packages { count } } \
    sub: group(fullPath: $sub) { packageRegistryEnabled packageRegistryAvailable packages { count } } }";
const OF_GROUP: &str = "query A { group(fullPath: \"acme\") { packages { count nodes { name } } } }";
const VERSION: &str = "query V($scope: PackageScopeInput!, $name: String!) { packageVersion(scope: $scope, \
    packageType: GENERIC, packageName: $name, packageVersion: \"1.0.0\") { id } }";

/// `acme/sub/inside` and `acme/beside`, all public, with a package of every format in each project.
struct Stage {
    world: World,
    client: Client,
    acme: Group,
    sub: Group,
    inside: Project,
    beside: Project,
    complaints: String,
}

/// What a read is answered with at each level, for the package of `inside`.
#[derive(Clone, Copy)]
struct Answers {
    project: u16,
    sub: u16,
    acme: u16,
    instance: u16,
}

const ON: Answers = Answers { project: 200, sub: 200, acme: 200, instance: 200 };
const PROJECT_OFF: Answers = Answers { project: 403, sub: 404, acme: 404, instance: 404 };
const SUB_OFF: Answers = Answers { project: 403, sub: 403, acme: 404, instance: 404 };
const ACME_OFF: Answers = Answers { project: 403, sub: 403, acme: 403, instance: 404 };
const INSTANCE_OFF: Answers = Answers { project: 404, sub: 404, acme: 404, instance: 404 };

impl Stage {
    async fn new() -> Self {
        let (world, client) = world().await;
        let acme = world.group("acme", Visibility::Public).await;
        let sub = world.subgroup(&acme, "sub", Visibility::Public).await;
        let inside = world.project(&sub, "inside", Visibility::Public).await;
        let beside = world.project(&acme, "beside", Visibility::Public).await;
        let stage = Self { world, client, acme, sub, inside, beside, complaints: String::new() };
        for (project, name) in [(&stage.inside, "inside"), (&stage.beside, "beside")] {
            for format in FORMATS {
                let request = doors::publish(&stage.client, format, project, name);
                let answer = request.by(&stage.world.people.developer).send().await;
                assert!(answer.status.is_success(), "{}: {}", answer.described, answer.text());
            }
        }
        stage
    }

    async fn compare(&mut self, state: &str, format: PackageFormat, level: Level, name: &str, expected: u16) {
        for person in [self.world.people.owner.clone(), self.world.people.administrator.clone()] {
            for (what, path) in doors::reads(format, level, name) {
                let seen = self.client.get(path).by(&person).send().await.status.as_u16();
                if seen != expected {
                    let _ = writeln!(
                        self.complaints,
                        "{state}: {what} of {name} at {level:?} by {}: {seen}, expected {expected}",
                        person.name
                    );
                }
            }
        }
    }

    /// Reads everything, publishes to `inside`, and compares; `beside` is what the other project is answered with.
    async fn check(&mut self, state: &str, inside: Answers, beside: Answers) {
        let levels = |project: &Project, answers: Answers| {
            [
                (Level::Project(project.id.0), answers.project),
                (Level::Group(self.acme.id.0), answers.acme),
                (Level::Instance, answers.instance),
            ]
        };
        let (of_inside, of_beside) = (levels(&self.inside, inside), levels(&self.beside, beside));
        for format in FORMATS {
            for (level, expected) in of_inside {
                // At the instance level Maven's clients ask the project of the package's own path, which is another one.
                if (format, level) != (PackageFormat::Maven, Level::Instance) {
                    self.compare(state, format, level, "inside", expected).await;
                }
            }
            self.compare(state, format, Level::Group(self.sub.id.0), "inside", inside.sub).await;
            for (level, expected) in of_beside {
                let of_project = (format, level) == (PackageFormat::Maven, Level::Instance);
                let expected = if of_project { beside.project } else { expected };
                self.compare(state, format, level, "beside", expected).await;
            }
            if inside.project != 200 {
                let request = doors::publish(&self.client, format, &self.inside, "another");
                let seen = request.by(&self.world.people.owner).send().await.status.as_u16();
                if seen != inside.project {
                    let _ = writeln!(self.complaints, "{state}: publish of {format:?}: {seen}");
                }
            }
        }
        self.graphql(state, inside).await;
    }

    /// The same through GraphQL: what is off is refused by name, and left out of lists and counts.
    async fn graphql(&mut self, state: &str, answers: Answers) {
        let owner = self.world.people.owner.clone();
        let code_of = |status: u16| match status {
            200 => "OK",
            _ if answers.project == 200 => "NOT_FOUND",
            _ => "REGISTRY_DISABLED",
        };
        let scope = json!({ "projectPath": self.inside.full_path });
        let variables = json!({ "scope": scope, "name": "inside" });
        let seen = code(&self.world, &owner, VERSION, variables).await;
        assert_eq!(seen, code_of(answers.project), "{state}: packageVersion");
        let variables = json!({ "project": self.inside.full_path, "sub": self.sub.full_path });
        let lists = self.world.graphql(&owner, LISTS, variables).await;
        let of_project = if answers.project == 200 { json!({ "count": 4 }) } else { Value::Null };
        assert_eq!(lists["data"]["project"]["packages"], of_project, "{state}: {lists}");
        let of_sub = match (answers.sub, answers.project) {
            (200, _) => json!({ "count": 4 }),
            // The project is off, the group is not.
            (404, 403) => json!({ "count": 0 }),
            _ => Value::Null,
        };
        assert_eq!(lists["data"]["sub"]["packages"], of_sub, "{state}: {lists}");
        let rest = format!("/api/v4/groups/{}/packages?per_page=100", self.sub.id);
        let rest = self.client.get(rest).by(&owner).send().await;
        let of_rest = if of_sub.is_null() { answers.sub } else { 200 };
        assert_eq!(rest.status, of_rest, "{state}: {}", rest.text());
    }

    /// The names that the list of `acme` shows.
    async fn listed(&self) -> BTreeSet<String> {
        let answer = self.world.graphql(&self.world.people.owner, OF_GROUP, Value::Null).await;
        let packages = &answer["data"]["group"]["packages"];
        let nodes = packages["nodes"].as_array().expect("a list");
        assert_eq!(packages["count"], nodes.len(), "the count says what the page shows");
        let name =
            |node: &Value| node["name"].as_str().expect("a name").rsplit('/').next().map(str::to_owned);
        nodes.iter().filter_map(name).collect()
    }

    async fn switch_group(&self, path: &str, enabled: bool) -> Value {
        let input = json!({ "fullPath": path, "packageRegistryEnabled": enabled });
        let answer =
            self.world.graphql(&self.world.people.owner, UPDATE_GROUP, json!({ "input": input })).await;
        assert_eq!(answer["data"]["updateGroup"]["errors"], json!([]), "{answer}");
        answer["data"]["updateGroup"]["group"].clone()
    }

    async fn set_level(&self, level: &str) {
        let input = json!({ "fullPath": self.inside.full_path, "packageRegistryAccessLevel": level });
        let people = &self.world.people;
        let answer = self.world.graphql(&people.maintainer, UPDATE_PROJECT, json!({ "input": input })).await;
        assert_eq!(answer["data"]["updateProject"]["errors"], json!([]), "{answer}");
    }

    async fn put(&self, path: &str, body: Value, person: &Person) -> (u16, Value) {
        let answer = self.client.put(path).json(&body).by(person).send().await;
        (answer.status.as_u16(), answer.json())
    }

    fn finish(self) {
        assert!(self.complaints.is_empty(), "{}", self.complaints);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn off_for_a_project() {
    let mut stage = Stage::new().await;
    stage.check("on", ON, ON).await;
    stage.set_level("DISABLED").await;
    stage.check("project off", PROJECT_OFF, ON).await;
    assert_eq!(stage.listed().await, ["beside".to_owned()].into());
    // Back on, by GitLab's older switch, with what was there.
    let path = format!("/api/v4/projects/{}", stage.inside.id);
    let (status, project) =
        stage.put(&path, json!({ "packages_enabled": true }), &stage.world.people.maintainer).await;
    assert_eq!((status, &project["package_registry_access_level"]), (200, &json!("enabled")));
    stage.check("on again", ON, ON).await;
    stage.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn off_for_a_group_with_everything_below() {
    let mut stage = Stage::new().await;
    stage.check("on", ON, ON).await;
    let sub = stage.switch_group("acme/sub", false).await;
    assert_eq!(sub, json!({ "packageRegistryEnabled": false, "packageRegistryAvailable": false }));
    stage.check("subgroup off", SUB_OFF, ON).await;
    assert_eq!(stage.listed().await, ["beside".to_owned()].into());
    // Above, by REST: what a group below says about itself changes nothing.
    let path = format!("/api/v4/groups/{}", stage.acme.id);
    let owner = stage.world.people.owner.clone();
    let (status, group) = stage.put(&path, json!({ "package_registry_enabled": false }), &owner).await;
    assert_eq!((status, &group["package_registry_enabled"]), (200, &json!(false)));
    let sub = stage.switch_group("acme/sub", true).await;
    assert_eq!(sub, json!({ "packageRegistryEnabled": true, "packageRegistryAvailable": false }));
    stage.check("top group off", ACME_OFF, Answers { sub: 403, ..ACME_OFF }).await;
    let (_, group) = stage.put(&path, json!({ "package_registry_enabled": true }), &owner).await;
    assert_eq!(group["package_registry_enabled"], json!(true));
    stage.check("on again", ON, ON).await;
    stage.finish();
}

/// Nobody but an owner throws the switch, and an open registry below it is closed: existence stays hidden.
#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_is_off_opens_nothing() {
    let (world, client) = world().await;
    let acme = world.group("acme", Visibility::Private).await;
    let mut open = world.project(&acme, "open", Visibility::Private).await;
    let people = &world.people;
    for format in FORMATS {
        let answer = doors::publish(&client, format, &open, "open").by(&people.developer).send().await;
        assert!(answer.status.is_success(), "{}", answer.described);
    }
    world.set_registry(&mut open, RegistryAccessLevel::Public).await;
    let input = json!({ "fullPath": "acme", "packageRegistryEnabled": false });
    let variables = json!({ "input": input });
    for (person, expected) in [
        (&people.anonymous, "UNAUTHENTICATED"),
        (&people.outsider, "NOT_FOUND"),
        (&people.maintainer, "FORBIDDEN"),
        (&people.owner, "OK"),
    ] {
        assert_eq!(code(&world, person, UPDATE_GROUP, variables.clone()).await, expected, "{}", person.name);
    }
    for format in FORMATS {
        for level in [Level::Project(open.id.0), Level::Group(acme.id.0), Level::Instance] {
            for (what, path) in doors::reads(format, level, "open") {
                let seen = |person| client.get(path.as_str()).by(person).send();
                assert_eq!(seen(&people.anonymous).await.status, 401, "{what} at {level:?}");
                // GitLab's answer, to Maven's clients, for a project that is not there.
                let of_project = (format, level) == (PackageFormat::Maven, Level::Instance);
                let hidden = if of_project { 403 } else { 404 };
                assert_eq!(seen(&people.outsider).await.status, hidden, "{what} at {level:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn off_for_the_instance() {
    let mut stage = Stage::new().await;
    let administrator = stage.world.people.administrator.clone();
    let (status, settings) =
        stage.put(SETTINGS, json!({ "package_registry_enabled": false }), &administrator).await;
    assert_eq!((status, &settings["package_registry_enabled"]), (200, &json!(false)));
    stage.check("instance off", INSTANCE_OFF, INSTANCE_OFF).await;
    stage.put(SETTINGS, json!({ "package_registry_enabled": true }), &administrator).await;
    stage.check("on again", ON, ON).await;
    stage.finish();
}

/// GitLab's option: off, it closes what projects opened; on again, they are open as before.
#[tokio::test(flavor = "multi_thread")]
async fn whether_anyone_may_pull_is_the_instances_option() {
    let (world, client) = world().await;
    let acme = world.group("acme", Visibility::Private).await;
    let mut open = world.project(&acme, "open", Visibility::Private).await;
    let administrator = world.people.administrator.clone();
    for format in FORMATS {
        let answer = doors::publish(&client, format, &open, "open").by(&world.people.developer).send().await;
        assert!(answer.status.is_success(), "{}", answer.described);
    }
    world.set_registry(&mut open, RegistryAccessLevel::Public).await;
    for (allowed, expected) in [(true, 200), (false, 401), (true, 200)] {
        let body = json!({ "package_registry_allow_anyone_to_pull_option": allowed });
        let answer = client.put(SETTINGS).json(&body).by(&administrator).send().await.expect(200).json();
        assert_eq!(answer["package_registry_allow_anyone_to_pull_option"], allowed);
        let shown = client.get(SETTINGS).by(&administrator).send().await.expect(200).json();
        assert_eq!(shown, answer);
        for format in FORMATS {
            for level in [Level::Project(open.id.0), Level::Group(acme.id.0), Level::Instance] {
                for (what, path) in doors::reads(format, level, "open") {
                    let seen = client.get(path).send().await.status.as_u16();
                    assert_eq!(seen, expected, "{what} at {level:?} with {allowed}");
                }
            }
        }
    }
}

#[tokio::test]
async fn application_settings_are_for_administrators() {
    let (world, client) = world().await;
    let people = &world.people;
    let off = json!({ "package_registry_allow_anyone_to_pull_option": false });
    for (person, body, expected) in [
        (&people.anonymous, &off, 401),
        (&people.owner, &off, 403),
        (&people.owner, &json!({}), 403),
        (&people.administrator, &json!({}), 400),
        (&people.administrator, &json!({ "signup_enabled": false }), 400),
        (&people.administrator, &json!({ "package_registry_enabled": "perhaps" }), 400),
    ] {
        let answer = client.put(SETTINGS).json(body).by(person).send().await;
        assert_eq!(answer.status, expected, "{} {body}: {}", person.name, answer.text());
    }
    client.get(SETTINGS).send().await.expect(401);
    let shown = client.get(SETTINGS).by(&people.administrator).send().await.expect(200).json();
    for name in ["package_registry_allow_anyone_to_pull_option", "package_registry_enabled"] {
        assert_eq!(shown[name], true, "nothing changed: {shown}");
    }
}
