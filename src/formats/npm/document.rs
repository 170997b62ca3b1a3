//! Index documents: the piece that each version contributes, and how the pieces become a packument.

use std::{collections::BTreeMap, fmt::Write as _};

use bytes::Bytes;
use domain::{
    DigestAlgorithm,
    rules::{BASE_URL, Fragment, PublishedVersion},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use semver::Version;
use serde_json::{Map, Value, json};

use super::{metadata::BUNDLE_FIELD, rules::parse_version};

/// An index document of npm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Document {
    /// Everything there is to know of a package.
    Packument,
    /// What an installer needs, "abbreviated metadata" in npm's words.
    Install,
}

impl Document {
    /// Its name in the schema.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Packument => "packument",
            Self::Install => "install",
        }
    }

    /// The media type it is asked for and answered with.
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Packument => "application/json",
            Self::Install => "application/vnd.npm.install-v1+json",
        }
    }
}

/// What an installer needs of a manifest: npm's description of abbreviated metadata, and what its registry adds to that.
const INSTALL_FIELDS: &[&str] = &[
    "name",
    "version",
    "bin",
    "directories",
    "engines",
    "_hasShrinkwrap",
    "hasInstallScript",
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "bundleDependencies",
    "acceptDependencies",
    "os",
    "cpu",
    "libc",
    "funding",
];

/// What stands unescaped in the path of a link.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/')
    .remove(b'@')
    .remove(b'+');

/// Media type of the provenance that npm's `--provenance` makes, when the bundle does not say it readably.
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

/// The pieces of both documents that `version` contributes. None while it has no file.
pub(super) fn fragments(version: &PublishedVersion<'_>) -> Vec<Fragment> {
    let Some(dist) = dist(version) else {
        return Vec::new();
    };
    let empty = Map::new();
    let metadata = version.metadata.as_object().unwrap_or(&empty);
    let deprecated = version.deprecation.map(|message| json!(message));
    let full = metadata.iter().filter(|(field, _)| *field != "dist" && *field != BUNDLE_FIELD);
    let install = INSTALL_FIELDS.iter().filter_map(|field| metadata.get_key_value(*field));
    vec![
        Fragment::of_name(Document::Packument.name(), piece(full, deprecated.as_ref(), &dist)),
        Fragment::of_name(Document::Install.name(), piece(install, deprecated.as_ref(), &dist)),
    ]
}

fn piece<'a>(
    fields: impl Iterator<Item = (&'a String, &'a Value)>,
    deprecated: Option<&Value>,
    dist: &str,
) -> String {
    let mut piece = String::from("{");
    for (field, value) in fields {
        let _ = write!(piece, "{}:{value},", Value::from(field.as_str()));
    }
    if let Some(deprecated) = deprecated {
        let _ = write!(piece, "\"deprecated\":{deprecated},");
    }
    let _ = write!(piece, "\"dist\":{dist}}}");
    piece
}

/// `dist`, written by hand for its links: [`BASE_URL`] stands in the text as no writer of JSON would put it.
fn dist(version: &PublishedVersion<'_>) -> Option<String> {
    let file = version.files.last()?;
    let project = version.project.0;
    let registry = format!("{BASE_URL}/api/v4/projects/{project}/packages/npm");
    let name = utf8_percent_encode(version.name, PATH);
    let mut dist =
        format!("{{\"tarball\":\"{registry}/{name}/-/{}\"", utf8_percent_encode(&file.file_name, PATH));
    if let Some(sha1) = file.digests.hex(DigestAlgorithm::Sha1) {
        let _ = write!(dist, ",\"shasum\":\"{sha1}\"");
    }
    if let Some(sha512) = &file.digests.sha512 {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let _ = write!(dist, ",\"integrity\":\"sha512-{}\"", STANDARD.encode(sha512.as_slice()));
    }
    let bundle = version.metadata.get(BUNDLE_FIELD);
    for (field, value) in version.metadata.get("dist").and_then(Value::as_object).into_iter().flatten() {
        // Our own attestations replace those of a registry that the version was copied from.
        let replaced = match field.as_str() {
            "tarball" | "shasum" | "integrity" => true,
            "attestations" => bundle.is_some(),
            _ => false,
        };
        if !replaced {
            let _ = write!(dist, ",{}:{value}", Value::from(field.as_str()));
        }
    }
    if let Some(bundle) = bundle {
        let kind = json!({ "predicateType": predicate_type(bundle) });
        let version = utf8_percent_encode(version.version.unwrap_or_default(), PATH);
        let _ = write!(
            dist,
            ",\"attestations\":{{\"url\":\"{registry}/-/npm/v1/attestations/{name}@{version}\",\"provenance\":{kind}}}"
        );
    }
    dist.push('}');
    Some(dist)
}

/// The predicate type of the statement inside a sigstore bundle.
pub(super) fn predicate_type(bundle: &Value) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    let payload =
        bundle.get("dsseEnvelope").and_then(|envelope| envelope.get("payload")).and_then(Value::as_str);
    payload
        .and_then(|payload| STANDARD.decode(payload).ok())
        .and_then(|statement| serde_json::from_slice::<Value>(&statement).ok())
        .and_then(|statement| Some(statement.get("predicateType")?.as_str()?.to_owned()))
        .unwrap_or_else(|| PROVENANCE.to_owned())
}

/// One version, as a document lists it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The version.
    pub(super) version: String,
    /// When it was published, in ISO 8601.
    pub(super) created_at: String,
    /// Its piece of the document.
    pub(super) fragment: String,
}

/// What a document is made of.
#[derive(Clone, Debug)]
pub(super) struct Index {
    /// The package.
    pub(super) name: String,
    /// Its revision.
    pub(super) revision: String,
    /// When it last changed, in ISO 8601.
    pub(super) updated_at: String,
    /// Tags and the versions they point at.
    pub(super) tags: Vec<(String, String)>,
    /// The versions, oldest first.
    pub(super) entries: Vec<Entry>,
}

/// Puts a document together. Links begin with `external_url`.
pub(super) fn assemble(document: Document, index: &Index, external_url: &str) -> Bytes {
    let entries = in_order(&index.entries);
    let beside = external_url.len() + 64;
    let size: usize =
        entries.iter().map(|entry| entry.fragment.len() + 2 * entry.version.len() + beside).sum();
    let mut text = String::with_capacity(size + 1024);
    let name = Value::from(index.name.as_str());
    let _ = match document {
        // CouchDB's fields, which `npm unpublish` and `npm deprecate` send back.
        Document::Packument => {
            write!(text, "{{\"_id\":{name},\"_rev\":{},\"name\":{name}", Value::from(index.revision.as_str()))
        }
        Document::Install => {
            write!(text, "{{\"name\":{name},\"modified\":{}", Value::from(index.updated_at.as_str()))
        }
    };
    let tags = dist_tags(&index.tags, entries.iter().map(|entry| entry.version.as_str()));
    let _ = write!(text, ",\"dist-tags\":{},\"versions\":{{", json!(tags));
    for (position, entry) in entries.iter().enumerate() {
        let comma = if position > 0 { "," } else { "" };
        let _ = write!(text, "{comma}{}:", Value::from(entry.version.as_str()));
        for (position, part) in entry.fragment.split(BASE_URL).enumerate() {
            if position > 0 {
                text.push_str(external_url);
            }
            text.push_str(part);
        }
    }
    text.push_str("},\"time\":");
    write_time(&mut text, index, &entries);
    text.push('}');
    text.into()
}

/// Not in npm's abbreviated metadata, but yarn and pnpm hold back versions whose age they cannot tell.
fn write_time(text: &mut String, index: &Index, entries: &[&Entry]) {
    let created = index.entries.iter().map(|entry| entry.created_at.as_str()).min();
    let _ = write!(
        text,
        "{{\"created\":{},\"modified\":{}",
        Value::from(created.unwrap_or(&index.updated_at)),
        Value::from(index.updated_at.as_str())
    );
    for entry in entries {
        let _ = write!(
            text,
            ",{}:{}",
            Value::from(entry.version.as_str()),
            Value::from(entry.created_at.as_str())
        );
    }
    text.push('}');
}

/// The entries in the order of their versions. Of two with one version, from two projects of a group, the newer one: it is
/// also what a download by name and version finds.
fn in_order(entries: &[Entry]) -> Vec<&Entry> {
    let mut keyed: Vec<_> = entries.iter().map(|entry| (parse_version(&entry.version), entry)).collect();
    keyed.sort_by(|(left, _), (right, _)| compare(left.as_ref(), right.as_ref()));
    let mut ordered: Vec<&Entry> = Vec::with_capacity(keyed.len());
    for (_, entry) in keyed {
        match ordered.last_mut() {
            Some(last) if last.version == entry.version => *last = entry,
            _ => ordered.push(entry),
        }
    }
    ordered
}

fn compare(left: Option<&Version>, right: Option<&Version>) -> std::cmp::Ordering {
    match (left, right) {
        // Not by precedence alone, so that equal ones stand together and in the order they came.
        (Some(left), Some(right)) => left.cmp(right),
        (left, right) => left.is_some().cmp(&right.is_some()),
    }
}

/// The tags of a package whose versions, in order, are `versions`. Without a `latest`, that is the highest version that is no
/// pre-release, or the highest. A tag that projects of a group place differently points at the highest of them.
pub(super) fn dist_tags<'a>(
    tags: &[(String, String)],
    versions: impl Iterator<Item = &'a str> + Clone,
) -> BTreeMap<String, String> {
    let mut placed: BTreeMap<String, String> = BTreeMap::new();
    for (tag, version) in tags {
        let higher = placed.get(tag).is_none_or(|known| {
            compare(parse_version(known).as_ref(), parse_version(version).as_ref()).is_lt()
        });
        if higher {
            placed.insert(tag.clone(), version.clone());
        }
    }
    if !placed.contains_key("latest") {
        let parsed = || versions.clone().filter_map(|text| Some((parse_version(text)?, text)));
        let stable = parsed().filter(|(version, _)| version.pre.is_empty()).max();
        if let Some((_, version)) = stable.or_else(|| parsed().max()) {
            placed.insert("latest".to_owned(), version.to_owned());
        }
    }
    placed
}

/// The deprecation in a piece of a document.
pub(super) fn deprecation_in(fragment: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Deprecated {
        deprecated: Option<String>,
    }
    // The marks where links begin are no JSON.
    let json = fragment.replace(BASE_URL, "");
    serde_json::from_str::<Deprecated>(&json).ok()?.deprecated
}
