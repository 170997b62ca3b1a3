//! A certified OpenID Connect provider, which signs with RSA; and trusted publishing with its ID tokens.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::{Value, json};

use super::{Registry, Workplace, find, npm_package, say};
use crate::server::{Database, Setup, databases};

const TRUST: &str = "mutation T($input: CreateTrustedPublisherInput!) { createTrustedPublisher(input: $input) { \
    trustedPublisher { id } errors } }";
const PROGRAM: &str = "node-with-oidc-provider";

/// The provider in a process of its own. Ends when dropped.
pub(super) struct Provider {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    pub(super) issuer: String,
}

impl Provider {
    /// None when it is not installed.
    pub(super) fn start() -> Option<Self> {
        let Some(program) = find(PROGRAM) else {
            let required = std::env::var_os("ENTREPOT_REQUIRE_CLIENTS").is_some_and(|value| value == "1");
            assert!(!required, "{PROGRAM} is not installed; .ci/setup installs it");
            say(&format!("skipped: {PROGRAM} is not installed"));
            return None;
        };
        let mut child = Command::new(program)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/oidc_provider.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the provider starts");
        let questions = child.stdin.take().expect("piped");
        let answers = BufReader::new(child.stdout.take().expect("piped"));
        let mut provider = Self { child, questions, answers, issuer: String::new() };
        provider.issuer = provider.line();
        assert!(provider.issuer.starts_with("http://127.0.0.1:"), "{}", provider.issuer);
        Some(provider)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("a line");
        line.trim().to_owned()
    }

    /// Signs `subject` in to `client`, as a browser would, and gives the ID token.
    fn token(&mut self, subject: &str, client: &str) -> String {
        writeln!(self.questions, "token {subject} {client}").expect("it reads");
        let token = self.line();
        assert_eq!(token.split('.').count(), 3, "an ID token, not '{token}'");
        token
    }

    /// Sends the browsers of the client `entrepot` back to `address` from now on. They stop before it.
    pub(super) fn send_back_to(&mut self, address: &str) {
        writeln!(self.questions, "callback - {address}").expect("it reads");
        assert_eq!(self.line(), address);
    }

    /// Goes to `address` with a fresh browser and signs `subject` in there. Gives what the browser comes back with.
    pub(super) fn browse(&mut self, subject: &str, address: &str) -> Value {
        writeln!(self.questions, "browse {subject} {address}").expect("it reads");
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("a way back, not '{line}'"))
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn mint(registry: &Registry, id_token: &str) -> (u16, Value) {
    let body = json!({ "token": id_token }).to_string();
    let headers = [("Content-Type", "application/json")];
    let answer = registry.server.request("POST", "/_/oidc/mint-token", &headers, body.as_bytes());
    (answer.status, serde_json::from_slice(&answer.body).expect("JSON"))
}

#[test]
fn its_id_tokens_publish() {
    for database in databases() {
        let Some(mut provider) = Provider::start() else { return };
        // What a test starts with lives as long as the test's process.
        let issuers: &'static str = provider.issuer.clone().leak();
        let variables: &'static [_] = Box::leak(Box::new([("ENTREPOT_OIDC_ISSUERS", issuers)]));
        let registry = Registry::new(Setup { variables, ..database.into() });
        let claims = json!([{ "name": "repository", "value": "acme/web" }]);
        let input =
            json!({ "projectPath": "acme/web", "issuer": issuers, "audience": "registry", "claims": claims });
        let trusted = registry.server.graphql(TRUST, &json!({ "input": input }));
        assert_eq!(trusted["createTrustedPublisher"]["errors"], json!([]));

        let id_token = provider.token("web", "registry");
        let (status, minted) = mint(&registry, &id_token);
        assert_eq!(status, 200, "{minted}");
        let bearer = format!("Bearer {}", minted["token"].as_str().expect("a token"));
        let path = format!("{}/generic/tool/1.0.0/tool.bin", registry.project_packages());
        let headers = [("Authorization", bearer.as_str())];
        let put = registry.server.request("PUT", &path, &headers, b"made by CI");
        assert_eq!(put.status, 201, "{}", put.text());
        let got = registry.server.request("GET", &path, &headers, b"");
        assert_eq!((got.status, got.text().as_str()), (200, "made by CI"));

        // Once; not of another subject, not for another audience; not when a letter of it was changed.
        let tampered = id_token.replacen("eyJ", "eyK", 1);
        for (token, why) in [
            (id_token.as_str(), "exchanged already"),
            (&provider.token("other", "registry"), "not exactly one project"),
            (&provider.token("web", "another"), "not exactly one project"),
            (&tampered, "refused"),
        ] {
            let (status, told) = mint(&registry, token);
            assert_eq!(status, 422, "{why}: {told}");
            assert!(told.to_string().contains(why), "{why}: {told}");
        }
        // SQLite takes one server at a time.
        if database == Database::Postgres {
            let replica = registry.server.replica();
            let put = replica.request("PUT", &path.replace("1.0.0", "2.0.0"), &headers, b"made by CI");
            assert_eq!(put.status, 201, "a token of one replica is good at all");
        }
    }
}

/// npm exchanges the ID token itself, as it does in GitLab's CI: no token is written down anywhere.
#[test]
fn npm_publishes_with_an_id_token() {
    for database in databases() {
        let Some(mut provider) = Provider::start() else { return };
        let Some(mut place) = Workplace::new(&["npm"], "11.") else { return };
        let issuers: &'static str = provider.issuer.clone().leak();
        let variables: &'static [_] = Box::leak(Box::new([("ENTREPOT_OIDC_ISSUERS", issuers)]));
        let registry = Registry::new(Setup { variables, ..database.into() });
        let claims = json!([{ "name": "sub", "value": "web" }]);
        let limits = json!([{ "packageType": "NPM", "namePattern": "@acme/*" }]);
        let input = json!({ "projectPath": "acme/web", "issuer": issuers, "audience": "registry", "claims": claims,
            "limits": limits });
        registry.server.graphql(TRUST, &json!({ "input": input }));
        place.set("GITLAB_CI", "true");
        place.set("NPM_ID_TOKEN", &provider.token("web", "registry"));
        let npmrc =
            format!("registry=http://{}\nfund=false\nupdate-notifier=false\n", registry.npm_of_project());
        for (folder, name) in [("scoped", "@acme/tool"), ("plain", "tool")] {
            npm_package(&place, folder, name, "1.0.0");
            place.write(&format!("{folder}/.npmrc"), &npmrc);
        }
        let arguments = ["publish", "--loglevel=silly", "--provenance=false"];
        place.run("scoped", &arguments);
        let packument = format!("{}/npm/@acme%2ftool", registry.project_packages());
        let root = [("PRIVATE-TOKEN", crate::server::ROOT_TOKEN)];
        assert_eq!(registry.server.request("GET", &packument, &root, b"").status, 200);
        // The ID token is used up, and a fresh one is good for names that fit only.
        place.refused("scoped", &arguments);
        place.set("NPM_ID_TOKEN", &provider.token("web", "registry"));
        let refused = place.refused("plain", &arguments);
        assert!(refused.contains("403"), "{refused}");
    }
}
