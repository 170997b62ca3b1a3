//! What a publish is told, and what it answers.

use async_graphql::{InputObject, Json, SimpleObject};
use domain::{DigestAlgorithm, Digests, Failure, rules::FormatRules};
use serde_json::Value;

use crate::{
    package::{
        file::PackageFile,
        inputs::{PackageStatus, PackageTypeEnum},
        types::Package,
    },
    relay::global_id::{PackagesPackageFileID, PackagesUploadID},
};

/// Most files in one publish.
const MAX_FILES: usize = 100;
/// Most tags set by one publish.
const MAX_TAGS: usize = 20;

/// A version to publish, or files to add to one.
#[derive(InputObject)]
pub(crate) struct PublishPackageInput {
    /// Full path or decimal id.
    pub(super) project_path: async_graphql::ID,
    pub(super) package_type: PackageTypeEnum,
    /// Left out when the first file says it, in formats whose archives do.
    pub(super) name: Option<String>,
    /// Left out for packages without versions, and when the first file says it.
    pub(super) version: Option<String>,
    pub(super) files: Vec<PublishFileInput>,
    /// What the client says about the version, in the format's own words (npm: the manifest of the version).
    pub(super) metadata: Option<Json<Value>>,
    /// Tags to point at the version.
    pub(super) tags: Option<Vec<String>>,
    /// DEFAULT or HIDDEN.
    pub(super) status: Option<PackageStatus>,
}

/// A file to publish: an upload, or a file that is published already.
#[derive(Clone, InputObject)]
pub(crate) struct PublishFileInput {
    /// The upload with its bytes. Exactly one of uploadId and sourceFileId is given.
    pub(super) upload_id: Option<PackagesUploadID>,
    /// A published file that the caller may pull: its bytes are published here too.
    pub(super) source_file_id: Option<PackagesPackageFileID>,
    /// Takes the source away in the same transaction. Needs the right to delete it, unless it waits in a package without
    /// version of the same project and type.
    #[graphql(default = false)]
    pub(super) remove_source: bool,
    /// The name to publish under; the upload's or the source's own when left out, unless the archive says another.
    pub(super) file_name: Option<String>,
    /// Expected MD5 in hexadecimal; a mismatch is refused, as with the other digests.
    pub(super) md5: Option<String>,
    /// Expected SHA-1 in hexadecimal.
    pub(super) sha1: Option<String>,
    /// Expected SHA-256 in hexadecimal.
    pub(super) sha256: Option<String>,
    /// Expected SHA-512 in hexadecimal.
    pub(super) sha512: Option<String>,
    /// The shelf it stands on, for formats that have some.
    pub(super) channel: Option<String>,
    /// Named properties to keep with the file.
    pub(super) properties: Option<Json<Value>>,
}

/// What was published.
#[derive(SimpleObject)]
pub(crate) struct PublishPackagePayload {
    pub(super) package: Option<Package>,
    /// The files, in the order they were given.
    pub(super) package_files: Option<Vec<PackageFile>>,
    pub(super) errors: Vec<String>,
}

/// Refuses what can be refused before anything is looked up.
pub(super) fn check_shape(
    rules: &'static dyn FormatRules,
    input: &PublishPackageInput,
) -> Result<(), Failure> {
    if input.name.is_some() && input.version.is_none() && !rules.allows_versionless() {
        return Err(Failure::invalid("version", "Version can't be blank"));
    }
    if input.files.is_empty() || input.files.len() > MAX_FILES {
        return Err(Failure::invalid("files", format!("From 1 to {MAX_FILES} files are published at once")));
    }
    if input.tags.as_ref().is_some_and(|tags| tags.len() > MAX_TAGS) {
        return Err(Failure::invalid("tags", format!("At most {MAX_TAGS} tags are set at once")));
    }
    match input.status {
        None | Some(PackageStatus::Default | PackageStatus::Hidden) => Ok(()),
        Some(_) => Err(Failure::invalid("status", "A package is published as DEFAULT or HIDDEN")),
    }
}

/// Refuses a file with other digests than were announced.
pub(super) fn check_digests(file: &PublishFileInput, index: usize, digests: &Digests) -> Result<(), Failure> {
    for (name, expected, algorithm) in [
        ("md5", &file.md5, DigestAlgorithm::Md5),
        ("sha1", &file.sha1, DigestAlgorithm::Sha1),
        ("sha256", &file.sha256, DigestAlgorithm::Sha256),
        ("sha512", &file.sha512, DigestAlgorithm::Sha512),
    ] {
        let Some(expected) = expected else { continue };
        let field = || format!("files.{index}.{name}");
        let actual = digests.hex(algorithm).ok_or_else(|| {
            Failure::invalid(field(), format!("{name} is not computed for packages of this type"))
        })?;
        if !actual.eq_ignore_ascii_case(expected) {
            let message =
                format!("The {name} of the uploaded file is {actual}, but {expected} was announced");
            return Err(Failure::invalid(field(), message));
        }
    }
    Ok(())
}
