//! `GET /:package`, in full and abbreviated, and `GET /:package/:version`.

use axum::response::Response;
use bytes::Bytes;
use domain::{Failure, PackageFormat, PackageName, Subject, rules::FormatRules as _};
use gateway::{Call, serve::is_not_modified};
use http::{HeaderMap, header};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashMap;

use super::{existing_name, scope};
use crate::{
    npm::{
        NpmIndex, NpmRevision,
        document::{self, Document, Entry, Index},
        npm_index, npm_revision,
        rules::NpmRules,
    },
    shared::index_cache::{self, Described, IndexCache, IndexKey},
};

/// What a path of one to three segments asks for.
enum Wanted {
    Packument(PackageName),
    Version(PackageName, String),
}

fn wanted(call: &Call) -> Result<Wanted, Failure> {
    let (first, second, third) = (call.param("first"), call.param("second"), call.param("third"));
    let is_scope = first.starts_with('@') && !first.contains('/');
    if first.is_empty() || is_scope && third.is_empty() {
        return existing_name(call).map(Wanted::Packument);
    }
    let (name, version) = match (is_scope, third) {
        (true, version) => (format!("{first}/{second}"), version),
        (false, "") => (first.to_owned(), second),
        (false, _) => return Err(super::unknown_route()),
    };
    let name = NpmRules.name(&name).map_err(|_| Failure::not_found(Subject::Package))?;
    Ok(Wanted::Version(name, version.to_owned()))
}

/// Answers a packument, or one version of it.
pub(super) async fn read(call: &Call, cache: &IndexCache) -> Result<Response, Failure> {
    match wanted(call)? {
        Wanted::Packument(name) => packument(call, cache, &name).await,
        Wanted::Version(name, version) => manifest(call, cache, &name, &version).await,
    }
}

async fn packument(call: &Call, cache: &IndexCache, name: &PackageName) -> Result<Response, Failure> {
    let document = accepted(&call.headers);
    let revision = revision(call, name).await?;
    let etag = format!("{revision}-{}", document.name());
    if is_not_modified(&call.headers, &etag, None) {
        return respond(document, &etag, None);
    }
    let (revision, bytes) = read_document(call, cache, name, revision, document).await?;
    respond(document, &format!("{revision}-{}", document.name()), Some(bytes))
}

/// The manifest of one version, named by number or by tag. npm's registry has it; no client in use needs it.
async fn manifest(
    call: &Call,
    cache: &IndexCache,
    name: &PackageName,
    version: &str,
) -> Result<Response, Failure> {
    #[derive(Deserialize)]
    struct Packument<'a> {
        #[serde(rename = "dist-tags")]
        tags: HashMap<String, String>,
        #[serde(borrow)]
        versions: HashMap<String, &'a RawValue>,
    }

    let revision = revision(call, name).await?;
    let (revision, bytes) = read_document(call, cache, name, revision, Document::Packument).await?;
    let packument: Packument<'_> = serde_json::from_slice(&bytes).map_err(|error| {
        tracing::error!(%error, "a document of ours is not JSON");
        Failure::internal()
    })?;
    let version = packument.tags.get(version).map_or(version, String::as_str);
    let manifest = packument.versions.get(version).ok_or_else(|| Failure::not_found(Subject::Package))?;
    let content = Some(Bytes::copy_from_slice(manifest.get().as_bytes()));
    respond(Document::Packument, &format!("{revision}-{version}"), content)
}

/// The revision of the package as the caller sees it.
pub(super) async fn revision(call: &Call, name: &PackageName) -> Result<String, Failure> {
    let variables = npm_revision::Variables { scope: scope!(call, npm_revision), name: name.display.clone() };
    Ok(call.run::<NpmRevision>(variables).await?.package_index.revision)
}

/// The document, from the cache or put together. Answers the revision it is of.
async fn read_document(
    call: &Call,
    cache: &IndexCache,
    name: &PackageName,
    revision: String,
    document: Document,
) -> Result<(String, Bytes), Failure> {
    let key = IndexKey {
        format: PackageFormat::Npm,
        document: document.name(),
        name: name.key.clone(),
        revision,
        external_url: call.gateway.external_url().to_owned(),
    };
    cache
        .get_or_assemble(key, || async {
            let index = index(call, name, document).await?;
            let bytes = document::assemble(document, &index, call.gateway.external_url());
            Ok((index.revision, bytes))
        })
        .await
}

/// Everything a document of the package is made of.
pub(super) async fn index(call: &Call, name: &PackageName, document: Document) -> Result<Index, Failure> {
    let variables = npm_index::Variables {
        scope: scope!(call, npm_index),
        name: name.display.clone(),
        document: document.name().to_owned(),
    };
    let index = call.run::<NpmIndex>(variables).await?.package_index;
    let entry = |entry: npm_index::NpmIndexPackageIndexEntries| {
        Some(Entry { version: entry.version?, created_at: entry.created_at, fragment: entry.fragment })
    };
    Ok(Index {
        name: index.name,
        revision: index.revision,
        updated_at: index.updated_at,
        tags: index.tags.into_iter().map(|tag| (tag.name, tag.version)).collect(),
        entries: index.entries.into_iter().filter_map(entry).collect(),
    })
}

/// The document that `Accept` prefers. Clients that know the abbreviated one name it with the highest quality; a browser or
/// a script that names neither gets the full one.
fn accepted(headers: &HeaderMap) -> Document {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let quality = |wanted: &str| {
        let ranges = accept.split(',').filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let matches = parts.next()?.eq_ignore_ascii_case(wanted);
            let stated = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
            matches.then(|| stated.unwrap_or(1.0))
        });
        ranges.fold(0.0_f32, f32::max)
    };
    let install = quality(Document::Install.media_type());
    if install > 0.0 && install >= quality(Document::Packument.media_type()) {
        Document::Install
    } else {
        Document::Packument
    }
}

fn respond(document: Document, etag: &str, content: Option<Bytes>) -> Result<Response, Failure> {
    let described = Described { etag, content_type: document.media_type(), vary: "Accept, Authorization" };
    index_cache::respond(described, content)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn what_is_preferred_is_answered() {
        for (accept, document) in [
            ("application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*", Document::Install),
            ("application/vnd.npm.install-v1+json", Document::Install),
            ("application/vnd.npm.install-v1+json;q=0, */*", Document::Packument),
            ("application/json, application/vnd.npm.install-v1+json;q=0.5", Document::Packument),
            ("application/json", Document::Packument),
            ("*/*", Document::Packument),
            ("", Document::Packument),
            (";;q=x,,", Document::Packument),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(accepted(&headers), document, "{accept}");
        }
    }
}
