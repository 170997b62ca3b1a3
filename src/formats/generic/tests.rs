//! The dialect of generic packages. `protocol` runs requests through the router.

use domain::{ErrorCode, Failure, Subject};
use gateway::{Dialect, FailedRequest};
use http::{Method, header};
use http_body_util::BodyExt;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    error::GenericDialect,
    generic_file, generic_publish,
    wire::{Answer, Coordinates, UploadOptions, checksum_headers, media_type, package_file},
};

/// What a client sees of a failure: status line, the headers that matter, body.
async fn refusal(failure: &Failure, anonymous: bool) -> Value {
    let request = FailedRequest {
        method: Method::PUT,
        path: "/api/v4/projects/1/packages/generic/a/1/f".to_owned(),
        anonymous,
    };
    let response = GenericDialect.failure(failure, &request);
    let status = response.status().as_u16();
    let header = |name| response.headers().get(name).map(|value| value.to_str().expect("ASCII").to_owned());
    let (challenge, allow) = (header(header::WWW_AUTHENTICATE), header(header::ALLOW));
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    json!({ "status": status, "challenge": challenge, "allow": allow, "body": body })
}

#[tokio::test]
async fn failures() {
    let coordinates = |name, version, file| Coordinates::parse(name, version, file).expect_err("refused");
    let mut seen = Vec::new();
    for (case, failure, anonymous) in [
        ("no credential", Failure::unauthenticated(), true),
        ("wrong credential", Failure::unauthenticated(), true),
        ("nobody asks for a hidden project", Failure::not_found(Subject::Project), true),
        ("somebody asks for a hidden project", Failure::not_found(Subject::Project), false),
        (
            "nobody asks for an unknown file of a public project",
            Failure::not_found(Subject::PackageFile),
            true,
        ),
        ("unknown package", Failure::not_found(Subject::Package), false),
        ("nobody publishes", Failure::forbidden("You are not allowed to do this"), true),
        ("a reporter publishes", Failure::forbidden("You are not allowed to do this"), false),
        ("protected", Failure::new(ErrorCode::Protected, "A rule protects it"), false),
        ("duplicate", Failure::new(ErrorCode::Duplicate, "It exists"), false),
        ("too large", Failure::new(ErrorCode::TooLarge, "6 GiB"), false),
        ("switched off", Failure::new(ErrorCode::RegistryDisabled, "off").about(Subject::Project), false),
        (
            "switched off for all",
            Failure::new(ErrorCode::RegistryDisabled, "off").about(Subject::Instance),
            false,
        ),
        ("published to a group", Failure::new(ErrorCode::Unsupported, "Publish to a project"), false),
        ("digest", Failure::invalid("files.0.sha256", "sha256 is aa, expected bb"), false),
        ("package name leaves its folder", coordinates("my-package/../", "1", "f"), false),
        ("package name with a space", coordinates("my package", "1", "f"), false),
        ("version", coordinates("a", "..1.2.3", "f"), false),
        ("file leaves its folder", coordinates("a", "1", "../.ssh/authorized_keys"), false),
        ("file name", coordinates("a", "1", "~f"), false),
    ] {
        seen.push(json!({ "case": case, "answer": refusal(&failure, anonymous).await }));
    }
    insta::assert_json_snapshot!(seen);
}

#[test]
fn options_are_gitlabs() {
    let mut options = UploadOptions::default();
    assert_eq!(options.answer, Answer::Created);
    for (key, value) in [("status", "hidden"), ("select", "package_file"), ("private_token", "x")] {
        options.take(key, value).expect("an option, or none of ours");
    }
    assert_eq!(options.answer, Answer::PackageFile);
    assert!(matches!(options.status, Some(generic_publish::PackageStatus::Hidden)));
    for (key, value) in [("status", "processing"), ("status", ""), ("select", "invalid_value")] {
        let refused = options.take(key, value).expect_err(value);
        assert!(refused.message.starts_with(&format!("{key} does not have a valid value: '")), "{refused}");
    }
}

#[test]
fn a_created_file_has_gitlabs_shape() {
    let answer: generic_publish::ResponseData = serde_json::from_value(json!({
        "publishPackage": {
            "package": {
                "id": "gid://gitlab/Packages::Package/7",
                "project": { "id": "gid://gitlab/Project/42" },
            },
            "packageFiles": [{
                "id": "gid://gitlab/Packages::PackageFile/9",
                "fileName": "path%2Fto%2Fmy%2Bfile.bin",
                "size": "5368709120",
                "fileMd5": "d41d8cd98f00b204e9800998ecf8427e",
                "fileSha1": null,
                "fileSha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "createdAt": "2026-11-23T10:00:00.000Z",
                "updatedAt": "2026-11-23T10:00:00.000Z",
            }],
        }
    }))
    .expect("an answer of the schema");
    let published = answer.publish_package.expect("a payload");
    let coordinates = Coordinates::parse("my-package", "1.0", "path/to/my+file.bin").expect("coordinates");
    let created = package_file(&published, &coordinates, "http://registry.test").expect("complete");
    insta::assert_json_snapshot!(created);
}

#[test]
fn downloads_name_the_digests_the_model_has() {
    let found: generic_file::ResponseData = serde_json::from_value(json!({
        "packageFile": {
            "size": "1", "fileMd5": null, "fileSha1": "aa", "fileSha256": "bb",
            "createdAt": "2026-11-23T10:00:00Z", "ticket": "t",
        }
    }))
    .expect("an answer of the schema");
    let headers = checksum_headers(&found.package_file);
    assert_eq!(headers.len(), 2);
    assert_eq!(
        (&headers["x-checksum-sha1"], &headers["x-checksum-sha256"]),
        (&"aa".parse().expect("a value"), &"bb".parse().expect("a value"))
    );
}

#[test]
fn nothing_is_sent_as_what_a_browser_runs() {
    for (file_name, expected) in [
        ("a.tar.gz", "application/gzip"),
        ("a.zip", "application/zip"),
        ("a.json", "application/json"),
        ("a.png", "image/png"),
        ("a.txt", "text/plain"),
        ("README", "application/octet-stream"),
        ("a.unknown", "application/octet-stream"),
        ("a.html", "text/plain"),
        ("a.htm", "text/plain"),
        ("a.xhtml", "application/octet-stream"),
        ("a.svg", "application/octet-stream"),
        ("a.svgz", "application/octet-stream"),
        ("a.xml", "text/plain"),
        ("a.xsl", "text/plain"),
        ("a.js", "text/plain"),
        ("a.mjs", "application/octet-stream"),
        ("a.css", "text/plain"),
        ("a.swf", "application/octet-stream"),
        ("a.mht", "application/octet-stream"),
        ("a.wasm", "application/octet-stream"),
        ("a.rf", "application/octet-stream"),
    ] {
        assert_eq!(media_type(file_name), expected, "{file_name}");
    }
}

proptest! {
    #[test]
    fn media_types_are_values_of_a_header_and_never_active(file_name in "[a-z]{1,3}\\.[a-zA-Z0-9]{1,5}") {
        let media_type = media_type(&file_name);
        prop_assert!(http::HeaderValue::try_from(media_type).is_ok());
        for active in ["html", "xml", "javascript", "ecmascript", "css", "flash"] {
            prop_assert!(!media_type.contains(active), "{} is {}", file_name, media_type);
        }
    }

    #[test]
    fn no_path_of_a_request_leaves_its_version(name in "\\PC{0,12}", version in "\\PC{0,12}", file in "(\\PC|[./\\\\]){0,24}") {
        match Coordinates::parse(&name, &version, &file) {
            Ok(coordinates) => {
                let joined = format!("{}/{}/{}", coordinates.name, coordinates.version, coordinates.file.as_str());
                prop_assert!(joined.split('/').all(|part| !matches!(part, "" | "." | "..")));
            }
            Err(failure) => prop_assert_eq!(failure.code, ErrorCode::Invalid),
        }
    }
}

/// Requests through the real router on a real schema.
mod protocol {
    use http::Method;

    use crate::route_infos;

    #[test]
    fn every_level_reads_and_writes_at_the_same_address() {
        let ours: Vec<_> =
            route_infos().into_iter().filter(|info| info.pattern.contains("/packages/generic/")).collect();
        let patterns = [
            "/api/v4/projects/{id}/packages/generic/{name}/{version}/{*file}",
            "/api/v4/groups/{id}/-/packages/generic/{name}/{version}/{*file}",
            "/api/v4/packages/generic/{name}/{version}/{*file}",
        ];
        for method in [Method::GET, Method::PUT] {
            for pattern in patterns {
                assert!(
                    ours.iter().any(|info| info.method == method && info.pattern == pattern),
                    "{method} {pattern}"
                );
            }
        }
        assert_eq!(ours.len(), 6);
    }
}
