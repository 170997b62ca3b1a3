//! Real clients against the real server, each with a home of its own.
//!
//! A client that is not installed is named and its test passes; with `ENTREPOT_REQUIRE_CLIENTS=1`, as CI has it, it fails.
//! `.ci/setup` installs them all.

mod browser;
mod bun;
mod curl;
mod gradle;
mod graphql_http;
mod maven;
mod npm;
mod oidc_provider;
mod pip;
mod pnpm;
mod poetry;
mod python;
mod python_gitlab;
mod sbt;
mod sign_in;
mod twine;
mod uv;
mod yarn;

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{ROOT_TOKEN, Server, Setup};

/// Says something beside the tests' own lines, also where their output is kept.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// A server with a private group `acme` and a private project `acme/web`, and tokens.
pub(crate) struct Registry {
    pub(crate) server: Server,
    pub(crate) project: i64,
    pub(crate) group: i64,
    /// User name and secret of a deploy token of the project that reads and writes.
    pub(crate) deploy_token: (String, String),
    /// The same for the group, reading only.
    pub(crate) group_reader: (String, String),
}

const CREATE_GROUP: &str =
    "mutation G($input: CreateGroupInput!) { createGroup(input: $input) { group { id } errors } }";
const CREATE_PROJECT: &str =
    "mutation P($input: CreateProjectInput!) { createProject(input: $input) { project { id } errors } }";
const CREATE_DEPLOY_TOKEN: &str = "mutation T($input: CreateDeployTokenInput!) { createDeployToken(input: $input) { \
    deployToken { username } token errors } }";

fn number(id: &Value) -> i64 {
    id.as_str().and_then(|id| id.rsplit('/').next()).and_then(|id| id.parse().ok()).expect("a global id")
}

impl Registry {
    pub(crate) fn new(setup: impl Into<Setup>) -> Self {
        let server = Server::start(setup);
        let group = json!({ "path": "acme", "name": "acme", "visibility": "private" });
        let group = server.graphql(CREATE_GROUP, &json!({ "input": group }));
        let project = json!({ "namespacePath": "acme", "path": "web", "visibility": "private" });
        let project = server.graphql(CREATE_PROJECT, &json!({ "input": project }));
        let token = |holder: Value, scopes: Value| {
            let mut input = json!({ "name": "client", "scopes": scopes });
            input.as_object_mut().expect("an object").extend(holder.as_object().expect("an object").clone());
            let token = server.graphql(CREATE_DEPLOY_TOKEN, &json!({ "input": input }));
            let token = &token["createDeployToken"];
            let text = |value: &Value| value.as_str().expect("a text").to_owned();
            (text(&token["deployToken"]["username"]), text(&token["token"]))
        };
        let both = json!(["read_package_registry", "write_package_registry"]);
        let deploy_token = token(json!({ "projectPath": "acme/web" }), both);
        let group_reader = token(json!({ "groupPath": "acme" }), json!(["read_package_registry"]));
        Self {
            project: number(&project["createProject"]["project"]["id"]),
            group: number(&group["createGroup"]["group"]["id"]),
            server,
            deploy_token,
            group_reader,
        }
    }

    /// Path of the project's packages.
    pub(crate) fn project_packages(&self) -> String {
        format!("/api/v4/projects/{}/packages", self.project)
    }

    /// The npm registry of the project, without scheme, with a slash at the end.
    pub(crate) fn npm_of_project(&self) -> String {
        format!("{}{}/npm/", self.server.authority, self.project_packages())
    }

    /// The npm registry of the group.
    pub(crate) fn npm_of_group(&self) -> String {
        format!("{}/api/v4/groups/{}/-/packages/npm/", self.server.authority, self.group)
    }

    /// A token of the kind that reads the group: root's own, or the group's deploy token.
    pub(crate) fn group_reader_of(&self, kind: &str) -> &str {
        if kind == "pat" { ROOT_TOKEN } else { &self.group_reader.1 }
    }

    /// Tokens that publish, with what tests call them.
    pub(crate) fn writers(&self) -> [(&'static str, &str); 2] {
        [("pat", ROOT_TOKEN), ("deploy", &self.deploy_token.1)]
    }
}

/// A folder to work in and a home, for one client.
pub(crate) struct Workplace {
    folder: TempDir,
    program: PathBuf,
    environment: Vec<(String, String)>,
}

impl Workplace {
    /// A place for the first of `names` that is installed in a version that begins with `version`.
    pub(crate) fn new(names: &[&str], version: &str) -> Option<Self> {
        let Some(program) =
            names.iter().filter_map(|name| find(name)).find(|path| has_version(path, version))
        else {
            let wanted = format!("{} {version}", names[0]);
            let wanted = wanted.trim();
            assert!(
                env::var_os("ENTREPOT_REQUIRE_CLIENTS").is_none_or(|value| value != "1"),
                "{wanted} is not installed; .ci/setup installs it"
            );
            say(&format!("skipped: {wanted} is not installed"));
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("home")).expect("a home");
        Some(Self { folder, program, environment: Vec::new() })
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Writes a file, making its folders; `path` is relative to the workplace.
    pub(crate) fn write(&self, path: &str, content: &str) -> PathBuf {
        let file = self.folder.path().join(path);
        fs::create_dir_all(file.parent().expect("below the workplace")).expect("folders");
        fs::write(&file, content).expect("a file");
        file
    }

    /// A path in the workplace.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn read(&self, path: &str) -> String {
        let file = self.path(path);
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    /// Runs the client in a folder of the workplace; gives what it printed, or what it printed when it failed.
    pub(crate) fn try_run(&self, folder: &str, arguments: &[&str]) -> Result<String, String> {
        let directory = self.folder.path().join(folder);
        fs::create_dir_all(&directory).expect("a folder");
        let home = self.folder.path().join("home");
        let mut path = env::var("PATH").unwrap_or_default();
        if let Some(tools) = self.program.parent() {
            path = format!("{}:{path}", tools.display());
        }
        let output = Command::new(&self.program)
            .args(arguments)
            .current_dir(&directory)
            .env_clear()
            .env("PATH", path)
            .env("HOME", &home)
            .env("TMPDIR", self.folder.path())
            .env("XDG_CACHE_HOME", home.join(".cache"))
            .env("CI", "true")
            .env("NO_COLOR", "1")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .output()
            .expect("the client starts");
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if output.status.success() { Ok(text) } else { Err(text) }
    }

    /// Runs the client, which has to succeed.
    #[track_caller]
    pub(crate) fn run(&self, folder: &str, arguments: &[&str]) -> String {
        match self.try_run(folder, arguments) {
            Ok(text) => text,
            Err(text) => panic!("{} {}: {text}", self.program.display(), arguments.join(" ")),
        }
    }

    /// Runs the client, which has to fail.
    #[track_caller]
    pub(crate) fn refused(&self, folder: &str, arguments: &[&str]) -> String {
        match self.try_run(folder, arguments) {
            Ok(text) => panic!("{} {} succeeded: {text}", self.program.display(), arguments.join(" ")),
            Err(text) => text,
        }
    }
}

/// An npm package's sources.
pub(crate) fn npm_package(place: &Workplace, folder: &str, name: &str, version: &str) {
    let manifest = json!({
        "name": name, "version": version, "description": "made by a test", "license": "MIT", "main": "index.js",
    });
    place.write(&format!("{folder}/package.json"), &manifest.to_string());
    place.write(&format!("{folder}/index.js"), &format!("module.exports = '{name} {version}';\n"));
}

/// A project that has no dependencies yet.
pub(crate) fn npm_app(place: &Workplace, folder: &str) {
    place.write(
        &format!("{folder}/package.json"),
        r#"{"name":"app","version":"0.0.0","private":true,"license":"MIT"}"#,
    );
}

/// What an installed package says of itself: its code was unpacked.
pub(crate) fn installed(place: &Workplace, folder: &str, name: &str, version: &str) {
    let code = place.read(&format!("{folder}/node_modules/{name}/index.js"));
    assert_eq!(code, format!("module.exports = '{name} {version}';\n"));
}

/// Where `.ci/setup` puts clients.
fn tools() -> Option<PathBuf> {
    let folder = env::var_os("ENTREPOT_TOOLS").map(PathBuf::from);
    let folder = folder.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache/entrepot-tools")));
    folder.map(|folder| folder.join("bin"))
}

fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = tools().into_iter().chain(env::split_paths(&path));
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn has_version(program: &Path, version: &str) -> bool {
    if version.is_empty() {
        return true;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(program)
        .arg("--version")
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .stdin(Stdio::null())
        .output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim().starts_with(version))
}
