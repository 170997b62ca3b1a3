//! What clients send beside the bytes (coordinates in the path, options, checksums), and what they get back.

use domain::{Failure, coordinates::is_safe_segment, rules::FormatRules};
use gateway::scalars::number_of;
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    error::unfit,
    generic_file::GenericFilePackageFile as FoundFile,
    generic_publish::{GenericPublishPublishPackage as Published, PackageStatus},
    rules::{BadFilePath, FilePath, GenericRules, not_a_file_name},
};
use crate::shared::excerpt;

/// What a URL keeps as it is: RFC 3986's unreserved characters, and the slashes of a path.
const URL_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// Which file of which version a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Coordinates {
    /// The package.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// The file.
    pub(crate) file: FilePath,
}

impl Coordinates {
    /// Reads decoded captures of the route. Failures are GitLab's parameter errors.
    pub(crate) fn parse(name: &str, version: &str, file: &str) -> Result<Self, Failure> {
        if !is_safe_segment(name) {
            return Err(unsafe_path("package_name", name));
        }
        GenericRules.name(name).map_err(|failure| unfit("package_name", &failure))?;
        GenericRules.version(version).map_err(|failure| unfit("package_version", &failure))?;
        let file = FilePath::parse(file).map_err(|bad| match bad {
            BadFilePath::Unsafe => unsafe_path("file_name", file),
            BadFilePath::Name => unfit("file_name", &not_a_file_name(file)),
        })?;
        Ok(Self { name: name.to_owned(), version: version.to_owned(), file })
    }
}

/// GitLab's judgement of an option, its value, and the values there are.
fn not_one_of(name: &'static str, value: &str, values: &str) -> Failure {
    Failure::invalid(
        name,
        format!("{name} does not have a valid value: '{}' is not {values}", excerpt(value)),
    )
}

/// GitLab's judgement of a path that could lead elsewhere, and the path.
fn unsafe_path(name: &'static str, path: &str) -> Failure {
    let text = format!(
        "{name} should be a valid file path: '{}' has an empty segment, '.', '..', '\\', '%' or a control character",
        excerpt(path)
    );
    Failure::invalid(name, text)
}

/// What an upload answers with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Answer {
    /// `{"message":"201 Created"}`.
    #[default]
    Created,
    /// The file that was made (`select=package_file`).
    PackageFile,
}

/// Options of an upload. They come in the query, or as parts of a form.
#[derive(Clone, Debug, Default)]
pub(crate) struct UploadOptions {
    /// The status to give the version.
    pub(crate) status: Option<PackageStatus>,
    /// What to answer with.
    pub(crate) answer: Answer,
}

impl UploadOptions {
    /// Takes the parameter `key` if it is an option, and ignores it otherwise.
    pub(crate) fn take(&mut self, key: &str, value: &str) -> Result<(), Failure> {
        match (key, value) {
            ("status", "default") => self.status = Some(PackageStatus::Default),
            ("status", "hidden") => self.status = Some(PackageStatus::Hidden),
            ("status", _) => return Err(not_one_of("status", value, "'default' or 'hidden'")),
            ("select", "package_file") => self.answer = Answer::PackageFile,
            ("select", _) => return Err(not_one_of("select", value, "'package_file'")),
            _ => {}
        }
        Ok(())
    }
}

/// The created file in GitLab's shape. `external_url` is what links start with.
pub(crate) fn package_file(
    published: &Published,
    coordinates: &Coordinates,
    external_url: &str,
) -> Option<Value> {
    let package = published.package.as_ref()?;
    let file = published.package_files.as_ref()?.first()?;
    let project = number_of(&package.project.id)?;
    let path = format!("{}/{}/{}", coordinates.name, coordinates.version, coordinates.file.as_str());
    let path = utf8_percent_encode(&path, URL_PATH);
    Some(json!({
        "id": number_of(&file.id)?,
        "package_id": number_of(&package.id)?,
        "created_at": file.created_at,
        "updated_at": file.updated_at,
        "size": file.size.parse::<u64>().ok()?,
        "file_store": 1,
        "file_md5": file.file_md5,
        "file_sha1": file.file_sha1,
        "file_name": file.file_name,
        "file": { "url": format!("{external_url}/api/v4/projects/{project}/packages/generic/{path}") },
        "file_sha256": file.file_sha256,
        "verification_retry_at": null,
        "verified_at": null,
        "verification_failure": null,
        "verification_retry_count": null,
        "verification_checksum": null,
        "verification_state": 0,
        "verification_started_at": null,
        "status": "default",
        "new_file_path": null,
    }))
}

/// `X-Checksum-*` of a download.
pub(crate) fn checksum_headers(file: &FoundFile) -> HeaderMap {
    [
        ("x-checksum-sha256", &file.file_sha256),
        ("x-checksum-sha1", &file.file_sha1),
        ("x-checksum-md5", &file.file_md5),
    ]
    .into_iter()
    .filter_map(|(name, digest)| {
        let digest = HeaderValue::try_from(digest.as_deref()?).ok()?;
        Some((HeaderName::from_static(name), digest))
    })
    .collect()
}

/// An instant as the schema prints it.
pub(crate) fn instant(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

/// The media type that a file name suggests, unless a browser would run it: pages, scripts and XML (SVG is XML, and so are
/// style sheets that make pages) are sent as text to read or as bytes to save.
pub(crate) fn media_type(file_name: &str) -> &'static str {
    const OPAQUE: &str = "application/octet-stream";
    const HARMLESS_APPLICATIONS: &[&str] = &[
        "gzip",
        "java-archive",
        "json",
        "pdf",
        "vnd.debian.binary-package",
        "vnd.rar",
        "x-7z-compressed",
        "x-bzip",
        "x-bzip2",
        "x-gzip",
        "x-rpm",
        "x-tar",
        "x-xz",
        "zip",
        "zstd",
    ];
    let Some(guess) = mime_guess::from_path(file_name).first_raw() else {
        return OPAQUE;
    };
    let (kind, subtype) = guess.split_once('/').unwrap_or((guess, ""));
    match kind {
        "audio" | "font" | "image" | "video" if !subtype.contains("xml") && !subtype.contains("flash") => {
            guess
        }
        "text" if matches!(subtype, "csv" | "markdown" | "tab-separated-values") => guess,
        "text" => "text/plain",
        "application" if HARMLESS_APPLICATIONS.contains(&subtype) => guess,
        _ => OPAQUE,
    }
}
