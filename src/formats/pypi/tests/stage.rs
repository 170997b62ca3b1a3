//! A registry to send requests to.

use domain::{Visibility, rules::RuleBook};
use gateway::Format as _;
use serde_json::Value;
use testkit::{
    Answer, Client, Group, Person, Project, World,
    artefacts::pypi::{Distribution, content_type},
};

use crate::pypi::Pypi;

pub(super) const JSON: &str = "application/vnd.pypi.simple.v1+json";

/// A group `acme` with a private project `web` in it, and a client of all formats.
pub(super) struct Stage {
    pub(super) world: World,
    pub(super) client: Client,
    pub(super) project: Project,
    pub(super) group: Group,
}

impl Stage {
    /// A world with it.
    pub(super) async fn new() -> Self {
        let world = World::new(RuleBook::new([Pypi.rules()])).await;
        let client = world.client(crate::router(&world.gateway));
        let group = world.group("acme", Visibility::Private).await;
        let project = world.project(&group, "web", Visibility::Private).await;
        Self { world, client, project, group }
    }

    /// An address of the project's registry.
    pub(super) fn at(&self, below: &str) -> String {
        at(&self.project, below)
    }

    /// An upload by a developer.
    pub(super) async fn upload(&self, form: Vec<u8>) -> Answer {
        self.upload_to(&self.project, form, &self.world.people.developer).await
    }

    /// An upload.
    pub(super) async fn upload_to(&self, project: &Project, form: Vec<u8>, person: &Person) -> Answer {
        let request = self.client.post(at(project, "")).header("content-type", content_type()).body(form);
        request.by(person).send().await
    }

    /// An upload of the wheel.
    pub(super) async fn publish(&self, distribution: &Distribution) -> Answer {
        let (name, wheel) = (distribution.wheel_name(), distribution.wheel());
        self.upload(distribution.form(&name, &wheel)).await
    }

    /// A GET by a reporter.
    pub(super) async fn get(&self, path: &str) -> Answer {
        self.client.get(path).by(&self.world.people.reporter).send().await
    }

    /// The page of a name as JSON, from the index at `base`.
    pub(super) async fn page(&self, base: &str, name: &str) -> Value {
        let request = self.client.get(format!("{base}/simple/{name}/")).header("accept", JSON);
        request.by(&self.world.people.reporter).send().await.expect(200).json()
    }

    /// The names of the files in the page.
    pub(super) async fn files(&self, name: &str) -> Vec<String> {
        let page = self.page(&self.at(""), name).await;
        let files = page["files"].as_array().expect("files").iter();
        files.map(|file| file["filename"].as_str().expect("a name").to_owned()).collect()
    }
}

pub(super) fn at(project: &Project, below: &str) -> String {
    format!("/api/v4/projects/{}/packages/pypi{below}", project.id)
}

/// The path of a link in a document, without its digest.
pub(super) fn path(link: &str) -> &str {
    let path = link.strip_prefix("http://registry.test").expect("a link to this server");
    path.split('#').next().unwrap_or_default()
}

/// The status and the text of a failure.
pub(super) fn told(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    let text = body["message"].as_str().or(body["error"].as_str()).unwrap_or_default();
    (answer.status.as_u16(), text.to_owned())
}
