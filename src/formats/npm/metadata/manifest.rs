//! What a manifest says of the things that matter to an installation, in one spelling, so that two can be compared.
//!
//! Clients do not send `package.json` as it stands: npm runs `@npmcli/package-json` over it (steps `fix` and `prepare`), yarn
//! and bun their own normalizations. What those change is put aside here on both sides, so that only what no client does
//! counts as a difference.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{DigestAlgorithm, Failure, rules::IncomingFile};
use serde_json::{Map, Value, json};

use super::archive::Archive;
use crate::{npm::rules::unscoped, shared::excerpt};

/// Fields that are not kept: long texts that no client reads (GitLab drops the same).
pub(in crate::npm) const DROPPED_FIELDS: &[&str] =
    &["readme", "readmeFilename", "contributors", "licenseText", "exports"];

/// Scripts that run when the package is installed from a registry.
pub(super) const INSTALL_SCRIPTS: [&str; 3] = ["preinstall", "install", "postinstall"];

/// What npm makes of a package with a `*.gyp` that has no script for it.
const GYP_INSTALL: &str = "node-gyp rebuild";

type Named = BTreeMap<String, String>;

/// The facts that manifest and archive have to agree on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// `dependencies` without those that are optional.
    pub(super) dependencies: Named,
    /// `optionalDependencies`.
    pub(super) optional: Named,
    /// `peerDependencies`.
    pub(super) peer: Named,
    /// `devDependencies`; not compared, since nothing installs them.
    pub(super) development: Named,
    /// `bundleDependencies`.
    pub(super) bundled: BTreeSet<String>,
    /// All scripts; those of [`INSTALL_SCRIPTS`] are compared.
    scripts: Named,
    /// `bin`.
    bin: Named,
    /// `directories.bin`, from which npm makes `bin` when there is none.
    bin_directory: Option<String>,
}

impl Facts {
    /// The facts of the archive.
    pub(super) fn of_archive(archive: &Archive) -> Self {
        Self::of(&archive.package_json)
    }

    /// The facts of the manifest that was sent with `archive`.
    pub(super) fn of_manifest(fields: &Map<String, Value>, archive: &Archive) -> Self {
        let mut facts = Self::of(fields);
        let archived = Self::of(&archive.package_json);
        // npm and yarn add this script when there is a `*.gyp` in the folder, whether or not it is packed.
        let added = facts.scripts.get("install").is_some_and(|script| script == GYP_INSTALL);
        if added && !archived.scripts.contains_key("install") {
            facts.scripts.remove("install");
        }
        facts
    }

    fn of(fields: &Map<String, Value>) -> Self {
        let optional = named(fields.get("optionalDependencies"));
        let mut dependencies = named(fields.get("dependencies"));
        let bundled = bundled(fields, &dependencies);
        for name in &bundled {
            // npm declares what is bundled and not declared.
            dependencies.entry(name.clone()).or_insert_with(|| "*".to_owned());
        }
        // Once, optional dependencies were repeated among the others for clients that did not know them.
        dependencies.retain(|name, _| !optional.contains_key(name));
        let directory = fields.get("directories").and_then(|directories| directories.get("bin"));
        Self {
            dependencies,
            optional,
            peer: named(fields.get("peerDependencies")),
            development: named(fields.get("devDependencies")),
            bundled,
            scripts: scripts(fields),
            bin: bin(fields),
            bin_directory: directory.and_then(Value::as_str).map(relative_path),
        }
    }

    /// Compares the archive's facts with those of the manifest that was sent with it.
    pub(super) fn check(&self, sent: &Self) -> Result<(), Failure> {
        let differs = [
            ("dependencies", !same_patterns(&self.dependencies, &sent.dependencies)),
            ("optionalDependencies", !same_patterns(&self.optional, &sent.optional)),
            ("peerDependencies", !same_patterns(&self.peer, &sent.peer)),
            ("bundleDependencies", self.bundled != sent.bundled),
            ("scripts", INSTALL_SCRIPTS.iter().any(|name| self.script(name) != sent.script(name))),
            ("bin", !self.has_bin_of(sent)),
        ];
        match differs.iter().find(|(_, differs)| *differs) {
            None => Ok(()),
            Some((field, _)) => Err(Failure::invalid(
                format!("metadata.{field}"),
                format!("The manifest and package.json in the archive have different '{field}'"),
            )),
        }
    }

    fn script(&self, name: &str) -> Option<&str> {
        self.scripts.get(name).map(String::as_str)
    }

    fn has_bin_of(&self, sent: &Self) -> bool {
        match (&self.bin_directory, self.bin.is_empty()) {
            // npm lists the files of the directory.
            (Some(directory), true) => sent.bin.values().all(|path| {
                directory.is_empty()
                    || path.strip_prefix(directory.as_str()).is_some_and(|rest| rest.starts_with('/'))
            }),
            _ => self.bin == sent.bin,
        }
    }

    /// Writes the facts into a manifest in the spelling that every client reads.
    pub(super) fn write(&self, fields: &mut Map<String, Value>) {
        let maps = [
            ("dependencies", &self.dependencies),
            ("optionalDependencies", &self.optional),
            ("peerDependencies", &self.peer),
            ("devDependencies", &self.development),
            ("scripts", &self.scripts),
        ];
        for (field, map) in maps {
            super::put(fields, field, (!map.is_empty()).then(|| json!(map)));
        }
        super::put(fields, "bundleDependencies", (!self.bundled.is_empty()).then(|| json!(self.bundled)));
        // The names that npm found in the directory are checked above, and only it has them.
        let bin =
            if self.bin.is_empty() && self.bin_directory.is_some() { bin(fields) } else { self.bin.clone() };
        super::put(fields, "bin", (!bin.is_empty()).then(|| json!(bin)));
    }
}

/// An object of texts; other members are not read, as npm removes them. npm also reads a list, `["a@1", "b"]`, and a text of
/// such words.
fn named(value: Option<&Value>) -> Named {
    let word = |word: &str| {
        let word = word.trim();
        let end = word
            .char_indices()
            .skip(1)
            .find(|(_, c)| matches!(c, '@' | '>' | '<' | '=') || c.is_whitespace());
        let (name, pattern) = word.split_at(end.map_or(word.len(), |(at, _)| at));
        (name.to_owned(), pattern.strip_prefix('@').unwrap_or(pattern).trim().to_owned())
    };
    match value {
        Some(Value::Object(members)) => members
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect(),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(word).collect(),
        Some(Value::String(text)) => {
            text.split([' ', '\t', '\r', '\n', ',']).filter(|text| !text.is_empty()).map(word).collect()
        }
        _ => Named::new(),
    }
}

/// A list of names, an object with them, or `true` for all dependencies, under either of two spellings.
fn bundled(fields: &Map<String, Value>, dependencies: &Named) -> BTreeSet<String> {
    match fields.get("bundleDependencies").or_else(|| fields.get("bundledDependencies")) {
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(Value::as_str)
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
        Some(Value::Object(names)) => names.keys().cloned().collect(),
        Some(Value::Bool(true)) => dependencies.keys().cloned().collect(),
        _ => BTreeSet::new(),
    }
}

/// npm takes `node_modules/.bin/` off the beginning of scripts.
fn scripts(fields: &Map<String, Value>) -> Named {
    let mut scripts = match fields.get("scripts") {
        scripts @ Some(Value::Object(_)) => named(scripts),
        _ => Named::new(),
    };
    scripts.retain(|name, script| !(script.is_empty() && INSTALL_SCRIPTS.contains(&name.as_str())));
    for script in scripts.values_mut() {
        let unix = script.replace('\\', "/");
        let rest = unix.strip_prefix("./").unwrap_or(&unix);
        if rest.starts_with("node_modules/.bin/") {
            let cut = unix.len() - rest.len() + "node_modules/.bin/".len();
            script.drain(..cut);
        }
    }
    scripts
}

/// An object of paths, one path named like the package, or a list of paths named like themselves.
fn bin(fields: &Map<String, Value>) -> Named {
    let named = |name: &str, path: &str| {
        let name = relative_path(name);
        let name = name.rsplit('/').next().unwrap_or_default().to_owned();
        let path = relative_path(path);
        (!name.is_empty() && !path.is_empty()).then_some((name, path))
    };
    match fields.get("bin") {
        Some(Value::String(path)) => {
            let name = fields.get("name").and_then(Value::as_str).unwrap_or_default().trim();
            named(unscoped(name), path).into_iter().collect()
        }
        Some(Value::Array(paths)) => {
            paths.iter().filter_map(Value::as_str).filter_map(|path| named(path, path)).collect()
        }
        Some(Value::Object(paths)) => {
            paths.iter().filter_map(|(name, path)| named(name, path.as_str()?)).collect()
        }
        _ => Named::new(),
    }
}

/// The path as npm's `secureAndUnixifyPath` has it: from the folder of the package, without `.` and `..`.
fn relative_path(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split(['/', '\\', ':']) {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    segments.join("/")
}

/// The same names, with the same patterns. npm rewrites locations (`git://github.com/a/b` to `github:a/b`), so that of two
/// only that they are some is compared; the archive's is what is kept.
fn same_patterns(archived: &Named, sent: &Named) -> bool {
    let is_location = |pattern: &str| pattern.contains(['/', ':']) && !pattern.starts_with("npm:");
    archived.len() == sent.len()
        && archived.iter().zip(sent).all(|((name, pattern), (sent_name, sent_pattern))| {
            name == sent_name
                && (pattern.trim() == sent_pattern.trim()
                    || is_location(pattern) && is_location(sent_pattern))
        })
}

/// Checks `dist.shasum` and `dist.integrity` of a manifest against the bytes.
pub(super) fn check_digests(fields: &Map<String, Value>, file: &IncomingFile<'_>) -> Result<(), Failure> {
    let expected = ExpectedDigests::of(fields)?;
    let claims = [
        (DigestAlgorithm::Sha1, expected.sha1),
        (DigestAlgorithm::Sha256, expected.sha256),
        (DigestAlgorithm::Sha512, expected.sha512),
    ];
    for (algorithm, claim) in claims {
        if let (Some(claim), Some(actual)) = (claim, file.digests.hex(algorithm))
            && claim != actual
        {
            return Err(Failure::invalid(
                "metadata.dist",
                format!("The digest {claim} in the manifest is not that of the archive, {actual}"),
            ));
        }
    }
    Ok(())
}

/// Checks that a provenance bundle is about these bytes. Its signature is for clients to verify: they hold the roots of trust.
pub(super) fn check_bundle(bundle: &Value, file: &IncomingFile<'_>) -> Result<(), Failure> {
    let payload =
        bundle.get("dsseEnvelope").and_then(|envelope| envelope.get("payload")).and_then(Value::as_str);
    let statement = payload.and_then(|payload| STANDARD.decode(payload).ok());
    let statement = statement.and_then(|statement| serde_json::from_slice::<Value>(&statement).ok());
    let subjects = statement.as_ref().and_then(|statement| statement.get("subject")?.as_array());
    let actual = file.digests.hex(DigestAlgorithm::Sha512);
    let mut digests =
        subjects.into_iter().flatten().filter_map(|subject| subject.get("digest")?.get("sha512")?.as_str());
    if digests.any(|digest| Some(digest) == actual.as_deref()) {
        return Ok(());
    }
    Err(Failure::invalid("metadata.provenance", "The provenance bundle is not about this archive"))
}

/// The digests that a manifest says its tarball has, in lower-case hexadecimal.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::npm) struct ExpectedDigests {
    /// From `dist.shasum` or `dist.integrity`.
    pub(in crate::npm) sha1: Option<String>,
    /// From `dist.integrity`.
    pub(in crate::npm) sha256: Option<String>,
    /// From `dist.integrity`.
    pub(in crate::npm) sha512: Option<String>,
}

impl ExpectedDigests {
    /// Reads the `dist` of a manifest. `integrity` is a list of `algorithm-base64`, each with options after `?` (W3C
    /// Subresource Integrity). What cannot be read is refused: it would be served to nobody's use.
    pub(in crate::npm) fn of(manifest: &Map<String, Value>) -> Result<Self, Failure> {
        let refuse = |field: &str, value: &str| {
            Failure::invalid(
                format!("metadata.dist.{field}"),
                format!("dist.{field} is invalid: '{}' is not a digest", excerpt(value)),
            )
        };
        let text = |field| manifest.get("dist").and_then(|dist| dist.get(field)).and_then(Value::as_str);
        let mut expected = Self::default();
        if let Some(shasum) = text("shasum").filter(|shasum| !shasum.is_empty()) {
            if shasum.len() != 40 || !shasum.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(refuse("shasum", shasum));
            }
            expected.sha1 = Some(shasum.to_ascii_lowercase());
        }
        for entry in text("integrity").unwrap_or_default().split_ascii_whitespace() {
            let (algorithm, digest) = entry.split_once('-').ok_or_else(|| refuse("integrity", entry))?;
            let digest = digest.split('?').next().unwrap_or_default();
            let digest = STANDARD.decode(digest).map_err(|_| refuse("integrity", entry))?;
            let (slot, length) = match algorithm {
                "sha1" if expected.sha1.is_none() => (&mut expected.sha1, 20),
                "sha256" => (&mut expected.sha256, 32),
                "sha512" => (&mut expected.sha512, 64),
                _ => continue,
            };
            if digest.len() != length {
                return Err(refuse("integrity", entry));
            }
            *slot = Some(hex::encode(digest));
        }
        Ok(expected)
    }
}
