//! The store in a bucket that speaks S3.
//!
//! ```text
//! <prefix>/VERSION              the layout's version
//! <prefix>/staging/<id>         a finished upload
//! <prefix>/staging/<id>.json    what is known about it
//! <prefix>/blobs/aa/bb/<sha256> content, for good
//! ```
//!
//! An object is there as a whole or not at all, so that an upload under way is no object yet: up to one part of it is in
//! memory, the rest in a multipart upload. What makes an upload's id its own is the condition on the request that ends
//! it (`If-None-Match`), which a server that we open has to keep: otherwise two replicas could stage two contents
//! under one id, and one would be published under the digest of the other.

mod bucket;
mod error;
mod layout;
mod list;
mod multipart;
mod promote;
mod read;
mod settings;
mod staging;
mod sweep;
#[cfg(test)]
mod tests;

use std::{
    collections::HashSet,
    ops::Range,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use domain::rules::ReadSeek;
use futures::future::BoxFuture;

use crate::{
    BlobBody, BlobError, BlobKey, BlobStore, ListedBlob, MANIFEST_LIMIT, Result, StageSink, StagingId,
};
use bucket::Bucket;
pub use settings::{S3Credentials, S3Settings};

/// Keeps bytes in a bucket. Any number of processes may share it.
#[derive(Clone)]
pub struct S3Store {
    bucket: Arc<Bucket>,
    /// Uploads under way in this process. Those of others are noticed at their end.
    open: Arc<Mutex<HashSet<StagingId>>>,
}

impl S3Store {
    /// A store that was not spoken to yet: [`BlobStore::check`] says whether it can be used, [`Self::open`] makes it
    /// what it should be. Needs a runtime around it, whose threads it uses from then on.
    pub fn new(settings: S3Settings) -> Self {
        Self { bucket: Arc::new(Bucket::new(settings)), open: Arc::default() }
    }

    /// Opens the store, and makes it one if it is new. Refuses a layout that is unknown, and a server that ignores
    /// conditions.
    pub async fn open(settings: S3Settings) -> Result<Self> {
        let store = Self::new(settings);
        layout::establish(&store.bucket).await?;
        Ok(store)
    }
}

impl BlobStore for S3Store {
    fn create_staging(&self, id: StagingId) -> BoxFuture<'_, Result<Box<dyn StageSink>>> {
        Box::pin(async move {
            let sink = staging::S3Sink::new(Arc::clone(&self.bucket), &self.open, id)?;
            match self.bucket.head(&self.bucket.staged(id)).await? {
                Some(_) => Err(BlobError::AlreadyStaged),
                None => Ok(Box::new(sink) as Box<dyn StageSink>),
            }
        })
    }

    fn put_manifest(&self, id: StagingId, manifest: Bytes) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            if manifest.len() > MANIFEST_LIMIT {
                return Err(BlobError::TooLarge { limit: MANIFEST_LIMIT as u64 });
            }
            self.bucket.put(&self.bucket.manifest(id), manifest).await
        })
    }

    fn get_manifest(&self, id: StagingId) -> BoxFuture<'_, Result<Option<Bytes>>> {
        Box::pin(async move {
            match read::get(&self.bucket, &self.bucket.manifest(id), None).await {
                Ok(body) => Ok(Some(body.collect(MANIFEST_LIMIT as u64).await?)),
                Err(BlobError::NotFound) => Ok(None),
                Err(error) => Err(error),
            }
        })
    }

    fn open_staged(&self, id: StagingId) -> Result<Box<dyn ReadSeek>> {
        Ok(Box::new(read::Reader::open(&self.bucket, self.bucket.staged(id))?))
    }

    fn promote(&self, id: StagingId, key: BlobKey) -> BoxFuture<'_, Result<()>> {
        Box::pin(promote::promote(&self.bucket, id, key))
    }

    fn remove_staged(&self, id: StagingId) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let (staged, manifest) = (self.bucket.staged(id), self.bucket.manifest(id));
            let (content, facts) = futures::join!(self.bucket.delete(&staged), self.bucket.delete(&manifest));
            content.and(facts)
        })
    }

    fn get(&self, key: BlobKey, range: Option<Range<u64>>) -> BoxFuture<'_, Result<BlobBody>> {
        Box::pin(async move { read::get(&self.bucket, &self.bucket.blob(key), range).await })
    }

    fn open_blob(&self, key: BlobKey) -> Result<Box<dyn ReadSeek>> {
        Ok(Box::new(read::Reader::open(&self.bucket, self.bucket.blob(key))?))
    }

    fn size(&self, key: BlobKey) -> BoxFuture<'_, Result<Option<u64>>> {
        Box::pin(async move { Ok(self.bucket.head(&self.bucket.blob(key)).await?.map(|head| head.size)) })
    }

    fn delete(&self, key: BlobKey) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.bucket.delete(&self.bucket.blob(key)).await })
    }

    fn list(&self, after: Option<BlobKey>, limit: usize) -> BoxFuture<'_, Result<Vec<ListedBlob>>> {
        Box::pin(list::list(&self.bucket, after, limit.max(1)))
    }

    fn sweep_staging(&self, older_than: Duration) -> BoxFuture<'_, Result<usize>> {
        Box::pin(sweep::sweep(&self.bucket, older_than))
    }

    fn presign<'a>(
        &'a self,
        key: BlobKey,
        content_disposition: &'a str,
        content_type: &'a str,
        lifetime: Duration,
    ) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(read::presign(&self.bucket, key, content_disposition, content_type, lifetime))
    }

    fn check(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(layout::check(&self.bucket))
    }
}
