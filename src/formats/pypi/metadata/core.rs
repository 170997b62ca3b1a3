//! Core metadata: what `METADATA` of a wheel and `PKG-INFO` of a source archive say.

use domain::{
    Failure,
    rules::{DeclaredDependency, DependencyType},
};
use python_pkginfo::Metadata;
use serde_json::{Map, Value};

use super::{Coordinates, requirement};
use crate::{
    pypi::rules::{normalized, parse_version, version_key},
    shared::excerpt,
};

/// Largest core metadata. Long descriptions have some hundred KiB.
pub(super) const MAX_SIZE: u64 = 4 * 1024 * 1024;
/// Longest `Requires-Python` (GitLab's column).
const MAX_REQUIRES_PYTHON: usize = 255;
/// Most dependencies of one version.
const MAX_DEPENDENCIES: usize = 5_000;

/// Core metadata that has been read.
#[derive(Debug)]
pub(super) struct CoreMetadata {
    /// What it says.
    pub(super) fields: Metadata,
    /// The dependencies it declares.
    pub(super) dependencies: Vec<DeclaredDependency>,
}

impl CoreMetadata {
    /// Reads `bytes`, the content of `file` in an archive that is published under these coordinates.
    pub(super) fn parse(bytes: &[u8], file: &str, coordinates: Coordinates<'_>) -> Result<Self, Failure> {
        let refuse = |reason: String| super::refuse(format_args!("{file} {reason}"));
        let text = std::str::from_utf8(bytes).map_err(|_| refuse("is not valid UTF-8".to_owned()))?;
        // The parser takes the first, others the last.
        for header in ["Name", "Version", "Metadata-Version", "Requires-Python"] {
            if headers(text).filter(|name| name.eq_ignore_ascii_case(header)).count() > 1 {
                return Err(refuse(format!("has more than one '{header}'")));
            }
        }
        let fields = Metadata::parse(bytes).map_err(|error| refuse(format!("cannot be read: {error}")))?;
        check_coordinates(&fields, coordinates)?;
        if let Some(python) =
            fields.requires_python.as_deref().filter(|python| python.len() > MAX_REQUIRES_PYTHON)
        {
            return Err(refuse(format!(
                "has a Requires-Python of more than {MAX_REQUIRES_PYTHON} bytes: '{}'",
                excerpt(python)
            )));
        }
        if fields.requires_dist.len() > MAX_DEPENDENCIES {
            return Err(refuse(format!("declares more than {MAX_DEPENDENCIES} dependencies")));
        }
        let dependency = |text: &String| {
            let requirement = requirement::parse(text).ok_or_else(|| {
                refuse(format!("has a Requires-Dist that cannot be read: '{}'", excerpt(text)))
            })?;
            Ok(DeclaredDependency {
                name: requirement.name,
                version_pattern: requirement.wanted,
                kind: DependencyType::Dependencies,
                scope: requirement.marker,
            })
        };
        let dependencies = fields.requires_dist.iter().map(dependency).collect::<Result<_, Failure>>()?;
        Ok(Self { fields, dependencies })
    }

    /// What the model keeps of it, under the names that GitLab's schema has, each as long as GitLab keeps it. `requires_python`
    /// is what the file turned out to need.
    pub(super) fn kept(&self, requires_python: Option<&str>) -> Value {
        let fields = &self.fields;
        let mut kept = Map::new();
        for (key, value, longest) in [
            ("author_email", fields.author_email.as_deref(), 2048),
            ("description", fields.description.as_deref(), 4000),
            ("description_content_type", fields.description_content_type.as_deref(), 128),
            ("keywords", fields.keywords.as_deref(), 1024),
            ("metadata_version", Some(fields.metadata_version.as_str()), 16),
            ("required_python", requires_python.or(Some("")), MAX_REQUIRES_PYTHON),
            ("summary", fields.summary.as_deref(), 255),
        ] {
            if let Some(value) = value {
                kept.insert(
                    key.to_owned(),
                    Value::from(truncated(&value.replace('\0', "\u{fffd}"), longest)),
                );
            }
        }
        Value::Object(kept)
    }
}

/// Refuses metadata of another distribution than the one that is published.
fn check_coordinates(fields: &Metadata, coordinates: Coordinates<'_>) -> Result<(), Failure> {
    let version = parse_version(fields.version.trim()).map(|version| version_key(&version));
    let (what, stated, expected) = if normalized(&fields.name) != coordinates.name {
        ("name", &fields.name, coordinates.name)
    } else if version.as_deref() != Some(coordinates.version) {
        ("version", &fields.version, coordinates.version)
    } else {
        return Ok(());
    };
    Err(super::refuse(format_args!(
        "its metadata has the {what} '{}', it was published as '{expected}'",
        excerpt(stated)
    )))
}

/// The names of the headers, which end at the first empty line.
fn headers(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with([' ', '\t']))
        .filter_map(|line| line.split_once(':').map(|(name, _)| name.trim_end()))
}

/// At most so many characters, ending in `...` when there were more, as GitLab cuts.
fn truncated(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text.to_owned(),
        Some(_) => text.chars().take(longest - 3).chain("...".chars()).collect(),
    }
}
