//! `GET /simple` and `GET /simple/:name`: the simple index (PEP 503, 691).

use axum::response::Response;
use bytes::Bytes;
use domain::{Failure, PackageFormat, PackageName, rules::FormatRules as _};
use gateway::{Call, scalars::number_of, serve::is_not_modified};
use http::{HeaderValue, header};
use sha2::{Digest as _, Sha256};

use super::{base, no_package, requested_base, scope};
use crate::{
    pypi::{
        PypiIndex, PypiNames, PypiRevision,
        document::{self, Document, Entry},
        pypi_index, pypi_names, pypi_revision,
        rules::{PypiRules, normalized},
        wire::Representation,
    },
    shared::index_cache::{self, Described, IndexCache, IndexKey},
};

/// Names asked for at once.
const PAGE: i64 = 1_000;

/// Answers the page of one name, in whatever spelling it is asked for.
pub(super) async fn page(call: &Call, cache: &IndexCache) -> Result<Response, Failure> {
    let representation = Representation::of(&call.headers, call.query.get("format"))?;
    let raw = call.param("name");
    let name = PypiRules.name(raw.strip_suffix('/').unwrap_or(raw)).map_err(|_| no_package())?;
    let document = representation.document;
    let revision = revision(call, &name).await?;
    let etag = |revision: &str| format!("{revision}-{}", document.name());
    if is_not_modified(&call.headers, &etag(&revision), None) {
        return respond(representation, &etag(&revision), None);
    }
    let (revision, bytes) = read_document(call, cache, &name, revision, document).await?;
    respond(representation, &etag(&revision), Some(bytes))
}

/// The revision of the package as the caller sees it.
async fn revision(call: &Call, name: &PackageName) -> Result<String, Failure> {
    let variables = pypi_revision::Variables { scope: scope!(call, pypi_revision), name: name.key.clone() };
    Ok(call.run::<PypiRevision>(variables).await?.package_index.revision)
}

/// The page, from the cache or put together. Answers the revision it is of.
async fn read_document(
    call: &Call,
    cache: &IndexCache,
    name: &PackageName,
    revision: String,
    document: Document,
) -> Result<(String, Bytes), Failure> {
    let key = IndexKey {
        format: PackageFormat::Pypi,
        document: document.name(),
        name: name.key.clone(),
        revision,
        external_url: requested_base(call),
    };
    cache.get_or_assemble(key, || assemble(call, name, document)).await
}

async fn assemble(call: &Call, name: &PackageName, document: Document) -> Result<(String, Bytes), Failure> {
    let variables = pypi_index::Variables {
        scope: scope!(call, pypi_index),
        name: name.key.clone(),
        document: document.name().to_owned(),
    };
    let index = call.run::<PypiIndex>(variables).await?.package_index;
    let entry = |entry: pypi_index::PypiIndexPackageIndexEntries| {
        Some(Entry {
            version: entry.version?,
            file_id: number_of(entry.file_id.as_deref()?)?,
            fragment: entry.fragment,
        })
    };
    let entries = index.entries.into_iter().filter_map(entry).collect();
    let bytes = document::page(document, &index.name, entries, &base(call).await?);
    Ok((index.revision, bytes))
}

/// Answers the names of all packages.
pub(super) async fn list(call: &Call) -> Result<Response, Failure> {
    let representation = Representation::of(&call.headers, call.query.get("format"))?;
    let document = representation.document;
    let base = base(call).await?;
    let (names, revision) = names(call).await?;
    let etag = format!("{revision}-{}", document.name());
    if is_not_modified(&call.headers, &etag, None) {
        return respond(representation, &etag, None);
    }
    let bytes = document::list(document, &names, &base);
    respond(representation, &etag, Some(bytes))
}

/// The names in the order of their keys, and a text that changes when they do. A name that stands in several projects of a
/// group is one name.
async fn names(call: &Call) -> Result<(Vec<String>, String), Failure> {
    let mut names: Vec<String> = Vec::new();
    let mut hasher = Sha256::new();
    let mut after = None;
    loop {
        let variables = pypi_names::Variables { scope: scope!(call, pypi_names), first: PAGE, after };
        let page = call.run::<PypiNames>(variables).await?.package_indexes;
        for node in page.nodes {
            let is_known = names.last().is_some_and(|last| normalized(last) == normalized(&node.name));
            if !is_known {
                hasher.update(node.name.as_bytes());
                hasher.update([0]);
                names.push(node.name);
            }
        }
        if !page.page_info.has_next_page {
            return Ok((names, hex::encode(&hasher.finalize()[..16])));
        }
        after = page.page_info.end_cursor;
    }
}

fn respond(representation: Representation, etag: &str, document: Option<Bytes>) -> Result<Response, Failure> {
    let content_type = representation.content_type;
    let mut response =
        index_cache::respond(Described { etag, content_type, vary: "Accept, Authorization" }, document)?;
    let policy = HeaderValue::from_static("sandbox; default-src 'none'");
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}
