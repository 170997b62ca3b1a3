//! Index documents that have been put together, kept for as long as they are asked for.
//!
//! A document is found by the revision of the package, which the model changes whenever any document of the package changes
//! for the caller: nothing in here can be outdated, and nobody finds what was put together for somebody who sees more.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use domain::{Failure, PackageFormat};
use http::{HeaderValue, StatusCode, header};
use moka::sync::Cache;
use tokio::sync::Mutex as Turn;

/// What the documents may have together, in bytes.
const CAPACITY: u64 = 128 * 1024 * 1024;

/// What the revisions of one document may have together, in bytes; three of them, the newest, may have more. A package that is
/// published to all day, and whose documents are large, would otherwise drive everything else out.
const REVISIONS: usize = 4 * 1024 * 1024;

/// How many revisions of a document are kept however large they are: callers who see different projects of a group have a
/// revision each.
const LEAST_REVISIONS: usize = 3;

/// How many revisions of a document are kept however small they are: they are looked through one by one.
const MOST_REVISIONS: usize = 32;

/// How many documents may be put together at once. Callers that miss the same one wait for the first of them.
const STRIPES: usize = 64;

/// What a document is found by.
#[derive(Clone, Debug)]
pub(crate) struct IndexKey {
    /// The format.
    pub(crate) format: PackageFormat,
    /// Which document of the format.
    pub(crate) document: &'static str,
    /// The package.
    pub(crate) name: String,
    /// Its revision, as the caller sees it.
    pub(crate) revision: String,
    /// What links in the document begin with.
    pub(crate) external_url: String,
}

/// A document, whatever its revision.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Name {
    format: PackageFormat,
    document: &'static str,
    name: String,
    external_url: String,
}

/// Revisions of a document, oldest first. They are let go in place: what a cache replaces it holds on to for a while.
type Revisions = Arc<Mutex<Vec<(String, Bytes)>>>;

fn locked(revisions: &Revisions) -> MutexGuard<'_, Vec<(String, Bytes)>> {
    revisions.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Documents, the ones used last. One for each table of routes, since revisions of two servers may be alike.
pub(crate) struct IndexCache {
    documents: Cache<Arc<Name>, Revisions>,
    hasher: RandomState,
    stripes: Vec<Turn<()>>,
}

impl Default for IndexCache {
    fn default() -> Self {
        let weigh = |name: &Arc<Name>, revisions: &Revisions| {
            let beside = name.name.len() + name.external_url.len() + size_of::<IndexKey>();
            let revisions = locked(revisions);
            let kept = revisions.iter().map(|(revision, document)| revision.len() + document.len());
            u32::try_from(kept.sum::<usize>() + beside).unwrap_or(u32::MAX)
        };
        Self {
            documents: Cache::builder().weigher(weigh).max_capacity(CAPACITY).build(),
            hasher: RandomState::new(),
            stripes: (0..STRIPES).map(|_| Turn::new(())).collect(),
        }
    }
}

impl IndexCache {
    /// The document of `key`. When it is not there, `assemble` makes it, and says of which revision it turned out to be:
    /// the package may have changed since the caller asked for its revision.
    pub(crate) async fn get_or_assemble<F, Fut>(
        &self,
        key: IndexKey,
        assemble: F,
    ) -> Result<(String, Bytes), Failure>
    where
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Result<(String, Bytes), Failure>> + Send,
    {
        let IndexKey { format, document, name, revision, external_url } = key;
        let name = Arc::new(Name { format, document, name, external_url });
        if let Some(document) = self.kept(&name, &revision) {
            return Ok((revision, document));
        }
        let hash = self.hasher.hash_one(&name);
        let stripe = usize::try_from(hash % STRIPES as u64).unwrap_or_default();
        let _first = self.stripes[stripe].lock().await;
        if let Some(document) = self.kept(&name, &revision) {
            return Ok((revision, document));
        }
        let (revision, document) = assemble().await?;
        self.keep(name, revision.clone(), document.clone());
        Ok((revision, document))
    }

    fn kept(&self, name: &Arc<Name>, revision: &str) -> Option<Bytes> {
        let revisions = self.documents.get(name)?;
        let revisions = locked(&revisions);
        let (_, document) = revisions.iter().find(|(kept, _)| kept == revision)?;
        Some(document.clone())
    }

    /// Keeps a revision, and lets the oldest ones go. Only whoever has the document's stripe may do so.
    fn keep(&self, name: Arc<Name>, revision: String, document: Bytes) {
        let revisions = self.documents.get(&name).unwrap_or_default();
        {
            let mut revisions = locked(&revisions);
            revisions.retain(|(kept, _)| *kept != revision);
            revisions.push((revision, document));
            let mut together = 0;
            let newest = revisions.iter().rev().enumerate().take_while(|(position, (_, document))| {
                together += document.len();
                *position < LEAST_REVISIONS || *position < MOST_REVISIONS && together <= REVISIONS
            });
            let gone = revisions.len() - newest.count();
            revisions.drain(..gone);
        }
        // Put in again, it is weighed again.
        self.documents.insert(name, revisions);
    }
}

/// What an answer with a document says of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Described<'a> {
    /// Its entity tag, without quotation marks.
    pub(crate) etag: &'a str,
    /// Its media type.
    pub(crate) content_type: &'static str,
    /// The headers of a request that it depends on.
    pub(crate) vary: &'static str,
}

/// Answers a document; without one, that it has not changed.
pub(crate) fn respond(described: Described<'_>, document: Option<Bytes>) -> Result<Response, Failure> {
    let status = if document.is_some() { StatusCode::OK } else { StatusCode::NOT_MODIFIED };
    let mut response = Response::new(document.map_or_else(Body::empty, Body::from));
    *response.status_mut() = status;
    let etag = HeaderValue::try_from(format!("\"{}\"", described.etag)).map_err(|_| Failure::internal())?;
    let headers = response.headers_mut();
    headers.insert(header::ETAG, etag);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(described.content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=0, must-revalidate"));
    headers.insert(header::VARY, HeaderValue::from_static(described.vary));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn key(revision: &str) -> IndexKey {
        IndexKey {
            format: PackageFormat::Npm,
            document: "install",
            name: "web".to_owned(),
            revision: revision.to_owned(),
            external_url: "http://localhost".to_owned(),
        }
    }

    #[tokio::test]
    async fn callers_at_once_share_one_assembly() {
        let cache = IndexCache::default();
        let assembled = AtomicUsize::new(0);
        let get = || {
            cache.get_or_assemble(key("1"), || async {
                tokio::task::yield_now().await;
                assembled.fetch_add(1, Ordering::Relaxed);
                Ok(("1".to_owned(), Bytes::from_static(b"{}")))
            })
        };
        let (first, second) = tokio::join!(get(), get());
        assert_eq!(first, second);
        assert_eq!(assembled.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn only_the_newest_revisions_of_a_large_document_are_kept() {
        async fn kept(cache: &IndexCache, size: usize, revisions: std::ops::Range<usize>) -> usize {
            let document = Bytes::from(vec![b' '; size]);
            for revision in revisions.clone() {
                let made = || async { Ok((revision.to_string(), document.clone())) };
                cache.get_or_assemble(key(&revision.to_string()), made).await.expect("assembled");
            }
            let name = Arc::new(Name {
                format: PackageFormat::Npm,
                document: "install",
                name: "web".to_owned(),
                external_url: "http://localhost".to_owned(),
            });
            assert!(cache.kept(&name, &(revisions.end - 1).to_string()).is_some(), "the newest");
            revisions.filter(|revision| cache.kept(&name, &revision.to_string()).is_some()).count()
        }
        assert_eq!(kept(&IndexCache::default(), REVISIONS, 0..9).await, LEAST_REVISIONS);
        assert_eq!(kept(&IndexCache::default(), REVISIONS / 5, 0..9).await, 5);
        assert_eq!(kept(&IndexCache::default(), 100, 0..9).await, 9);
        assert_eq!(kept(&IndexCache::default(), 100, 0..50).await, MOST_REVISIONS);
        let shrunk = IndexCache::default();
        kept(&shrunk, REVISIONS, 0..9).await;
        assert_eq!(kept(&shrunk, 100, 9..12).await, 3, "and smaller ones later");
    }

    #[tokio::test]
    async fn a_document_is_kept_under_the_revision_it_is_of() {
        let cache = IndexCache::default();
        let newer = || async { Ok(("2".to_owned(), Bytes::from_static(b"new"))) };
        let (revision, _) = cache.get_or_assemble(key("1"), newer).await.expect("assembled");
        assert_eq!(revision, "2");
        let failing = || async { Err(Failure::internal()) };
        let (_, document) = cache.get_or_assemble(key("2"), failing).await.expect("kept");
        assert_eq!(document, "new");
        cache.get_or_assemble(key("1"), failing).await.expect_err("never of this revision");
    }
}
