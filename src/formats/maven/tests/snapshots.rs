//! Snapshots, build by build.

use time::Duration;

use super::stage::{Stage, sha1, told};

const METADATA: &str = "com/acme/app/1.0-SNAPSHOT/maven-metadata.xml";

async fn build(stage: &Stage, timestamp: &str, number: u32) {
    stage.world.clock.advance(Duration::seconds(1));
    stage.build("com/acme/app", "1.0-SNAPSHOT", &format!("1.0-{timestamp}-{number}")).await;
}

#[tokio::test]
async fn each_build_is_in_the_next_read() {
    let stage = Stage::new().await;
    stage.get(METADATA).await.expect(404);
    build(&stage, "20261123.115959", 1).await;
    stage.put("com/acme/app/1.0-SNAPSHOT/app-1.0-20261123.115959-1-sources.jar", "sources").await.expect(200);
    assert_snapshot!("metadata_of_a_first_build", stage.get(METADATA).await.expect(200).text());
    build(&stage, "20261123.120000", 2).await;
    stage.put("com/acme/app/1.0-SNAPSHOT/app-1.0-20261123.120000-2.tar.gz", "tar").await.expect(200);
    stage.put("com/acme/app/1.0-SNAPSHOT/app-1.0-20261123.120000-2.jar.asc", "signature").await.expect(200);
    let answer = stage.get(METADATA).await.expect(200);
    assert_snapshot!("metadata_of_a_second_build", answer.text());
    assert_eq!(stage.get(&format!("{METADATA}.sha1")).await.expect(200).text(), sha1(&answer.body));
    assert_eq!(stage.read(&stage.of_group(METADATA)).await.expect(200).body, answer.body);
    let first = stage.get("com/acme/app/1.0-SNAPSHOT/app-1.0-20261123.115959-1.jar").await.expect(200);
    assert_eq!(first.text(), "jar of com/acme/app 1.0-20261123.115959-1", "older builds stay");
    let artifact = stage.get("com/acme/app/maven-metadata.xml").await.expect(200).text();
    assert!(
        artifact.contains("<latest>1.0-SNAPSHOT</latest>") && !artifact.contains("<release>"),
        "{artifact}"
    );
}

#[tokio::test]
async fn when_a_build_is_deleted_the_one_before_is_the_newest() {
    let stage = Stage::new().await;
    build(&stage, "20261123.115959", 1).await;
    let first = stage.get(METADATA).await.expect(200).text();
    build(&stage, "20261123.120000", 2).await;
    for extension in ["jar", "pom"] {
        let file = format!("app-1.0-20261123.120000-2.{extension}");
        let (_, id) = stage.ids("com/acme/app", "1.0-SNAPSHOT", &file).await;
        stage.destroy("destroyPackageFile", &id).await;
    }
    assert_eq!(stage.get(METADATA).await.expect(200).text(), first);
    let (package, _) = stage.ids("com/acme/app", "1.0-SNAPSHOT", "app-1.0-20261123.115959-1.jar").await;
    stage.destroy("destroyPackage", &package).await;
    assert_eq!(told(&stage.get(METADATA).await), (404, "404 Package Not Found".to_owned()));
}

/// Ivy and sbt put the same names again and again.
#[tokio::test]
async fn a_snapshot_without_builds_is_listed_under_its_own_name() {
    let stage = Stage::new().await;
    for content in ["first", "second"] {
        stage.world.clock.advance(Duration::seconds(1));
        stage.put("com/acme/app/1.0-SNAPSHOT/app-1.0-SNAPSHOT.jar", content).await.expect(200);
    }
    assert_snapshot!("metadata_without_builds", stage.get(METADATA).await.expect(200).text());
    let served = stage.get("com/acme/app/1.0-SNAPSHOT/app-1.0-SNAPSHOT.jar").await.expect(200);
    assert_eq!(served.text(), "second");
    // A build that comes later takes its place.
    build(&stage, "20261123.120000", 1).await;
    let text = stage.get(METADATA).await.expect(200).text();
    assert!(
        text.contains("<value>1.0-20261123.120000-1</value>") && !text.contains("<value>1.0-SNAPSHOT"),
        "{text}"
    );
}

#[tokio::test]
async fn other_files_of_a_snapshot_are_kept_and_not_listed() {
    let stage = Stage::new().await;
    stage.put("com/acme/app/1.0-SNAPSHOT/build-info.txt", "text").await.expect(200);
    stage.get(METADATA).await.expect(404);
    assert_eq!(stage.get("com/acme/app/1.0-SNAPSHOT/build-info.txt").await.expect(200).text(), "text");
    stage.get("com/acme/app/2.0-SNAPSHOT/maven-metadata.xml").await.expect(404);
}

/// The hundredth build costs what the second did.
#[tokio::test]
async fn a_build_costs_the_same_however_many_there_were() {
    let stage = Stage::new().await;
    let mut costs = Vec::new();
    for number in 1..=60_u32 {
        let before = stage.world.statements();
        let path = format!("com/acme/app/1.0-SNAPSHOT/app-1.0-20261123.120000-{number}.jar");
        stage.put(&path, format!("build {number}")).await.expect(200);
        costs.push(stage.world.statements() - before);
    }
    // The least of some: what is written down behind the requests, when tokens were used, is counted with one of them.
    let least = |builds: &[u64]| builds.iter().min().copied();
    assert_eq!(least(&costs[1..11]), least(&costs[50..]), "{costs:?}");
    let before = stage.world.statements();
    stage.get(METADATA).await.expect(200);
    let miss = stage.world.statements() - before;
    let before = stage.world.statements();
    stage.get(METADATA).await.expect(200);
    let hit = stage.world.statements() - before;
    assert!(hit < miss, "a hit costs {hit} statements, a miss {miss}");
}
