//! `maven-metadata.xml`, made from the pieces the model keeps, and its digests.

use axum::response::Response;
use bytes::Bytes;
use domain::{DigestAlgorithm, ErrorCode, Failure, PackageFormat, Subject, rules::FormatRules as _};
use gateway::{Call, serve::is_not_modified};
use http::HeaderMap;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{digest, file::checksum_headers, scope};
use crate::{
    maven::{
        MavenIndex, MavenPlugins, MavenPluginsRevision, MavenRevision,
        document::{self, VERSIONS, Versions},
        maven_index, maven_plugins, maven_plugins_revision, maven_revision,
        rules::MavenRules,
    },
    shared::index_cache::{self, Described, IndexCache, IndexKey},
};

/// The document of an artifact, of a group's plugins, or of both.
pub(super) async fn of_path(
    call: &Call,
    cache: &IndexCache,
    path: &str,
    side: Option<DigestAlgorithm>,
) -> Result<Response, Failure> {
    let (versions, plugins) = tokio::join!(revision(call, path), plugins_revision(call, path));
    let (versions, plugins) = both(versions, plugins)?;
    let revision =
        format!("{}+{}", versions.as_deref().unwrap_or_default(), plugins.as_deref().unwrap_or_default());
    let wanted = Wanted { call, cache, document: "metadata", path: path.to_owned(), side };
    wanted
        .answer(revision, || async {
            let index = async {
                if versions.is_some() { index(call, path, VERSIONS).await.map(Some) } else { Ok(None) }
            };
            let list = async { if plugins.is_some() { list(call, path).await.map(Some) } else { Ok(None) } };
            let (index, list) = tokio::try_join!(index, list)?;
            let revision = format!(
                "{}+{}",
                index.as_ref().map(|index| index.revision.as_str()).unwrap_or_default(),
                list.as_ref().map(|list| list.0.as_str()).unwrap_or_default()
            );
            let versions = index.map(|index| ordered(path, index)).transpose()?;
            let plugins = list.map(|list| list.1).unwrap_or_default();
            Ok((revision, document::assemble(versions.as_ref(), &plugins)))
        })
        .await
}

/// The document of a snapshot.
pub(super) async fn of_snapshot(
    call: &Call,
    cache: &IndexCache,
    name: &str,
    version: &str,
    side: Option<DigestAlgorithm>,
) -> Result<Response, Failure> {
    let revision = revision(call, name).await?;
    let wanted = Wanted { call, cache, document: "snapshot", path: format!("{name}/{version}"), side };
    wanted
        .answer(revision, || async {
            let index = index(call, name, &document::snapshot_document(version)).await?;
            Ok((index.revision, document::assemble_snapshot(name, version, &index.pieces)))
        })
        .await
}

/// What of two things is there; the failure when neither is.
fn both(
    versions: Result<String, Failure>,
    plugins: Result<String, Failure>,
) -> Result<(Option<String>, Option<String>), Failure> {
    // Of an anonymous caller of a group it is not said whether a thing is missing or hidden.
    let is_absent = |failure: &Failure| {
        matches!(failure.code, ErrorCode::NotFound | ErrorCode::Unauthenticated | ErrorCode::Invalid)
    };
    match (versions, plugins) {
        (Ok(versions), Ok(plugins)) => Ok((Some(versions), Some(plugins))),
        // A token that is limited to some names reads what is about those, and no list of all plugins.
        (Ok(versions), Err(failure)) if is_absent(&failure) || failure.code == ErrorCode::Forbidden => {
            Ok((Some(versions), None))
        }
        (Err(failure), Ok(plugins)) if is_absent(&failure) => Ok((None, Some(plugins))),
        (Err(failure), Err(other)) if is_absent(&other) => Err(failure),
        (Err(_) | Ok(_), Err(failure)) | (Err(failure), Ok(_)) => Err(failure),
    }
}

/// The revision of an artifact as the caller sees it.
async fn revision(call: &Call, name: &str) -> Result<String, Failure> {
    MavenRules.name(name)?;
    let variables =
        maven_revision::Variables { scope: scope!(call, maven_revision, name), name: name.to_owned() };
    Ok(call.run::<MavenRevision>(variables).await?.package_index.revision)
}

/// The revision of a group's list of plugins as the caller sees it.
async fn plugins_revision(call: &Call, path: &str) -> Result<String, Failure> {
    let variables = maven_plugins_revision::Variables {
        scope: scope!(call, maven_plugins_revision, path),
        document: document::plugins_document(&path.replace('/', ".")),
    };
    Ok(call.run::<MavenPluginsRevision>(variables).await?.package_document.revision)
}

/// Pieces of a document about one name.
struct Index {
    revision: String,
    updated_at: String,
    pieces: Vec<String>,
}

async fn index(call: &Call, name: &str, document: &str) -> Result<Index, Failure> {
    let variables = maven_index::Variables {
        scope: scope!(call, maven_index, name),
        name: name.to_owned(),
        document: document.to_owned(),
    };
    let index = call.run::<MavenIndex>(variables).await?.package_index;
    Ok(Index {
        revision: index.revision,
        updated_at: index.updated_at,
        pieces: index.entries.into_iter().map(|entry| entry.fragment).collect(),
    })
}

async fn list(call: &Call, path: &str) -> Result<(String, Vec<String>), Failure> {
    let variables = maven_plugins::Variables {
        scope: scope!(call, maven_plugins, path),
        document: document::plugins_document(&path.replace('/', ".")),
    };
    let list = call.run::<MavenPlugins>(variables).await?.package_document;
    Ok((list.revision, list.entries.into_iter().map(|entry| entry.fragment).collect()))
}

/// The versions in Maven's order, each once, though several projects of a group have it.
fn ordered(name: &str, index: Index) -> Result<Versions, Failure> {
    let updated_at = OffsetDateTime::parse(&index.updated_at, &Rfc3339).map_err(|_| Failure::internal())?;
    let versions = index
        .pieces
        .into_iter()
        .filter_map(|version| {
            let order = MavenRules.version(&version).ok()?.order;
            Some(((order, version.clone()), version))
        })
        .collect();
    Ok(Versions { name: name.to_owned(), updated_at, versions })
}

/// A document, and what of it is asked for.
struct Wanted<'a> {
    call: &'a Call,
    cache: &'a IndexCache,
    document: &'static str,
    path: String,
    side: Option<DigestAlgorithm>,
}

impl Wanted<'_> {
    /// Answers the document of `revision`, from the cache or from what `assemble` makes; that says which revision it is of.
    async fn answer<F, Fut>(self, revision: String, assemble: F) -> Result<Response, Failure>
    where
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Result<(String, Option<String>), Failure>> + Send,
    {
        if self.side.is_none() && is_not_modified(&self.call.headers, &self.etag(&revision), None) {
            return self.respond(&revision, None);
        }
        let key = IndexKey {
            format: PackageFormat::Maven,
            document: self.document,
            name: self.path.clone(),
            revision,
            external_url: String::new(),
        };
        let (revision, kept) = self
            .cache
            .get_or_assemble(key, || async {
                let (revision, xml) = assemble().await?;
                let xml = xml.ok_or_else(|| Failure::not_found(Subject::Package))?;
                Ok((revision, Digested::keep(xml)))
            })
            .await?;
        let digested = Digested(kept);
        match self.side {
            Some(algorithm) => Ok(digest(digested.digest(algorithm))),
            None => self.respond(&revision, Some(&digested)),
        }
    }

    fn etag(&self, revision: &str) -> String {
        format!("{revision}-{}", self.document)
    }

    /// Without `Last-Modified`: two changes within one second would have the same.
    fn respond(&self, revision: &str, content: Option<&Digested>) -> Result<Response, Failure> {
        let etag = &self.etag(revision);
        let described = Described { etag, content_type: "application/xml", vary: "Authorization" };
        let mut response = index_cache::respond(described, content.map(Digested::xml))?;
        response.headers_mut().extend(content.map(Digested::headers).unwrap_or_default());
        Ok(response)
    }
}

/// A document behind its digests, in one piece, so that a read computes nothing.
struct Digested(Bytes);

/// Where each digest begins, and where the document does.
const SHA1: usize = 16;
const SHA256: usize = SHA1 + 20;
const SHA512: usize = SHA256 + 32;
const XML: usize = SHA512 + 64;

impl Digested {
    fn keep(xml: String) -> Bytes {
        let mut kept = Vec::with_capacity(XML + xml.len());
        kept.extend_from_slice(&Md5::digest(&xml));
        kept.extend_from_slice(&Sha1::digest(&xml));
        kept.extend_from_slice(&Sha256::digest(&xml));
        kept.extend_from_slice(&Sha512::digest(&xml));
        kept.extend_from_slice(xml.as_bytes());
        kept.into()
    }

    fn xml(&self) -> Bytes {
        self.0.slice(XML..)
    }

    fn digest(&self, algorithm: DigestAlgorithm) -> String {
        let range = match algorithm {
            DigestAlgorithm::Md5 => 0..SHA1,
            DigestAlgorithm::Sha1 => SHA1..SHA256,
            DigestAlgorithm::Sha256 => SHA256..SHA512,
            DigestAlgorithm::Sha512 => SHA512..XML,
        };
        hex::encode(&self.0[range])
    }

    fn headers(&self) -> HeaderMap {
        let [md5, sha1] =
            [DigestAlgorithm::Md5, DigestAlgorithm::Sha1].map(|algorithm| self.digest(algorithm));
        checksum_headers([("x-checksum-md5", Some(md5.as_str())), ("x-checksum-sha1", Some(sha1.as_str()))])
    }
}
