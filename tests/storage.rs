//! Bytes in a bucket, as the server as a whole shows it.

use std::process::{Command, Output};

use serde_json::json;

use crate::{
    clients::{Registry, say},
    server::{ROOT_TOKEN, Response, Server, Setup, has_s3},
};

const TOKEN: &[(&str, &str)] = &[("PRIVATE-TOKEN", ROOT_TOKEN)];

fn is_there() -> bool {
    if !has_s3() {
        say("skipped: ENTREPOT_TEST_S3_ENDPOINT names no server");
    }
    has_s3()
}

/// What fetches an address that it was sent to: without credentials.
fn fetch(address: &str) -> Response {
    let (authority, path) =
        address.strip_prefix("http://").and_then(|rest| rest.split_once('/')).expect("an address");
    Server::ask(authority, "GET", &format!("/{path}"), &[], b"")
}

#[test]
fn large_downloads_are_sent_on_where_that_is_configured() {
    if !is_there() {
        return;
    }
    let variables = &[("ENTREPOT_STORAGE_REDIRECTS", "true")];
    let registry = Registry::new(Setup { s3: true, variables, ..Setup::default() });
    let server = &registry.server;
    let path = |name: &str| format!("{}/generic/files/1.0.0/{name}", registry.project_packages());
    let large: Vec<u8> = (0..1_500_000_u32).map(|number| number.to_le_bytes()[1]).collect();
    assert_eq!(server.request("PUT", &path("large.bin"), TOKEN, &large).status, 201);
    assert_eq!(server.request("PUT", &path("small.bin"), TOKEN, b"small").status, 201);

    let small = server.request("GET", &path("small.bin"), TOKEN, b"");
    assert_eq!((small.status, small.text().as_str()), (200, "small"));
    let refused = server.request("GET", &path("large.bin"), &[], b"");
    assert_eq!((refused.status, refused.header("location")), (401, ""), "access comes first");

    let sent_on = server.request("GET", &path("large.bin"), TOKEN, b"");
    assert_eq!((sent_on.status, sent_on.header("cache-control")), (302, "private, no-store"));
    assert!(sent_on.body.is_empty());
    let fetched = fetch(sent_on.header("location"));
    assert_eq!(fetched.status, 200, "{}", fetched.text());
    assert!(fetched.body == large);
    let disposition = "attachment; filename=\"large.bin\"; filename*=UTF-8''large.bin";
    assert_eq!(fetched.header("content-disposition"), disposition);

    let head = server.request("HEAD", &path("large.bin"), TOKEN, b"");
    assert_eq!((head.status, head.header("content-length")), (200, "1500000"));
    let known = [TOKEN[0], ("If-None-Match", head.header("etag"))];
    assert_eq!(server.request("GET", &path("large.bin"), &known, b"").status, 304);
}

/// Two replicas know nothing of each other but what is in the database and in the bucket.
#[test]
fn replicas_publish_and_serve_what_the_other_received() {
    if !is_there() {
        return;
    }
    if std::env::var_os("ENTREPOT_TEST_POSTGRES_URL").is_none() {
        return say("skipped: ENTREPOT_TEST_POSTGRES_URL names no server");
    }
    let registry = Registry::new(Setup { postgres: true, s3: true, ..Setup::default() });
    let (one, other) = (&registry.server, registry.server.replica());
    let begin = "mutation B($input: CreateUploadInput!) { createUpload(input: $input) { upload { id path } errors } }";
    let input = json!({
        "projectPath": "acme/web", "packageType": "GENERIC", "packageName": "shared", "packageVersion": "1.0.0",
        "fileName": "a.bin",
    });
    let upload = &one.graphql(begin, &json!({ "input": input }))["createUpload"]["upload"];
    let content = vec![7; 6 << 20];
    let put = one.request("PUT", upload["path"].as_str().expect("a path"), TOKEN, &content);
    assert_eq!(put.status, 201, "{}", put.text());
    let publish = "mutation P($input: PublishPackageInput!) { publishPackage(input: $input) { package { name } errors } }";
    let input = json!({
        "projectPath": "acme/web", "packageType": "GENERIC", "name": "shared", "version": "1.0.0",
        "files": [{ "uploadId": upload["id"] }],
    });
    let published = other.graphql(publish, &json!({ "input": input }));
    assert_eq!(published["publishPackage"]["package"]["name"], "shared");
    for server in [one, &other] {
        let path = format!("{}/generic/shared/1.0.0/a.bin", registry.project_packages());
        let download = server.request("GET", &path, TOKEN, b"");
        assert!(download.status == 200 && download.body == content);
    }
}

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let data = tempfile::tempdir().expect("a folder");
    Command::new(env!("CARGO_BIN_EXE_entrepot"))
        .args(arguments)
        .args(["--listen", "127.0.0.1:0", "--data-dir"])
        .arg(data.path().join("data"))
        .envs(variables.iter().copied())
        .output()
        .expect("the server starts")
}

/// One line, which names the place and the reason and no secret.
fn fails_with(variables: &[(&str, &str)], expected: &str) {
    let output = run(&["serve", "--log", "off"], variables);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.lines().count() == 1, "{text}");
    assert!(text.starts_with("error: ") && text.contains(expected), "{text}");
    assert!(!text.contains("very-secret"), "{text}");
    let check = run(&["check", "--log", "off"], variables);
    let text = String::from_utf8_lossy(&check.stdout);
    assert!(!check.status.success() && text.contains("storage: WRONG") && text.contains(expected), "{text}");
}

#[test]
fn what_is_wrong_with_the_storage_is_said_in_one_line() {
    let nowhere = [
        ("ENTREPOT_STORAGE_URL", "s3://packages/tests"),
        ("ENTREPOT_S3_ENDPOINT", "http://127.0.0.1:1"),
        ("AWS_ACCESS_KEY_ID", "somebody"),
        ("AWS_SECRET_ACCESS_KEY", "very-secret"),
    ];
    fails_with(&nowhere, "cannot be used: the server cannot be reached: connection refused");
    if !is_there() {
        return;
    }
    let endpoint = std::env::var("ENTREPOT_TEST_S3_ENDPOINT").expect("asked above");
    let bucket = std::env::var("ENTREPOT_TEST_S3_BUCKET").expect("named together");
    let (bucket, endpoint) = (format!("s3://{bucket}"), ("ENTREPOT_S3_ENDPOINT", endpoint.as_str()));
    fails_with(
        &[("ENTREPOT_STORAGE_URL", "s3://no-such-bucket"), endpoint],
        "the bucket does not exist (NoSuchBucket)",
    );
    let url = ("ENTREPOT_STORAGE_URL", bucket.as_str());
    fails_with(
        &[url, endpoint, ("AWS_SECRET_ACCESS_KEY", "very-secret")],
        "the secret access key is wrong (SignatureDoesNotMatch)",
    );
    let output = run(&["check"], &[url, endpoint]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains(&format!("{bucket} at http://")), "{text}");
}
