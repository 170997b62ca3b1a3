//! `GET /files/:sha256/:file`: a file, or the core metadata of a wheel when `.metadata` stands behind its name (PEP 658).

use axum::{body::Body, response::Response};
use domain::{ErrorCode, Failure};
use gateway::{
    Call,
    serve::{self, Download},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{no_package, scope};
use crate::pypi::{
    PypiCoreMetadata, PypiFile,
    metadata::{KeptMetadata, Properties, file_name::FileName},
    pypi_core_metadata, pypi_file,
};

const METADATA: &str = ".metadata";

/// Answers the file. The digest in the address has to be its own: it is not what the file is found by.
pub(super) async fn read(call: Call) -> Result<Response, Failure> {
    let requested = call.param("file");
    match requested.strip_suffix(METADATA) {
        Some(wheel) => core_metadata(&call, wheel).await,
        None => file(&call, requested).await,
    }
}

/// The names of packages that a file called like this may be of. A name that no file has is one that does not exist.
fn names(file_name: &str) -> Result<Vec<String>, Failure> {
    let file = FileName::parse(file_name).ok_or_else(no_package)?;
    let mut names: Vec<String> = file.candidates().map(|candidate| candidate.name).collect();
    names.dedup();
    Ok(names)
}

fn is_missing(failure: &Failure) -> bool {
    failure.code == ErrorCode::NotFound && failure.subject == Some(domain::Subject::PackageFile)
}

async fn file(call: &Call, file_name: &str) -> Result<Response, Failure> {
    for name in names(file_name)? {
        let variables = pypi_file::Variables {
            scope: scope!(call, pypi_file),
            name,
            file_name: file_name.to_owned(),
            count_download: call.method == Method::GET,
        };
        let file = match call.run::<PypiFile>(variables).await {
            Ok(found) => found.package_file,
            Err(failure) if is_missing(&failure) => continue,
            Err(failure) => return Err(failure),
        };
        let sha256 = file.file_sha256.as_deref().ok_or_else(Failure::internal)?;
        if !sha256.eq_ignore_ascii_case(call.param("sha256")) {
            continue;
        }
        let download = Download {
            ticket: &file.ticket,
            file_name,
            size: file.size.parse().map_err(|_| Failure::internal())?,
            etag: sha256,
            modified: OffsetDateTime::parse(&file.created_at, &Rfc3339).ok(),
            content_type: "application/octet-stream",
        };
        return serve::file(call, download, HeaderMap::new()).await;
    }
    Err(no_package())
}

async fn core_metadata(call: &Call, wheel: &str) -> Result<Response, Failure> {
    for name in names(wheel)? {
        let variables = pypi_core_metadata::Variables {
            scope: scope!(call, pypi_core_metadata),
            name,
            file_name: wheel.to_owned(),
        };
        let file = match call.run::<PypiCoreMetadata>(variables).await {
            Ok(found) => found.package_file,
            Err(failure) if is_missing(&failure) => continue,
            Err(failure) => return Err(failure),
        };
        let digest = file.file_sha256.unwrap_or_default();
        let kept = serde_json::from_value::<Properties>(file.properties).ok();
        match kept.and_then(|properties| properties.core_metadata) {
            Some(kept) if digest.eq_ignore_ascii_case(call.param("sha256")) => {
                return answer(call, wheel, &kept);
            }
            _ => {}
        }
    }
    Err(no_package())
}

/// The text, which never changes: its digest is its entity tag.
fn answer(call: &Call, wheel: &str, kept: &KeptMetadata) -> Result<Response, Failure> {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    let etag = HeaderValue::try_from(format!("\"{}\"", kept.sha256)).map_err(|_| Failure::internal())?;
    headers.insert(header::ETAG, etag);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=0, must-revalidate"));
    if serve::is_not_modified(&call.headers, &kept.sha256, None) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_DISPOSITION, serve::content_disposition(&format!("{wheel}{METADATA}")));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    *response.body_mut() = Body::from(kept.text().ok_or_else(Failure::internal)?);
    Ok(response)
}
