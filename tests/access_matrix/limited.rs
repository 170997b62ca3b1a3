//! Tokens that are limited by format, by a pattern of names, or by both: of what the table allows they do what is within their
//! limits, at every door.

use domain::{PackageFormat, RegistryAccessLevel, Role, Visibility};
use serde_json::{Value, json};
use testkit::{Answer, Carried, Person, Project};

use super::{
    CREATE_UPLOAD, DESTROY, ON, PACKAGE_VERSION,
    stage::{Notes, Stage, plain},
    table::{Action, Caller, Limit, Outcome, Setting, Standing, expected, limited},
};
use crate::{
    doors::{self, FORMATS, Level, package_name},
    world::{accepted, world},
};

const PERSONAL: &str = "mutation P($input: CreatePersonalAccessTokenInput!) { \
    createPersonalAccessToken(input: $input) { token errors } }";
const DEPLOY: &str =
    "mutation D($input: CreateDeployTokenInput!) { createDeployToken(input: $input) { token errors } }";
const OF_PROJECT: &str =
    "mutation A($input: CreateAccessTokenInput!) { createAccessToken(input: $input) { token errors } }";

/// One limit of each kind: a format, the package's own name, another name, both at once.
const LIMITS: [Limit; 8] = [
    Limit { format: Some(PackageFormat::Generic), fits: None },
    Limit { format: Some(PackageFormat::Npm), fits: None },
    Limit { format: Some(PackageFormat::Maven), fits: None },
    Limit { format: Some(PackageFormat::Pypi), fits: None },
    Limit { format: None, fits: Some(true) },
    Limit { format: None, fits: Some(false) },
    Limit { format: Some(PackageFormat::Npm), fits: Some(true) },
    Limit { format: Some(PackageFormat::Generic), fits: Some(false) },
];

/// Tokens of every kind are read from this header.
async fn get(stage: &Stage, path: &str, person: &Person) -> Answer {
    stage.client.get(path).by_way_of(person, Carried::Bearer).send().await
}

/// A project with a package of every format, all called like it.
struct Case {
    project: Project,
    name: String,
    ids: Vec<(PackageFormat, String)>,
}

impl Case {
    /// A token with this limit, of each kind that can have one: what it is, and what it is to the project.
    async fn callers(&self, stage: &Stage, limit: Limit) -> Vec<(Person, Caller)> {
        let (world, people) = (&stage.world, &stage.world.people);
        let pattern =
            limit.fits.map(|fits| if fits { format!("*{}*", self.name) } else { "nothing*".to_owned() });
        let mut limits = json!({});
        if let Some(format) = limit.format {
            limits["packageType"] = format.sdl_name().into();
        }
        if let Some(pattern) = pattern {
            limits["namePattern"] = pattern.into();
        }
        let packages = json!(["read_package_registry", "write_package_registry"]);
        let path = &self.project.full_path;
        let (maintainer, covers) =
            (Standing::User(Some(Role::Maintainer)), Standing::DeployToken { covers: true });
        let mut callers = Vec::new();
        for (kind, by, document, fields, standing) in [
            ("personal token", &people.maintainer, PERSONAL, json!({ "scopes": ["api"] }), maintainer),
            (
                "project token",
                &people.maintainer,
                OF_PROJECT,
                json!({ "scopes": ["api"], "projectPath": path, "accessLevel": "MAINTAINER" }),
                maintainer,
            ),
            (
                "project deploy token",
                &people.maintainer,
                DEPLOY,
                json!({ "scopes": packages, "projectPath": path }),
                covers,
            ),
            (
                "group deploy token",
                &people.owner,
                DEPLOY,
                json!({ "scopes": packages, "groupPath": "acme" }),
                Standing::GroupDeployToken,
            ),
        ] {
            let mut input = fields;
            input["name"] = kind.into();
            input["limits"] = json!([limits]);
            let made = accepted(world, by, document, input).await;
            let mut person = Person::bearing(made["token"].as_str().expect("a token"));
            person.name = format!("{kind} limited to {limits}");
            callers.push((person, Caller { standing, reads: true, writes: true }));
        }
        callers
    }

    fn expected(&self, caller: Caller, action: Action, is_within: bool) -> Outcome {
        let Project { visibility, registry, .. } = self.project;
        limited(expected(Setting { visibility, level: registry, instance: ON }, caller, action), is_within)
    }

    async fn reads(
        &self,
        stage: &Stage,
        (person, caller): (&Person, Caller),
        limit: Limit,
        (format, id): &(PackageFormat, String),
        notes: &mut Notes,
    ) {
        let format = *format;
        let pull = self.expected(caller, Action::Pull, limit.reaches(format)).status().to_string();
        for level in [Level::Project(self.project.id.0), Level::Group(stage.group.id.0), Level::Instance] {
            for (what, path) in doors::reads(format, level, &self.name) {
                let seen = plain(&get(stage, &path, person).await).to_string();
                notes.note(&format!("{what} at {level:?}"), &self.name, person, &seen, &pull);
            }
        }
        let view = self.expected(caller, Action::View, limit.reaches(format));
        let scope = json!({ "projectPath": self.project.full_path });
        let variables =
            json!({ "scope": scope, "type": format.sdl_name(), "name": package_name(format, &self.name) });
        let seen = stage.ask(person, PACKAGE_VERSION, variables).await;
        notes.note(&format!("packageVersion of {format:?}"), &self.name, person, &seen, view.code());
        // REST answers as if there were none.
        let list = format!("/api/v4/projects/{}/packages", self.project.id);
        let one = format!("{list}/{}", id.rsplit('/').next().expect("a global id"));
        let seen = plain(&get(stage, &one, person).await).to_string();
        notes.note(
            &format!("REST package of {format:?}"),
            &self.name,
            person,
            &seen,
            &view.status().to_string(),
        );
        let all = self.expected(caller, Action::View, limit.reaches_all_of(format)).status().to_string();
        let seen =
            plain(&get(stage, &format!("{list}?package_type={}", format.slug()), person).await).to_string();
        notes.note(&format!("REST list of {format:?}"), &self.name, person, &seen, &all);
    }

    async fn writes(
        &self,
        stage: &Stage,
        (person, caller): (&Person, Caller),
        limit: Limit,
        (format, standing): &(PackageFormat, String),
        (number, notes): (usize, &mut Notes),
    ) {
        let format = *format;
        let publish = self.expected(caller, Action::Publish, limit.reaches(format));
        let name = format!("{}-{number}", self.name);
        let request = doors::publish(&stage.client, format, &self.project, &name);
        let seen = plain(&request.by_way_of(person, Carried::Bearer).send().await).to_string();
        notes.note(&format!("{format:?} publish"), &self.name, person, &seen, &publish.status().to_string());
        let input = json!({ "projectPath": self.project.full_path, "packageType": format.sdl_name(),
            "packageName": package_name(format, &name), "packageVersion": "2.0.0" });
        let seen = stage.ask(person, CREATE_UPLOAD, json!({ "input": input })).await;
        notes.note(&format!("createUpload of {format:?}"), &self.name, person, &seen, publish.code());

        let delete = self.expected(caller, Action::Delete, limit.reaches(format));
        for door in ["own", "rest", "graphql"] {
            let name = format!("{}-{number}-{door}", self.name);
            let (id, name) = match delete {
                Outcome::Done => (stage.publish(&self.project, format, &name).await, name),
                _ => (standing.clone(), self.name.clone()),
            };
            let (seen, expected) = match door {
                "graphql" => (
                    stage.ask(person, DESTROY, json!({ "input": { "id": id } })).await,
                    delete.code().to_owned(),
                ),
                door => {
                    let number = id.rsplit('/').next().expect("a global id");
                    let rest = format!("/api/v4/projects/{}/packages/{number}", self.project.id);
                    let own = doors::deletes(format, &self.project, &name);
                    let path = if door == "own" { own } else { Some(rest) };
                    let Some(path) = path else { continue };
                    let answer = stage.client.delete(path).by_way_of(person, Carried::Bearer).send().await;
                    (plain(&answer).to_string(), delete.status().to_string())
                }
            };
            notes.note(&format!("{format:?} delete ({door})"), &self.name, person, &seen, &expected);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limited_tokens_keep_to_their_limits() {
    let (world, client) = world().await;
    let group = world.group("acme", Visibility::Public).await;
    let stage = Stage { world, client, group, cases: Vec::new() };
    let mut notes = Notes::default();
    for (visibility, level) in [
        (Visibility::Public, RegistryAccessLevel::Enabled),
        (Visibility::Internal, RegistryAccessLevel::Private),
        (Visibility::Private, RegistryAccessLevel::Public),
    ] {
        let name = format!("{}-{}", visibility.name(), level.name());
        let mut project = stage.world.project(&stage.group, &name, visibility).await;
        stage.world.set_registry(&mut project, level).await;
        let mut ids = Vec::new();
        for format in FORMATS {
            ids.push((format, stage.publish(&project, format, &name).await));
        }
        let case = Case { project, name, ids };
        let mut number = 0;
        for limit in LIMITS {
            for (person, caller) in case.callers(&stage, limit).await {
                for package in &case.ids {
                    case.reads(&stage, (&person, caller), limit, package, &mut notes).await;
                    case.writes(&stage, (&person, caller), limit, package, (number, &mut notes)).await;
                }
                number += 1;
            }
        }
        // Nothing that was refused happened.
        for (format, id) in &case.ids {
            let owner = &stage.world.people.owner;
            let found = stage.world.graphql(owner, super::PACKAGE, json!({ "id": id })).await;
            assert_ne!(found["data"]["package"], Value::Null, "{format:?} of {}", case.name);
        }
    }
    assert!(notes.complaints.is_empty(), "of {}:\n{}", notes.checked, notes.complaints.join("\n"));
    assert!(notes.checked > 3_000, "{} checks", notes.checked);
}
