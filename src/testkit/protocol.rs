//! The checks that every format must pass, whatever its client speaks.
//!
//! A format says how one file is published and where it is downloaded; [`check`] does the rest, each check in a world of its
//! own.

use std::{io, time::Duration};

use axum::Router;
use bytes::Bytes;
use domain::{
    Scope, Visibility,
    rules::{FormatRules, Republish, RuleBook},
};
use futures::{StreamExt, stream};
use gateway::Gateway;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use crate::{Answer, Carried, Client, Person, Project, Request, World, limited::limited};

/// A request that publishes one file.
pub struct Publish {
    /// The method.
    pub method: Method,
    /// The path.
    pub path: String,
    /// Headers beside the credential.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Bytes,
}

/// How a format publishes and downloads one file.
#[derive(Clone, Copy)]
pub struct Protocol {
    /// The format's rules.
    pub rules: &'static dyn FormatRules,
    /// Its router.
    pub router: fn(&Gateway) -> Router,
    /// The request that publishes version `number` to a project, with a file of at least so many bytes that do not compress.
    pub publish: fn(&Project, number: u32, size: usize) -> Publish,
    /// Where the file of version `number` is downloaded.
    pub download: fn(&Project, number: u32) -> String,
    /// Whether a 401 comes with a challenge. npm prints a challenge instead of the text.
    pub challenge: Challenge,
}

/// What comes with a 401.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// `WWW-Authenticate`: the client sends its credential when asked.
    Sent,
    /// Nothing: the client sends its credential unasked, or shows the challenge to people.
    Withheld,
}

/// A world with a private project, and a client.
struct Stage {
    world: World,
    client: Client,
    project: Project,
    protocol: Protocol,
}

/// Bytes of the file that checks publish.
const SIZE: usize = 20_000;

impl Stage {
    async fn new(protocol: Protocol) -> Self {
        Self::with(protocol, protocol.rules).await
    }

    async fn with(protocol: Protocol, rules: &'static dyn FormatRules) -> Self {
        let world = World::new(RuleBook::new([rules])).await;
        let client = world.client((protocol.router)(&world.gateway));
        let group = world.group("acme", Visibility::Private).await;
        let project = world.project(&group, "web", Visibility::Private).await;
        Self { world, client, project, protocol }
    }

    fn request(&self, publish: &Publish) -> Request {
        let request = self.client.request(publish.method.clone(), publish.path.as_str());
        publish.headers.iter().fold(request, |request, (name, value)| request.header(name, value))
    }

    async fn publish(&self, number: u32, person: &Person) -> Answer {
        let publish = (self.protocol.publish)(&self.project, number, SIZE);
        self.request(&publish).body(publish.body.clone()).by(person).send().await
    }

    async fn published(&self) -> String {
        let answer = self.publish(1, &self.world.people.developer).await;
        assert!(answer.status.is_success(), "a developer publishes: {} {}", answer.status, answer.text());
        (self.protocol.download)(&self.project, 1)
    }

    fn get(&self, path: &str) -> Request {
        self.client.get(path)
    }

    /// Nothing is left of an upload that came to nothing.
    async fn nothing_remains(&self, number: u32) {
        self.world.nothing_stays_staged().await;
        assert_eq!(self.world.blob_count(), 0, "nothing is stored");
        let path = (self.protocol.download)(&self.project, number);
        self.get(&path).by(&self.world.people.owner).send().await.expect(404);
    }
}

/// Runs every check.
pub async fn check(protocol: Protocol) {
    strangers(protocol).await;
    scopes(protocol).await;
    carriers(protocol).await;
    oversize(protocol).await;
    aborted(protocol).await;
    duplicate(protocol).await;
    protection(protocol).await;
    download(protocol).await;
    traversal(protocol).await;
}

/// Nobody, and tokens that are not accepted, are asked for a credential; somebody else is told that there is nothing.
pub async fn strangers(protocol: Protocol) {
    let stage = Stage::new(protocol).await;
    let path = stage.published().await;
    let people = &stage.world.people;
    for person in [&people.anonymous, &people.impostor, &people.revoked, &people.expired] {
        let answer = stage.get(&path).by(person).send().await.expect(401);
        let challenged = answer.headers.contains_key("www-authenticate");
        assert_eq!(challenged, protocol.challenge == Challenge::Sent, "{}: a challenge", answer.described);
        stage.publish(2, person).await.expect(401);
    }
    stage.get(&path).by(&people.outsider).send().await.expect(404);
    stage.publish(2, &people.outsider).await.expect(404);
    stage.get(&path).by(&people.guest).send().await.expect(403);
    stage.publish(2, &people.reporter).await.expect(403);
    stage.get(&path).by(&people.reporter).send().await.expect(200);
    let path = (protocol.download)(&stage.project, 2);
    stage.get(&path).by(&people.owner).send().await.expect(404);
}

/// A token that reads does not write, whoever holds it.
pub async fn scopes(protocol: Protocol) {
    let stage = Stage::new(protocol).await;
    let path = stage.published().await;
    let deploy_reader = stage.world.deploy_token(&stage.project, Scope::ReadPackageRegistry).await;
    let deploy_writer = stage.world.deploy_token(&stage.project, Scope::WritePackageRegistry).await;
    let people = &stage.world.people;
    for person in [&people.reader, &people.api_reader, &deploy_reader] {
        stage.get(&path).by(person).send().await.expect(200);
        stage.publish(2, person).await.expect(403);
    }
    for (number, person) in [(3, &people.writer), (4, &deploy_writer)] {
        let answer = stage.publish(number, person).await;
        assert!(answer.status.is_success(), "{}: {} {}", answer.described, answer.status, answer.text());
    }
}

/// Every carrier is read on every route, for personal and for deploy tokens.
pub async fn carriers(protocol: Protocol) {
    let stage = Stage::new(protocol).await;
    let path = stage.published().await;
    let deploy_token = stage.world.deploy_token(&stage.project, Scope::ReadPackageRegistry).await;
    for person in [&stage.world.people.reporter, &deploy_token] {
        for carried in [Carried::ByName, Carried::Bearer, Carried::Basic] {
            stage.get(&path).by_way_of(person, carried).send().await.expect(200);
        }
    }
}

/// A file above the format's limit is refused and leaves nothing.
pub async fn oversize(protocol: Protocol) {
    const LAST: &str = "query L { auditEvents(scope: {}, first: 1) { nodes { authorName details } } }";
    let stage = Stage::with(protocol, limited(protocol.rules, 1_000)).await;
    let answer = stage.publish(1, &stage.world.people.developer).await;
    assert!(
        matches!(answer.status, StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE),
        "{}: {} {}",
        answer.described,
        answer.status,
        answer.text()
    );
    stage.nothing_remains(1).await;
    let log = stage.world.graphql(&stage.world.people.administrator, LAST, Value::Null).await;
    let event = &log["data"]["auditEvents"]["nodes"][0];
    assert_eq!((&event["details"]["code"], &event["authorName"]), (&json!("TOO_LARGE"), &json!("developer")));
}

/// An upload that breaks off, or whose client goes away, leaves nothing.
pub async fn aborted(protocol: Protocol) {
    let stage = Stage::new(protocol).await;
    let publish = (protocol.publish)(&stage.project, 1, 200_000);
    let half = publish.body.slice(..publish.body.len() / 2);
    let pieces: Vec<io::Result<Bytes>> =
        half.chunks(16 * 1024).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    let broken = stream::iter(pieces).chain(stream::iter([Err(io::Error::other("the client went away"))]));
    let answer = stage.request(&publish).stream(broken).by(&stage.world.people.developer).send().await;
    assert!(answer.status.is_client_error(), "{}: {}", answer.described, answer.status);
    stage.nothing_remains(1).await;

    // The answer to a request is no longer waited for: its future is dropped in the middle of the body.
    let silent = stream::iter([Ok(half)]).chain(stream::pending());
    let waiting = stage.request(&publish).stream(silent).by(&stage.world.people.developer).send();
    let outcome = tokio::time::timeout(Duration::from_millis(300), waiting).await;
    assert!(outcome.is_err(), "the upload waits for the rest of its body");
    stage.nothing_remains(1).await;
}

/// What is published again is judged by the rule that the format states.
pub async fn duplicate(protocol: Protocol) {
    let stage = Stage::new(protocol).await;
    let path = stage.published().await;
    let before = stage.get(&path).by(&stage.world.people.owner).send().await.expect(200);
    let again = (protocol.publish)(&stage.project, 1, SIZE + 1_000);
    let answer =
        stage.request(&again).body(again.body.clone()).by(&stage.world.people.developer).send().await;
    let after = stage.get(&path).by(&stage.world.people.owner).send().await.expect(200);
    if protocol.rules.republish() == Republish::LatestWins {
        assert!(answer.status.is_success(), "{}: {}", answer.described, answer.text());
        assert_ne!(before.body, after.body, "the newest is served");
    } else {
        assert!(answer.status.is_client_error(), "{}: {} {}", answer.described, answer.status, answer.text());
        assert_eq!(before.body, after.body, "what was served stays");
    }
    stage.world.nothing_stays_staged().await;
}

/// A protection rule keeps publishing to those who reach its level, and deploy tokens never do. What is refused leaves nothing.
pub async fn protection(protocol: Protocol) {
    const CREATE: &str = "mutation C($input: CreatePackagesProtectionRuleInput!) { \
        createPackagesProtectionRule(input: $input) { errors } }";
    let stage = Stage::new(protocol).await;
    let people = &stage.world.people;
    let input = json!({ "projectPath": stage.project.full_path, "packageNamePattern": "*",
        "packageType": protocol.rules.format().sdl_name(), "minimumAccessLevelForPush": "OWNER" });
    let made = stage.world.graphql(&people.maintainer, CREATE, json!({ "input": input })).await;
    assert_eq!(made["data"]["createPackagesProtectionRule"]["errors"], json!([]), "{made}");
    let deploy_token = stage.world.deploy_token(&stage.project, Scope::WritePackageRegistry).await;
    for person in [&people.developer, &people.writer, &people.maintainer, &deploy_token] {
        let answer = stage.publish(1, person).await.expect(403);
        assert!(answer.text().contains("Package protected."), "{}: {}", answer.described, answer.text());
    }
    stage.nothing_remains(1).await;
    for (number, person) in [(1, &people.owner), (2, &people.administrator)] {
        let answer = stage.publish(number, person).await;
        assert!(answer.status.is_success(), "{}: {} {}", answer.described, answer.status, answer.text());
    }
}

/// A download: `HEAD` as `GET`, ranges, conditions, headers that keep a browser from running it.
pub async fn download(protocol: Protocol) {
    let stage = Stage::new(protocol).await;
    let path = stage.published().await;
    let reporter = &stage.world.people.reporter;
    let whole = stage.get(&path).by(reporter).send().await.expect(200);
    assert_eq!(whole.header("content-length"), whole.body.len().to_string());
    assert_eq!(whole.header("x-content-type-options"), "nosniff");
    assert!(whole.header("content-disposition").starts_with("attachment"));
    let etag = whole.header("etag").to_owned();
    assert!(etag.starts_with('"'), "an entity tag");

    let head = stage.client.head(&path).by(reporter).send().await.expect(200);
    assert!(head.body.is_empty());
    assert_eq!(steady(&head.headers), steady(&whole.headers), "HEAD says what GET says");

    for (asked, range) in [("bytes=0-9", 0..10), ("bytes=100-", 100..whole.body.len())] {
        let part = stage.get(&path).by(reporter).header("range", asked).send().await.expect(206);
        assert_eq!(part.body, whole.body.slice(range.clone()));
        let expected = format!("bytes {}-{}/{}", range.start, range.end - 1, whole.body.len());
        assert_eq!(part.header("content-range"), expected);
    }
    let suffix = stage.get(&path).by(reporter).header("range", "bytes=-5").send().await.expect(206);
    assert_eq!(suffix.body, whole.body.slice(whole.body.len() - 5..));
    let beyond = stage.get(&path).by(reporter).header("range", "bytes=99999999-").send().await.expect(416);
    assert_eq!(beyond.header("content-range"), format!("bytes */{}", whole.body.len()));

    let unchanged = stage.get(&path).by(reporter).header("if-none-match", &etag).send().await.expect(304);
    assert!(unchanged.body.is_empty() && unchanged.header("etag") == etag);
    stage.get(&path).by(reporter).header("if-none-match", "\"other\"").send().await.expect(200);
    stage.get(&path).header("if-none-match", &etag).send().await.expect(401);
}

/// No spelling of a path leads anywhere else, and none is the server's fault.
pub async fn traversal(protocol: Protocol) {
    let stage = Stage::new(protocol).await;
    let path = stage.published().await;
    let owner = &stage.world.people.owner;
    let (folder, file) = path.rsplit_once('/').expect("a path");
    for spelling in [
        format!("{folder}/..%2f{file}"),
        format!("{folder}/%2e%2e%2f%2e%2e%2fetc%2fpasswd"),
        format!("{folder}/..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd"),
        format!("{folder}/%252e%252e%252f{file}"),
        format!("{folder}/..%5c{file}"),
        format!("{folder}/{file}%00"),
        format!("{folder}/{file}%00.txt"),
        format!("{folder}/%0d%0aX-Injected:%20{file}"),
        format!("{folder}/%ff{file}"),
        format!("{folder}/{file}%2f"),
        format!("{folder}/;/..%2f{file}"),
        format!("{folder}/{}", "a".repeat(5_000)),
    ] {
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE] {
            let answer = stage.client.request(method, &spelling).by(owner).send().await;
            assert!(answer.status.is_client_error(), "{}: {}", answer.described, answer.status);
            assert!(!answer.headers.contains_key("x-injected"));
        }
    }
    stage.get(&path).by(owner).send().await.expect(200);
}

/// The headers that a repetition of the request repeats.
fn steady(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    headers.remove("date");
    headers
}
