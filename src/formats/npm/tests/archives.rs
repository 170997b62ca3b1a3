//! The inspector: what it keeps, what it refuses, and that nothing makes it panic.

use domain::{
    ErrorCode,
    rules::{DeclaredDependency, DependencyType},
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tar::EntryType;

use super::{append, gzip, hex, inspect, package, tar};

const MINIMAL: &str = r#"{"name":"web","version":"1.0.0"}"#;

fn refusal(tarball: &[u8]) -> String {
    let failure = inspect("web", "1.0.0", Value::Null, tarball).expect_err("refused");
    assert_eq!((failure.code, failure.field.as_deref()), (ErrorCode::Invalid, Some("files.0")), "{failure}");
    failure.message.into_owned()
}

#[test]
fn the_archive_says_what_is_kept() {
    let package_json = json!({
        "name": "web", "version": "v1.0.0", "readme": "long", "exports": {},
        "bin": "./cli.js",
        "scripts": { "postinstall": "node build" },
        "dependencies": { "a": "^1", "b": "2", "none": 3 }, "optionalDependencies": { "b": "2" },
        "devDependencies": { "d": "*" }, "peerDependencies": { "p": ">=1" }, "bundledDependencies": ["c"],
        "dist": { "tarball": "http://elsewhere", "shasum": "0" }, "deprecated": "no", "hasInstallScript": false,
    });
    let tarball = gzip(&tar(&[
        ("package/package.json", &package_json.to_string()),
        ("package/npm-shrinkwrap.json", "{}"),
    ]));
    let inspection = inspect("web", "1.0.0", Value::Null, &tarball).expect("fine");
    assert_snapshot!("kept_of_an_archive", inspection.metadata);
    let declared = |name: &str, pattern: &str, kind| DeclaredDependency {
        name: name.to_owned(),
        version_pattern: pattern.to_owned(),
        kind,
        scope: String::new(),
    };
    assert_eq!(
        inspection.dependencies,
        [
            declared("a", "^1", DependencyType::Dependencies),
            declared("c", "*", DependencyType::Dependencies),
            declared("b", "2", DependencyType::Dependencies),
            declared("d", "*", DependencyType::DevDependencies),
            declared("p", ">=1", DependencyType::PeerDependencies),
            declared("c", "*", DependencyType::BundleDependencies),
        ]
    );
}

#[test]
fn a_manifest_that_shows_something_else_is_refused() {
    let package_json = json!({
        "name": "web", "version": "1.0.0", "bin": "cli.js",
        "dependencies": { "a": "1" }, "scripts": { "install": "make", "test": "true" },
    });
    let tarball = package(&package_json);
    inspect("web", "1.0.0", package_json.clone(), &tarball).expect("the same");
    for (field, value) in [
        ("dependencies", json!({})),
        ("dependencies", json!({ "a": "2" })),
        ("dependencies", json!({ "a": "npm:b@1" })),
        ("dependencies", json!({ "a": "1", "b": "1" })),
        ("optionalDependencies", json!({ "x": "1" })),
        ("peerDependencies", json!({ "x": "1" })),
        ("bundleDependencies", json!(["a"])),
        ("scripts", json!({ "test": "true" })),
        ("scripts", json!({ "install": "curl | sh" })),
        ("scripts", json!({ "install": "make", "preinstall": "curl | sh" })),
        ("bin", json!({ "web": "other.js" })),
        ("bin", json!({ "web": "cli.js", "ls": "cli.js" })),
        ("name", json!("other")),
        ("version", json!("1.0.1")),
        ("dist", json!({ "shasum": "0".repeat(40) })),
        ("dist", json!({ "integrity": "sha512-AAAA" })),
        ("dist", json!({ "integrity": "md4" })),
    ] {
        let mut manifest = package_json.clone();
        manifest[field] = value;
        let failure = inspect("web", "1.0.0", manifest, &tarball).expect_err(field);
        let named = failure.field.as_deref().unwrap_or_default();
        assert!(named == field || named.starts_with(&format!("metadata.{field}")), "{field}: {failure:?}");
    }
}

#[test]
fn an_archive_of_something_else_is_refused() {
    for (package_json, field) in [
        (json!({ "name": "other", "version": "1.0.0" }), "name"),
        (json!({ "name": "web", "version": "1.0.1" }), "version"),
        (json!({ "name": "web" }), "version"),
        (json!({}), "name"),
    ] {
        let failure = inspect("web", "1.0.0", Value::Null, &package(&package_json)).expect_err("other");
        assert_eq!(failure.field.as_deref(), Some(field));
        assert!(failure.message.starts_with("package.json in the archive has"), "{failure}");
    }
    let plus = package(&json!({ "name": "web", "version": "1.0.0+build" }));
    inspect("web", "1.0.0", Value::Null, &plus).expect("build metadata is no other version");
}

#[test]
fn what_is_no_package_is_refused_by_name() {
    let file = ("package/package.json", MINIMAL);
    let good = tar(&[file]);
    for (tarball, reason) in [
        (b"PK\x03\x04".to_vec(), "it is not gzip-compressed"),
        (Vec::new(), "it is not gzip-compressed"),
        (gzip(b"certainly no tar archive").repeat(1), "it is not a tar archive"),
        (gzip(&[b'x'; 2048]), "it is not a tar archive"),
        (gzip(&good)[..60].to_vec(), "its gzip data is damaged or truncated"),
        ([gzip(&good), b"more".to_vec()].concat(), "there is data after its gzip stream"),
        ([gzip(&good), gzip(&good)].concat(), "there is data after its gzip stream"),
        (gzip(&[good.clone(), good.clone()].concat()), "there is data after its end"),
        (gzip(&good[..520]), "it is truncated"),
        (gzip(&tar(&[])), "there is no package.json"),
        (gzip(&tar(&[("package/index.js", "")])), "there is no package.json"),
        (gzip(&tar(&[file, ("other/index.js", "")])), "it has more than one folder at its top"),
        (gzip(&tar(&[("package.json", MINIMAL)])), "'package.json' is outside the folder"),
        (gzip(&tar(&[file, file])), "package.json should be there once"),
        (gzip(&tar(&[file, ("package/PACKAGE.json", "{}")])), "package.json should be there once"),
        (gzip(&tar(&[file, ("package//./package.json", "{}")])), "package.json should be there once"),
        (gzip(&tar(&[("package/package.json", "[]")])), "package.json is not a JSON object"),
        (gzip(&tar(&[("package/package.json", "{")])), "package.json is not a JSON object"),
        (gzip(&tar(&[file, ("package/../x", "")])), "the path 'package/../x' is not allowed"),
        (gzip(&tar(&[file, ("package\\..\\x", "")])), "is not allowed"),
        (gzip(&tar(&[file, ("/package/x", "")])), "the path '/package/x' is not allowed"),
        (gzip(&tar(&[file, ("C:/x", "")])), "is not allowed"),
    ] {
        let refusal = refusal(&tarball);
        assert!(refusal.contains(reason), "{refusal:?} should say {reason:?}");
    }
}

fn with_entry(kind: EntryType, path: &str, data: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(data.len() as u64);
    header.set_entry_type(kind);
    append(&mut builder, header, path, data);
    let mut header = tar::Header::new_ustar();
    header.set_size(MINIMAL.len() as u64);
    append(&mut builder, header, "package/package.json", MINIMAL.as_bytes());
    gzip(&builder.into_inner().expect("memory"))
}

#[test]
fn entries_that_clients_unpack_differently_are_refused() {
    for kind in [EntryType::Char, EntryType::Block, EntryType::Fifo, EntryType::new(b'Z')] {
        assert!(refusal(&with_entry(kind, "package/x", b"")).contains("neither a file nor a directory"));
    }
    for (kind, record) in [
        (EntryType::XHeader, "22 path=package/x.json\n"),
        (EntryType::XHeader, "10 size=1\n"),
        (EntryType::XHeader, "no record at all"),
        (EntryType::XGlobalHeader, "10 size=1\n"),
        (EntryType::XGlobalHeader, "13 path=a/b/c\n"),
    ] {
        let tarball = with_entry(kind, "pax", record.as_bytes());
        inspect("web", "1.0.0", Value::Null, &tarball).expect_err(record);
    }
    for kind in [EntryType::Symlink, EntryType::Link, EntryType::Directory] {
        let tarball = with_entry(kind, "package/x", b"");
        inspect("web", "1.0.0", Value::Null, &tarball).expect("npm does not unpack links");
    }
    let from_git = with_entry(EntryType::XGlobalHeader, "pax_global_header", b"13 comment=a\n");
    inspect("web", "1.0.0", Value::Null, &from_git).expect("git archive says which commit it is of");
}

#[test]
fn what_inflates_without_bound_is_refused() {
    let zeros = gzip(&vec![0; 100 << 20]);
    // A long name is read into memory by readers of tar: the header is refused before.
    for kind in [EntryType::GNULongName, EntryType::XHeader] {
        let mut header = tar::Header::new_gnu();
        header.set_size(90 << 20);
        header.set_entry_type(kind);
        header.set_cksum();
        let tarball = gzip(&[header.as_bytes().as_slice(), &vec![b'a'; 3 << 20]].concat());
        assert!(refusal(&tarball).contains("a header of more than 1 MiB"));
    }
    assert!(refusal(&zeros).contains("inflates to much more"), "{}", refusal(&zeros));
    let long = format!("{{\"name\":\"web\",\"x\":\"{}\"}}", "a".repeat(1 << 20));
    assert!(
        refusal(&gzip(&tar(&[("package/package.json", &long)])))
            .contains("package.json is larger than 1 MiB")
    );
}

#[test]
fn provenance_is_kept_when_it_is_about_the_archive() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    let tarball = package(&json!({ "name": "web", "version": "1.0.0" }));
    let bundle = |digest: &str| {
        let statement = json!({ "predicateType": "p", "subject": [{ "digest": { "sha512": digest } }] });
        json!({ "dsseEnvelope": { "payload": STANDARD.encode(statement.to_string()) } })
    };
    let mut manifest: Map<String, Value> = serde_json::from_str(MINIMAL).expect("JSON");
    let sent = bundle(&hex(&tarball, domain::DigestAlgorithm::Sha512));
    manifest.insert("_sigstoreBundle".to_owned(), sent.clone());
    let kept = inspect("web", "1.0.0", Value::Object(manifest.clone()), &tarball).expect("about it").metadata;
    assert_eq!(kept["_sigstoreBundle"], sent);
    for other in [bundle("00"), json!({}), json!(null)] {
        manifest.insert("_sigstoreBundle".to_owned(), other);
        let failure =
            inspect("web", "1.0.0", Value::Object(manifest.clone()), &tarball).expect_err("not about it");
        assert_eq!(failure.field.as_deref(), Some("metadata.provenance"));
    }
    // A package.json cannot bring one.
    let forged = package(&json!({ "name": "web", "version": "1.0.0", "_sigstoreBundle": {} }));
    let kept = inspect("web", "1.0.0", Value::Null, &forged).expect("ignored").metadata;
    assert_eq!(kept.get("_sigstoreBundle"), None);
}

proptest! {
    #[test]
    fn mutated_archives_never_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut tar = tar(&[("package/package.json", MINIMAL), ("package/a.js", "a"), ("package/b/c.js", "c")]);
        for (index, byte) in changes {
            let at = index.index(tar.len());
            tar[at] = byte;
        }
        if let Some(cut) = cut {
            tar.truncate(cut.index(tar.len()));
        }
        if let Ok(inspection) = inspect("web", "1.0.0", Value::Null, &gzip(&tar)) {
            prop_assert_eq!(&inspection.metadata["name"], "web");
        }
    }

    #[test]
    fn mutated_compression_never_panics(at in any::<prop::sample::Index>(), byte: u8) {
        let mut tarball = package(&json!({ "name": "web", "version": "1.0.0" }));
        let at = at.index(tarball.len());
        tarball[at] ^= byte;
        let _ = inspect("web", "1.0.0", Value::Null, &tarball);
    }

    #[test]
    fn any_package_json_is_kept_or_refused(fields in any_json(), manifest in any_json()) {
        let mut package_json = json!({ "name": "web", "version": "1.0.0" });
        for (index, value) in fields.into_iter().enumerate() {
            package_json[FIELDS[index % FIELDS.len()]] = value;
        }
        let tarball = package(&package_json);
        // Whatever it says, sent along as it stands it is no contradiction.
        inspect("web", "1.0.0", package_json.clone(), &tarball).expect("the same on both sides");
        let sent: Map<String, Value> = FIELDS.iter().map(|field| (*field).to_owned()).zip(manifest).collect();
        let _ = inspect("web", "1.0.0", Value::Object(sent), &tarball);
    }
}

const FIELDS: [&str; 10] = [
    "dependencies",
    "optionalDependencies",
    "peerDependencies",
    "bundleDependencies",
    "bundledDependencies",
    "scripts",
    "bin",
    "directories",
    "devDependencies",
    "gypfile",
];

fn any_json() -> impl Strategy<Value = Vec<Value>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(Value::from),
        "[a-z@/.:^*\\\\]{0,12}".prop_map(Value::from),
        "(\\./)?node_modules/.bin/[a-z]{0,3}".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::vec(("[a-z@/.:]{0,8}|install|bin", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    proptest::collection::vec(value, FIELDS.len())
}
