//! Documents, from the piece of one file to the page; and what a reader is answered with.

use domain::{
    PackageFileId, PackageFlag, PackageStatus, ProjectId, VersionFlag,
    rules::{FormatRules as _, PublishedFile, PublishedVersion},
};
use http::{HeaderMap, HeaderValue, header};
use proptest::prelude::*;
use serde_json::{Value, json};
use time::macros::datetime;

use super::digests;
use crate::pypi::{
    document::{self, Document, Entry},
    rules::PypiRules,
    wire::Representation,
};

const BASE: &str = "https://packages.example.com/api/v4/groups/9/-/packages/pypi";

/// The pieces of a file: HTML and JSON.
fn pieces(version: &str, file_name: &str, properties: Value, flags: &[VersionFlag]) -> [String; 2] {
    let metadata = json!({});
    let version = PublishedVersion {
        project: ProjectId(7),
        name: "Acme.Web",
        version: Some(version),
        status: PackageStatus::Default,
        metadata: &metadata,
        deprecation: None,
        flags,
        files: &[],
        created_at: datetime!(2026-11-25 06:00 UTC),
    };
    let file = PublishedFile {
        id: PackageFileId(1),
        file_name: file_name.to_owned(),
        channel: None,
        size: 1234,
        digests: digests(file_name.as_bytes()),
        properties,
        created_at: datetime!(2026-11-25 06:07:08.123_456_789 +02:00),
    };
    let fragments = PypiRules.file_fragments(&version, &file);
    let piece = |document: Document| {
        fragments.iter().find(|fragment| fragment.document == document.name()).expect("a piece").body.clone()
    };
    [piece(Document::Html), piece(Document::Json)]
}

fn yanked(reason: Option<&str>) -> Vec<VersionFlag> {
    vec![VersionFlag { flag: PackageFlag::Yanked, reason: reason.map(str::to_owned) }]
}

/// Three files of two versions, and one more of another project that has the name of one of them.
fn files() -> Vec<(&'static str, [String; 2])> {
    let wheel = json!({
        "filetype": "bdist_wheel",
        "requires_python": ">=3.8,<4",
        "core_metadata": { "sha256": "0123456789abcdef", "deflated": "" },
    });
    vec![
        ("1.10", pieces("1.10", "acme_web-1.10+cu118-py3-none-any.whl", wheel.clone(), &[])),
        ("1.9", pieces("1.9", "acme_web-1.9.tar.gz", json!({}), &yanked(Some("\"broken\" <b>&</b>")))),
        ("1.9", pieces("1.9", "acme_web-1.9-py3-none-any.whl", wheel, &yanked(None))),
        ("1.9.0", pieces("1.9.0", "acme_web-1.9.tar.gz", json!({ "requires_python": ">=3" }), &[])),
    ]
}

fn page(document: Document) -> String {
    let entry = |(position, (version, [html, json])): (usize, (&str, [String; 2]))| Entry {
        version: version.to_owned(),
        file_id: i64::try_from(position).expect("few"),
        fragment: if document == Document::Html { html } else { json },
    };
    let entries = files().into_iter().enumerate().map(entry).collect();
    String::from_utf8(document::page(document, "Acme.Web", entries, BASE).to_vec()).expect("text")
}

#[test]
fn a_page_of_links() {
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("page_html", page(Document::Html));
    });
}

#[test]
fn a_page_of_json() {
    let page: Value = serde_json::from_str(&page(Document::Json)).expect("JSON");
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_json_snapshot!("page_json", page);
    });
}

#[test]
fn a_list_of_names() {
    let names = ["Acme.Web".to_owned(), "zope".to_owned()];
    let text = |document| String::from_utf8(document::list(document, &names, BASE).to_vec()).expect("text");
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("list_html", text(Document::Html));
    });
    let json: Value = serde_json::from_str(&text(Document::Json)).expect("JSON");
    let projects = json!([{ "name": "Acme.Web" }, { "name": "zope" }]);
    assert_eq!(json, json!({ "meta": { "api-version": "1.1" }, "projects": projects }));
}

/// The type of the answer.
fn answered(accept: &[&'static str], format: Option<&str>) -> &'static str {
    let mut headers = HeaderMap::new();
    for accept in accept {
        headers.append(header::ACCEPT, HeaderValue::from_static(accept));
    }
    let content_type = Representation::of(&headers, format).expect("answered").content_type;
    content_type.split(';').next().unwrap_or_default()
}

#[test]
fn what_is_preferred_is_answered() {
    const HTML: &str = "text/html";
    const JSON: &str = "application/vnd.pypi.simple.v1+json";
    const V1_HTML: &str = "application/vnd.pypi.simple.v1+html";
    for (accept, answer) in [
        // pip, uv, poetry, a browser, curl
        (
            "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01",
            JSON,
        ),
        (
            "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01",
            JSON,
        ),
        ("application/vnd.pypi.simple.v1+html, text/html; q=0.01", V1_HTML),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", HTML),
        ("*/*", HTML),
        ("", HTML),
        ("application/vnd.pypi.simple.latest+json", JSON),
        ("application/vnd.pypi.simple.latest+html", V1_HTML),
        ("Application/Vnd.PyPI.Simple.V1+JSON", JSON),
        ("application/vnd.pypi.simple.v1+json;q=0.5, text/html", HTML),
        ("application/vnd.pypi.simple.v1+json;q=0, text/html;q=0.001", HTML),
        ("application/vnd.pypi.simple.v1+json;q=0, */*;q=0.1", HTML),
        ("text/html;q=0, application/*", JSON),
        ("text/html;q=0.2, application/vnd.pypi.simple.v1+json;q=0.200", HTML),
        ("application/vnd.pypi.simple.v1+json;q=2, text/html;q=0.1", HTML),
        ("application/vnd.pypi.simple.v1+json;q=0.1234, text/html;q=0.1", HTML),
        ("application/json", HTML),
        ("application/vnd.pypi.simple.v2+json", HTML),
        (";;q=x,,", HTML),
    ] {
        assert_eq!(answered(&[accept], None), answer, "{accept}");
    }
    assert_eq!(answered(&["text/html;q=0.1", JSON], None), JSON, "in two lines");
    assert_eq!(answered(&[HTML], Some("application/vnd.pypi.simple.v1+json")), JSON);
    assert_eq!(
        answered(&[HTML], Some("application/vnd.pypi.simple.latest json")),
        JSON,
        "an unescaped plus sign"
    );
    assert_eq!(answered(&[JSON], Some("text/html")), HTML);
    let failure = Representation::of(&HeaderMap::new(), Some("json")).expect_err("unknown");
    assert!(failure.message.starts_with("format does not have a valid value: "), "{failure}");
}

proptest! {
    #[test]
    fn published_text_cannot_break_out(text in "\\PC{0,20}[\"'<>&\u{1}\n]{0,3}") {
        let properties = json!({ "requires_python": text });
        let [html, json] = pieces("1.0", "a-1.0.tar.gz", properties, &yanked(Some(&text)));
        let address = html.split('"').nth(1).expect("an address");
        prop_assert_eq!(html.matches('<').count(), 2);
        prop_assert_eq!(html.matches('>').count(), 2);
        prop_assert_eq!(html.matches('"').count(), 6);
        prop_assert_eq!(html.matches('\u{1}').count(), 1);
        prop_assert_eq!(address.chars().next(), Some('\u{1}'));
        let parsed: Value = serde_json::from_str(&json.replacen('\u{1}', "", 1)).expect("JSON");
        prop_assert_eq!(parsed["requires-python"].as_str(), Some(text.as_str()));
        let expected = if text.is_empty() { Value::Bool(true) } else { Value::from(text) };
        prop_assert_eq!(&parsed["yanked"], &expected);
    }
}
