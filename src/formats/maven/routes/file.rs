//! Published files, and the files of their digests.

use axum::response::Response;
use domain::{DigestAlgorithm, Failure};
use gateway::{
    Call,
    serve::{self, Download},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{digest, scope};
use crate::maven::{MavenDigests, MavenFile, maven_digests, maven_file, wire::Coordinates};

/// Answers a file, the newest of that name, or one of its digests.
pub(super) async fn read(
    call: &Call,
    file: &Coordinates,
    side: Option<DigestAlgorithm>,
) -> Result<Response, Failure> {
    match side {
        Some(algorithm) => digest_of(call, file, algorithm).await.map(digest),
        None => download(call, file).await,
    }
}

/// A digest of a published file.
pub(super) async fn digest_of(
    call: &Call,
    file: &Coordinates,
    algorithm: DigestAlgorithm,
) -> Result<String, Failure> {
    let variables = maven_digests::Variables {
        scope: scope!(call, maven_digests, &file.name),
        name: file.name.clone(),
        version: file.version.clone(),
        file_name: file.file_name.clone(),
    };
    let found = call.run::<MavenDigests>(variables).await?.package_file;
    let digest = match algorithm {
        DigestAlgorithm::Md5 => found.file_md5,
        DigestAlgorithm::Sha1 => found.file_sha1,
        DigestAlgorithm::Sha256 => found.file_sha256,
        DigestAlgorithm::Sha512 => found.file_sha512,
    };
    digest.ok_or_else(Failure::internal)
}

async fn download(call: &Call, file: &Coordinates) -> Result<Response, Failure> {
    let variables = maven_file::Variables {
        scope: scope!(call, maven_file, &file.name),
        name: file.name.clone(),
        version: file.version.clone(),
        file_name: file.file_name.clone(),
        count_download: call.method == Method::GET,
    };
    let found = call.run::<MavenFile>(variables).await?.package_file;
    let checksums = checksum_headers([
        ("x-checksum-md5", found.file_md5.as_deref()),
        ("x-checksum-sha1", found.file_sha1.as_deref()),
        ("x-checksum-sha256", found.file_sha256.as_deref()),
        ("x-checksum-sha512", found.file_sha512.as_deref()),
    ]);
    let download = Download {
        ticket: &found.ticket,
        file_name: &file.file_name,
        size: found.size.parse().map_err(|_| Failure::internal())?,
        etag: found.file_sha256.as_deref().ok_or_else(Failure::internal)?,
        modified: OffsetDateTime::parse(&found.created_at, &Rfc3339).ok(),
        content_type: "application/octet-stream",
    };
    serve::file(call, download, checksums).await
}

/// `X-Checksum-*`: GitLab has the first two; Maven takes them instead of asking for the side files.
pub(super) fn checksum_headers<const N: usize>(digests: [(&'static str, Option<&str>); N]) -> HeaderMap {
    let header = |(name, digest): (&'static str, Option<&str>)| {
        Some((HeaderName::from_static(name), HeaderValue::try_from(digest?).ok()?))
    };
    digests.into_iter().filter_map(header).collect()
}
