//! `GET /:package/-/:file`.

use axum::response::Response;
use domain::{Failure, PackageName, Subject};
use gateway::{
    Call,
    serve::{self, Download},
};
use http::{HeaderMap, Method};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{existing_name, scope};
use crate::npm::{
    NpmTarball, npm_tarball,
    rules::{file_name_of, parse_version, version_in_file_name},
};

/// The version that a tarball's name in a path is of: `name-1.0.0.tgz`, or `@scope/name-1.0.0.tgz` as in the links of
/// GitLab, which stand in lock files.
pub(super) fn version_of(name: &PackageName, file: &str) -> Result<String, Failure> {
    version_in_file_name(&name.display, file)
        .filter(|version| parse_version(version).is_some())
        .map(str::to_owned)
        .ok_or_else(|| Failure::not_found(Subject::Package))
}

/// Answers the tarball. It is looked up by name and version: the joined text of one package may be that of another.
pub(super) async fn read(call: Call) -> Result<Response, Failure> {
    let name = existing_name(&call)?;
    let version = version_of(&name, call.param("file"))?;
    let file_name = file_name_of(&name.display, Some(&version));
    let variables = npm_tarball::Variables {
        scope: scope!(call, npm_tarball),
        name: name.display,
        version,
        file_name: file_name.clone(),
        count_download: call.method != Method::HEAD,
    };
    let file = call.run::<NpmTarball>(variables).await?.package_file;
    let download = Download {
        ticket: &file.ticket,
        file_name: &file_name,
        size: file.size.parse().map_err(|_| Failure::internal())?,
        etag: file.file_sha256.as_deref().ok_or_else(Failure::internal)?,
        modified: OffsetDateTime::parse(&file.created_at, &Rfc3339).ok(),
        content_type: "application/octet-stream",
    };
    serve::file(&call, download, HeaderMap::new()).await
}
