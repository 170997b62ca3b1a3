//! Reads the tarball and checks the manifest that the client sent against the `package.json` inside.
//!
//! The archive is the truth. What the two disagree on is refused (the class of CVE-2024-6595: a manifest that shows other
//! dependencies or scripts than what is installed), and what is kept of the fields that matter to an installation is what
//! the archive says.

mod archive;
mod manifest;

use domain::{
    Failure,
    rules::{DeclaredDependency, DependencyType, Inspection, Publication},
};
use serde_json::{Map, Value, json};

use super::rules::{parse_version, version_key};
use crate::shared::excerpt;
use archive::Archive;
use manifest::Facts;

pub(super) use manifest::{DROPPED_FIELDS, ExpectedDigests};

/// Where the provenance bundle of a version stands in its metadata. No package.json can set it: see [`inspect`].
pub(super) const BUNDLE_FIELD: &str = "_sigstoreBundle";

/// Largest metadata kept of one version, as JSON. GitLab refuses more than 20,000 characters, which real packages with
/// long lists of scripts and optional platforms exceed; npm's own registry has no published bound.
const MAX_METADATA: usize = 1024 * 1024;

/// Fields of which the archive's value is kept whatever the manifest says, because installers act on them.
const ARCHIVE_FIELDS: &[&str] =
    &["engines", "os", "cpu", "libc", "peerDependenciesMeta", "directories", "overrides", "type", "main"];

/// Fields of `dist` that are kept as the client sent them: signatures made elsewhere, for instance by the registry a package
/// is copied from.
const DIST_FIELDS: &[&str] = &["signatures", "attestations", "npm-signature"];

/// Reads and checks a publication: see the module.
pub(super) fn inspect(publication: &Publication<'_>) -> Result<Inspection, Failure> {
    let [file] = publication.files.as_slice() else {
        return Err(Failure::invalid("files", "A version of an npm package has exactly one file"));
    };
    let version = publication.version.ok_or_else(|| Failure::invalid("version", "Version can't be blank"))?;
    let archive = archive::read(file)?;
    check_coordinates("package.json in the archive", &archive.package_json, publication)?;
    let facts = Facts::of_archive(&archive);
    let mut kept = match &publication.metadata {
        Value::Null => archive.package_json.clone(),
        Value::Object(sent) => {
            check_coordinates("The manifest", sent, publication)?;
            manifest::check_digests(sent, file)?;
            facts.check(&Facts::of_manifest(sent, &archive))?;
            sent.clone()
        }
        _ => return Err(Failure::invalid("metadata", "The manifest is not a JSON object")),
    };
    let bundle = kept.shift_remove(BUNDLE_FIELD).filter(|_| publication.metadata.is_object());
    if let Some(bundle) = &bundle {
        manifest::check_bundle(bundle, file)?;
    }
    let dist = kept_dist(&kept, &archive);
    for field in DROPPED_FIELDS.iter().chain(&["dist", "deprecated", "bundledDependencies"]) {
        kept.shift_remove(*field);
    }
    for field in ARCHIVE_FIELDS {
        put(&mut kept, field, archive.package_json.get(*field).cloned());
    }
    let name = &publication.name.display;
    kept.insert("name".to_owned(), json!(name));
    kept.insert("version".to_owned(), json!(version.display));
    kept.insert("_id".to_owned(), json!(format!("{name}@{}", version.display)));
    facts.write(&mut kept);
    put(&mut kept, "hasInstallScript", archive.has_install_script().then_some(Value::Bool(true)));
    put(&mut kept, "_hasShrinkwrap", archive.has_shrinkwrap.then_some(Value::Bool(true)));
    put(&mut kept, BUNDLE_FIELD, bundle);
    kept.insert("dist".to_owned(), Value::Object(dist));
    let metadata = Value::Object(kept);
    if metadata.to_string().len() > MAX_METADATA {
        return Err(Failure::invalid("metadata", "The manifest is larger than 1 MiB"));
    }
    Ok(Inspection { dependencies: dependencies(&facts), metadata, file_properties: Vec::new() })
}

/// Sets `field`, in its old place if it had one, or removes it.
fn put(fields: &mut Map<String, Value>, field: &str, value: Option<Value>) {
    match value {
        Some(value) => {
            fields.insert(field.to_owned(), value);
        }
        None => {
            fields.shift_remove(field);
        }
    }
}

fn check_coordinates(
    place: &str,
    fields: &Map<String, Value>,
    publication: &Publication<'_>,
) -> Result<(), Failure> {
    let text = |field: &str| fields.get(field).and_then(Value::as_str).unwrap_or_default();
    // npm cleans both before it publishes: it trims the name and reads ` v1.0.0` or `=1.0.0` as 1.0.0.
    let name = text("name").trim();
    if name != publication.name.display {
        return Err(Failure::invalid(
            "name",
            format!("{place} has the name '{}', expected '{}'", excerpt(name), publication.name.display),
        ));
    }
    let version = text("version").trim().trim_start_matches(['v', '=', ' ']);
    let key = parse_version(version).map(|version| version_key(&version));
    let expected = publication.version.map(|version| version.key.as_str());
    if key.as_deref() != expected {
        return Err(Failure::invalid(
            "version",
            format!(
                "{place} has the version '{}', expected '{}'",
                excerpt(text("version")),
                expected.unwrap_or_default()
            ),
        ));
    }
    Ok(())
}

/// What is kept of `dist`: what only the archive or the client knows. Digests and the link come from the stored file.
fn kept_dist(sent: &Map<String, Value>, archive: &Archive) -> Map<String, Value> {
    let mut dist = Map::new();
    dist.insert("fileCount".to_owned(), json!(archive.file_count));
    dist.insert("unpackedSize".to_owned(), json!(archive.unpacked_size));
    for field in DIST_FIELDS {
        if let Some(value) = sent.get("dist").and_then(|dist| dist.get(*field)) {
            dist.insert((*field).to_owned(), value.clone());
        }
    }
    dist
}

fn dependencies(facts: &Facts) -> Vec<DeclaredDependency> {
    let bundled = facts.bundled.iter().map(|name| {
        let pattern = facts.dependencies.get(name).or_else(|| facts.optional.get(name));
        (name, pattern.map_or("*", String::as_str), DependencyType::BundleDependencies)
    });
    let maps = [
        // What is optional is installed like the rest where it can be.
        (&facts.dependencies, DependencyType::Dependencies),
        (&facts.optional, DependencyType::Dependencies),
        (&facts.development, DependencyType::DevDependencies),
        (&facts.peer, DependencyType::PeerDependencies),
    ];
    maps.into_iter()
        .flat_map(|(map, kind)| map.iter().map(move |(name, pattern)| (name, pattern.as_str(), kind)))
        .chain(bundled)
        .map(|(name, pattern, kind)| DeclaredDependency {
            name: name.clone(),
            version_pattern: pattern.to_owned(),
            kind,
            scope: String::new(),
        })
        .collect()
}
