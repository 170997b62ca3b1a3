//! What is checked of wheels beside the structure of the archive.

use std::io::{Cursor, Write as _};

use domain::rules::{DeclaredDependency, DependencyType};
use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::artefacts::pypi::Distribution;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{inspect, refusal};
use crate::pypi::metadata::Properties;

const ACME: (&str, &str) = ("acme", "1.0");
const WHEEL: &str = "acme-1.0-py3-none-any.whl";

/// A wheel of these files.
fn zipped(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, content) in files {
        archive.start_file(path.as_str(), SimpleFileOptions::default()).expect("memory");
        archive.write_all(content).expect("memory");
    }
    archive.finish().expect("memory").into_inner()
}

/// A good wheel with one of its files changed, and `RECORD` as it was.
fn changed(file: &str, change: impl Fn(&str) -> String) -> Vec<u8> {
    let mut files = Distribution::new("acme", "1.0").wheel_files();
    let path = if file.contains('/') { file.to_owned() } else { format!("acme-1.0.dist-info/{file}") };
    let (_, content) = files.iter_mut().find(|(known, _)| *known == path).expect("a file");
    *content = change(std::str::from_utf8(content).expect("text")).into_bytes();
    zipped(&files)
}

fn refused(bytes: &[u8]) -> String {
    refusal(inspect(ACME, WHEEL, Value::Null, bytes))
}

#[test]
fn the_archive_says_what_is_kept() {
    let distribution = Distribution::new("Acme", "1.0")
        .with("Author-email", "Wile <wile@example.com>")
        .with("Keywords", "anvil,rocket")
        .with("Description-Content-Type", "text/markdown")
        .with("Requires-Dist", "requests [security,tests] >=2.8.1,==2.8.* ; python_version < \"2.7\"")
        .with("Requires-Dist", "pip @ file:///localbuilds/pip-1.3.1.zip")
        .with("Requires-Dist", "old (>1.0)")
        .with("Requires-Dist", "any")
        .with("Requires-Dist", "pytest>=7; extra == 'test'")
        .with("Provides-Extra", "test");
    let inspection = inspect(ACME, WHEEL, Value::Null, &distribution.wheel()).expect("a wheel");
    let kept = json!({
        "author_email": "Wile <wile@example.com>",
        "description": "# Made by a test\n",
        "description_content_type": "text/markdown",
        "keywords": "anvil,rocket",
        "metadata_version": "2.1",
        "required_python": ">=3.8",
        "summary": "Made by a test",
    });
    assert_eq!(inspection.metadata, kept);
    let declared = |name: &str, pattern: &str, scope: &str| DeclaredDependency {
        name: name.to_owned(),
        version_pattern: pattern.to_owned(),
        kind: DependencyType::Dependencies,
        scope: scope.to_owned(),
    };
    let dependencies = [
        declared("requests", "[security,tests] >=2.8.1,==2.8.*", "python_version < \"2.7\""),
        declared("pip", "@ file:///localbuilds/pip-1.3.1.zip", ""),
        declared("old", ">1.0", ""),
        declared("any", "*", ""),
        declared("pytest", ">=7", "extra == 'test'"),
    ];
    assert_eq!(inspection.dependencies, dependencies);
    let properties: Properties = serde_json::from_value(inspection.file_properties[0].clone()).expect("ours");
    assert_eq!(properties.requires_python.as_deref(), Some(">=3.8"));
    let text = properties.core_metadata.expect("kept").text().expect("readable");
    assert_eq!(String::from_utf8(text).expect("text"), distribution.metadata());
}

#[test]
fn a_description_is_cut_as_gitlab_cuts_it_and_a_large_one_is_not_served_beside_the_wheel() {
    let mut distribution = Distribution::new("acme", "1.0");
    distribution.description = "\u{e4}".repeat(600_000);
    let inspection = inspect(ACME, WHEEL, Value::Null, &distribution.wheel()).expect("a wheel");
    let description = inspection.metadata["description"].as_str().expect("a text");
    assert_eq!((description.chars().count(), description.ends_with("\u{e4}...")), (4_000, true));
    assert_eq!(inspection.file_properties[0].get("core_metadata"), None);
    distribution.description = "\u{e4}".repeat(2_200_000);
    let text = refused(&distribution.wheel());
    assert!(text.ends_with("METADATA is larger than 4194304 bytes"), "{text}");
}

#[test]
fn names_and_versions_have_to_agree() {
    let other = Distribution::new("other", "1.0").wheel();
    let reason = "its folder of metadata is called 'other-1.0.dist-info', which is not 'acme-1.dist-info'";
    assert_eq!(refused(&other), reason);
    type Change = fn(&str) -> String;
    let cases: [(Change, &str); 6] = [
        (
            |text| text.replace("Name: acme", "Name: other"),
            "its metadata has the name 'other', it was published as 'acme'",
        ),
        (
            |text| text.replace("Version: 1.0", "Version: 1.1"),
            "its metadata has the version '1.1', it was published as '1'",
        ),
        (|text| format!("Name: other\n{text}"), "METADATA has more than one 'Name'"),
        (|text| text.replace("Name: acme\n", ""), "METADATA cannot be read: metadata field Name not found"),
        (
            |text| text.replace(">=3.8", &">=3.8,".repeat(50)),
            "METADATA has a Requires-Python of more than 255 bytes: '>=3.8,",
        ),
        (
            |text| text.replace("Summary: ", "Requires-Dist: !nonsense\nSummary: "),
            "METADATA has a Requires-Dist that cannot be read: '!nonsense'",
        ),
    ];
    for (change, reason) in cases {
        let text = refused(&changed("METADATA", change));
        assert!(text.starts_with(reason), "{text}");
    }
}

#[test]
fn what_is_not_text_is_refused() {
    for name in ["METADATA", "WHEEL", "RECORD"] {
        let mut files = Distribution::new("acme", "1.0").wheel_files();
        let path = format!("acme-1.0.dist-info/{name}");
        files.iter_mut().find(|(known, _)| *known == path).expect("a file").1.push(0xff);
        assert_eq!(refused(&zipped(&files)), format!("{name} is not valid UTF-8"));
    }
}

#[test]
fn tags_have_to_agree() {
    let text = refused(&changed("WHEEL", |text| text.replace("py3-none-any", "cp312-cp312-linux_x86_64")));
    assert_eq!(text, "its file name has the tag 'py3-none-any', WHEEL does not");
    let text = refused(&changed("WHEEL", |text| format!("{text}Tag: py2-none-any\n")));
    assert_eq!(text, "WHEEL has the tag 'py2-none-any', its file name does not");
    let text = refused(&changed("WHEEL", |text| format!("{text}Build: 7\n")));
    assert_eq!(text, "WHEEL has the build '7', its file name ''");
    let text = refused(&changed("WHEEL", |text| text.replace("1.0", "2.0")));
    assert_eq!(text, "WHEEL has the Wheel-Version '2.0', not 1");
    let mut distribution = Distribution::new("acme", "1.0");
    distribution.tag = "py2-none-any\nTag: py3-none-any".to_owned();
    let both = "acme-1.0-py2.py3-none-any.whl";
    inspect(ACME, both, Value::Null, &distribution.wheel()).expect("both tags are there");
}

#[test]
fn record_has_to_agree() {
    let text = refused(&changed("acme/__init__.py", |_| "import os".to_owned()));
    assert!(text.starts_with("RECORD states another size of 'acme/__init__.py' than 9"), "{text}");
    let text = refused(&changed("acme/__init__.py", |text| text.replace("1.0", "6.6")));
    assert!(text.starts_with("RECORD states another hash of 'acme/__init__.py' than "), "{text}");
    let without = |text: &str| text.split_inclusive('\n').skip(1).collect::<String>();
    assert_eq!(refused(&changed("RECORD", without)), "RECORD does not list 'acme/__init__.py'");
    let unhashed = |text: &str| format!("acme/__init__.py,,\n{}", without(text));
    assert_eq!(refused(&changed("RECORD", unhashed)), "RECORD has no hash of 'acme/__init__.py'");
    for (line, reason) in [
        (
            "ghost.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0",
            "RECORD lists 'ghost.py', which is not in the archive",
        ),
        ("acme/__init__.py,,", "RECORD lists 'acme/__init__.py' twice"),
        ("a,b", "RECORD has a line without three columns: 'a,b'"),
        ("a,md5=abc,", "RECORD has no SHA-2 hash of 'a': 'md5=abc'"),
        ("a,sha256=?,", "RECORD has no SHA-2 hash of 'a': 'sha256=?'"),
        ("a,,many", "RECORD states no size of 'a': 'many'"),
        ("../a,,", "the path '../a' is not allowed"),
        ("\"a", "RECORD ends within a quoted value"),
    ] {
        assert_eq!(refused(&changed("RECORD", |text| format!("{text}{line}"))), reason);
    }
    let windows = changed("RECORD", |text| text.replace('\n', "\r\n"));
    inspect(ACME, WHEEL, Value::Null, &windows).expect("lines of Windows");
}

#[test]
fn names_with_commas_and_signatures_of_record_are_fine() {
    let mut distribution = Distribution::new("acme", "1.0");
    distribution.files.push(("acme/a,\"b\".txt".to_owned(), b"x".to_vec()));
    let mut files = distribution.wheel_files();
    let record = &mut files.iter_mut().find(|(path, _)| path.ends_with("RECORD")).expect("RECORD").1;
    let text = String::from_utf8(record.clone()).expect("text");
    *record = text.replace("acme/a,\"b\".txt", "\"acme/a,\"\"b\"\".txt\"").into_bytes();
    files.push(("acme-1.0.dist-info/RECORD.jws".to_owned(), b"{}".to_vec()));
    inspect(ACME, WHEEL, Value::Null, &zipped(&files)).expect("a wheel");
}

#[test]
fn there_is_one_folder_of_metadata_with_three_files() {
    let good = Distribution::new("acme", "1.0").wheel_files();
    for name in ["METADATA", "WHEEL", "RECORD"] {
        let without: Vec<_> = good.iter().filter(|(path, _)| !path.ends_with(name)).cloned().collect();
        assert_eq!(refused(&zipped(&without)), format!("there is no {name} in its .dist-info folder"));
        let mut twice = good.clone();
        twice.push((format!("acme-1.0.dist-info/{}", name.to_lowercase()), Vec::new()));
        assert_eq!(refused(&zipped(&twice)), format!("{name} should be there once, as a file"));
    }
    assert_eq!(refused(&zipped(&[("a.py".to_owned(), Vec::new())])), "there is no .dist-info folder in it");
    let mut second = good.clone();
    second.push(("Acme-1.0.dist-info/METADATA".to_owned(), Vec::new()));
    let reason = "it has more than one .dist-info folder, 'Acme-1.0.dist-info' and 'acme-1.0.dist-info'";
    assert_eq!(refused(&zipped(&second)), reason);
}

#[test]
fn claims_are_compared_with_the_archive() {
    let wheel = Distribution::new("acme", "1.0").wheel();
    let claimed = |claims: Value| inspect(ACME, WHEEL, claims, &wheel);
    claimed(json!({ "requires_python": ">= 3.8", "filetype": "bdist_wheel" })).expect("the same");
    let failure = claimed(json!({ "requires_python": ">=3.9" })).expect_err("another");
    assert_eq!(failure.message, "Requires python is invalid: the archive says '>=3.8', the form '>=3.9'");
    let failure = claimed(json!({ "filetype": "sdist" })).expect_err("another");
    assert_eq!(failure.message, "Filetype is invalid: the file is of the type 'bdist_wheel', not 'sdist'");
    claimed(json!([])).expect_err("no object");

    let mut silent = Distribution::new("acme", "1.0");
    silent.headers.clear();
    let claimed = |python: &str| inspect(ACME, WHEEL, json!({ "requires_python": python }), &silent.wheel());
    let inspection = claimed(">=3.9").expect("the archive says nothing");
    assert_eq!(inspection.metadata["required_python"], ">=3.9");
    assert_eq!(inspection.file_properties[0]["requires_python"], ">=3.9");
    let failure = claimed(&"x".repeat(256)).expect_err("too long");
    assert!(failure.message.starts_with("Requires python is too long"), "{failure}");
}

proptest! {
    #[test]
    fn a_damaged_wheel_is_refused_and_nothing_panics(
        position in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()
    ) {
        let good = Distribution::new("acme", "1.0").wheel();
        let mut bytes = good.clone();
        bytes[position.index(good.len())] = byte;
        // Times, and the versions that made it and read it, may be anything. Nothing else may.
        if let Ok(inspection) = inspect(ACME, WHEEL, Value::Null, &bytes) {
            let same = inspect(ACME, WHEEL, Value::Null, &good).expect("a wheel");
            prop_assert_eq!(inspection, same);
        }
        prop_assert!(inspect(ACME, WHEEL, Value::Null, &good[..cut.index(good.len())]).is_err());
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,60}", lines in "([A-Za-z-]{1,20}: \\PC{0,20}\n){0,6}") {
        let requirement = format!("Requires-Dist: {text}\nSummary: ");
        let _ = inspect(ACME, WHEEL, Value::Null, &changed("METADATA", |old| old.replace("Summary: ", &requirement)));
        for (file, content) in [("METADATA", &lines), ("RECORD", &text), ("WHEEL", &text)] {
            let _ = inspect(ACME, WHEEL, Value::Null, &changed(file, |_| content.clone()));
        }
    }
}
