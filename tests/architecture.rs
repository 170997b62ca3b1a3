//! The arrows between our crates, and the shape of a format's folder.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// Who may use which of our crates, tests left out. Adding a row or a name is a decision.
const ARROWS: &[(&str, &[&str])] = &[
    ("access", &["domain"]),
    ("blob", &["domain"]),
    ("domain", &[]),
    ("entity", &[]),
    ("entrepot", &["server"]),
    ("formats", &["domain", "gateway"]),
    ("gateway", &["domain"]),
    ("graphql", &["access", "blob", "domain", "gateway", "oidc", "store"]),
    ("migration", &[]),
    ("oidc", &["domain"]),
    ("rest", &["domain", "gateway"]),
    (
        "server",
        &["blob", "domain", "formats", "gateway", "graphql", "migration", "oidc", "rest", "store", "web"],
    ),
    ("store", &["access", "domain", "entity"]),
    ("testkit", &["access", "blob", "domain", "gateway", "graphql", "migration", "oidc", "store"]),
    ("web", &["domain", "gateway"]),
];

/// Who may use which of our crates in tests, beside the above.
const TEST_ARROWS: &[(&str, &[&str])] = &[
    ("entrepot", &["access", "domain", "formats", "gateway", "graphql", "rest", "testkit", "web"]),
    ("formats", &["testkit"]),
    ("rest", &["testkit"]),
    ("store", &["migration"]),
    ("web", &["testkit"]),
];

/// Crates from outside that only some of ours may use. `*` at the end stands for any rest.
const RESERVED: &[(&str, &[&str])] = &[
    ("sea-orm", &["entity", "store", "testkit"]),
    ("sea-orm-migration", &["migration"]),
    ("sqlx*", &[]),
    ("async-graphql", &["entrepot", "gateway", "graphql", "server", "testkit"]),
    ("async-graphql-*", &["server"]),
    ("clap", &["server"]),
    ("reqwest", &["upstream"]),
    ("aws-sdk-s3", &["blob"]),
    ("askama", &["web"]),
];

/// What a format's folder holds; `routes.rs`, `rules.rs`, `wire.rs` and `metadata.rs` may be folders.
const FORMAT_FILES: &[&str] = &[
    "README.md",
    "error.rs",
    "guide.html",
    "metadata.rs",
    "mod.rs",
    "operations.graphql",
    "routes.rs",
    "rules.rs",
    "tests.rs",
    "wire.rs",
];

/// What it may hold beside.
const OPTIONAL_FORMAT_FILES: &[&str] = &["document.rs", "snapshots", "tasks.rs", "upstream.rs"];

/// What may be a folder instead of a file, or beside it.
const SPLITTABLE: &[&str] = &["metadata", "routes", "rules", "tests", "wire"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .expect("cargo metadata")
}

fn row<'a>(table: &[(&str, &'a [&'a str])], name: &str) -> BTreeSet<&'a str> {
    table
        .iter()
        .find(|(row, _)| *row == name)
        .map(|(_, row)| row.iter().copied().collect())
        .unwrap_or_default()
}

fn dependencies(package: &Package, kinds: &[DependencyKind]) -> BTreeSet<String> {
    let of_kind = package.dependencies.iter().filter(|dependency| kinds.contains(&dependency.kind));
    of_kind.map(|dependency| dependency.name.clone()).collect()
}

#[test]
fn arrows_between_our_crates_are_those_of_the_table() {
    let metadata = metadata();
    let ours: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    let named: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(ours, named, "every crate of the workspace has its row, and no row is left over");
    for package in &metadata.packages {
        let name = package.name.as_str();
        for (kinds, allowed) in [
            (&[DependencyKind::Normal, DependencyKind::Build][..], row(ARROWS, name)),
            (&[DependencyKind::Development][..], &row(ARROWS, name) | &row(TEST_ARROWS, name)),
        ] {
            let used = dependencies(package, kinds);
            for used in used.iter().filter(|used| ours.contains(used.as_str())) {
                assert!(
                    allowed.contains(used.as_str()),
                    "{name} uses {used} ({kinds:?}), which its row forbids"
                );
            }
        }
    }
}

#[test]
fn reserved_crates_stay_where_they_belong() {
    for package in &metadata().packages {
        for used in dependencies(package, &[DependencyKind::Normal, DependencyKind::Build]) {
            let rule = RESERVED.iter().find(|(name, _)| {
                name.strip_suffix('*').map_or(*name == used, |start| used.starts_with(start))
            });
            if let Some((_, users)) = rule {
                assert!(
                    users.contains(&package.name.as_str()),
                    "{} may not use {used}: only {users:?} may",
                    package.name
                );
            }
        }
    }
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn names(path: &Path) -> BTreeSet<String> {
    fs::read_dir(path)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn every_format_has_the_same_files() {
    let formats = folders(&root().join("src/formats"));
    let formats = formats.iter().filter(|path| !path.ends_with("shared"));
    let mut seen = 0;
    for folder in formats {
        seen += 1;
        let names = names(folder);
        for file in FORMAT_FILES {
            let split = file.strip_suffix(".rs").filter(|stem| SPLITTABLE.contains(stem));
            assert!(
                names.contains(*file) || split.is_some_and(|stem| folder.join(stem).join("mod.rs").exists()),
                "{} has no {file}",
                folder.display()
            );
        }
        for name in &names {
            assert!(
                FORMAT_FILES.contains(&name.as_str())
                    || OPTIONAL_FORMAT_FILES.contains(&name.as_str())
                    || SPLITTABLE.contains(&name.as_str()),
                "{} has {name}, which is no file of a format",
                folder.display()
            );
        }
    }
    assert_eq!(
        seen,
        formats::all().len(),
        "every folder is listed in formats::all, and every format has its folder"
    );
}

/// Every file below `path` with this ending.
pub(crate) fn files(path: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The names of the operations in a document.
fn operation_names(document: &str) -> BTreeSet<String> {
    let parsed = async_graphql::parser::parse_query(document).expect("a document that parses");
    parsed.operations.iter().filter_map(|(name, _)| name.map(ToString::to_string)).collect()
}

#[test]
fn every_operation_is_used_and_every_name_is_taken_once() {
    let source = root().join("src");
    let mut used: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    for file in files(&source, "rs") {
        let text = fs::read_to_string(&file).expect("a source file");
        for call in text.split("operations!(").skip(1) {
            let call = call.split(')').next().unwrap_or_default();
            let Some((path, names)) = call.split_once(':') else { continue };
            let crate_folder =
                source.join(file.strip_prefix(&source).expect("below").iter().next().expect("a crate"));
            let document = crate_folder.join(path.trim().trim_matches('"'));
            let names = names.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
            used.entry(document).or_default().extend(names);
        }
    }
    let mut everywhere = BTreeSet::new();
    for document in files(&source, "graphql") {
        let text = fs::read_to_string(&document).expect("a document");
        let there = operation_names(&text);
        let used = used.remove(&document).unwrap_or_default();
        let unused: Vec<_> = there.difference(&used).collect();
        assert!(unused.is_empty(), "{}: operations that nothing uses: {unused:?}", document.display());
        for name in there {
            assert!(everywhere.insert(name.clone()), "{}: {name} is taken", document.display());
        }
    }
}
