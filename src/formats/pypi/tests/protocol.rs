//! Requests about packages through the real router, on a real schema and database.

use domain::Visibility;
use http::Method;
use serde_json::json;
use testkit::{
    artefacts::pypi::{Distribution, content_type, form},
    protocol::{self, Challenge, Protocol, Publish},
};

use super::stage::{JSON, Stage, at, path, told};
use crate::pypi::rules::PypiRules;

fn noise(size: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(byte).take(size).collect()
}

/// The wheel of version `number` with a file of so many bytes that do not compress.
fn noisy(number: u32, size: usize) -> Distribution {
    let mut distribution = Distribution::new("acme", format!("{number}.0"));
    distribution.files.push(("acme/noise.bin".to_owned(), noise(size)));
    distribution
}

#[tokio::test]
async fn passes_the_checks_of_every_format() {
    // The address of a file has its digest in it; that of the wheels that the checks publish first.
    const SIZE: usize = 20_000;
    protocol::check(Protocol {
        rules: &PypiRules,
        router: crate::router,
        publish: |project, number, size| {
            let distribution = noisy(number, size);
            Publish {
                method: Method::POST,
                path: at(project, ""),
                headers: vec![("content-type", content_type())],
                body: distribution.form(&distribution.wheel_name(), &distribution.wheel()).into(),
            }
        },
        download: |project, number| {
            let distribution = noisy(number, SIZE);
            let sha256 = super::digests(&distribution.wheel()).sha256;
            at(project, &format!("/files/{sha256}/{}", distribution.wheel_name()))
        },
        challenge: Challenge::Sent,
    })
    .await;
}

#[tokio::test]
async fn an_index_is_there_at_every_level_and_in_every_spelling() {
    let stage = Stage::new().await;
    let distribution = Distribution::new("Acme.Web", "1.0").with("Requires-Dist", "a>1");
    let created = stage.publish(&distribution).await.expect(201);
    assert_eq!(created.json(), json!({ "message": "201 Created" }));
    let (group, project) = (stage.group.id.0, stage.project.id.0);
    let bases = [
        (stage.at(""), stage.at("")),
        (
            "/api/v4/projects/acme%2Fweb/packages/pypi".to_owned(),
            format!("/api/v4/projects/{project}/packages/pypi"),
        ),
        (
            format!("/api/v4/groups/{group}/-/packages/pypi"),
            format!("/api/v4/groups/{group}/-/packages/pypi"),
        ),
        ("/api/v4/groups/acme/-/packages/pypi".to_owned(), format!("/api/v4/groups/{group}/-/packages/pypi")),
        ("/api/v4/packages/pypi".to_owned(), "/api/v4/packages/pypi".to_owned()),
    ];
    for (base, linked) in bases {
        for name in ["acme-web/", "acme-web", "Acme.Web", "ACME__WEB/"] {
            let html = stage.get(&format!("{base}/simple/{name}")).await.expect(200);
            assert_eq!(html.header("content-type"), "text/html; charset=utf-8");
            assert_eq!(html.header("vary"), "Accept, Authorization");
            assert!(html.text().contains("<h1>Links for Acme.Web</h1>"), "{}", html.text());
            assert!(html.text().contains("data-requires-python=\"&gt;=3.8\""), "{}", html.text());
            let same = stage
                .client
                .get(format!("{base}/simple/{name}"))
                .header("if-none-match", html.header("etag"));
            let same = same.by(&stage.world.people.reporter).send().await.expect(304);
            assert!(same.body.is_empty());
        }
        let page = stage.page(&base, "acme-web").await;
        let link = page["files"][0]["url"].as_str().expect("a link");
        assert!(path(link).starts_with(&format!("{linked}/files/")), "{link} below {linked}");
        assert_eq!(stage.get(path(link)).await.expect(200).body, distribution.wheel());
        let metadata = stage.get(&format!("{}.metadata", path(link))).await.expect(200);
        assert_eq!(metadata.text(), distribution.metadata());
        let sha256 = super::digests(distribution.metadata().as_bytes()).sha256.to_string();
        assert_eq!(page["files"][0]["core-metadata"], json!({ "sha256": sha256 }));
        for address in [format!("{base}/simple"), format!("{base}/simple/")] {
            let list = stage.get(&address).await.expect(200);
            let link = format!("href=\"http://registry.test{linked}/simple/acme-web\"");
            assert!(list.text().contains(&link), "{} has {link}", list.text());
            let list = stage
                .client
                .get(&address)
                .header("accept", JSON)
                .by(&stage.world.people.reporter)
                .send()
                .await;
            assert_eq!(list.header("content-type"), "application/vnd.pypi.simple.v1+json; charset=utf-8");
            assert_eq!(list.json()["projects"], json!([{ "name": "Acme.Web" }]));
        }
        let missing = stage.get(&format!("{base}/simple/nothing/")).await;
        assert_eq!(told(&missing), (404, "404 Package Not Found".to_owned()));
        assert_eq!(told(&stage.get(&format!("{base}/simple/..%2f/")).await).0, 404);
    }
}

#[tokio::test]
async fn wire_traffic_of_a_page() {
    let stage = Stage::new().await;
    let distribution = Distribution::new("acme", "1.0");
    stage.publish(&distribution).await.expect(201);
    let source = distribution.form(&distribution.source_name(), &distribution.source());
    stage.upload(source).await.expect(201);
    let mut page = stage.page(&stage.at(""), "acme").await;
    for file in page["files"].as_array_mut().expect("files") {
        // Compressed bytes are the compressor's.
        for field in ["url", "hashes", "size"] {
            file[field] = json!("[of the archive]");
        }
    }
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_json_snapshot!("served_json", page);
    });
    let json = stage.client.get(stage.at("/simple/acme/?format=application/vnd.pypi.simple.v1%2Bjson"));
    let json = json.by(&stage.world.people.reporter).send().await.expect(200);
    assert_eq!(json.header("content-type"), "application/vnd.pypi.simple.v1+json; charset=utf-8");
    let head = stage
        .client
        .head(stage.at("/simple/acme/"))
        .by(&stage.world.people.reporter)
        .send()
        .await
        .expect(200);
    assert!(head.body.is_empty() && head.header("etag").ends_with("-html\""), "{}", head.header("etag"));
}

#[tokio::test]
async fn versions_that_are_one_version_join() {
    let stage = Stage::new().await;
    stage.publish(&Distribution::new("acme", "1.0")).await.expect(201);
    let respelled = Distribution::new("ACME", "1.0.0");
    stage.upload(respelled.form("ACME-1.0.0.tar.gz", &respelled.source())).await.expect(201);
    assert_eq!(stage.files("acme").await, ["ACME-1.0.0.tar.gz", "acme-1.0-py3-none-any.whl"]);
    let page = stage.page(&stage.at(""), "acme").await;
    assert_eq!((&page["name"], &page["versions"]), (&json!("acme"), &json!(["1.0"])));
}

#[tokio::test]
async fn a_file_name_is_taken_once_and_never_comes_back_with_other_bytes() {
    let stage = Stage::new().await;
    let distribution = Distribution::new("acme", "1.0");
    stage.publish(&distribution).await.expect(201);
    let taken = stage.publish(&distribution).await;
    let (status, text) = told(&taken);
    let expected =
        "400 Bad request - Validation failed: File name has already been taken, the file already exists: ";
    assert!(status == 400 && text.starts_with(expected), "{text}");
    let version = "query V($scope: PackageScopeInput!) { packageVersion(scope: $scope, packageType: PYPI, \
                   packageName: \"acme\", packageVersion: \"1.0\") { id } }";
    let variables = json!({ "scope": { "projectPath": stage.project.full_path } });
    let found = stage.world.graphql(&stage.world.people.maintainer, version, variables).await;
    let destroy = "mutation D($id: PackagesPackageID!) { destroyPackage(input: { id: $id }) { errors } }";
    let variables = json!({ "id": found["data"]["packageVersion"]["id"] });
    stage.world.graphql(&stage.world.people.maintainer, destroy, variables).await;
    stage.client.get(stage.at("/simple/acme/")).by(&stage.world.people.owner).send().await.expect(404);
    let other = distribution.clone().with("Keywords", "other");
    let (status, text) = told(&stage.publish(&other).await);
    let expected = "400 Bad request - Validation failed: File name has already been taken: ";
    assert!(status == 400 && text.starts_with(expected) && !text.contains("already exist"), "{text}");
    stage.publish(&distribution).await.expect(201);
}

#[tokio::test]
async fn a_yanked_version_says_so() {
    let stage = Stage::new().await;
    for version in ["1.0", "2.0"] {
        stage.publish(&Distribution::new("acme", version)).await.expect(201);
    }
    let before = stage.client.get(stage.at("/simple/acme/")).by(&stage.world.people.owner).send().await;
    let yank = "mutation Y($input: SetPackageFlagsInput!) { setPackageFlags(input: $input) { errors } }";
    let flag = |set: bool| {
        let flags = json!([{ "packageVersion": "1.0", "flag": "YANKED", "reason": "<broken>", "set": set }]);
        let scope = json!({ "projectPath": stage.project.full_path });
        json!({ "input": { "scope": scope, "packageType": "PYPI", "packageName": "acme", "flags": flags } })
    };
    stage.world.graphql(&stage.world.people.maintainer, yank, flag(true)).await;
    let page = stage.page(&stage.at(""), "acme").await;
    assert_eq!(
        (&page["files"][0]["yanked"], &page["files"][1]["yanked"]),
        (&json!("<broken>"), &json!(false))
    );
    let html = stage.get(&stage.at("/simple/acme/")).await;
    assert!(html.text().contains(" data-yanked=\"&lt;broken&gt;\""), "{}", html.text());
    assert_ne!(html.header("etag"), before.header("etag"));
    stage.world.graphql(&stage.world.people.maintainer, yank, flag(false)).await;
    assert_eq!(stage.page(&stage.at(""), "acme").await["files"][0]["yanked"], json!(false));
}

#[tokio::test]
async fn what_the_archive_says_is_in_the_schema() {
    let stage = Stage::new().await;
    let distribution =
        Distribution::new("acme", "1.0").with("Keywords", "anvil").with("Requires-Dist", "b; extra == \"c\"");
    stage.publish(&distribution).await.expect(201);
    let document = "query V($scope: PackageScopeInput!) { packageVersion(scope: $scope, packageType: PYPI, \
        packageName: \"acme\", packageVersion: \"1\") { version metadata { ... on PypiMetadata { keywords requiredPython \
        summary metadataVersion description } } dependencyLinks { nodes { scope dependency { name versionPattern } } } } }";
    let variables = json!({ "scope": { "projectPath": stage.project.full_path } });
    let answer = stage.world.graphql(&stage.world.people.reporter, document, variables).await;
    assert_eq!(
        answer["data"]["packageVersion"],
        json!({
            "version": "1.0",
            "metadata": {
                "keywords": "anvil",
                "requiredPython": ">=3.8",
                "summary": "Made by a test",
                "metadataVersion": "2.1",
                "description": "# Made by a test\n",
            },
            "dependencyLinks": { "nodes": [
                { "scope": "extra == \"c\"", "dependency": { "name": "b", "versionPattern": "*" } },
            ] },
        })
    );
}

#[tokio::test]
async fn uploads_are_refused_in_gitlabs_words() {
    let stage = Stage::new().await;
    let distribution = Distribution::new("acme", "1.0");
    let (name, wheel) = (distribution.wheel_name(), distribution.wheel());
    let file = || Some((name.as_str(), wheel.as_slice()));
    let digest = "0".repeat(64);
    let good = [("name", "acme"), ("version", "1.0")];
    let with = |more: &[(&'static str, &'static str)]| [&good[..], more].concat();
    for (body, text) in [
        (form(&good, None), "content is missing"),
        (form(&[], None), "content is missing, name is missing, version is missing"),
        (form(&[], file()), "name is missing, version is missing"),
        (form(&[("name", "acme"), ("version", "")], file()), "version is missing"),
        (
            form(&[("name", "acme"), ("version", "1.0"), ("sha256_digest", "abc")], file()),
            "sha256_digest is invalid: 'abc' is not 64 hexadecimal digits",
        ),
        (
            form(&[("md5_digest", "abc"), good[0], good[1]], file()),
            "md5_digest is invalid: 'abc' is not 32 hexadecimal digits",
        ),
    ] {
        let answer = stage.upload(body).await.expect(400);
        assert_eq!(answer.json(), json!({ "error": text }));
    }
    let validation = |text: &str| format!("400 Bad request - Validation failed: {text}");
    for (body, text) in [
        (
            form(&[("name", ".$/@!^*"), ("version", "1.0")], file()),
            validation("Name is invalid: '.$/@!^*' is not a name"),
        ),
        (
            form(&[("name", "acme"), ("version", "one")], file()),
            validation("Version is invalid: 'one' is not a version"),
        ),
        (
            form(&[("name", "other"), ("version", "1.0")], file()),
            validation(&format!("File name is invalid: '{name}' is not a file of the package 'other'")),
        ),
        (
            form(&with(&[]), Some(("acme-1.0.egg", b"x"))),
            validation("File name is invalid: 'acme-1.0.egg' is neither"),
        ),
        (
            form(&with(&[("requires_python", ">=2")]), file()),
            validation("Requires python is invalid: the archive says '>=3.8', the form '>=2'"),
        ),
        (
            form(&with(&[]), Some((&name, b"no archive"))),
            validation("The package archive is invalid: it is not a zip archive"),
        ),
        (
            form(&with(&[]), Some((&name, &wheel[..wheel.len() - 1]))),
            validation("The package archive is invalid: there is data after its end"),
        ),
    ] {
        let (status, told) = told(&stage.upload(body).await);
        assert!(status == 400 && told.starts_with(&text), "expected '{text}', got '{told}'");
    }
    let mut wrong = good.to_vec();
    wrong.push(("sha256_digest", &digest));
    let (status, text) = told(&stage.upload(form(&wrong, file())).await);
    assert!(status == 400 && text.contains(&digest), "{text}");
    for base in ["/api/v4/groups/acme/-/packages/pypi", "/api/v4/packages/pypi/"] {
        let request =
            stage.client.post(base).header("content-type", content_type()).body(form(&good, file()));
        let (status, text) = told(&request.by(&stage.world.people.developer).send().await);
        assert!(
            status == 405 && text.starts_with("405 Method Not Allowed - Packages are published to a project"),
            "{status} {text}"
        );
    }
    let authorize = stage.client.post(stage.at("/authorize")).by(&stage.world.people.developer).send().await;
    assert_eq!(authorize.status, 403);
    stage.world.nothing_stays_staged().await;
    assert_eq!(stage.world.blob_count(), 0);
    stage.publish(&distribution).await.expect(201);
}

#[tokio::test]
async fn a_group_lists_the_newest_of_two_files_with_one_name() {
    let stage = Stage::new().await;
    let second = stage.world.project(&stage.group, "second", Visibility::Private).await;
    let (old, new) =
        (Distribution::new("acme", "1.0"), Distribution::new("acme", "1.0").with("Keywords", "newer"));
    stage.publish(&old).await.expect(201);
    let body = new.form(&new.wheel_name(), &new.wheel());
    stage.upload_to(&second, body, &stage.world.people.owner).await.expect(201);
    let page = stage.page("/api/v4/groups/acme/-/packages/pypi", "acme").await;
    let files = page["files"].as_array().expect("files");
    assert_eq!(files.len(), 1);
    let link = files[0]["url"].as_str().expect("a link");
    assert_eq!(stage.get(path(link)).await.expect(200).body, new.wheel());
    let old_link = stage.page(&stage.at(""), "acme").await["files"][0]["url"].clone();
    assert_eq!(stage.get(path(old_link.as_str().expect("a link"))).await.expect(200).body, old.wheel());
}

#[tokio::test]
async fn a_digest_in_an_address_has_to_be_the_files() {
    let stage = Stage::new().await;
    let distribution = Distribution::new("acme", "1.0");
    stage.publish(&distribution).await.expect(201);
    let name = distribution.wheel_name();
    let sha256 = super::digests(&distribution.wheel()).sha256.to_string();
    stage.get(&stage.at(&format!("/files/{}/{name}", sha256.to_uppercase()))).await.expect(200);
    for bad in [
        format!("/files/{}/{name}", "0".repeat(64)),
        format!("/files/nonsense/{name}"),
        format!("/files/{}/{name}.metadata", "0".repeat(64)),
        format!("/files/{sha256}/other-1.0-py3-none-any.whl"),
        format!("/files/{sha256}/{name}.asc"),
        format!("/files/{sha256}/nonsense"),
    ] {
        assert_eq!(
            told(&stage.get(&stage.at(&bad)).await),
            (404, "404 Package Not Found".to_owned()),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn a_publish_is_in_the_next_read_and_a_denied_reader_finds_nothing_cached() {
    let stage = Stage::new().await;
    for number in 1..4 {
        stage.publish(&Distribution::new("acme", format!("{number}.0"))).await.expect(201);
        assert_eq!(stage.files("acme").await.len(), number);
    }
    let outsider = &stage.world.people.outsider;
    stage.client.get(stage.at("/simple/acme/")).by(outsider).send().await.expect(404);
    stage.client.get(stage.at("/simple/")).by(outsider).send().await.expect(404);
    let anonymous = stage.client.get(stage.at("/simple/acme/")).send().await.expect(401);
    assert_eq!(anonymous.header("www-authenticate"), "Basic realm=\"GitLab Packages Registry\"");
}
