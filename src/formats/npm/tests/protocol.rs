//! Requests about packages through the real router, on a real schema and database.

use http::Method;
use serde_json::json;
use testkit::{
    artefacts::npm::Version,
    protocol::{self, Challenge, Protocol, Publish},
};

use super::stage::{Stage, told};
use crate::npm::rules::NpmRules;

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
    protocol::check(Protocol {
        rules: &NpmRules,
        router: crate::router,
        publish: |project, number, size| {
            let mut version = Version::new("@acme/web", format!("{number}.0.0"));
            version.files.push(("noise.bin".to_owned(), noise(size)));
            Publish {
                method: Method::PUT,
                path: format!("/api/v4/projects/{}/packages/npm/@acme%2fweb", project.id),
                headers: vec![("content-type", "application/json".to_owned())],
                body: version.document().to_string().into(),
            }
        },
        download: |project, number| {
            format!("/api/v4/projects/{}/packages/npm/@acme/web/-/web-{number}.0.0.tgz", project.id)
        },
        challenge: Challenge::Withheld,
    })
    .await;
}

#[tokio::test]
async fn a_packument_is_there_at_every_level_and_in_every_spelling() {
    let stage = Stage::new().await;
    stage.publish(&Version::new("@acme/web", "1.0.0").with("bin", json!("./index.js"))).await.expect(200);
    let bases =
        [stage.at(""), "/api/v4/groups/acme/-/packages/npm/".to_owned(), "/api/v4/packages/npm/".to_owned()];
    for base in bases {
        for name in ["@acme/web", "@acme%2fweb", "@acme%2Fweb"] {
            let get = |path: String| stage.client.get(path).by(&stage.world.people.reporter);
            let full = get(format!("{base}{name}")).send().await.expect(200);
            assert_eq!(full.header("content-type"), "application/json");
            assert_eq!(full.json()["versions"]["1.0.0"]["description"], "made by a test");
            let link =
                full.json()["versions"]["1.0.0"]["dist"]["tarball"].as_str().expect("a link").to_owned();
            assert_eq!(link, format!("http://registry.test{}", stage.at("@acme/web/-/web-1.0.0.tgz")));

            let install = "application/vnd.npm.install-v1+json";
            let accept = format!("{install}; q=1.0, application/json; q=0.8, */*");
            let short = get(format!("{base}{name}")).header("accept", accept).send().await.expect(200);
            assert_eq!(short.header("content-type"), install);
            assert_eq!(short.json()["versions"]["1.0.0"]["bin"], json!({ "web": "index.js" }));
            assert_eq!(short.json()["versions"]["1.0.0"].get("description"), None);
            assert_ne!(short.header("etag"), full.header("etag"));

            let same = get(format!("{base}{name}")).header("if-none-match", full.header("etag"));
            same.send().await.expect(304);
            let one = get(format!("{base}{name}/latest")).send().await.expect(200);
            assert_eq!(one.json()["version"], "1.0.0");
            get(format!("{base}{name}/2.0.0")).send().await.expect(404);
            for file in ["web-1.0.0.tgz", "@acme/web-1.0.0.tgz", "@acme%2fweb-1.0.0.tgz"] {
                let tarball = get(format!("{base}{name}/-/{file}")).send().await.expect(200);
                assert_eq!(
                    tarball.body,
                    Version::new("@acme/web", "1.0.0").with("bin", json!("./index.js")).tarball()
                );
            }
            for file in ["web-1.0.1.tgz", "other-1.0.0.tgz", "@other/web-1.0.0.tgz", "web-1.0.0.tgz/x"] {
                get(format!("{base}{name}/-/{file}")).send().await.expect(404);
            }
        }
    }
    let head =
        stage.client.head(stage.at("@acme/web")).by(&stage.world.people.reporter).send().await.expect(200);
    assert!(head.body.is_empty() && !head.header("etag").is_empty());
    let stranger = stage.client.get(stage.at("@acme/web")).send().await.expect(401);
    assert_eq!(told(&stranger).1, "401 Unauthorized");
    assert_eq!(told(&stage.get("nothing").await), (404, "404 Package Not Found".to_owned()));
    assert_eq!(told(&stage.get(".hidden").await), (404, "404 Package Not Found".to_owned()));
}

#[tokio::test]
async fn a_publish_is_in_the_next_read_and_a_denied_reader_finds_nothing_cached() {
    let stage = Stage::new().await;
    for number in 1..4 {
        stage.publish(&Version::new("web", format!("{number}.0.0"))).await.expect(200);
        assert_eq!(stage.versions("web").await.len(), number);
        assert_eq!(stage.packument("web").await["dist-tags"]["latest"], format!("{number}.0.0"));
    }
    let outsider = &stage.world.people.outsider;
    stage.client.get(stage.at("web")).by(outsider).send().await.expect(404);
}

#[tokio::test]
async fn publishes_are_refused_in_gitlabs_words() {
    let stage = Stage::new().await;
    let developer = &stage.world.people.developer;
    let version = Version::new("web", "1.0.0");
    stage.publish(&version).await.expect(200);
    assert_eq!(told(&stage.publish(&version).await), (403, "Package already exists.".to_owned()));
    let other = Version::new("web", "2.0.0");
    for (body, text) in [
        (json!({ "name": "web", "users": {} }), "Version is empty."),
        (json!({ "name": "web", "versions": { "2.0.0": {} } }), "Attachment data is empty."),
        (
            json!({ "name": "web", "_attachments": { "web-2.0.0.tgz": { "data": "AAAA" } } }),
            "Version is empty.",
        ),
        (
            Version::new("other", "2.0.0").document(),
            "Validation failed: Name is invalid: the body has 'other', the URL 'web'",
        ),
        (
            other.document_with(&Version::new("web", "3.0.0").tarball()),
            "Validation failed: package.json in the archive has the version '3.0.0', expected '2.0.0'",
        ),
        (
            Version::new("web", "2.0.0")
                .with("dependencies", json!({ "shown": "1" }))
                .document_with(&other.tarball()),
            "Validation failed: The manifest and package.json in the archive have different 'dependencies'",
        ),
    ] {
        assert_eq!(told(&stage.put("web", &body, developer).await), (400, text.to_owned()));
    }
    let mut body = other.document();
    body["versions"]["2.0.0"]["dist"]["shasum"] = json!("0".repeat(40));
    stage.put("web", &body, developer).await.expect(400);
    let mut body = other.document();
    body["versions"]["2.0.1"] = json!({});
    stage.put("web", &body, developer).await.expect(400);
    stage.put(".web", &other.document(), developer).await.expect(400);
    for base in ["/api/v4/groups/acme/-/packages/npm/web", "/api/v4/packages/npm/web"] {
        let answer = stage.client.put(base).json(&other.document()).by(developer).send().await;
        let (status, text) = told(&answer);
        assert!(status == 400 && text.starts_with("Packages are published to a project"), "{status} {text}");
    }
    assert_eq!(stage.versions("web").await, ["1.0.0"]);
    stage.world.nothing_stays_staged().await;
}

#[tokio::test]
async fn tags_are_set_listed_and_removed() {
    let stage = Stage::new().await;
    for version in ["1.0.0", "2.0.0", "3.0.0-rc.1"] {
        let mut version = Version::new("@acme/web", version);
        version.tags = vec!["newest".to_owned()];
        stage.publish(&version).await.expect(200);
    }
    let tags = "-/package/@acme%2fweb/dist-tags";
    let people = &stage.world.people;
    assert_eq!(
        stage.get(tags).await.expect(200).json(),
        json!({ "latest": "2.0.0", "newest": "3.0.0-rc.1" })
    );
    stage.put(&format!("{tags}/stable"), &json!("1.0.0"), &people.developer).await.expect(204);
    stage.put(&format!("{tags}/latest"), &json!("1.0.0"), &people.developer).await.expect(204);
    let listed = stage.get("-/package/@acme/web/dist-tags").await.expect(200).json();
    assert_eq!(listed, json!({ "latest": "1.0.0", "newest": "3.0.0-rc.1", "stable": "1.0.0" }));
    assert_eq!(stage.packument("@acme/web").await["dist-tags"], listed);

    let unknown = stage.put(&format!("{tags}/stable"), &json!("9.0.0"), &people.developer).await;
    assert_eq!(told(&unknown), (404, "404 Package Not Found".to_owned()));
    for body in [json!(""), json!(null), json!({}), json!("latest")] {
        stage.put(&format!("{tags}/stable"), &body, &people.developer).await.expect(400);
    }
    stage.put(&format!("{tags}/1.0.0"), &json!("1.0.0"), &people.developer).await.expect(400);
    stage.put(&format!("{tags}/stable"), &json!("1.0.0"), &people.reporter).await.expect(403);
    stage.delete(&format!("{tags}/stable"), &people.developer).await.expect(403);
    stage.delete(&format!("{tags}/stable"), &people.maintainer).await.expect(204);
    let again = stage.delete(&format!("{tags}/stable"), &people.maintainer).await;
    assert_eq!(told(&again), (404, "404 Package tag Not Found".to_owned()));
}

#[tokio::test]
async fn a_packument_sent_back_deprecates() {
    let stage = Stage::new().await;
    for version in ["1.0.0", "2.0.0"] {
        stage.publish(&Version::new("web", version)).await.expect(200);
    }
    let maintainer = &stage.world.people.maintainer;
    let deprecated =
        async |version: &str| stage.packument("web").await["versions"][version].get("deprecated").cloned();
    let mut packument = stage.packument("web").await;
    packument["versions"]["1.0.0"]["deprecated"] = json!("use 2");
    let refused = stage.client.put(stage.at("web")).header("npm-command", "deprecate").json(&packument);
    refused.by(&stage.world.people.developer).send().await.expect(403);
    let sent = stage.client.put(stage.at("web")).header("npm-command", "deprecate").json(&packument);
    sent.by(maintainer).send().await.expect(200);
    assert_eq!(deprecated("1.0.0").await, Some(json!("use 2")));
    assert_eq!(deprecated("2.0.0").await, None);

    // Others do not name the command.
    let mut packument = stage.packument("web").await;
    packument["versions"]["1.0.0"]["deprecated"] = json!("");
    stage.put("web", &packument, maintainer).await.expect(200);
    assert_eq!(deprecated("1.0.0").await, None);
    assert_eq!(stage.versions("web").await, ["1.0.0", "2.0.0"]);
}

#[tokio::test]
async fn a_version_is_unpublished_as_libnpmpublish_does_it() {
    let stage = Stage::new().await;
    for version in ["1.0.0", "2.0.0"] {
        stage.publish(&Version::new("@acme/web", version)).await.expect(200);
    }
    let people = &stage.world.people;
    let mut packument = stage.packument("@acme%2fweb?write=true").await;
    let outdated = format!("@acme%2fweb/-rev/{}", packument["_rev"].as_str().expect("a revision"));
    packument["versions"].as_object_mut().expect("versions").shift_remove("2.0.0");
    stage.put(&outdated, &packument, &people.developer).await.expect(403);
    assert_eq!(stage.versions("@acme/web").await.len(), 2);
    // `npm owner` says nothing of versions.
    stage.put(&outdated, &json!({ "maintainers": [] }), &people.maintainer).await.expect(400);
    stage.put(&outdated, &json!({ "versions": {} }), &people.maintainer).await.expect(400);
    stage.put(&outdated, &packument, &people.maintainer).await.expect(200);
    assert_eq!(stage.versions("@acme/web").await, ["1.0.0"]);
    assert_eq!(stage.packument("@acme/web").await["dist-tags"], json!({ "latest": "1.0.0" }));

    let (status, _) = told(&stage.put(&outdated, &packument, &people.maintainer).await);
    assert_eq!(status, 409, "the revision is not the current one");
    let revision = stage.packument("@acme/web").await["_rev"].as_str().expect("a revision").to_owned();
    let tarball = |version| format!("@acme/web/-/web-{version}.tgz/-rev/{revision}");
    stage.delete(&tarball("2.0.0"), &people.maintainer).await.expect(404);
    stage.delete(&tarball("1.0.0"), &people.developer).await.expect(403);
    stage.delete(&tarball("1.0.0"), &people.maintainer).await.expect(200);
    stage.get("@acme/web").await.expect(404);
    stage.get("@acme/web/-/web-1.0.0.tgz").await.expect(404);
}

#[tokio::test]
async fn a_package_is_unpublished_as_a_whole() {
    let stage = Stage::new().await;
    for version in ["1.0.0", "2.0.0"] {
        stage.publish(&Version::new("web", version)).await.expect(200);
    }
    let revision = stage.packument("web").await["_rev"].as_str().expect("a revision").to_owned();
    stage.publish(&Version::new("web", "3.0.0")).await.expect(200);
    let maintainer = &stage.world.people.maintainer;
    stage.delete(&format!("web/-rev/{revision}"), maintainer).await.expect(409);
    let revision = stage.packument("web").await["_rev"].as_str().expect("a revision").to_owned();
    stage.delete(&format!("web/-rev/{revision}"), &stage.world.people.developer).await.expect(403);
    stage.delete(&format!("web/-rev/{revision}"), maintainer).await.expect(200);
    stage.get("web").await.expect(404);
}
