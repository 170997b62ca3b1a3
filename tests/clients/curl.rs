//! curl with generic packages, as scripts in CI use it.

use super::{Registry, Workplace};
use crate::server::{ROOT_TOKEN, databases};

#[test]
fn uploads_and_downloads() {
    for database in databases() {
        let Some(place) = Workplace::new(&["curl"], "") else { return };
        let registry = Registry::new(database);
        let (username, deploy_token) = &registry.deploy_token;
        let private_token = format!("PRIVATE-TOKEN: {ROOT_TOKEN}");
        let deploy_header = format!("Deploy-Token: {deploy_token}");
        let bearer = format!("Authorization: Bearer {ROOT_TOKEN}");
        let basic = format!("{username}:{deploy_token}");
        let basic_token = format!("root:{ROOT_TOKEN}");
        let content = "0123456789".repeat(5_000);
        place.write("file.bin", &content);
        let carriers: [(&str, [&str; 2]); 5] = [
            ("private-token", ["--header", &private_token]),
            ("deploy-token", ["--header", &deploy_header]),
            ("bearer", ["--header", &bearer]),
            ("basic", ["--user", &basic]),
            ("basic-pat", ["--user", &basic_token]),
        ];
        for (name, credential) in carriers {
            let base = format!("{}{}/generic", registry.server.url(), registry.project_packages());
            let url = format!("{base}/{name}/1.0.0/dir/file.bin");
            let curl = |more: &[&str]| {
                let mut arguments = vec!["--silent", "--show-error", "--fail-with-body"];
                arguments.extend(credential);
                arguments.extend(more);
                arguments.push(&url);
                place.run(".", &arguments)
            };
            let created = curl(&["--upload-file", "file.bin"]);
            assert_eq!(created, r#"{"message":"201 Created"}"#);
            let selected = format!("{base}/{name}/1.0.0/other.bin?select=package_file");
            let mut arguments = vec!["--silent", "--fail-with-body", "--upload-file", "file.bin"];
            arguments.extend(credential);
            arguments.push(&selected);
            let file = place.run(".", &arguments);
            assert!(
                file.contains("\"file_name\":\"other.bin\"") && file.contains("\"size\":50000"),
                "{file}"
            );

            curl(&["--output", "got.bin"]);
            assert!(place.read("got.bin") == content, "the bytes come back");
            assert_eq!(curl(&["--range", "10-14"]), "01234");
            let head = curl(&["--head"]);
            let head = head.to_ascii_lowercase();
            assert!(head.contains("content-length: 50000") && head.contains("x-checksum-sha256: "), "{head}");
            // A broken download goes on where it stopped.
            place.write("partial.bin", &content[..20_000]);
            curl(&["--continue-at", "-", "--output", "partial.bin"]);
            assert!(place.read("partial.bin") == content);
            let not_modified = curl(&["--etag-save", "etag", "--output", "got.bin"]);
            assert!(not_modified.is_empty());
            let status = curl(&["--etag-compare", "etag", "--output", "none", "--write-out", "%{http_code}"]);
            assert_eq!(status, "304");
        }
        let url = format!(
            "{}{}/generic/private-token/1.0.0/dir/file.bin",
            registry.server.url(),
            registry.project_packages()
        );
        let refused =
            place.refused(".", &["--silent", "--fail-with-body", "--write-out", "%{http_code}", &url]);
        assert!(refused.ends_with("401"), "{refused}");
    }
}
