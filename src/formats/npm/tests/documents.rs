//! The pieces of index documents, and how they are put together.

use domain::{
    PackageFileId, PackageStatus, ProjectId,
    rules::{BASE_URL, FormatRules as _, Fragment, PublishedFile, PublishedVersion},
};
use serde_json::{Value, json};
use time::macros::datetime;

use super::{super::document::*, NpmRules, digests, inspect, package};

fn fragments(name: &str, version: &str, metadata: &Value, deprecation: Option<&str>) -> Vec<Fragment> {
    let created_at = datetime!(2026-01-02 03:04:05 UTC);
    let file = PublishedFile {
        id: PackageFileId(7),
        channel: None,
        file_name: super::super::rules::file_name_of(name, Some(version)),
        size: 3,
        digests: digests(b"abc"),
        properties: Value::Null,
        created_at,
    };
    NpmRules.fragments(&PublishedVersion {
        project: ProjectId(42),
        name,
        version: Some(version),
        status: PackageStatus::Default,
        metadata,
        deprecation,
        flags: &[],
        files: &[file],
        created_at,
    })
}

fn index(document: Document, versions: &[(&str, Option<&str>)], tags: &[(&str, &str)]) -> Index {
    let entries = versions.iter().enumerate().map(|(position, (version, deprecation))| {
        let package_json = json!({
            "name": "@acme/web", "version": version, "description": "d", "bin": "cli.js",
            "dependencies": { "left": "^1" }, "scripts": { "install": "make" },
        });
        let metadata =
            inspect("@acme/web", version, Value::Null, &package(&package_json)).expect("fine").metadata;
        let fragment = fragments("@acme/web", version, &metadata, *deprecation)
            .into_iter()
            .find(|fragment| fragment.document == document.name())
            .expect("made");
        Entry {
            version: (*version).to_owned(),
            created_at: format!("2026-01-0{}T00:00:00Z", position + 1),
            fragment: fragment.body,
        }
    });
    Index {
        name: "@acme/web".to_owned(),
        revision: "7-abc".to_owned(),
        updated_at: "2026-02-01T00:00:00Z".to_owned(),
        entries: entries.collect(),
        tags: tags.iter().map(|(tag, version)| ((*tag).to_owned(), (*version).to_owned())).collect(),
    }
}

fn assembled(document: Document, index: &Index) -> Value {
    let bytes = assemble(document, index, "https://example.com/registry");
    serde_json::from_slice(&bytes).expect("JSON without marks")
}

const VERSIONS: &[(&str, Option<&str>)] =
    &[("1.10.0", None), ("1.9.0", Some("a \"bad\" \u{1} one")), ("2.0.0-rc.1", None)];

#[test]
fn a_packument_in_full() {
    let index = index(Document::Packument, VERSIONS, &[("next", "2.0.0-rc.1")]);
    assert_snapshot!("packument", assembled(Document::Packument, &index));
}

#[test]
fn an_abbreviated_packument() {
    let index = index(Document::Install, VERSIONS, &[("latest", "1.9.0")]);
    assert_snapshot!("install", assembled(Document::Install, &index));
}

#[test]
fn links_begin_with_the_mark_and_nothing_else_has_one() {
    let metadata = json!({ "name": "web", "version": "1.0.0", "description": "a \u{1} b" });
    for fragment in fragments("web", "1.0.0", &metadata, Some("\u{1}")) {
        let links: Vec<_> = fragment.body.match_indices(BASE_URL).collect();
        assert_eq!(links.len(), 1, "{}", fragment.body);
        assert!(fragment.body.contains("\u{1}/api/v4/projects/42/packages/npm/web/-/web-1.0.0.tgz"));
        assert_eq!(deprecation_in(&fragment.body).as_deref(), Some("\u{1}"));
    }
    assert_eq!(deprecation_in("no JSON"), None);
}

#[test]
fn a_version_without_a_file_contributes_nothing() {
    let version = PublishedVersion {
        project: ProjectId(1),
        name: "web",
        version: Some("1.0.0"),
        status: PackageStatus::Default,
        metadata: &Value::Null,
        flags: &[],
        deprecation: None,
        files: &[],
        created_at: datetime!(2026-01-01 00:00 UTC),
    };
    assert_eq!(NpmRules.fragments(&version), []);
}

#[test]
fn provenance_is_linked_and_not_listed() {
    let metadata = json!({
        "name": "@acme/web", "version": "1.0.0", "_sigstoreBundle": {},
        "dist": { "fileCount": 1, "signatures": [], "attestations": { "url": "https://elsewhere" }, "tarball": "x" },
    });
    for fragment in fragments("@acme/web", "1.0.0", &metadata, None) {
        let piece: Value = serde_json::from_str(&fragment.body.replace(BASE_URL, "https://h")).expect("JSON");
        assert_eq!(piece.get("_sigstoreBundle"), None);
        assert_eq!(
            piece["dist"]["attestations"],
            json!({
                "url": "https://h/api/v4/projects/42/packages/npm/-/npm/v1/attestations/@acme/web@1.0.0",
                "provenance": { "predicateType": "https://slsa.dev/provenance/v1" },
            })
        );
        assert_eq!(
            piece["dist"]["tarball"],
            "https://h/api/v4/projects/42/packages/npm/@acme/web/-/web-1.0.0.tgz"
        );
        assert_eq!(piece["dist"]["fileCount"], 1);
    }
}

#[test]
fn of_two_entries_with_one_version_the_newer_one_is_listed() {
    let mut index = index(Document::Install, &[("1.0.0", None), ("1.0.0", None), ("0.1.0", None)], &[]);
    index.entries[0].fragment = "{\"from\":\"older\"}".to_owned();
    index.entries[1].fragment = "{\"from\":\"newer\"}".to_owned();
    let document = assembled(Document::Install, &index);
    assert_eq!(document["versions"]["1.0.0"]["from"], "newer");
    let versions: Vec<_> = document["versions"].as_object().expect("an object").keys().collect();
    assert_eq!(versions, ["0.1.0", "1.0.0"]);
}

#[test]
fn latest_is_the_tag_or_the_highest_release_or_the_highest_version() {
    let latest = |tags: &[(&str, &str)], versions: &[&str]| {
        let tags: Vec<_> =
            tags.iter().map(|(tag, version)| ((*tag).to_owned(), (*version).to_owned())).collect();
        dist_tags(&tags, versions.iter().copied()).remove("latest")
    };
    assert_eq!(latest(&[("latest", "1.0.0")], &["1.0.0", "2.0.0"]).as_deref(), Some("1.0.0"));
    assert_eq!(latest(&[("next", "3.0.0-a")], &["1.0.0", "2.0.0", "3.0.0-a"]).as_deref(), Some("2.0.0"));
    assert_eq!(latest(&[], &["1.0.0-b", "1.0.0-a"]).as_deref(), Some("1.0.0-b"));
    assert_eq!(latest(&[], &[]), None);
    // Two projects of a group disagree.
    let tags = [("latest", "1.10.0"), ("latest", "1.9.0")];
    assert_eq!(latest(&tags, &["1.9.0", "1.10.0"]).as_deref(), Some("1.10.0"));
}
