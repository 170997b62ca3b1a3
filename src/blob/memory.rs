//! A store in memory, for tests.

use std::{
    collections::{BTreeMap, HashMap, HashSet, btree_map::Entry},
    io::Cursor,
    ops::{Bound, Range},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use domain::rules::ReadSeek;
use futures::{
    future::{self, BoxFuture, FutureExt as _},
    stream::{self, StreamExt as _},
};

use crate::{
    BlobBody, BlobError, BlobKey, BlobStore, ListedBlob, MANIFEST_LIMIT, Result, StageSink, StagingId,
    body::{PIECE, resolve},
};

/// Keeps bytes in memory, with the semantics of the real stores. Not for production: it holds everything.
#[derive(Clone, Default)]
pub struct MemoryStore {
    shelves: Arc<Mutex<Shelves>>,
}

#[derive(Default)]
struct Shelves {
    blobs: BTreeMap<BlobKey, (Bytes, Instant)>,
    /// Uploads under way.
    open: HashSet<StagingId>,
    staged: HashMap<StagingId, (Bytes, Instant)>,
    manifests: HashMap<StagingId, (Bytes, Instant)>,
}

impl MemoryStore {
    /// A store with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Uploads that are staged or under way: what a test expects to be none at its end.
    pub fn staged_count(&self) -> usize {
        let shelves = lock(&self.shelves);
        shelves.open.len() + shelves.staged.len()
    }

    /// Contents stored for good.
    pub fn blob_count(&self) -> usize {
        lock(&self.shelves).blobs.len()
    }

    fn now<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Shelves) -> Result<T>,
    ) -> BoxFuture<'static, Result<T>> {
        future::ready(work(&mut lock(&self.shelves))).boxed()
    }
}

fn lock(shelves: &Mutex<Shelves>) -> MutexGuard<'_, Shelves> {
    shelves.lock().unwrap_or_else(PoisonError::into_inner)
}

impl BlobStore for MemoryStore {
    fn create_staging(&self, id: StagingId) -> BoxFuture<'_, Result<Box<dyn StageSink>>> {
        let store = Arc::clone(&self.shelves);
        self.now(move |shelves| {
            if shelves.staged.contains_key(&id) || !shelves.open.insert(id) {
                return Err(BlobError::AlreadyStaged);
            }
            Ok(Box::new(MemorySink { shelves: store, id, bytes: Vec::new() }) as Box<dyn StageSink>)
        })
    }

    fn put_manifest(&self, id: StagingId, manifest: Bytes) -> BoxFuture<'_, Result<()>> {
        self.now(|shelves| {
            if manifest.len() > MANIFEST_LIMIT {
                return Err(BlobError::TooLarge { limit: MANIFEST_LIMIT as u64 });
            }
            shelves.manifests.insert(id, (manifest, Instant::now()));
            Ok(())
        })
    }

    fn get_manifest(&self, id: StagingId) -> BoxFuture<'_, Result<Option<Bytes>>> {
        self.now(|shelves| Ok(shelves.manifests.get(&id).map(|(manifest, _)| manifest.clone())))
    }

    fn open_staged(&self, id: StagingId) -> Result<Box<dyn ReadSeek>> {
        match lock(&self.shelves).staged.get(&id) {
            Some((bytes, _)) => Ok(Box::new(Cursor::new(bytes.clone()))),
            None => Err(BlobError::NotFound),
        }
    }

    fn promote(&self, id: StagingId, key: BlobKey) -> BoxFuture<'_, Result<()>> {
        self.now(|shelves| match (shelves.staged.remove(&id), shelves.blobs.entry(key)) {
            (Some((bytes, _)), entry) => {
                entry.insert_entry((bytes, Instant::now()));
                Ok(())
            }
            (None, Entry::Occupied(_)) => Ok(()),
            (None, Entry::Vacant(_)) => Err(BlobError::NotFound),
        })
    }

    fn remove_staged(&self, id: StagingId) -> BoxFuture<'_, Result<()>> {
        self.now(|shelves| {
            shelves.staged.remove(&id);
            shelves.manifests.remove(&id);
            Ok(())
        })
    }

    fn get(&self, key: BlobKey, range: Option<Range<u64>>) -> BoxFuture<'_, Result<BlobBody>> {
        self.now(|shelves| {
            let (bytes, _) = shelves.blobs.get(&key).ok_or(BlobError::NotFound)?;
            let range = resolve(range, bytes.len() as u64)?;
            let index = |offset: u64| usize::try_from(offset).expect("within a slice");
            let part = bytes.slice(index(range.start)..index(range.end));
            if part.len() <= PIECE {
                return Ok(BlobBody::Full(part));
            }
            let length = part.len() as u64;
            let pieces = stream::unfold(part, async |mut rest| {
                let piece = rest.split_to(rest.len().min(PIECE));
                (!piece.is_empty()).then_some((Ok(piece), rest))
            });
            Ok(BlobBody::Stream { length, pieces: pieces.boxed() })
        })
    }

    fn open_blob(&self, key: BlobKey) -> Result<Box<dyn ReadSeek>> {
        match lock(&self.shelves).blobs.get(&key) {
            Some((bytes, _)) => Ok(Box::new(Cursor::new(bytes.clone()))),
            None => Err(BlobError::NotFound),
        }
    }

    fn size(&self, key: BlobKey) -> BoxFuture<'_, Result<Option<u64>>> {
        self.now(|shelves| Ok(shelves.blobs.get(&key).map(|(bytes, _)| bytes.len() as u64)))
    }

    fn delete(&self, key: BlobKey) -> BoxFuture<'_, Result<()>> {
        self.now(|shelves| {
            shelves.blobs.remove(&key);
            Ok(())
        })
    }

    fn list(&self, after: Option<BlobKey>, limit: usize) -> BoxFuture<'_, Result<Vec<ListedBlob>>> {
        self.now(|shelves| {
            let start = after.map_or(Bound::Unbounded, Bound::Excluded);
            let rest = shelves.blobs.range((start, Bound::Unbounded)).take(limit.max(1));
            let listed = rest.map(|(key, (bytes, since))| ListedBlob {
                key: *key,
                size: bytes.len() as u64,
                age: since.elapsed(),
            });
            Ok(listed.collect())
        })
    }

    fn sweep_staging(&self, older_than: Duration) -> BoxFuture<'_, Result<usize>> {
        self.now(|shelves| {
            let mut swept = HashSet::new();
            for shelf in [&mut shelves.staged, &mut shelves.manifests] {
                swept.extend(
                    shelf.extract_if(|_, (_, since)| since.elapsed() >= older_than).map(|(id, _)| id),
                );
            }
            Ok(swept.len())
        })
    }

    fn check(&self) -> BoxFuture<'_, Result<()>> {
        future::ready(Ok(())).boxed()
    }
}

struct MemorySink {
    shelves: Arc<Mutex<Shelves>>,
    id: StagingId,
    bytes: Vec<u8>,
}

impl StageSink for MemorySink {
    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        let bytes = std::mem::take(&mut self.bytes).into();
        lock(&self.shelves).staged.insert(self.id, (bytes, Instant::now()));
        Ok(())
    }
}

impl Drop for MemorySink {
    fn drop(&mut self) {
        lock(&self.shelves).open.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[tokio::test]
    async fn conforms() {
        let store = MemoryStore::new();
        conformance::conformance(Arc::new(store.clone())).await;
        assert_eq!(store.staged_count(), 0, "the suite leaves nothing staged");
        assert_eq!(store.blob_count(), 0, "the suite leaves nothing stored");
    }

    #[test]
    fn ranges_read_what_slices_hold() {
        conformance::ranges(Arc::new(MemoryStore::new()));
    }
}
