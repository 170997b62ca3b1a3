//! What a front end sends, with the answers it has to get: the cases of `frontend-fixtures/`, over the world that is described there.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use async_graphql::parser::{parse_query, types::OperationType};
use domain::{RegistryAccessLevel, Visibility};
use serde::Deserialize;
use serde_json::{Value, json};
use testkit::{
    Client, Group, Person, Project, World,
    artefacts::{npm, pypi},
};

use crate::{
    architecture::files,
    world::{accepted, router},
};

/// Writes the answers down as the golden ones.
const UPDATE: &str = "ENTREPOT_UPDATE_FIXTURES";

const PACKAGES: &str = "query P { packages(scope: {}, first: 100) { nodes { id name version } } }";
const CREATE_RULE: &str = "mutation R($input: CreatePackagesProtectionRuleInput!) { \
    createPackagesProtectionRule(input: $input) { packageProtectionRule { id } errors } }";
const CREATE_JOB: &str =
    "mutation J($input: CreateJobTokenInput!) { createJobToken(input: $input) { token } }";
const CREATE_PUBLISHER: &str = "mutation T($input: CreateTrustedPublisherInput!) { createTrustedPublisher(input: $input) { \
    errors } }";
const FILES: &str = "query F($id: PackagesPackageID!) { package(id: $id) { packageFiles { nodes { id } } } }";

/// `world.toml`.
#[derive(Deserialize)]
struct Described {
    group: Vec<DescribedGroup>,
    project: Vec<DescribedProject>,
    package: Vec<DescribedPackage>,
    rule: Vec<DescribedRule>,
    publisher: Vec<DescribedPublisher>,
}

#[derive(Deserialize)]
struct DescribedGroup {
    path: String,
    visibility: String,
}

#[derive(Deserialize)]
struct DescribedProject {
    path: String,
    group: String,
    visibility: String,
    registry: Option<String>,
}

#[derive(Deserialize)]
struct DescribedPackage {
    project: String,
    format: String,
    name: String,
    version: String,
    /// The branch of the pipeline that publishes it; without one somebody does.
    pipeline: Option<String>,
}

/// A rule that keeps deleting to some.
#[derive(Deserialize)]
struct DescribedRule {
    project: String,
    format: String,
    pattern: String,
    delete: String,
}

/// Whose ID tokens a project accepts. The administrator trusts the issuer.
#[derive(Deserialize)]
struct DescribedPublisher {
    project: String,
    issuer: String,
    repository: String,
}

/// The world, and what its ids are called.
struct Stage {
    world: World,
    client: Client,
    groups: BTreeMap<String, Group>,
    projects: BTreeMap<String, Project>,
    /// Global ids, with the names they have in cases.
    ids: Vec<(String, String)>,
}

/// One document with its variables.
struct Case {
    path: PathBuf,
    document: String,
    by: String,
    operation: String,
    changes: bool,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("frontend-fixtures")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Stage {
    async fn new() -> Self {
        let described: Described = toml::from_str(&read(&fixtures().join("world.toml"))).expect("a world");
        let issuers: Vec<_> = described.publisher.iter().map(|publisher| publisher.issuer.as_str()).collect();
        let world = World::trusting(formats::rules(), &issuers).await;
        let client = world.client(router(&world));
        let mut stage =
            Self { world, client, groups: BTreeMap::new(), projects: BTreeMap::new(), ids: Vec::new() };
        for person in stage.world.people.all() {
            if let Some(id) = person.user() {
                stage.ids.push((format!("gid://gitlab/User/{id}"), format!("{{user {}}}", person.name)));
            }
        }
        let visibility = |name: &str| Visibility::from_name(name).expect("a visibility");
        for group in described.group {
            let made = stage.world.group(&group.path, visibility(&group.visibility)).await;
            stage.ids.push((format!("gid://gitlab/Group/{}", made.id), format!("{{{}}}", group.path)));
            stage.groups.insert(group.path, made);
        }
        for project in described.project {
            let group = &stage.groups[&project.group];
            let mut made = stage.world.project(group, &project.path, visibility(&project.visibility)).await;
            if let Some(level) = project.registry {
                let level = RegistryAccessLevel::from_name(&level).expect("an access level");
                stage.world.set_registry(&mut made, level).await;
            }
            stage.ids.push((format!("gid://gitlab/Project/{}", made.id), format!("{{{}}}", made.full_path)));
            stage.projects.insert(made.full_path.clone(), made);
        }
        for package in &described.package {
            stage.publish(package).await;
        }
        stage.name_packages().await;
        for rule in &described.rule {
            stage.protect(rule).await;
        }
        for publisher in &described.publisher {
            stage.trust(publisher).await;
        }
        stage
    }

    async fn publish(&self, package: &DescribedPackage) {
        let base = format!("/api/v4/projects/{}/packages", self.projects[&package.project].id);
        let DescribedPackage { name, version, .. } = package;
        let request = match package.format.as_str() {
            "npm" => {
                let document = npm::Version::new(name, version).document();
                self.client.put(format!("{base}/npm/{}", name.replace('/', "%2f"))).json(&document)
            }
            "maven" => {
                let artifact = name.rsplit('/').next().unwrap_or(name);
                let path = format!("{base}/maven/{name}/{version}/{artifact}-{version}.jar");
                self.client.put(path).body("a jar")
            }
            "pypi" => {
                let distribution = pypi::Distribution::new(name, version)
                    .with("Author-email", "Sun <sun@registry.test>")
                    .with("Keywords", "morning,light");
                let form = distribution.form(&distribution.wheel_name(), &distribution.wheel());
                let request = self.client.post(format!("{base}/pypi"));
                request.header("content-type", pypi::content_type()).body(form)
            }
            _ => self.client.put(format!("{base}/generic/{name}/{version}/{name}.txt")).body("a text"),
        };
        let request = match &package.pipeline {
            None => request.by(&self.world.people.developer),
            Some(branch) => request.header("job-token", self.job(&package.project, branch).await),
        };
        let answer = request.send().await;
        assert!(answer.status.is_success(), "{}: {}", answer.described, answer.text());
    }

    /// The token of a job of a new pipeline.
    async fn job(&self, project: &str, branch: &str) -> String {
        let sha = "0123456789abcdef0123456789abcdef01234567";
        let input = json!({ "input": { "projectPath": project, "ref": branch, "sha": sha } });
        let answer = self.world.graphql(&self.world.people.maintainer, CREATE_JOB, input).await;
        answer["data"]["createJobToken"]["token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    async fn protect(&mut self, rule: &DescribedRule) {
        let input = json!({
            "projectPath": rule.project, "packageType": rule.format.to_ascii_uppercase(),
            "packageNamePattern": rule.pattern, "minimumAccessLevelForDelete": rule.delete,
        });
        let maintainer = &self.world.people.maintainer;
        let answer = self.world.graphql(maintainer, CREATE_RULE, json!({ "input": input })).await;
        let rule_id = &answer["data"]["createPackagesProtectionRule"]["packageProtectionRule"]["id"];
        let id = rule_id.as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        self.ids.push((id, format!("{{rule {}}}", rule.pattern)));
    }

    async fn trust(&self, publisher: &DescribedPublisher) {
        let input = json!({
            "projectPath": publisher.project, "issuer": publisher.issuer,
            "claims": [{ "name": "repository", "value": publisher.repository }],
        });
        accepted(&self.world, &self.world.people.maintainer, CREATE_PUBLISHER, input).await;
    }

    async fn name_packages(&mut self) {
        let administrator = self.world.people.administrator.clone();
        let answer = self.world.graphql(&administrator, PACKAGES, Value::Null).await;
        for package in answer["data"]["packages"]["nodes"].as_array().expect("packages") {
            let text = |field: &str| package[field].as_str().expect("a text");
            let name = format!("{} {}", text("name").replace("@demo/", ""), text("version"));
            let files = self.world.graphql(&administrator, FILES, json!({ "id": text("id") })).await;
            let file = files["data"]["package"]["packageFiles"]["nodes"][0]["id"].as_str().expect("a file");
            self.ids.push((file.to_owned(), format!("{{file of {name}}}")));
            self.ids.push((text("id").to_owned(), format!("{{{name}}}")));
        }
    }

    fn person(&self, name: &str) -> &Person {
        let people = self.world.people.all();
        people
            .into_iter()
            .find(|person| person.name == name)
            .unwrap_or_else(|| panic!("nobody is called {name}"))
    }

    /// Ids instead of their names.
    fn with_ids(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some((id, _)) = self.ids.iter().find(|(_, name)| name == text) {
                    text.clone_from(id);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.with_ids(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.with_ids(field)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Names instead of ids, wherever they stand.
    fn with_names(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.named(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.with_names(item)),
            Value::Object(fields) => {
                for (name, field) in fields.iter_mut() {
                    if matches!(name.as_str(), "startCursor" | "endCursor") && field.is_string() {
                        *field = "{cursor}".into();
                    } else {
                        self.with_names(field);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn named(&self, text: &str) -> String {
        if let Some((_, name)) = self.ids.iter().find(|(id, _)| id == text) {
            return name.clone();
        }
        // Ids of what has no name of its own, a tag for example.
        if let Some((class, _)) = text.strip_prefix("gid://gitlab/").and_then(|id| id.rsplit_once('/')) {
            return format!("{{{class}}}");
        }
        // Numbers in addresses.
        let mut text = text.to_owned();
        for (id, name) in &self.ids {
            let Some((class, number)) = id.strip_prefix("gid://gitlab/").and_then(|id| id.rsplit_once('/'))
            else {
                continue;
            };
            let segments: &[&str] = match class {
                "Project" => &["/projects/"],
                "Group" => &["/group/", "/groups/", "registry.test/"],
                "Packages::Package" => &["/-/packages/"],
                "Packages::PackageFile" => &["/package_files/"],
                _ => &[],
            };
            for segment in segments {
                text = replace_segment(&text, segment, number, name);
            }
        }
        text
    }

    async fn answer(&self, case: &Case) -> Value {
        let mut variables: Value =
            serde_json::from_str(&read(&case.path.with_extension("variables.json"))).expect("variables");
        self.with_ids(&mut variables);
        for complaint in graphql::validate(&case.document, &case.operation, variables.clone()).await {
            // What is refused may be refused for what is in its variables.
            let refused = case.path.to_string_lossy().contains("refusals");
            assert!(refused, "{}: {complaint}", case.path.display());
        }
        let person = self.person(&case.by);
        let mut answer = self.world.graphql_named(person, &case.document, &case.operation, variables).await;
        self.with_names(&mut answer);
        answer
    }
}

/// `number` behind `segment`, as a whole segment of a path, becomes `name`.
fn replace_segment(text: &str, segment: &str, number: &str, name: &str) -> String {
    let Some((before, after)) = text.split_once(&format!("{segment}{number}")) else {
        return text.to_owned();
    };
    if after.starts_with(|next: char| next != '/') {
        return text.to_owned();
    }
    format!("{before}{segment}{name}{after}")
}

fn cases() -> Vec<Case> {
    let mut paths = files(&fixtures(), "graphql");
    paths.sort();
    let case = |path: PathBuf| {
        let document = read(&path);
        let by = document.lines().next().and_then(|line| line.strip_prefix("# by: "));
        let by =
            by.unwrap_or_else(|| panic!("{}: the first line says who sends it", path.display())).to_owned();
        let parsed = parse_query(&document).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut operations = parsed.operations.iter();
        let (name, operation) = operations.next().expect("an operation");
        assert!(operations.next().is_none(), "{}: one operation", path.display());
        let operation_name = name.unwrap_or_else(|| panic!("{}: a name", path.display())).to_string();
        let changes = operation.node.ty == OperationType::Mutation;
        Case { path, document, by, operation: operation_name, changes }
    };
    paths.into_iter().map(case).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_is_answered_as_written_down() {
    let update = std::env::var_os(UPDATE).is_some();
    let shared = Stage::new().await;
    let mut complaints = Vec::new();
    for case in cases() {
        let answer =
            if case.changes { Stage::new().await.answer(&case).await } else { shared.answer(&case).await };
        let golden = case.path.with_extension("golden.json");
        let seen = serde_json::to_string_pretty(&answer).expect("JSON") + "\n";
        if update {
            // The fields of an answer come in no certain order: what is the same stays as it is.
            let known = fs::read_to_string(&golden).ok().and_then(|text| serde_json::from_str(&text).ok());
            if known.as_ref() != Some(&answer) {
                fs::write(&golden, seen).expect("a file");
            }
            continue;
        }
        let expected: Value = serde_json::from_str(&read(&golden)).expect("JSON");
        if answer != expected {
            complaints.push(format!("{}:\n{seen}", golden.display()));
        }
        let refusal = case.path.to_string_lossy().contains("refusals");
        let hidden = case.path.to_string_lossy().contains("hidden");
        assert_eq!(answer["errors"].is_array(), refusal && !hidden, "{}: {answer}", case.path.display());
    }
    assert!(complaints.is_empty(), "answered otherwise:\n{}", complaints.join("\n"));
}

/// No golden answer without its case.
#[test]
fn nothing_is_left_over() {
    let names: Vec<_> = cases().into_iter().map(|case| case.path.with_extension("")).collect();
    for path in files(&fixtures(), "json") {
        let name = path.with_extension("").with_extension("");
        assert!(names.contains(&name), "{} belongs to no case", path.display());
    }
}
