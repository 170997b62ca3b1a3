//! A registry to send requests to, and artifacts made in code.

use domain::{Visibility, rules::RuleBook};
use gateway::Format as _;
use http::HeaderMap;
use serde_json::{Value, json};
use testkit::{Answer, Client, Group, Person, Project, World};

use crate::maven::Maven;

/// A private group `com` with a private project `acme/app` in it, and a client of all formats.
pub(super) struct Stage {
    pub(super) world: World,
    pub(super) client: Client,
    pub(super) group: Group,
    pub(super) project: Project,
}

impl Stage {
    /// A world with it.
    pub(super) async fn new() -> Self {
        let world = World::new(RuleBook::new([Maven.rules()])).await;
        let client = world.client(crate::router(&world.gateway));
        let group = world.group("com", Visibility::Private).await;
        let subgroup = world.subgroup(&group, "acme", Visibility::Private).await;
        let project = world.project(&subgroup, "app", Visibility::Private).await;
        Self { world, client, group, project }
    }

    /// An address of the project's registry.
    pub(super) fn at(&self, path: &str) -> String {
        format!("/api/v4/projects/{}/packages/maven/{path}", self.project.id)
    }

    /// An address of the group's registry.
    pub(super) fn of_group(&self, path: &str) -> String {
        format!("/api/v4/groups/{}/-/packages/maven/{path}", self.group.id)
    }

    /// A PUT by a developer.
    pub(super) async fn put(&self, path: &str, body: impl Into<bytes::Bytes>) -> Answer {
        self.put_by(path, body, &self.world.people.developer).await
    }

    /// A PUT by somebody.
    pub(super) async fn put_by(&self, path: &str, body: impl Into<bytes::Bytes>, person: &Person) -> Answer {
        self.client.put(self.at(path)).body(body).by(person).send().await
    }

    /// A GET by a reporter.
    pub(super) async fn get(&self, path: &str) -> Answer {
        self.read(&self.at(path)).await
    }

    /// A GET of a whole address by a reporter.
    pub(super) async fn read(&self, address: &str) -> Answer {
        self.client.get(address).by(&self.world.people.reporter).send().await
    }

    /// Publishes the jar and the POM of a release, as `mvn deploy` does it.
    pub(super) async fn release(&self, name: &str, version: &str) {
        self.deploy(name, version, version, &pom(name, version)).await;
    }

    /// Publishes the jar and the POM of a build of a snapshot.
    pub(super) async fn build(&self, name: &str, version: &str, build: &str) {
        self.deploy(name, version, build, &pom(name, version)).await;
    }

    /// Publishes `jar` and `pom` with their checksums.
    pub(super) async fn deploy(&self, name: &str, version: &str, value: &str, pom: &str) {
        let artifact = name.rsplit('/').next().unwrap_or(name);
        let jar = format!("jar of {name} {value}");
        for (extension, content) in [("jar", jar.as_str()), ("pom", pom)] {
            let path = format!("{name}/{version}/{artifact}-{value}.{extension}");
            self.put(&path, content.to_owned()).await.expect(200);
            self.put(&format!("{path}.sha1"), sha1(content.as_bytes())).await.expect(204);
            self.put(&format!("{path}.md5"), md5(content.as_bytes())).await.expect(200);
        }
    }

    /// The ids of the packages and files that REST would delete: `(package, file)`.
    pub(super) async fn ids(&self, name: &str, version: &str, file: &str) -> (Value, Value) {
        let document = "query I($scope: PackageScopeInput!, $name: String!, $version: String!, $file: String!) { \
            packageVersion(scope: $scope, packageType: MAVEN, packageName: $name, packageVersion: $version) { id } \
            packageFile(scope: $scope, packageType: MAVEN, packageName: $name, packageVersion: $version, fileName: $file) { id } }";
        let variables = json!({
            "scope": { "projectPath": self.project.full_path }, "name": name, "version": version, "file": file,
        });
        let answer = self.world.graphql(&self.world.people.maintainer, document, variables).await;
        let ids = &answer["data"];
        (ids["packageVersion"]["id"].clone(), ids["packageFile"]["id"].clone())
    }

    /// Deletes what has this id, with a mutation of GitLab's name, as a maintainer.
    pub(super) async fn destroy(&self, mutation: &str, id: &Value) {
        let input = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        let document = format!("mutation D($input: {input}!) {{ {mutation}(input: $input) {{ errors }} }}");
        let variables = json!({ "input": { "id": id } });
        let answer = self.world.graphql(&self.world.people.maintainer, &document, variables).await;
        assert!(answer["errors"].is_null(), "{answer}");
    }
}

/// A POM of a library.
pub(super) fn pom(name: &str, version: &str) -> String {
    pom_with(name, version, "")
}

/// A POM with more in it.
pub(super) fn pom_with(name: &str, version: &str, more: &str) -> String {
    let (group_id, artifact_id) = crate::maven::rules::group_and_artifact(name);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n  \
         <modelVersion>4.0.0</modelVersion>\n  <groupId>{group_id}</groupId>\n  <artifactId>{artifact_id}</artifactId>\n  \
         <version>{version}</version>\n{more}</project>\n"
    )
}

pub(super) fn sha1(bytes: &[u8]) -> String {
    use sha1::Digest as _;
    hex::encode(sha1::Sha1::digest(bytes))
}

pub(super) fn md5(bytes: &[u8]) -> String {
    use md5::Digest as _;
    hex::encode(md5::Md5::digest(bytes))
}

/// The status and the text of a failure.
pub(super) fn told(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    assert_eq!(body["message"], body["error"], "both are there");
    let is_problem = answer.header("content-type") == "application/problem+json";
    assert_eq!(
        is_problem,
        answer.status != 404,
        "Maven 3.9 stumbles over such an answer when something is not found"
    );
    if is_problem {
        assert_eq!((&body["detail"], &body["status"]), (&body["error"], &answer.status.as_u16().into()));
    }
    (answer.status.as_u16(), body["error"].as_str().unwrap_or_default().to_owned())
}

/// An answer as it goes over the wire, without what differs from run to run.
pub(super) fn wire(answer: &Answer) -> String {
    let mut text = format!("{}\n", answer.status);
    let headers: &HeaderMap = &answer.headers;
    let mut lines: Vec<String> =
        headers.iter().map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap_or("?"))).collect();
    lines.sort();
    text.push_str(&lines.concat());
    text + "\n" + &answer.text()
}
