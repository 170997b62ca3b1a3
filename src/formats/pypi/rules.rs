//! PyPI's rules: names (PEP 503, 508), versions and their order (PEP 440), file names (PEP 427, 625), duplicates, limits.

use std::{fmt::Write as _, str::FromStr as _};

use domain::{
    DigestAlgorithm, Failure, PackageFormat, PackageName, PackageVersion,
    coordinates::{Coordinate, MAX_LENGTH, is_safe_segment},
    rules::{FormatRules, Fragment, Inspection, Publication, PublishedFile, PublishedVersion, Republish},
};
use pep440_rs::{LocalSegment, PrereleaseKind, Version};

use super::{
    document,
    metadata::{self, file_name::FileName},
};
use crate::shared::excerpt;

/// GitLab's default plan limit for PyPI: 3 GiB.
const MAX_FILE_SIZE: u64 = 3 * 1024 * 1024 * 1024;

/// The rules of the PyPI format.
#[derive(Clone, Copy, Debug)]
pub(super) struct PypiRules;

/// The spelling that all spellings of a name have in common (PEP 503).
pub(super) fn normalized(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    for letter in name.chars() {
        if !matches!(letter, '-' | '_' | '.') {
            key.push(letter.to_ascii_lowercase());
        } else if !key.ends_with('-') {
            key.push('-');
        }
    }
    key
}

/// Whether this is a name of a distribution (PEP 508).
pub(super) fn is_name(raw: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let border = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = raw.as_bytes();
    raw.len() <= MAX_LENGTH
        && border(bytes.first())
        && border(bytes.last())
        && bytes.iter().copied().all(inner)
}

/// Parses a version of PEP 440, in any of its spellings but with spaces around it.
pub(super) fn parse_version(raw: &str) -> Option<Version> {
    let has_space = raw.bytes().any(|byte| byte.is_ascii_whitespace());
    (raw.len() <= MAX_LENGTH && !has_space).then(|| Version::from_str(raw).ok()).flatten()
}

/// The spelling that all spellings of a version have in common. `1.0` and `1.0.0` are one version (PEP 440, "Version
/// matching"), as in the key that PyPI itself has.
pub(super) fn version_key(version: &Version) -> String {
    version.clone().with_release(significant(version.release()).iter().copied()).to_string()
}

/// The numbers of a release without the zeros at its end, at least one.
fn significant(release: &[u64]) -> &[u64] {
    let zeros = release.iter().rev().take_while(|number| **number == 0).count();
    &release[..(release.len() - zeros).max(1).min(release.len())]
}

/// A text whose byte order is the order of PEP 440.
///
/// A number is preceded by how many digits it has, so that longer ones are larger. Each number of the release begins with
/// `.`, which is above the `!` that ends them all, so that a prefix is less than what it is a prefix of. Then come, each as
/// one letter and perhaps a number: the pre-release (`0` when there is only a dev release, which is less; `4` for none),
/// the post release (`0` for none), the dev release (`1` for none) and the segments of the local version, texts before
/// numbers.
fn order_key(version: &Version) -> String {
    let mut key = String::new();
    push_number(&mut key, version.epoch());
    for number in significant(version.release()) {
        key.push('.');
        push_number(&mut key, *number);
    }
    key.push('!');
    match version.pre() {
        Some(pre) => {
            key.push(match pre.kind {
                PrereleaseKind::Alpha => '1',
                PrereleaseKind::Beta => '2',
                PrereleaseKind::Rc => '3',
            });
            push_number(&mut key, pre.number);
        }
        None if version.post().is_none() && version.dev().is_some() => key.push('0'),
        None => key.push('4'),
    }
    match version.post() {
        Some(post) => {
            key.push('1');
            push_number(&mut key, post);
        }
        None => key.push('0'),
    }
    match version.dev() {
        Some(dev) => {
            key.push('0');
            push_number(&mut key, dev);
        }
        None => key.push('1'),
    }
    for segment in version.local() {
        match segment {
            // What ends a text is below everything in it.
            LocalSegment::String(text) => {
                let _ = write!(key, "0{text}!");
            }
            LocalSegment::Number(number) => {
                key.push('1');
                push_number(&mut key, *number);
            }
        }
    }
    key
}

fn push_number(key: &mut String, number: u64) {
    let digits = number.to_string();
    let _ = write!(key, "{:02}{digits}", digits.len());
}

impl FormatRules for PypiRules {
    fn format(&self) -> PackageFormat {
        PackageFormat::Pypi
    }

    fn name(&self, raw: &str) -> Result<PackageName, Failure> {
        if is_name(raw) {
            return Ok(Coordinate { display: raw.to_owned(), key: normalized(raw) });
        }
        Err(Failure::invalid(
            "name",
            format!(
                "Name is invalid: '{}' is not a name of letters, digits, '.', '_' and '-' with a letter or digit at both ends",
                excerpt(raw)
            ),
        ))
    }

    fn version(&self, raw: &str) -> Result<PackageVersion, Failure> {
        let version = parse_version(raw).ok_or_else(|| {
            Failure::invalid(
                "version",
                format!(
                    "Version is invalid: '{}' is not a version of PEP 440 such as 1.2.3, 1.2.3rc1 or 1.2.3.post1",
                    excerpt(raw)
                ),
            )
        })?;
        Ok(PackageVersion { display: raw.to_owned(), key: version_key(&version), order: order_key(&version) })
    }

    fn file_name(
        &self,
        name: &PackageName,
        version: Option<&PackageVersion>,
        raw: &str,
    ) -> Result<String, Failure> {
        let refuse = |reason: String| Failure::invalid("fileName", format!("File name is invalid: {reason}"));
        let shown = excerpt(raw);
        let file = FileName::parse(raw).filter(|_| is_safe_segment(raw)).ok_or_else(|| {
            refuse(format!("'{shown}' is neither a wheel (name-version-python-abi-platform.whl) nor a source archive (name-version.tar.gz or .zip)"))
        })?;
        let mut fitting = file.candidates().filter(|candidate| candidate.name == name.key).peekable();
        if fitting.peek().is_none() {
            return Err(refuse(format!("'{shown}' is not a file of the package '{}'", name.display)));
        }
        match version {
            Some(version) if !fitting.any(|candidate| candidate.version == version.key) => {
                Err(refuse(format!("'{shown}' is not a file of the version '{}'", version.display)))
            }
            _ => Ok(raw.to_owned()),
        }
    }

    fn republish(&self) -> Republish {
        Republish::NewFilesOnly
    }

    fn max_file_size(&self) -> u64 {
        MAX_FILE_SIZE
    }

    fn digests(&self) -> &'static [DigestAlgorithm] {
        // Clients announce it, and GitLab shows it.
        &[DigestAlgorithm::Md5]
    }

    fn wants_patterns_like_names(&self) -> bool {
        true
    }

    fn inspect(&self, publication: &Publication<'_>) -> Result<Inspection, Failure> {
        metadata::inspect(publication)
    }

    fn fragments_read_files(&self) -> bool {
        false
    }

    fn file_fragments(&self, version: &PublishedVersion<'_>, file: &PublishedFile) -> Vec<Fragment> {
        document::fragments(version, file)
    }
}
