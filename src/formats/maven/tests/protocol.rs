//! Files through the real router, on a real schema and database.

use domain::Scope;
use http::Method;
use serde_json::json;
use testkit::{
    Carried,
    protocol::{self, Challenge, Protocol, Publish},
};

use super::stage::{Stage, pom, sha1, told, wire};
use crate::maven::rules::MavenRules;

fn noise(size: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(byte).take(size).collect()
}

#[tokio::test]
async fn passes_the_checks_of_every_format() {
    let path = |project: &testkit::Project, number: u32| {
        format!("/api/v4/projects/{}/packages/maven/com/acme/app/1.{number}/app-1.{number}.jar", project.id)
    };
    protocol::check(Protocol {
        rules: &MavenRules,
        router: crate::router,
        publish: |project, number, size| Publish {
            method: Method::PUT,
            path: format!(
                "/api/v4/projects/{}/packages/maven/com/acme/app/1.{number}/app-1.{number}.jar",
                project.id
            ),
            headers: Vec::new(),
            body: noise(size).into(),
        },
        download: path,
        challenge: Challenge::Sent,
    })
    .await;
}

#[tokio::test]
async fn a_file_is_there_at_every_level() {
    let stage = Stage::new().await;
    stage.release("com/acme/app", "1.0").await;
    let file = "com/acme/app/1.0/app-1.0.jar";
    let instance = format!("/api/v4/packages/maven/{file}");
    for address in [stage.at(file), stage.of_group(file), instance] {
        let answer = stage.read(&address).await.expect(200);
        assert_eq!(answer.text(), "jar of com/acme/app 1.0");
        assert_eq!(answer.header("content-type"), "application/octet-stream");
        assert_eq!(answer.header("x-checksum-sha1"), sha1(&answer.body));
        let head = stage.client.head(&address).by(&stage.world.people.reporter).send().await.expect(200);
        assert_eq!((head.body.len(), head.header("x-checksum-md5")), (0, answer.header("x-checksum-md5")));
        let digest = stage.read(&format!("{address}.sha1")).await.expect(200);
        assert_eq!(wire(&digest), wire_of_a_digest(&sha1(&answer.body)));
        for (suffix, length) in [("md5", 32), ("sha256", 64), ("sha512", 128)] {
            let digest = stage.read(&format!("{address}.{suffix}")).await.expect(200);
            assert_eq!(digest.text().len(), length);
        }
        for missing in ["1.0/app-1.0.war", "1.0/app-1.0.war.sha1", "2.0/app-2.0.jar"] {
            let missing = address.replace("1.0/app-1.0.jar", missing);
            stage.read(&missing).await.expect(404);
            stage.client.get(&missing).send().await.expect(401);
        }
    }
    stage.get("com/acme/app/1.0/maven-metadata.xml").await.expect(404);
}

fn wire_of_a_digest(digest: &str) -> String {
    format!(
        "200 OK\ncache-control: private, max-age=0, must-revalidate\ncontent-length: 40\ncontent-type: text/plain\n\
         x-content-type-options: nosniff\n\n{digest}"
    )
}

/// GitLab's rule for the level where groups of strangers meet.
#[tokio::test]
async fn the_instance_knows_only_projects_with_the_packages_own_path() {
    let stage = Stage::new().await;
    stage.release("com/acme/app", "1.0").await;
    stage.release("com/acme/other", "1.0").await;
    let other = "/api/v4/packages/maven/com/acme/other/1.0/other-1.0.jar";
    let (status, text) = told(&stage.read(other).await);
    assert_eq!(status, 403);
    assert!(
        text.starts_with("403 Forbidden - At the instance level 'com/acme/other' is looked for in"),
        "{text}"
    );
    stage.client.get(other).send().await.expect(401);
    stage.read("/api/v4/packages/maven/com/acme/app/maven-metadata.xml").await.expect(200);
    stage.read("/api/v4/packages/maven/com/acme/other/maven-metadata.xml").await.expect(403);
    let outsider = &stage.world.people.outsider;
    let hidden = "/api/v4/packages/maven/com/acme/app/1.0/app-1.0.jar";
    stage.client.get(hidden).by(outsider).send().await.expect(403);
}

#[tokio::test]
async fn a_download_goes_over_the_wire_as_gitlab_sends_it() {
    let stage = Stage::new().await;
    stage.put("com/acme/app/1.0/app-1.0.jar", "content").await.expect(200);
    assert_snapshot!("download", wire(&stage.get("com/acme/app/1.0/app-1.0.jar").await));
    assert_snapshot!("missing", wire(&stage.get("com/acme/app/1.0/app-1.0.war").await));
    let anonymous = stage.client.get(stage.at("com/acme/app/1.0/app-1.0.jar")).send().await;
    assert_snapshot!("unauthorized", wire(&anonymous));
}

#[tokio::test]
async fn every_kind_of_file_is_kept_and_the_newest_is_served() {
    let stage = Stage::new().await;
    for file in [
        "app-1.0.jar",
        "app-1.0-sources.jar",
        "app-1.0-javadoc.jar",
        "app-1.0.jar.asc",
        "app-1.0.module",
        "app-1.0.tar.gz",
        "app-1.0.war",
        "ivy-1.0.xml",
        "app-1.0.jar.sigstore.json",
        "app-1.0",
        "other+name_1",
    ] {
        let path = format!("com/acme/app/1.0/{file}");
        for content in ["first", "second"] {
            let answer = stage.put(&path, content).await.expect(200);
            assert!(answer.body.is_empty());
            assert_eq!(stage.get(&path).await.expect(200).text(), content, "{file}");
        }
    }
    stage.put("com/acme/empty/1.0/empty-1.0.txt", "").await.expect(200);
    assert!(stage.get("com/acme/empty/1.0/empty-1.0.txt").await.expect(200).body.is_empty());
    // Whatever has the form of coordinates: the layout of Ivy is kept as well.
    stage.put("com.acme/app/1.0/jars/app.jar", "ivy").await.expect(200);
    assert_eq!(stage.get("com.acme/app/1.0/jars/app.jar").await.expect(200).text(), "ivy");
    assert_eq!(
        stage.get("com%2Facme/app%2F1.0/app-1.0.jar").await.expect(200).text(),
        "second",
        "decoded once"
    );
}

#[tokio::test]
async fn what_is_no_place_for_a_package_is_refused() {
    let stage = Stage::new().await;
    for (path, status, text) in [
        (
            "app.jar",
            400,
            "Validation failed: Name is invalid: 'app.jar' is not group/artifact/version/file, such as \
             com/acme/app/1.0/app-1.0.jar",
        ),
        (
            "acme/1.0/app.jar",
            400,
            "Validation failed: Name is invalid: 'acme/1.0/app.jar' is not group/artifact/version/file, such as \
             com/acme/app/1.0/app-1.0.jar",
        ),
        (
            "com/acme/app/1.0/a%20b.jar",
            400,
            "file_name is invalid: 'a b.jar' can have letters, digits, '.', '_', '-' and '+'",
        ),
        (
            "com/acme/app/..%2f1.0/app.jar",
            400,
            "path should be a valid file path: 'com/acme/app/../1.0/app.jar' has an empty segment, '.', '..', '\\', '%' or a control character",
        ),
        (
            "com/acme/app/1.0/%252e%252e",
            400,
            "path should be a valid file path: 'com/acme/app/1.0/%2e%2e' has an empty segment, '.', '..', '\\', '%' or a control character",
        ),
        (
            "com/acme/app/",
            400,
            "Validation failed: Name is invalid: 'com/acme/app/' is not group/artifact/version/file, such as com/acme/app/1.0/app-1.0.jar",
        ),
        (
            "com/a%20b/app/1.0/app-1.0.jar",
            400,
            "Validation failed: Name is invalid: 'com/a b/app' is not a group and an artifact with '/' between them, such as \
             com/acme/app, of letters, digits, '.', '_' and '-'",
        ),
        (
            "com/acme/app/1..0/app-1..0.jar",
            400,
            "Validation failed: Version is invalid: '1..0' can have letters, digits, '.', '_', '-' and '+', without '..'",
        ),
    ] {
        assert_eq!(told(&stage.put(path, "content").await), (status, text.to_owned()), "{path}");
    }
    for path in [
        "app.jar",
        "acme/1.0/app.jar",
        "com/acme/app/",
        "com/a%20b/app/1.0/app-1.0.jar",
        "com/acme/app/1..0/app-1..0.jar",
    ] {
        stage.get(path).await.expect(if path.contains("1..0") { 400 } else { 404 });
    }
    for base in [stage.of_group(""), "/api/v4/packages/maven/".to_owned()] {
        let request = stage.client.put(format!("{base}com/acme/app/1.0/app-1.0.jar")).body("content");
        let answer = request.by(&stage.world.people.owner).send().await;
        assert_eq!(answer.header("allow"), "GET, HEAD");
        let (status, text) = told(&answer);
        assert!(status == 405 && text.contains("Packages are published to a project"), "{text}");
    }
    let answer = stage
        .client
        .delete(stage.at("com/acme/app/1.0/app-1.0.jar"))
        .by(&stage.world.people.owner)
        .send()
        .await;
    answer.expect(405);
    stage.world.nothing_stays_staged().await;
    assert_eq!(stage.world.blob_count(), 0);
}

#[tokio::test]
async fn a_pom_that_disagrees_is_refused_and_leaves_nothing() {
    let stage = Stage::new().await;
    let answer = stage.put("com/acme/app/1.0/app-1.0.pom", pom("com/acme/app", "2.0")).await;
    assert_snapshot!("disagreeing_pom", wire(&answer));
    stage.get("com/acme/app/1.0/app-1.0.pom").await.expect(404);
    stage.get("com/acme/app/maven-metadata.xml").await.expect(404);
    stage.world.nothing_stays_staged().await;
    assert_eq!(stage.world.blob_count(), 0);
}

#[tokio::test]
async fn digests_announced_in_headers_are_compared() {
    let stage = Stage::new().await;
    let path = stage.at("com/acme/app/1.0/app-1.0.jar");
    let put = |digest: String| {
        let request = stage.client.put(&path).body("content").header("x-checksum-sha1", digest);
        request.by(&stage.world.people.developer).send()
    };
    let (status, text) = told(&put("0".repeat(40)).await);
    assert!(status == 400 && text.contains(&sha1(b"content")) && text.contains(&"0".repeat(40)), "{text}");
    put(sha1(b"content")).await.expect(200);
}

/// The schema shows what GitLab's shows.
#[tokio::test]
async fn the_schema_tells_what_the_pom_says() {
    let stage = Stage::new().await;
    let more = "<packaging>war</packaging><dependencies><dependency><groupId>com.acme</groupId><artifactId>lib</artifactId>\
        <version>2</version></dependency></dependencies>";
    let with_more = super::stage::pom_with("com/acme/app", "1.0", more);
    // Whatever order the files come in.
    stage.put("com/acme/app/1.0/app-1.0.jar", "jar").await.expect(200);
    stage.put("com/acme/app/1.0/app-1.0.pom", with_more).await.expect(200);
    stage.put("com/acme/app/1.0/app-1.0-sources.jar", "sources").await.expect(200);
    let document = "query Q($scope: PackageScopeInput!) { packageVersion(scope: $scope, packageType: MAVEN, \
        packageName: \"com/acme/app\", packageVersion: \"1.0\") { name version packageType rawMetadata \
        metadata { ... on MavenMetadata { path appGroup appName appVersion } } \
        dependencyLinks { nodes { dependencyType dependency { name versionPattern } } } } }";
    let variables = json!({ "scope": { "projectPath": stage.project.full_path } });
    let answer = stage.world.graphql(&stage.world.people.reporter, document, variables).await;
    assert_eq!(
        answer["data"]["packageVersion"],
        json!({
            "name": "com/acme/app", "version": "1.0", "packageType": "MAVEN",
            "rawMetadata": { "packaging": "war" },
            "metadata": {
                "path": "com/acme/app/1.0", "appGroup": "com.acme", "appName": "app", "appVersion": "1.0",
            },
            "dependencyLinks": { "nodes": [
                { "dependencyType": "DEPENDENCIES", "dependency": { "name": "com/acme/lib", "versionPattern": "2" } }
            ] },
        }),
        "{answer}"
    );
}

#[tokio::test]
async fn a_token_is_carried_as_gitlabs_documentation_says() {
    let stage = Stage::new().await;
    stage.release("com/acme/app", "1.0").await;
    let path = stage.at("com/acme/app/1.0/app-1.0.jar");
    let deploy_token = stage.world.group_deploy_token(&stage.group, Scope::ReadPackageRegistry).await;
    for (header, person) in [("Private-Token", &stage.world.people.reporter), ("Deploy-Token", &deploy_token)]
    {
        let secret = person.secret().expect("a token");
        stage.client.get(&path).header(header, secret).send().await.expect(200);
        stage.client.get(&path).header(header, "wrong").send().await.expect(401);
        stage.client.get(&path).by_way_of(person, Carried::Basic).send().await.expect(200);
    }
}
