//! Index documents that have been put together, kept for as long as they are asked for.
//!
//! A document is found by the revision of the package, which the model changes whenever any document of the package changes
//! for the caller: nothing in here can be outdated, and nobody finds what was put together for somebody who sees more.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use domain::{Failure, PackageFormat};
use http::{HeaderValue, StatusCode, header};
use moka::sync::Cache;
use tokio::sync::Mutex;

/// What the documents may have together, in bytes.
const CAPACITY: u64 = 128 * 1024 * 1024;

/// How many documents may be put together at once. Callers that miss the same one wait for the first of them.
const STRIPES: usize = 64;

/// What a document is found by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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

/// Documents, the ones used last. One for each table of routes, since revisions of two servers may be alike.
pub(crate) struct IndexCache {
    documents: Cache<Arc<IndexKey>, Bytes>,
    hasher: RandomState,
    stripes: Vec<Mutex<()>>,
}

impl Default for IndexCache {
    fn default() -> Self {
        let weigh = |key: &Arc<IndexKey>, document: &Bytes| {
            let beside = key.name.len() + key.revision.len() + key.external_url.len() + size_of::<IndexKey>();
            u32::try_from(document.len() + beside).unwrap_or(u32::MAX)
        };
        Self {
            documents: Cache::builder().weigher(weigh).max_capacity(CAPACITY).build(),
            hasher: RandomState::new(),
            stripes: (0..STRIPES).map(|_| Mutex::new(())).collect(),
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
        let key = Arc::new(key);
        if let Some(document) = self.documents.get(&key) {
            return Ok((key.revision.clone(), document));
        }
        let hash = self.hasher.hash_one(&key);
        let stripe = usize::try_from(hash % STRIPES as u64).unwrap_or_default();
        let _first = self.stripes[stripe].lock().await;
        if let Some(document) = self.documents.get(&key) {
            return Ok((key.revision.clone(), document));
        }
        let (revision, document) = assemble().await?;
        let key = IndexKey { revision: revision.clone(), ..Arc::unwrap_or_clone(key) };
        self.documents.insert(Arc::new(key), document.clone());
        Ok((revision, document))
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
