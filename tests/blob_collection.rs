//! Bytes go when nothing refers to them, not before, and never those of a file that is there.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use domain::Visibility;
use serde_json::{Value, json};
use testkit::{Answer, Blobs, Client, Project, World};
use time::Duration;

use crate::world::router;

struct Stage {
    world: World,
    client: Client,
    project: Project,
}

impl Stage {
    async fn new(blobs: Blobs) -> Self {
        let world = World::with(formats::rules(), blobs).await;
        let client = world.client(router(&world));
        let group = world.group("acme", Visibility::Private).await;
        let project = world.project(&group, "web", Visibility::Private).await;
        Self { world, client, project }
    }

    fn path(&self, version: &str, file: &str) -> String {
        format!("/api/v4/projects/{}/packages/generic/app/{version}/{file}", self.project.id)
    }

    async fn publish(&self, version: &str, content: &[u8]) -> Answer {
        let developer = &self.world.people.developer;
        self.client.put(self.path(version, "a.bin")).body(content.to_vec()).by(developer).send().await
    }

    async fn fetch(&self, version: &str) -> Answer {
        self.client.get(self.path(version, "a.bin")).by(&self.world.people.reporter).send().await
    }

    /// Deletes every version.
    async fn destroy_all(&self) {
        let document =
            "mutation D($input: DestroyPackageNameInput!) { destroyPackageName(input: $input) { errors } }";
        let input = json!({ "scope": { "projectPath": self.project.full_path }, "packageType": "GENERIC",
            "packageName": "app" });
        self.world.graphql(&self.world.people.maintainer, document, json!({ "input": input })).await;
    }

    /// What the last run of the collection says.
    async fn last_result(&self) -> Value {
        let document =
            "query R { backgroundJobRuns(kind: BLOB_COLLECTION, first: 1) { nodes { status result } } }";
        let answer = self.world.graphql(&self.world.people.administrator, document, Value::Null).await;
        let run = &answer["data"]["backgroundJobRuns"]["nodes"][0];
        assert_eq!(run["status"], "SUCCEEDED", "{answer}");
        run["result"].clone()
    }
}

#[tokio::test]
async fn bytes_go_an_hour_after_they_were_found_and_a_day_after_their_file() {
    let stage = Stage::new(Blobs::Memory).await;
    stage.publish("1", b"deleted").await.expect(201);
    stage.world.run_jobs().await;
    stage.destroy_all().await;
    stage.publish("2", b"kept").await.expect(201);
    stage.fetch("1").await.expect(404);
    stage.world.clock.advance(Duration::hours(23));
    stage.world.run_jobs().await;
    assert_eq!(stage.world.blob_count(), 2, "deleted for less than a day");
    stage.world.clock.advance(Duration::hours(1));
    stage.world.run_jobs().await;
    assert_eq!(stage.last_result().await["contents_condemned"], 1);
    assert_eq!(stage.world.blob_count(), 2, "found just now");
    stage.world.clock.advance(Duration::hours(1));
    stage.world.run_jobs().await;
    assert_eq!(stage.last_result().await["bytes_removed"], 7);
    assert_eq!(stage.world.blob_count(), 1);
    assert_eq!(stage.fetch("2").await.expect(200).body, &b"kept"[..]);
    // The same bytes once more.
    stage.publish("3", b"deleted").await.expect(201);
    assert_eq!(stage.fetch("3").await.expect(200).body, &b"deleted"[..]);
    for _ in 0..30 {
        stage.world.clock.advance(Duration::hours(1));
        stage.world.run_jobs().await;
    }
    assert_eq!(stage.fetch("3").await.expect(200).body, &b"deleted"[..]);
}

#[tokio::test]
async fn bytes_that_another_file_shares_stay() {
    let stage = Stage::new(Blobs::Memory).await;
    stage.publish("1", b"shared").await.expect(201);
    stage.destroy_all().await;
    stage.publish("2", b"shared").await.expect(201);
    assert_eq!(stage.world.collect(Duration::ZERO).await.removed, 0);
    assert_eq!(stage.fetch("2").await.expect(200).body, &b"shared"[..]);
}

#[tokio::test]
async fn a_dry_run_says_what_the_run_then_does() {
    for blobs in [Blobs::Memory, Blobs::Disk] {
        let stage = Stage::new(blobs).await;
        stage.publish("1", b"deleted").await.expect(201);
        stage.publish("2", b"deleted too").await.expect(201);
        stage.destroy_all().await;
        stage.publish("3", b"kept").await.expect(201);
        stage.world.leave_bytes(b"never published").await;
        assert_eq!(stage.world.collectable(Duration::HOUR).await, [(0, 0), (0, 0)], "not for long enough");
        assert_eq!(stage.world.collect(Duration::HOUR).await.removed, 0);
        assert_eq!(stage.world.collectable(Duration::ZERO).await, [(2, 18), (1, 15)]);
        let collected = stage.world.collect(Duration::ZERO).await;
        assert_eq!((collected.condemned, collected.unknown), (2, 1));
        assert_eq!((collected.removed, collected.removed_bytes), (3, 33));
        assert_eq!(stage.world.collectable(Duration::ZERO).await, [(0, 0), (0, 0)]);
        assert_eq!(stage.world.collect(Duration::ZERO).await.removed, 0);
        assert_eq!(stage.fetch("3").await.expect(200).body, &b"kept"[..]);
        stage.publish("4", b"never published").await.expect(201);
        assert_eq!(stage.fetch("4").await.expect(200).body, &b"never published"[..]);
    }
}

/// Publishes, deletions and removals of the same few contents at once, without any time in between: a publish may be refused and is
/// repeated then, but what it acknowledged can be fetched.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_published_is_there_whatever_is_removed_meanwhile() {
    for blobs in [Blobs::Memory, Blobs::Disk] {
        let stage = Arc::new(Stage::new(blobs).await);
        let is_over = Arc::new(AtomicBool::new(false));
        let collectors = (0..2).map(|_| {
            let (stage, is_over) = (Arc::clone(&stage), Arc::clone(&is_over));
            tokio::spawn(async move {
                let mut removed = 0;
                while !is_over.load(Ordering::Relaxed) {
                    removed += stage.world.collect(Duration::ZERO).await.removed;
                }
                removed
            })
        });
        let collectors: Vec<_> = collectors.collect();
        let publishers = (0..4).map(|publisher| {
            let stage = Arc::clone(&stage);
            tokio::spawn(async move {
                let mut refused = 0;
                for round in 0..25 {
                    let version = format!("{publisher}.{round}");
                    let content = [b'a' + round % 3; 100];
                    while stage.publish(&version, &content).await.status != 201 {
                        refused += 1;
                        assert!(refused < 10_000, "it ends some time");
                    }
                    let found = stage.fetch(&version).await;
                    // Another publisher deletes all of them now and then.
                    if found.status != 404 {
                        assert_eq!(found.expect(200).body, &content[..], "{version}");
                    }
                    if round % 5 == publisher {
                        stage.destroy_all().await;
                    }
                }
                refused
            })
        });
        let mut refused = 0;
        for publisher in publishers.collect::<Vec<_>>() {
            refused += publisher.await.expect("no panic");
        }
        is_over.store(true, Ordering::Relaxed);
        let mut removed = 0;
        for collector in collectors {
            removed += collector.await.expect("no panic");
        }
        assert!(removed > 0, "something was removed on the way, {refused} were refused");
        let document =
            "query P($path: ID!) { project(fullPath: $path) { packages(first: 100) { nodes { version } } } }";
        let variables = json!({ "path": stage.project.full_path });
        let answer = stage.world.graphql(&stage.world.people.reporter, document, variables).await;
        let left = answer["data"]["project"]["packages"]["nodes"].as_array().expect("packages").clone();
        for package in left {
            stage.fetch(package["version"].as_str().expect("a version")).await.expect(200);
        }
    }
}
