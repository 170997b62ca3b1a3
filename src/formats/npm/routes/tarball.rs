//! `GET /:package/-/:file`.

use axum::response::Response;
use domain::{ErrorCode, Failure, PackageName, Subject};
use gateway::{
    Call,
    serve::{self, Download},
};
use http::{HeaderMap, Method};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{existing_name, scope};
use crate::npm::{
    NpmTarball, npm_tarball,
    rules::{parse_version, unscoped_file, version_in_file_name},
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
    let requested = call.param("file");
    let file_name = unscoped_file(&name.display, requested);
    let file = match find(&call, &name, &version, requested).await {
        // Lock files written for GitLab repeat the scope.
        Err(failure) if failure.code == ErrorCode::NotFound && requested != file_name => {
            find(&call, &name, &version, file_name).await?
        }
        outcome => outcome?,
    };
    let download = Download {
        ticket: &file.ticket,
        file_name,
        size: file.size.parse().map_err(|_| Failure::internal())?,
        etag: file.file_sha256.as_deref().ok_or_else(Failure::internal)?,
        modified: OffsetDateTime::parse(&file.created_at, &Rfc3339).ok(),
        content_type: "application/octet-stream",
    };
    serve::file(&call, download, HeaderMap::new()).await
}

async fn find(
    call: &Call,
    name: &PackageName,
    version: &str,
    file_name: &str,
) -> Result<npm_tarball::NpmTarballPackageFile, Failure> {
    let variables = npm_tarball::Variables {
        scope: scope!(call, npm_tarball),
        name: name.display.clone(),
        version: version.to_owned(),
        file_name: file_name.to_owned(),
        count_download: call.method != Method::HEAD,
    };
    Ok(call.run::<NpmTarball>(variables).await?.package_file)
}
