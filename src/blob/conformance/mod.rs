//! What every implementation of [`BlobStore`] has to do, as one suite for all of them.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use domain::{DigestAlgorithm, rules::ReadSeek};
use futures::stream;
use tokio::task;

use crate::{BlobError, BlobKey, BlobStore, Hasher, StageRequest, StagedGuard, StagingId, stage};

mod content;
mod uploads;

#[cfg(test)]
pub(crate) use content::ranges;

type Store = Arc<dyn BlobStore>;

const LARGE: usize = 3 * 1024 * 1024 + 17;

/// More than two parts of a store that takes parts.
const IN_PARTS: usize = 10 * 1024 * 1024 + 1;

const LARGE_U64: u64 = LARGE as u64;

/// Runs the suite. The store may hold content, but nobody else may be uploading: everything staged is swept away.
/// Panics where the store does not conform.
pub async fn conformance(store: Store) {
    store.check().await.expect("ready");
    content::absent_things(&store).await;
    for size in [0, 1, 256 * 1024, 256 * 1024 + 1, LARGE, IN_PARTS] {
        content::upload_to_deletion(&store, size).await;
    }
    content::listing(&store).await;
    content::partial_reads(&store).await;
    content::seeking(&store).await;
    content::promotions_again(&store).await;
    content::concurrent_promotions(&store).await;
    uploads::unfinished_sinks(&store).await;
    uploads::limits(&store).await;
    uploads::aborted_streams(&store).await;
    uploads::dropped_futures(&store).await;
    uploads::guards(&store).await;
    uploads::manifests(&store).await;
    uploads::decoders(&store).await;
    uploads::sweeping(&store).await;
    store.check().await.expect("still ready");
}

/// Bytes that look random and are the same every time.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ length as u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// The address of `content`.
pub fn key(content: &[u8]) -> BlobKey {
    let mut hasher = Hasher::new(&[]);
    hasher.update(content);
    hasher.finish().sha256.into()
}

/// Stores `content`, without the pipeline.
pub async fn put(store: &dyn BlobStore, content: &[u8]) -> BlobKey {
    let id = fresh();
    let mut sink = store.create_staging(id).await.expect("new id");
    let bytes = content.to_vec();
    blocking(move || {
        sink.write_all(&bytes).expect("room");
        sink.finish().expect("room");
    })
    .await;
    let key = key(content);
    store.promote(id, key).await.expect("staged");
    key
}

/// What blocks may wait for the runtime, as a store behind a network does: it has a thread of its own.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    task::spawn_blocking(work).await.expect("no panic")
}

fn fresh() -> StagingId {
    StagingId::random().expect("randomness")
}

fn request(id: StagingId) -> StageRequest<'static> {
    StageRequest { id, limit: u64::MAX, algorithms: &[DigestAlgorithm::Md5, DigestAlgorithm::Sha512] }
}

fn frames(content: &[u8]) -> Vec<Result<Bytes, Infallible>> {
    content.chunks(60_000).map(|frame| Ok(Bytes::copy_from_slice(frame))).collect()
}

async fn staged(store: &Store, content: &[u8]) -> StagedGuard {
    stage(store, request(fresh()), stream::iter(frames(content))).await.expect("staged")
}

async fn open_blob(store: &Store, key: BlobKey) -> crate::Result<Box<dyn ReadSeek>> {
    let store = Arc::clone(store);
    blocking(move || store.open_blob(key)).await
}

async fn is_staged(store: &Store, id: StagingId) -> bool {
    let store = Arc::clone(store);
    match blocking(move || store.open_staged(id)).await {
        Ok(_) => true,
        Err(BlobError::NotFound) => false,
        Err(error) => panic!("{error}"),
    }
}

/// Whether the id can be used for a new upload, which shows that nothing at all is left of the one before.
async fn is_free(store: &Store, id: StagingId) -> bool {
    match store.create_staging(id).await {
        Ok(_) => true,
        Err(BlobError::AlreadyStaged) => false,
        Err(error) => panic!("{error}"),
    }
}

async fn becomes_free(store: &Store, id: StagingId) {
    for _ in 0..500 {
        if is_free(store, id).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("upload {id} is still there");
}
