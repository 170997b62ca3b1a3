//! `maven-metadata.xml` of artifacts and of groups with plugins.

use domain::Visibility;
use serde_json::json;
use testkit::Carried;
use time::Duration;

use super::{
    inspection::plugin_jar,
    stage::{Stage, md5, pom_with, sha1, told, wire},
};

const METADATA: &str = "com/acme/app/maven-metadata.xml";

fn versions(xml: &str) -> Vec<String> {
    let inner = |piece: &str| piece.split_once("</version>").map(|(version, _)| version.to_owned());
    xml.split("<version>").filter_map(inner).collect()
}

fn field<'a>(xml: &'a str, name: &str) -> &'a str {
    let after = xml.split_once(&format!("<{name}>")).map_or("", |(_, after)| after);
    after.split_once("</").map_or("", |(text, _)| text)
}

#[tokio::test]
async fn the_versions_of_an_artifact_are_in_mavens_order() {
    let stage = Stage::new().await;
    for version in ["1.10", "1.2", "1.9", "2.0-alpha-1", "1.10.1-SNAPSHOT", "2.0-SNAPSHOT", "1.2-rc1"] {
        stage.put(&format!("com/acme/app/{version}/app-{version}.jar"), version).await.expect(200);
    }
    let answer = stage.get(METADATA).await.expect(200);
    assert_snapshot!("metadata_of_an_artifact", wire(&answer));
    assert_eq!(
        versions(&answer.text()),
        ["1.2-rc1", "1.2", "1.9", "1.10", "1.10.1-SNAPSHOT", "2.0-alpha-1", "2.0-SNAPSHOT"]
    );
    for (suffix, digest) in [("md5", md5(&answer.body)), ("sha1", sha1(&answer.body))] {
        assert_eq!(stage.get(&format!("{METADATA}.{suffix}")).await.expect(200).text(), digest);
        assert_eq!(answer.header(&format!("x-checksum-{suffix}")), digest);
    }
    for (suffix, length) in [("sha256", 64), ("sha512", 128)] {
        assert_eq!(stage.get(&format!("{METADATA}.{suffix}")).await.expect(200).text().len(), length);
    }
    stage.get(&format!("{METADATA}.asc")).await.expect(404);
}

#[tokio::test]
async fn a_publish_and_a_deletion_are_in_the_next_read() {
    let stage = Stage::new().await;
    let mut seen = Vec::new();
    for number in 1..4 {
        stage.world.clock.advance(Duration::seconds(1));
        stage.release("com/acme/app", &format!("{number}.0")).await;
        let answer = stage.get(METADATA).await.expect(200);
        assert_eq!(versions(&answer.text()).len(), number);
        assert_eq!(field(&answer.text(), "release"), format!("{number}.0"));
        assert!(!seen.contains(&answer.header("etag").to_owned()));
        seen.push(answer.header("etag").to_owned());
        let request = stage.client.get(stage.at(METADATA)).by(&stage.world.people.reporter);
        let same = request.header("if-none-match", answer.header("etag")).send().await.expect(304);
        assert!(same.body.is_empty() && same.header("etag") == answer.header("etag"));
    }
    assert_eq!(field(&stage.get(METADATA).await.text(), "lastUpdated"), "20261123120003");
    let (package, _) = stage.ids("com/acme/app", "3.0", "app-3.0.jar").await;
    stage.destroy("destroyPackage", &package).await;
    let text = stage.get(METADATA).await.expect(200).text();
    assert_eq!((versions(&text), field(&text, "latest")), (vec!["1.0".to_owned(), "2.0".to_owned()], "2.0"));
    for version in ["1.0", "2.0"] {
        let (package, _) = stage.ids("com/acme/app", version, &format!("app-{version}.jar")).await;
        stage.destroy("destroyPackage", &package).await;
    }
    assert_eq!(told(&stage.get(METADATA).await), (404, "404 Package Not Found".to_owned()));
    stage.get(&format!("{METADATA}.sha1")).await.expect(404);
    // What was read before is not shown to whoever may not see it.
    stage.release("com/acme/app", "4.0").await;
    stage.get(METADATA).await.expect(200);
    stage.client.get(stage.at(METADATA)).by(&stage.world.people.outsider).send().await.expect(404);
    stage.client.get(stage.at(METADATA)).header("if-none-match", "*").send().await.expect(401);
}

#[tokio::test]
async fn what_clients_put_is_accepted_and_never_trusted() {
    let stage = Stage::new().await;
    let forged = "<metadata><versioning><versions><version>9.9</version></versions></versioning></metadata>";
    for path in [
        METADATA,
        "com/acme/maven-metadata.xml",
        "com/maven-metadata.xml",
        "com/acme/app/1-SNAPSHOT/maven-metadata.xml",
    ] {
        for (suffix, status) in
            [("", 200), (".sha1", 204), (".md5", 200), (".sha512", 200), (".asc", 200), (".asc.sha1", 204)]
        {
            let answer = stage.put(&format!("{path}{suffix}"), forged).await.expect(status);
            assert!(answer.body.is_empty());
            stage.get(&format!("{path}{suffix}")).await.expect(404);
        }
    }
    stage.put(METADATA, vec![b' '; 10 * 1024 * 1024 + 1]).await.expect(400);
    stage.release("com/acme/app", "1.0").await;
    stage.put(METADATA, forged).await.expect(200);
    assert_eq!(versions(&stage.get(METADATA).await.expect(200).text()), ["1.0"]);
    stage.world.nothing_stays_staged().await;
    let listed = "query Q($scope: PackageScopeInput!) { packages(scope: $scope, includeVersionless: true) { nodes { version } } }";
    let variables = json!({ "scope": { "projectPath": stage.project.full_path } });
    let answer = stage.world.graphql(&stage.world.people.reporter, listed, variables).await;
    assert_eq!(
        answer["data"]["packages"]["nodes"],
        json!([{ "version": "1.0" }]),
        "nothing without a version"
    );
}

#[tokio::test]
async fn a_group_merges_its_projects_as_the_caller_sees_them() {
    let stage = Stage::new().await;
    let world = &stage.world;
    stage.release("com/acme/app", "1.0").await;
    let open = world.group("open", Visibility::Public).await;
    let (hidden, shown) = (
        world.project(&open, "hidden", Visibility::Private).await,
        world.project(&open, "shown", Visibility::Public).await,
    );
    for (project, version, content) in
        [(&hidden, "1.0", "a"), (&shown, "2.0", "b"), (&hidden, "2.0", "c"), (&shown, "1.5", "d")]
    {
        let path = format!("/api/v4/projects/{}/packages/maven/x/y/{version}/y-{version}.jar", project.id);
        stage.client.put(path).body(content).by(&world.people.developer).send().await.expect(200);
    }
    let of_group = |path: &str| format!("/api/v4/groups/{}/-/packages/maven/x/y/{path}", open.id);
    let merged = stage.read(&of_group("maven-metadata.xml")).await.expect(200);
    assert_eq!(versions(&merged.text()), ["1.0", "1.5", "2.0"]);
    assert_eq!(stage.read(&of_group("2.0/y-2.0.jar")).await.expect(200).text(), "c", "the newest");
    let anonymous = stage.client.get(of_group("maven-metadata.xml")).send().await.expect(200);
    assert_eq!(versions(&anonymous.text()), ["1.5", "2.0"]);
    assert_eq!(stage.client.get(of_group("2.0/y-2.0.jar")).send().await.expect(200).text(), "b");
    stage.client.get(of_group("1.0/y-1.0.jar")).send().await.expect(401);
    // A wrong password of a read counts as none.
    let impostor =
        stage.client.get(of_group("maven-metadata.xml")).by_way_of(&world.people.impostor, Carried::Basic);
    assert_eq!(versions(&impostor.send().await.expect(200).text()), ["1.5", "2.0"]);
}

const PLUGINS: &str = "com/acme/maven-metadata.xml";

async fn publish_plugin(stage: &Stage, artifact: &str, version: &str, name: &str) {
    let package = format!("com/acme/{artifact}");
    let more = format!("<packaging>maven-plugin</packaging><name>{name}</name>");
    let path = format!("{package}/{version}/{artifact}-{version}.pom");
    stage.put(&path, pom_with(&package, version, &more)).await.expect(200);
}

#[tokio::test]
async fn a_group_lists_its_plugins() {
    let stage = Stage::new().await;
    stage.release("com/acme/app", "1.0").await;
    stage.get(PLUGINS).await.expect(404);
    publish_plugin(&stage, "hello-maven-plugin", "1.0", "Says &lt;hello&gt;").await;
    publish_plugin(&stage, "maven-bye-plugin", "1.0", "").await;
    let answer = stage.get(PLUGINS).await.expect(200);
    assert_snapshot!("metadata_of_a_group", answer.text());
    assert_eq!(stage.get(&format!("{PLUGINS}.sha1")).await.expect(200).text(), sha1(&answer.body));
    assert_eq!(stage.read(&stage.of_group(PLUGINS)).await.expect(200).body, answer.body);

    // The archive knows the prefix that a POM lets only be guessed, whichever comes first.
    stage
        .put("com/acme/hello-maven-plugin/1.0/hello-maven-plugin-1.0.jar", plugin_jar("greet"))
        .await
        .expect(200);
    publish_plugin(&stage, "hello-maven-plugin", "1.1", "Later").await;
    let text = stage.get(PLUGINS).await.expect(200).text();
    assert!(text.contains("<prefix>greet</prefix>") && !text.contains("<prefix>hello</prefix>"), "{text}");
    let (_, jar) = stage.ids("com/acme/hello-maven-plugin", "1.0", "hello-maven-plugin-1.0.jar").await;
    stage.destroy("destroyPackageFile", &jar).await;
    let text = stage.get(PLUGINS).await.expect(200).text();
    assert!(text.contains("<prefix>hello</prefix>") && text.contains("<name>Later</name>"), "{text}");

    for (artifact, version) in
        [("hello-maven-plugin", "1.0"), ("hello-maven-plugin", "1.1"), ("maven-bye-plugin", "1.0")]
    {
        let (package, _) =
            stage.ids(&format!("com/acme/{artifact}"), version, &format!("{artifact}-{version}.pom")).await;
        stage.destroy("destroyPackage", &package).await;
    }
    stage.get(PLUGINS).await.expect(404);
}

#[tokio::test]
async fn an_artifact_may_be_a_group_with_plugins_too() {
    let stage = Stage::new().await;
    publish_plugin(&stage, "hello-maven-plugin", "1.0", "Hello").await;
    stage.put("com/acme/1.0/acme-1.0.jar", "acme").await.expect(200);
    let both = stage.get(PLUGINS).await.expect(200);
    assert_snapshot!("metadata_of_both", both.text());
    let etag = both.header("etag").to_owned();
    publish_plugin(&stage, "other-maven-plugin", "1.0", "Other").await;
    let grown = stage.get(PLUGINS).await.expect(200);
    assert!(grown.header("etag") != etag && grown.text().contains("other"), "{}", grown.text());
    stage.put("com/acme/1.1/acme-1.1.jar", "acme").await.expect(200);
    assert_eq!(versions(&stage.get(PLUGINS).await.expect(200).text()), ["1.0", "1.1"]);
}
