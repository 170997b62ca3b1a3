//! Failures as a client reads them.

use domain::{ErrorCode, Failure, Subject};
use gateway::{Dialect as _, FailedRequest};
use http::{Method, header};
use http_body_util::BodyExt as _;
use hyper::ext::ReasonPhrase;
use serde_json::{Value, json};

use crate::pypi::error::{PypiDialect, parameter};

/// What a client sees of a failure: status line, the headers that matter, body.
async fn refusal(failure: &Failure, anonymous: bool) -> Value {
    let path = "/api/v4/projects/1/packages/pypi".to_owned();
    let response = PypiDialect.failure(failure, &FailedRequest { method: Method::POST, path, anonymous });
    let status = response.status().as_u16();
    let reason = response.extensions().get::<ReasonPhrase>();
    let reason = reason.map(|reason| String::from_utf8_lossy(reason.as_bytes()).into_owned());
    let header = |name| response.headers().get(name).map(|value| value.to_str().expect("ASCII").to_owned());
    let (challenge, allow) = (header(header::WWW_AUTHENTICATE), header(header::ALLOW));
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    json!({ "status": status, "reason": reason, "challenge": challenge, "allow": allow, "body": body })
}

#[tokio::test]
async fn failures_read_as_gitlabs() {
    let code = |code, text: &'static str| Failure::new(code, text);
    let mut seen = Vec::new();
    for (case, failure, anonymous) in [
        ("no credential", Failure::unauthenticated(), true),
        ("nobody asks for a hidden project", Failure::not_found(Subject::Project), true),
        ("somebody asks for a hidden project", Failure::not_found(Subject::Project), false),
        ("unknown package", Failure::not_found(Subject::Package), false),
        ("nobody publishes", Failure::forbidden("You are not allowed to do this"), true),
        ("a reporter publishes", Failure::forbidden("You are not allowed to do this"), false),
        ("protected", code(ErrorCode::Protected, "A rule protects it"), false),
        ("the file is there", code(ErrorCode::Duplicate, "it has a.whl").about(Subject::PackageFile), false),
        (
            "the version was deleted",
            code(ErrorCode::Duplicate, "it was deleted").about(Subject::Package),
            false,
        ),
        ("too large", code(ErrorCode::TooLarge, "4 GiB"), false),
        ("published to a group", code(ErrorCode::Unsupported, "Publish to a project"), false),
        ("switched off", code(ErrorCode::RegistryDisabled, "off").about(Subject::Project), false),
        ("parameter", parameter("sha256_digest", "is invalid"), false),
        ("validation", Failure::invalid("name", "Name is invalid: '\u{e4}\n' is not"), false),
        ("long", Failure::invalid("name", "x".repeat(400)), false),
        ("broken off", code(ErrorCode::Invalid, "The upload broke off"), false),
        ("server's fault", Failure::internal(), false),
    ] {
        seen.push(json!({ "case": case, "answer": refusal(&failure, anonymous).await }));
    }
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_json_snapshot!("failures", seen);
    });
}
