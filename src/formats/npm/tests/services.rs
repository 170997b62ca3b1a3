//! Requests that are about no one package, or about what stands beside it, and those of strangers.

use domain::Scope;
use http::Method;
use serde_json::json;
use testkit::artefacts::npm::Version;

use super::stage::{Stage, told};

#[tokio::test]
async fn searches_find_names() {
    let stage = Stage::new().await;
    for name in ["@acme/web", "web-tools", "other"] {
        let version = Version::new(name, "1.0.0").with("keywords", json!(["k"]));
        stage.publish(&version).await.expect(200);
    }
    let found = stage.get("-/v1/search?text=web%20keywords:cli&size=1&from=0").await.expect(200).json();
    assert_eq!(found["total"], 2);
    assert_eq!(found["objects"].as_array().map(Vec::len), Some(1));
    let package = &found["objects"][0]["package"];
    assert_eq!((&package["name"], &package["scope"]), (&json!("@acme/web"), &json!("acme")));
    assert_eq!((&package["version"], &package["maintainers"]), (&json!("1.0.0"), &json!([])));
    let second = stage.get("-/v1/search?text=web&size=1&from=1").await.expect(200).json();
    assert_eq!(second["objects"][0]["package"]["name"], "web-tools");
    let none = stage.get("-/v1/search?text=nothing").await.expect(200).json();
    assert_eq!(none, json!({ "objects": [], "total": 0 }));
}

#[tokio::test]
async fn services_answer_at_every_level() {
    let stage = Stage::new().await;
    let people = &stage.world.people;
    for base in
        [stage.at(""), "/api/v4/groups/acme/-/packages/npm/".to_owned(), "/api/v4/packages/npm/".to_owned()]
    {
        let at = |below: &str| format!("{base}-/{below}");
        let whoami = stage.client.get(at("whoami")).by(&people.guest).send().await.expect(200);
        assert_eq!(whoami.json(), json!({ "username": "guest" }));
        stage.client.get(at("whoami")).send().await.expect(401);
        assert_eq!(stage.client.get(at("ping?write=true")).send().await.expect(200).json(), json!({}));
        let body =
            stage.client.post(at("npm/v1/security/advisories/bulk")).by(&people.owner).body(vec![0x1f, 0x8b]);
        assert_eq!(body.send().await.expect(200).json(), json!({}));
        let quick = stage.client.post(at("npm/v1/security/audits/quick")).by(&people.owner).json(&json!({}));
        assert_eq!(quick.send().await.expect(200).json()["metadata"]["vulnerabilities"]["critical"], 0);
        for (method, below) in
            [(Method::GET, "npm/v1/keys"), (Method::POST, "v1/login"), (Method::GET, "npm/v1/tokens")]
        {
            let answer = stage.client.request(method, at(below)).by(&people.owner).send().await;
            assert_eq!(told(&answer).0, 404);
        }
    }
    let reader = stage.world.deploy_token(&stage.project, Scope::ReadPackageRegistry).await;
    let whoami = stage.client.get(stage.at("-/whoami")).by(&reader).send().await.expect(200);
    assert_eq!(whoami.json(), json!({ "username": reader.name }));
}

#[tokio::test]
async fn a_login_takes_a_token_for_a_password() {
    let stage = Stage::new().await;
    let login = async |name: &str, password: &str| {
        let path = stage.at(&format!("-/user/org.couchdb.user:{name}"));
        stage
            .client
            .put(path)
            .json(&json!({ "name": name, "password": password, "type": "user" }))
            .send()
            .await
    };
    let token = stage.world.people.developer.secret().expect("a token");
    let answer = login("developer", token).await.expect(201);
    assert_eq!(answer.json()["token"], token);
    let (status, text) = told(&login("developer", "hunter2").await);
    assert!(status == 401 && text.contains("access token") && !text.contains("hunter2"), "{status} {text}");
    let malformed =
        stage.client.put(stage.at("-/user/x")).body(r#"{"name":1,"password":"hunter2"}"#).send().await;
    let (status, text) = told(&malformed);
    assert!(status == 400 && !text.contains("hunter2"), "{status} {text}");
}

#[tokio::test]
async fn a_provenance_bundle_is_served_and_linked() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    let stage = Stage::new().await;
    let version = Version::new("@acme/web", "1.0.0");
    let digest = super::hex(&version.tarball(), domain::DigestAlgorithm::Sha512);
    let statement = json!({ "predicateType": "https://slsa.dev/provenance/v1", "subject": [{ "digest": { "sha512": digest } }] });
    let bundle = json!({ "dsseEnvelope": { "payload": STANDARD.encode(statement.to_string()) } });
    let mut body = version.document();
    body["_attachments"]["@acme/web-1.0.0.sigstore"] = json!({ "content_type": "application/vnd.dev.sigstore.bundle.v0.3+json", "data": bundle.to_string() });
    stage.put("@acme%2fweb", &body, &stage.world.people.developer).await.expect(200);
    let dist = stage.packument("@acme/web").await["versions"]["1.0.0"]["dist"].clone();
    let link = dist["attestations"]["url"].as_str().expect("a link").to_owned();
    let path = link.strip_prefix("http://registry.test").expect("our address");
    let served = stage.client.get(path).by(&stage.world.people.reporter).send().await.expect(200).json();
    assert_eq!(served["attestations"][0]["bundle"], bundle);
    stage.get("-/npm/v1/attestations/@acme%2fweb@1.0.0").await.expect(200);
    for nothing in ["@acme%2fweb@2.0.0", "@acme%2fweb", "web@1", "@"] {
        stage.get(&format!("-/npm/v1/attestations/{nothing}")).await.expect(404);
    }
    stage.client.get(path).send().await.expect(401);
}

#[tokio::test]
async fn a_stranger_is_refused_before_the_body_is_read() {
    let stage = Stage::new().await;
    stage.publish(&Version::new("web", "1.0.0")).await.expect(200);
    let silent = || futures::stream::pending::<std::io::Result<bytes::Bytes>>();
    for (person, status) in [(&stage.world.people.anonymous, 401), (&stage.world.people.outsider, 404)] {
        for below in ["web", "web/-rev/1"] {
            let put = stage.client.put(stage.at(below)).header("npm-command", "deprecate").stream(silent());
            put.by(person).send().await.expect(status);
        }
        let group = stage.client.put("/api/v4/groups/acme/-/packages/npm/web").stream(silent());
        group.by(person).send().await.expect(status);
    }
}
