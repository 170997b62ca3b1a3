//! `npm unpublish`, in the terms of CouchDB: a packument is fetched with `?write=true`, changed, and sent back under its
//! revision.
//!
//! libnpmpublish 11 removes one of several versions by `PUT /:package/-rev/:rev` with the packument without that version, and
//! then `DELETE /:package/-/:file/-rev/:rev`. The second request cannot be relied on: npm cuts its path out of the tarball's
//! link by the length of the registry's, and misses where the registry names a project by its path. So the PUT removes, and
//! the DELETE finds nothing, which npm takes for done; sent alone, it removes too. The last version, or all of them, go by
//! `DELETE /:package/-rev/:rev`.

use std::collections::HashSet;

use axum::response::Response;
use domain::{ErrorCode, Failure, PackageName, Subject};
use gateway::Call;

use super::{
    existing_name, packument::index, publish::decode_without_upload, refused, scope, tarball::version_of,
};
use crate::npm::{
    NpmUnpublish, NpmUnpublishVersion, NpmVersion,
    document::{Document, Index},
    npm_unpublish, npm_unpublish_version, npm_version,
};

/// Removes the version that the packument sent back lacks.
pub(super) async fn packument(mut call: Call) -> Result<Response, Failure> {
    let name = existing_name(&call)?;
    let unexpected = Failure::invalid("body", "A changed packument has no attachments");
    let body = decode_without_upload(&mut call, &name, unexpected).await?;
    // `npm owner` sends back only the maintainers.
    let kept = body
        .versions
        .ok_or_else(|| Failure::new(ErrorCode::Unsupported, "Only versions can be changed in a packument"))?;
    let index = current(&call, &name).await?;
    let kept: HashSet<_> = kept.iter().map(|kept| kept.version.as_str()).collect();
    let missing: Vec<_> = index
        .entries
        .iter()
        .map(|entry| entry.version.as_str())
        .filter(|version| !kept.contains(version))
        .collect();
    match missing.as_slice() {
        [] => Ok(super::done()),
        [version] => remove_version(&call, &name, version).await,
        // Each removal is a transaction of its own, and no client removes several at once.
        _ => Err(Failure::new(
            ErrorCode::Unsupported,
            "Remove one version at a time, or all of them with 'npm unpublish --force'",
        )),
    }
}

/// Removes all versions.
pub(super) async fn package(call: Call) -> Result<Response, Failure> {
    let name = existing_name(&call)?;
    current(&call, &name).await?;
    let variables = npm_unpublish::Variables { scope: scope!(call, npm_unpublish), name: name.display };
    let answer =
        call.run::<NpmUnpublish>(variables).await?.destroy_package_name.ok_or_else(Failure::internal)?;
    refused(&answer.errors)?;
    Ok(super::done())
}

/// Removes the version of a tarball. It names what it removes, so that the revision does not matter.
pub(super) async fn tarball(call: Call) -> Result<Response, Failure> {
    let name = existing_name(&call)?;
    let file = call.param("file").split("/-rev/").next().unwrap_or_default();
    let version = version_of(&name, file)?;
    remove_version(&call, &name, &version).await
}

/// The package as it is, if that is what the client saw: what was published in between must not go unseen.
async fn current(call: &Call, name: &PackageName) -> Result<Index, Failure> {
    let index = index(call, name, Document::Install).await?;
    if index.revision == call.param("revision") {
        return Ok(index);
    }
    Err(Failure::new(ErrorCode::Stale, "The package was changed meanwhile. Please try again.")
        .about(Subject::Package))
}

async fn remove_version(call: &Call, name: &PackageName, version: &str) -> Result<Response, Failure> {
    let variables = npm_version::Variables {
        scope: scope!(call, npm_version),
        name: name.display.clone(),
        version: version.to_owned(),
    };
    let id = call.run::<NpmVersion>(variables).await?.package_version.id;
    let variables = npm_unpublish_version::Variables { id };
    let answer =
        call.run::<NpmUnpublishVersion>(variables).await?.destroy_package.ok_or_else(Failure::internal)?;
    refused(&answer.errors)?;
    Ok(super::done())
}
