//! Reads wheels and source archives, and checks what the client says of them against what they say themselves.
//!
//! The archive is the truth: name, version, Python versions and dependencies are what its core metadata says, and a claim or
//! a file name that says something else is refused. What two readers might read differently is refused as well
//! (`zip.rs`, `sdist.rs`), since what was checked here has to be what is installed there.

mod core;
pub(super) mod file_name;
mod kept;
mod paths;
mod record;
mod requirement;
mod sdist;
mod tarball;
mod wheel;
pub(super) mod zip;

use std::fmt::Display;

use domain::{
    Failure,
    rules::{IncomingFile, Inspection, Publication},
};
use serde_json::{Value, json};

use self::{
    core::CoreMetadata,
    file_name::{FileKind, FileName},
};
use crate::shared::excerpt;

pub(super) use kept::{KeptMetadata, Properties};

/// The archive is refused.
fn refuse(reason: impl Display) -> Failure {
    Failure::invalid("archive", format!("The package archive is invalid: {reason}"))
}

/// The staged file cannot be read, which is our fault.
fn unreadable(error: &std::io::Error) -> Failure {
    tracing::error!(%error, "a staged file could not be read");
    Failure::internal()
}

/// The name and the version a file is published under.
#[derive(Clone, Copy)]
struct Coordinates<'a> {
    name: &'a str,
    version: &'a str,
}

/// What an archive was found to be.
struct Found {
    core: CoreMetadata,
    /// The bytes of `METADATA`, of a wheel.
    metadata: Option<Vec<u8>>,
}

/// Reads and checks a publication: see the module.
pub(super) fn inspect(publication: &Publication<'_>) -> Result<Inspection, Failure> {
    let version = publication.version.ok_or_else(|| Failure::invalid("version", "Version can't be blank"))?;
    let coordinates = Coordinates { name: &publication.name.key, version: &version.key };
    let claims = Claims::read(&publication.metadata)?;
    let mut inspection = Inspection::default();
    for file in &publication.files {
        let name = FileName::parse(&file.file_name).ok_or_else(Failure::internal)?;
        claims.check_kind(&name)?;
        let found = read(file, &name, coordinates)?;
        let requires_python = claims.requires_python(&found.core)?;
        // The file that came last speaks for the version, as in GitLab.
        inspection.metadata = found.core.kept(requires_python);
        inspection.dependencies.clone_from(&found.core.dependencies);
        inspection
            .file_properties
            .push(Properties::new(&name, requires_python, found.metadata.as_deref()).into());
    }
    Ok(inspection)
}

fn read(
    file: &IncomingFile<'_>,
    name: &FileName<'_>,
    coordinates: Coordinates<'_>,
) -> Result<Found, Failure> {
    match (&name.kind, &name.tags) {
        (FileKind::Wheel, Some(tags)) => wheel::read(file, tags, coordinates),
        (FileKind::Wheel, None) => Err(Failure::internal()),
        (FileKind::TarGz, _) => sdist::read_tar(file, coordinates),
        (FileKind::Zip, _) => sdist::read_zip(file, coordinates),
    }
}

/// What the client says of the file beside its name and version.
struct Claims<'a> {
    requires_python: Option<&'a str>,
    kind: Option<&'a str>,
}

impl<'a> Claims<'a> {
    fn read(claimed: &'a Value) -> Result<Self, Failure> {
        let text = |key: &str| claimed.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        match claimed {
            Value::Null => Ok(Self { requires_python: None, kind: None }),
            Value::Object(_) => Ok(Self { requires_python: text("requires_python"), kind: text("filetype") }),
            _ => Err(Failure::invalid("metadata", "The metadata is not a JSON object")),
        }
    }

    /// The kind that twine and others name beside the file.
    fn check_kind(&self, name: &FileName<'_>) -> Result<(), Failure> {
        let kind = if name.kind == FileKind::Wheel { "bdist_wheel" } else { "sdist" };
        match self.kind {
            Some(claimed) if claimed != kind => Err(Failure::invalid(
                "metadata",
                format!("Filetype is invalid: the file is of the type '{kind}', not '{}'", excerpt(claimed)),
            )),
            _ => Ok(()),
        }
    }

    /// The Python versions a file needs: what it says itself, or what the client says of one that does not.
    fn requires_python<'b>(&self, core: &'b CoreMetadata) -> Result<Option<&'b str>, Failure>
    where
        'a: 'b,
    {
        let spaceless = |text: &str| text.split_whitespace().collect::<String>();
        match (core.fields.requires_python.as_deref(), self.requires_python) {
            (Some(stated), Some(claimed)) if spaceless(stated) != spaceless(claimed) => {
                Err(Failure::invalid(
                    "metadata",
                    format!(
                        "Requires python is invalid: the archive says '{}', the form '{}'",
                        excerpt(stated),
                        excerpt(claimed)
                    ),
                ))
            }
            (None, Some(claimed)) if claimed.len() > 255 => Err(Failure::invalid(
                "metadata",
                format!("Requires python is too long (maximum is 255 characters): '{}'", excerpt(claimed)),
            )),
            (Some(stated), _) => Ok(Some(stated)),
            (None, claimed) => Ok(claimed),
        }
    }
}

/// Properties are kept as JSON.
impl From<Properties> for Value {
    fn from(properties: Properties) -> Self {
        json!(properties)
    }
}
