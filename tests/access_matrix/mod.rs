//! Design decision 5, exhaustively: {visibility} × {registry access level} × {instance option} × {everybody} × {view, pull,
//! publish, delete}, through GraphQL, through REST and through one route of each kind of every format, at every level.
//!
//! What is expected is generated from the table in `table.rs`. Single reads, lists, group and instance endpoints have to agree.

mod limited;
mod stage;
mod table;

use std::{collections::BTreeSet, sync::Arc};

use domain::{PackageFormat, RegistryAccessLevel, Role, Visibility};
use serde_json::{Value, json};
use testkit::Person;

use self::{
    stage::{Case, Notes, Stage, all, plain},
    table::{Action, Caller, Instance, Outcome, Setting, Standing, elsewhere, expected},
};
use crate::{
    doors::{self, FORMATS, Level, package_name},
    world::world,
};

const ON: Instance = Instance { enabled: true, anyone_may_pull: true };
const NOT_ANYONE: Instance = Instance { enabled: true, anyone_may_pull: false };
const OFF: Instance = Instance { enabled: false, anyone_may_pull: true };

const PACKAGE_VERSION: &str = "query V($scope: PackageScopeInput!, $type: PackageTypeEnum!, $name: String!) { \
    packageVersion(scope: $scope, packageType: $type, packageName: $name, packageVersion: \"1.0.0\") { id } }";
const PACKAGE_FILE: &str = "query F($scope: PackageScopeInput!, $type: PackageTypeEnum!, $name: String!, $file: String!) { \
    packageFile(scope: $scope, packageType: $type, packageName: $name, packageVersion: \"1.0.0\", fileName: $file) { id } }";
const PACKAGE: &str = "query P($id: PackagesPackageID!) { package(id: $id) { id } }";
const OF_PROJECT: &str = "query L($path: ID!) { project(fullPath: $path) { packages { count } } }";
const OF_GROUP: &str = "query L { group(fullPath: \"acme\") { packages(first: 100) { count nodes { name project { name } } } } }";
const OF_INSTANCE: &str =
    "query L { packages(scope: {}, first: 100) { count nodes { name project { name } } } }";
const CREATE_UPLOAD: &str =
    "mutation U($input: CreateUploadInput!) { createUpload(input: $input) { upload { id } errors } }";
const SET_TAG: &str = "mutation T($input: SetPackageTagInput!) { setPackageTag(input: $input) { errors } }";
pub(super) const DESTROY: &str =
    "mutation D($input: DestroyPackageInput!) { destroyPackage(input: $input) { errors } }";

/// The stage, with the instance set to `instance`.
async fn set(stage: &Stage, instance: Instance) {
    stage.world.switch_anyone_may_pull(instance.anyone_may_pull).await;
    stage.world.switch_registry(instance.enabled).await;
}

/// At the instance level Maven's clients ask the project of the package's own path, and are forbidden one that is hidden from them:
/// GitLab's answer. The other formats look everywhere.
fn at_instance(format: PackageFormat, setting: Setting, caller: Caller) -> Outcome {
    if format != PackageFormat::Maven {
        return elsewhere(setting, caller, false);
    }
    match expected(setting, caller, Action::Pull) {
        Outcome::Hidden => Outcome::Forbidden,
        outcome => outcome,
    }
}

/// Every kind of read of one project's packages.
async fn reads(stage: Arc<Stage>, case: Arc<Case>, instance: Instance) -> Notes {
    let mut notes = Notes::default();
    let setting = case.setting(instance);
    for (person, caller) in &case.callers {
        let pull = case.expected(*caller, Action::Pull, instance);
        for format in FORMATS {
            for (level, expected) in [
                (Level::Project(case.project.id.0), pull),
                (Level::Group(stage.group.id.0), elsewhere(setting, *caller, true)),
                (Level::Instance, at_instance(format, setting, *caller)),
            ] {
                for (what, path) in doors::reads(format, level, &case.name) {
                    let seen = plain(&stage.get(&path, person).await).to_string();
                    let what = format!("{what} at {level:?}");
                    notes.note(&what, &case.name, person, &seen, &expected.status().to_string());
                }
            }
            graphql_reads(&stage, &case, format, (person, *caller), instance, &mut notes).await;
        }
        rest_reads(&stage, &case, person, case.expected(*caller, Action::View, instance), &mut notes).await;
    }
    notes
}

async fn graphql_reads(
    stage: &Stage,
    case: &Case,
    format: PackageFormat,
    (person, caller): (&Person, Caller),
    instance: Instance,
    notes: &mut Notes,
) {
    let (view, pull) =
        (case.expected(caller, Action::View, instance), case.expected(caller, Action::Pull, instance));
    let coordinates = case.coordinates(format);
    let mut of_version = coordinates.clone();
    of_version.as_object_mut().expect("an object").remove("file");
    let seen = stage.ask(person, PACKAGE_VERSION, of_version).await;
    notes.note("packageVersion", &case.name, person, &seen, view.code());
    let seen = stage.ask(person, PACKAGE_FILE, coordinates).await;
    notes.note("packageFile", &case.name, person, &seen, pull.code());
    // What GitLab answers with null, whatever the reason.
    let id = case.ids.iter().find(|(of, _)| *of == format).map(|(_, id)| id);
    let seen = stage.world.try_graphql(person, PACKAGE, json!({ "id": id })).await;
    let seen = seen.is_ok_and(|seen| seen["data"]["package"].is_object());
    notes.note("package", &case.name, person, &seen.to_string(), &(view == Outcome::Done).to_string());
}

/// REST hides from nobody in particular instead of asking for a credential.
async fn rest_reads(stage: &Stage, case: &Case, person: &Person, view: Outcome, notes: &mut Notes) {
    let expected = match view {
        Outcome::Challenged if person.is_anonymous() => 404,
        view => view.status(),
    };
    let list = format!("/api/v4/projects/{}/packages", case.project.id);
    let number = case.ids[0].1.rsplit('/').next().expect("a global id");
    for (what, path) in [
        ("REST list", list.clone()),
        ("REST package", format!("{list}/{number}")),
        ("REST files", format!("{list}/{number}/package_files")),
    ] {
        let seen = plain(&stage.get(&path, person).await).to_string();
        notes.note(what, &case.name, person, &seen, &expected.to_string());
    }
    let variables = json!({ "path": case.project.full_path });
    let seen = stage.world.try_graphql(person, OF_PROJECT, variables).await;
    let seen = seen.map_or(Value::Null, |seen| seen["data"]["project"]["packages"]["count"].clone());
    let expected = if view == Outcome::Done { json!(FORMATS.len()) } else { Value::Null };
    notes.note("project.packages", &case.name, person, &seen.to_string(), &expected.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn view_and_pull() {
    let stage = Arc::new(Stage::new().await);
    for instance in [ON, NOT_ANYONE, OFF] {
        set(&stage, instance).await;
        all(&stage, &format!("{instance:?}"), |stage, case| reads(stage, case, instance)).await;
    }
}

/// The projects of which a list names packages; none when it is refused.
fn projects_of(connection: &Value) -> Option<BTreeSet<String>> {
    let nodes = connection["nodes"].as_array()?;
    assert_eq!(connection["count"], nodes.len(), "the count says what the page shows");
    Some(nodes.iter().filter_map(|node| node["project"]["name"].as_str().map(str::to_owned)).collect())
}

/// Lists of the group and the instance name exactly what single reads show: in pages, in counts, and in formats' own lists.
async fn lists(
    stage: &Stage,
    person: &Person,
    callers: &[(&Case, Caller)],
    instance: Instance,
    notes: &mut Notes,
) {
    let of = |action: Action| -> BTreeSet<String> {
        let shown =
            |(case, caller): &&(&Case, Caller)| case.expected(*caller, action, instance) == Outcome::Done;
        callers.iter().filter(shown).map(|(case, _)| case.name.clone()).collect()
    };
    let rejected = callers[0].1.standing == Standing::Rejected;
    let reads = callers[0].1.reads && !rejected;
    let (viewed, pulled) = (of(Action::View), of(Action::Pull));
    for (what, document, field, answers) in [
        ("group.packages", OF_GROUP, "/data/group/packages", reads && instance.enabled),
        ("packages of the instance", OF_INSTANCE, "/data/packages", !rejected),
    ] {
        let seen = stage.world.try_graphql(person, document, Value::Null).await.unwrap_or_default();
        let seen = seen.pointer(field).and_then(projects_of);
        let expected = answers.then(|| viewed.clone());
        notes.note(what, "acme", person, &format!("{seen:?}"), &format!("{expected:?}"));
    }
    let group = stage.group.id;
    let names = |answer: &testkit::Answer, list: &str, name: &str| -> Option<BTreeSet<String>> {
        if !answer.status.is_success() {
            return None;
        }
        let body = answer.json();
        let rows = body.pointer(list).and_then(Value::as_array).expect("a list");
        let name =
            |row: &Value| row.pointer(name).and_then(Value::as_str).map(|name| name.replace("@acme/", ""));
        Some(rows.iter().filter_map(name).collect())
    };
    let expected = |names: &BTreeSet<String>| format!("{:?}", (reads && instance.enabled).then_some(names));
    let rest =
        stage.get(&format!("/api/v4/groups/{group}/packages?per_page=100&package_type=npm"), person).await;
    notes.note("REST list", "acme", person, &format!("{:?}", names(&rest, "", "/name")), &expected(&viewed));
    let search =
        stage.get(&format!("/api/v4/groups/{group}/-/packages/npm/-/v1/search?size=100"), person).await;
    let found = names(&search, "/objects", "/package/name");
    notes.note("npm search", "acme", person, &format!("{found:?}"), &expected(&pulled));
    let index = format!("/api/v4/groups/{group}/-/packages/pypi/simple/");
    let accept = "application/vnd.pypi.simple.v1+json";
    let index = stage.client.get(index).header("accept", accept).by(person).send().await;
    let found = names(&index, "/projects", "/name");
    notes.note("simple index", "acme", person, &format!("{found:?}"), &expected(&pulled));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_agree() {
    let stage = Stage::new().await;
    for instance in [ON, NOT_ANYONE, OFF] {
        set(&stage, instance).await;
        let mut notes = Notes::default();
        // People are the same in every case, tokens are not: one of a project covers that project alone.
        for (number, (person, _)) in stage.cases[0].callers.iter().enumerate() {
            let of_case = |(place, case): (usize, &Arc<Case>)| {
                let mut caller = case.callers[number].1;
                // What they are to every project but the one that they were made for.
                let elsewhere = match person.name.as_str() {
                    "project reader" | "project writer" | "trusted publisher" => {
                        Some(Standing::DeployToken { covers: false })
                    }
                    "project bot" => Some(Standing::User(None)),
                    "job of the developer" => Some(Standing::ShutOutJob),
                    _ => None,
                };
                if let Some(standing) = elsewhere.filter(|_| place > 0) {
                    caller.standing = standing;
                }
                caller
            };
            let callers: Vec<_> = (stage.cases.iter().enumerate())
                .map(|(place, case)| (&**case, of_case((place, case))))
                .collect();
            lists(&stage, person, &callers, instance, &mut notes).await;
        }
        assert!(notes.complaints.is_empty(), "{instance:?}:\n{}", notes.complaints.join("\n"));
    }
}

/// Every kind of publish.
async fn publishes(stage: Arc<Stage>, case: Arc<Case>, instance: Instance) -> Notes {
    let mut notes = Notes::default();
    for (number, (person, caller)) in case.callers.iter().enumerate() {
        let outcome = case.expected(*caller, Action::Publish, instance);
        let status = outcome.status().to_string();
        let name = format!("{}-{number}-{}", case.name, u8::from(instance.anyone_may_pull));
        for format in FORMATS {
            let request = doors::publish(&stage.client, format, &case.project, &name);
            let seen = plain(&request.by(person).send().await).to_string();
            notes.note(&format!("{format:?} publish"), &case.name, person, &seen, &status);
            let input = json!({
                "projectPath": case.project.full_path, "packageType": format.sdl_name(),
                "packageName": package_name(format, &name), "packageVersion": "2.0.0",
                "fileName": doors::file_name(format, &name).replace("1.0.0", "2.0.0"),
            });
            let seen = stage.ask(person, CREATE_UPLOAD, json!({ "input": input })).await;
            notes.note("createUpload", &case.name, person, &seen, outcome.code());
        }
        // Tags are published, too.
        let packages = format!("/api/v4/projects/{}/packages", case.project.id);
        let path = format!("{packages}/npm/-/package/@acme%2f{}/dist-tags/next", case.name);
        let seen = plain(&stage.client.put(path).json(&json!("1.0.0")).by(person).send().await).to_string();
        notes.note("dist-tag add", &case.name, person, &seen, &status);
        let input = json!({ "scope": case.scope(), "packageType": "NPM", "tag": "newest",
            "packageName": format!("@acme/{}", case.name), "packageVersion": "1.0.0" });
        let seen = stage.ask(person, SET_TAG, json!({ "input": input })).await;
        notes.note("setPackageTag", &case.name, person, &seen, outcome.code());
    }
    notes
}

#[tokio::test(flavor = "multi_thread")]
async fn publish() {
    let stage = Arc::new(Stage::new().await);
    for instance in [ON, NOT_ANYONE] {
        set(&stage, instance).await;
        all(&stage, &format!("{instance:?}"), |stage, case| publishes(stage, case, instance)).await;
    }
    stage.world.nothing_stays_staged().await;
}

/// Every kind of delete. Whoever is refused is refused the case's own packages, which are there in the end; whoever is not
/// deletes what was published for that.
async fn deletes(stage: Arc<Stage>, case: Arc<Case>, instance: Instance) -> Notes {
    let mut notes = Notes::default();
    for (number, (person, caller)) in case.callers.iter().enumerate() {
        let outcome = case.expected(*caller, Action::Delete, instance);
        let status = outcome.status().to_string();
        for (format, standing) in &case.ids {
            let mut victims = Vec::new();
            for door in ["own", "rest", "graphql"] {
                let name = format!("{}-{number}-{door}-{}", case.name, u8::from(instance.anyone_may_pull));
                let victim = match outcome {
                    Outcome::Done => (stage.publish(&case.project, *format, &name).await, name),
                    _ => (standing.clone(), case.name.clone()),
                };
                victims.push(victim);
            }
            if let Some(path) = doors::deletes(*format, &case.project, &victims[0].1) {
                let seen = plain(&stage.client.delete(path).by(person).send().await).to_string();
                notes.note(&format!("{format:?} delete"), &case.name, person, &seen, &status);
            }
            let id = victims[1].0.rsplit('/').next().expect("a global id");
            let path = format!("/api/v4/projects/{}/packages/{id}", case.project.id);
            let seen = plain(&stage.client.delete(path).by(person).send().await).to_string();
            notes.note("REST delete", &case.name, person, &seen, &status);
            let seen = stage.ask(person, DESTROY, json!({ "input": { "id": victims[2].0 } })).await;
            notes.note("destroyPackage", &case.name, person, &seen, outcome.code());
        }
    }
    // Nothing that was refused happened.
    if case.project.registry != RegistryAccessLevel::Disabled {
        let owner = &stage.world.people.owner;
        for (_, id) in &case.ids {
            let found = stage.world.graphql(owner, PACKAGE, json!({ "id": id })).await;
            notes.note(
                "what was refused",
                &case.name,
                owner,
                &found["data"]["package"]["id"].to_string(),
                &json!(id).to_string(),
            );
        }
    }
    notes
}

#[tokio::test(flavor = "multi_thread")]
async fn delete() {
    let stage = Arc::new(Stage::new().await);
    for instance in [ON, NOT_ANYONE] {
        set(&stage, instance).await;
        all(&stage, &format!("{instance:?}"), |stage, case| deletes(stage, case, instance)).await;
    }
}

/// "Allow anyone to pull" opens a private project in a private group at the group's endpoints, and nothing beside it.
#[tokio::test(flavor = "multi_thread")]
async fn an_open_registry_in_a_private_group() {
    let (world, client) = world().await;
    let group = world.group("acme", Visibility::Private).await;
    let mut open = world.project(&group, "open", Visibility::Private).await;
    let shut = world.project(&group, "shut", Visibility::Private).await;
    let people = &world.people;
    for (project, name) in [(&open, "open"), (&shut, "shut")] {
        for format in FORMATS {
            let answer = doors::publish(&client, format, project, name).by(&people.developer).send().await;
            assert!(answer.status.is_success(), "{}", answer.described);
        }
    }
    let member = people.guest.clone();
    world.join(&shut, &member, Role::Reporter).await;
    for level in [RegistryAccessLevel::Enabled, RegistryAccessLevel::Public] {
        world.set_registry(&mut open, level).await;
        let opened = level == RegistryAccessLevel::Public;
        for format in FORMATS {
            for (person, name, expected) in [
                (&people.anonymous, "open", if opened { 200 } else { 401 }),
                (&people.outsider, "open", if opened { 200 } else { 404 }),
                (&people.anonymous, "shut", 401),
                (&people.outsider, "shut", 404),
                (&member, "shut", 200),
            ] {
                for (what, path) in doors::reads(format, Level::Group(group.id.0), name) {
                    let seen = plain(&client.get(path).by(person).send().await);
                    assert_eq!(seen, expected, "{what} of {name} by {} with {level:?}", person.name);
                }
            }
        }
    }
}
