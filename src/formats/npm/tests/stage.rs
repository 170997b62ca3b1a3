//! A registry to send requests to.

use domain::{Visibility, rules::RuleBook};
use gateway::Format as _;
use serde_json::Value;
use testkit::{Answer, Client, Person, Project, World, artefacts::npm::Version};

use crate::npm::Npm;

/// A group `acme` with a private project `web` in it, and a client of all formats.
pub(super) struct Stage {
    pub(super) world: World,
    pub(super) client: Client,
    pub(super) project: Project,
}

impl Stage {
    /// A world with it.
    pub(super) async fn new() -> Self {
        let world = World::new(RuleBook::new([Npm.rules()])).await;
        let client = world.client(crate::router(&world.gateway));
        let group = world.group("acme", Visibility::Private).await;
        let project = world.project(&group, "web", Visibility::Private).await;
        Self { world, client, project }
    }

    /// An address of the project's registry.
    pub(super) fn at(&self, below: &str) -> String {
        format!("/api/v4/projects/{}/packages/npm/{below}", self.project.id)
    }

    /// `npm publish` by a developer.
    pub(super) async fn publish(&self, version: &Version) -> Answer {
        self.put(&version.name.replace('/', "%2f"), &version.document(), &self.world.people.developer).await
    }

    /// A PUT of JSON.
    pub(super) async fn put(&self, below: &str, body: &Value, person: &Person) -> Answer {
        self.client.put(self.at(below)).json(body).by(person).send().await
    }

    /// A GET by a reporter.
    pub(super) async fn get(&self, below: &str) -> Answer {
        self.client.get(self.at(below)).by(&self.world.people.reporter).send().await
    }

    /// A DELETE.
    pub(super) async fn delete(&self, below: &str, person: &Person) -> Answer {
        self.client.delete(self.at(below)).by(person).send().await
    }

    /// The packument in full.
    pub(super) async fn packument(&self, name: &str) -> Value {
        self.get(name).await.expect(200).json()
    }

    /// The versions it lists.
    pub(super) async fn versions(&self, name: &str) -> Vec<String> {
        let packument = self.packument(name).await;
        packument["versions"].as_object().expect("versions").keys().cloned().collect()
    }
}

/// The status and the text of a failure.
pub(super) fn told(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    assert_eq!(body["message"], body["error"], "both are there");
    (answer.status.as_u16(), body["error"].as_str().unwrap_or_default().to_owned())
}
