//! What every implementation of [`BlobStore`] has to do, as one suite for all of them.

use std::{convert::Infallible, io::Read as _, sync::Arc, time::Duration};

use bytes::Bytes;
use domain::{DigestAlgorithm, rules::Content as _};
use futures::{StreamExt as _, future, stream};

use crate::{
    BlobError, BlobKey, BlobStore, Hasher, MANIFEST_LIMIT, StageError, StageRequest, StageWriter, Staged,
    StagedContent, StagedGuard, StagingId, stage,
};

type Store = Arc<dyn BlobStore>;

const LARGE: usize = 3 * 1024 * 1024 + 17;

/// Runs the suite. The store may hold content, but nobody else may be uploading: everything staged is swept away.
/// Panics where the store does not conform.
pub async fn conformance(store: Store) {
    store.check().await.expect("ready");
    absent_things(&store).await;
    for size in [0, 1, 256 * 1024, 256 * 1024 + 1, LARGE] {
        upload_to_deletion(&store, size).await;
    }
    partial_reads(&store).await;
    promotions_again(&store).await;
    concurrent_promotions(&store).await;
    unfinished_sinks(&store).await;
    limits(&store).await;
    aborted_streams(&store).await;
    dropped_futures(&store).await;
    guards(&store).await;
    manifests(&store).await;
    decoders(&store).await;
    sweeping(&store).await;
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
    sink.write_all(content).expect("room");
    sink.finish().expect("room");
    let key = key(content);
    store.promote(id, key).await.expect("staged");
    key
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

async fn read(store: &Store, key: BlobKey) -> Bytes {
    let body = store.get(key, None).await.expect("stored");
    body.collect(u64::MAX).await.expect("readable")
}

fn is_staged(store: &Store, id: StagingId) -> bool {
    match store.open_staged(id) {
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

async fn absent_things(store: &Store) {
    let absent = key(b"never stored");
    assert!(matches!(store.get(absent, None).await, Err(BlobError::NotFound)));
    assert!(matches!(store.get(absent, Some(0..1)).await, Err(BlobError::NotFound)));
    assert_eq!(store.size(absent).await.expect("reachable"), None);
    store.delete(absent).await.expect("nothing to do");
    assert!(!is_staged(store, fresh()));
    assert!(store.get_manifest(fresh()).await.expect("reachable").is_none());
    store.remove_staged(fresh()).await.expect("nothing to do");
    assert!(matches!(store.promote(fresh(), absent).await, Err(BlobError::NotFound)));
    assert_eq!(store.size(absent).await.expect("reachable"), None);
}

async fn upload_to_deletion(store: &Store, size: usize) {
    let content = noise(size);
    let guard = staged(store, &content).await;
    let id = guard.id;
    let mut expected = Hasher::new(request(id).algorithms);
    expected.update(&content);
    assert_eq!(guard.digests, expected.finish());
    assert_eq!(guard.size, size as u64);
    assert_eq!(store.size(guard.key()).await.expect("reachable"), None, "not visible before its promotion");

    let shared = StagedContent { store: Arc::clone(store), id };
    for _ in 0..2 {
        let mut bytes = Vec::new();
        shared.open().expect("staged").read_to_end(&mut bytes).expect("readable");
        assert!(bytes == content, "an inspector reads what was sent");
    }

    let key = guard.promote().await.expect("staged").key();
    assert!(!is_staged(store, id));
    assert_eq!(store.size(key).await.expect("reachable"), Some(size as u64));
    let body = store.get(key, None).await.expect("stored");
    assert_eq!((body.len(), body.is_empty()), (size as u64, size == 0));
    let pieces: Vec<_> = body.into_stream().collect().await;
    let pieces: Vec<_> = pieces.into_iter().map(|piece| piece.expect("readable")).collect();
    assert!(pieces.concat() == content, "{size} bytes come back as they were");
    assert!(pieces.iter().all(|piece| !piece.is_empty() && piece.len() <= 1024 * 1024));

    let reading = store.get(key, None).await.expect("stored");
    store.delete(key).await.expect("stored");
    assert!(reading.collect(u64::MAX).await.expect("readable") == content, "reads outlive a deletion");
    assert_eq!(store.size(key).await.expect("reachable"), None);
    assert!(matches!(store.get(key, None).await, Err(BlobError::NotFound)));
}

async fn partial_reads(store: &Store) {
    let content = noise(LARGE);
    let key = put(&**store, &content).await;
    let piece = 256 * 1024;
    for range in
        [0..0, 0..1, LARGE - 1..LARGE, LARGE..LARGE, 5..piece + 5, 5..piece + 6, piece..LARGE, 0..LARGE]
    {
        let body = store.get(key, Some(range.start as u64..range.end as u64)).await.expect("within");
        assert_eq!(body.len(), range.len() as u64);
        assert!(body.collect(LARGE as u64).await.expect("readable") == content[range.clone()], "{range:?}");
    }
    let size = LARGE as u64;
    let backwards = std::ops::Range { start: 2, end: 1 };
    for refused in [0..size + 1, size + 1..size + 1, backwards, u64::MAX - 1..u64::MAX, 0..u64::MAX] {
        let outcome = store.get(key, Some(refused.clone())).await;
        assert!(matches!(outcome, Err(BlobError::OutOfRange { size: LARGE_U64 })), "{refused:?}");
    }
    let mut dropped = store.get(key, None).await.expect("stored").into_stream();
    dropped.next().await.expect("a first piece").expect("readable");
    drop(dropped);
    let refused = store.get(key, None).await.expect("stored").collect(size - 1).await;
    assert!(matches!(refused, Err(BlobError::TooLarge { .. })));
    store.delete(key).await.expect("stored");
}

const LARGE_U64: u64 = LARGE as u64;

async fn promotions_again(store: &Store) {
    let content = noise(1000);
    let (first, second) = (staged(store, &content).await.disarm(), staged(store, &content).await.disarm());
    store.promote(first.id, first.key()).await.expect("staged");
    store.promote(first.id, first.key()).await.expect("there already");
    store.promote(second.id, second.key()).await.expect("the same content");
    assert!(!is_staged(store, second.id), "nothing is left of the second upload");
    assert!(read(store, first.key()).await == content);
    store.delete(first.key()).await.expect("stored");
    let outcome = store.promote(first.id, first.key()).await;
    assert!(matches!(outcome, Err(BlobError::NotFound)), "neither staged nor stored");
}

async fn concurrent_promotions(store: &Store) {
    let content = noise(LARGE);
    let guards = future::join_all((0..8).map(|_| staged(store, &content))).await;
    let promoted = future::join_all(guards.into_iter().map(StagedGuard::promote)).await;
    for outcome in promoted {
        let staged = outcome.expect("every one of them");
        assert!(is_free(store, staged.id).await);
    }
    assert!(read(store, key(&content)).await == content);
    store.delete(key(&content)).await.expect("stored");
}

async fn unfinished_sinks(store: &Store) {
    let id = fresh();
    let mut sink = store.create_staging(id).await.expect("new id");
    sink.write_all(b"unfinished").expect("room");
    assert!(matches!(store.create_staging(id).await, Err(BlobError::AlreadyStaged)), "ids are exclusive");
    assert!(!is_staged(store, id), "not to be opened before it is finished");
    let outcome = store.promote(id, key(b"unfinished")).await;
    assert!(matches!(outcome, Err(BlobError::NotFound)), "not to be promoted before it is finished");
    drop(sink);
    assert!(is_free(store, id).await, "dropping takes everything back");

    store.create_staging(id).await.expect("free again").finish().expect("room");
    assert!(matches!(store.create_staging(id).await, Err(BlobError::AlreadyStaged)), "finished ids too");
    store.remove_staged(id).await.expect("staged");
    assert!(is_free(store, id).await);
}

async fn limits(store: &Store) {
    let content = noise(LARGE);
    for limit in [0, 1, 60_000, LARGE_U64 - 1] {
        let id = fresh();
        let request = StageRequest { limit, ..request(id) };
        let endless = stream::iter(frames(&content)).chain(stream::pending());
        let refused = tokio::time::timeout(Duration::from_secs(20), stage(store, request, endless)).await;
        let outcome = refused.expect("without waiting for the end").err().expect("too large");
        assert!(matches!(outcome, StageError::Store(BlobError::TooLarge { limit: told }) if told == limit));
        assert!(is_free(store, id).await, "nothing is left");
    }
    let exact = StageRequest { limit: LARGE_U64, ..request(fresh()) };
    stage(store, exact, stream::iter(frames(&content))).await.expect("exactly the limit").disarm();
    store.sweep_staging(Duration::ZERO).await.expect("reachable");
}

async fn aborted_streams(store: &Store) {
    for sent in [0, 10, LARGE] {
        let id = fresh();
        let content = noise(sent);
        let sent = frames(&content).into_iter().map(|frame| frame.map_err(|never| match never {}));
        let outcome = stage(store, request(id), stream::iter(sent.chain([Err("reset by peer")]))).await;
        assert!(matches!(outcome.err().expect("aborted"), StageError::Interrupted("reset by peer")));
        assert!(is_free(store, id).await, "nothing is left");
    }
}

async fn dropped_futures(store: &Store) {
    let content = noise(LARGE);
    for frames_sent in [0, 1, 20, 50] {
        let id = fresh();
        let sent = frames(&content).into_iter().take(frames_sent);
        let uploading = stage(store, request(id), stream::iter(sent).chain(stream::pending()));
        tokio::time::timeout(Duration::from_millis(20), uploading).await.err().expect("never ends");
        becomes_free(store, id).await;
    }
    // Dropped at any point, that of the last write included.
    for delay in 0..20 {
        let id = fresh();
        let uploading = stage(store, request(id), stream::iter(frames(&content[..100_000])));
        drop(tokio::time::timeout(Duration::from_micros(delay * 100), uploading).await);
        becomes_free(store, id).await;
    }
}

async fn guards(store: &Store) {
    let guard = staged(store, b"dropped").await;
    let id = guard.id;
    drop(guard);
    becomes_free(store, id).await;

    let guard = staged(store, b"dropped outside of the runtime").await;
    let id = guard.id;
    std::thread::spawn(move || drop(guard)).join().expect("no panic");
    becomes_free(store, id).await;
}

async fn manifests(store: &Store) {
    let kept = staged(store, b"kept").await.keep("user 7").await.expect("room");
    let found = Staged::load(&**store, kept.id).await.expect("reachable").expect("kept");
    assert_eq!((&found.staged, found.owner.as_str()), (&kept, "user 7"));
    store.promote(kept.id, kept.key()).await.expect("staged");
    assert!(Staged::load(&**store, kept.id).await.expect("reachable").is_some(), "for trying again");
    store.remove_staged(kept.id).await.expect("reachable");
    assert!(Staged::load(&**store, kept.id).await.expect("reachable").is_none());
    assert!(read(store, kept.key()).await == b"kept".as_slice(), "content stays");
    store.delete(kept.key()).await.expect("stored");

    let id = fresh();
    let refused = store.put_manifest(id, vec![b' '; MANIFEST_LIMIT + 1].into()).await;
    assert!(matches!(refused, Err(BlobError::TooLarge { .. })));
    store.put_manifest(id, "not a manifest".into()).await.expect("room");
    assert!(matches!(Staged::load(&**store, id).await, Err(BlobError::Corrupt(_))));
    store.remove_staged(id).await.expect("reachable");
}

async fn decoders(store: &Store) {
    let id = fresh();
    let sink = store.create_staging(id).await.expect("new id");
    let mut writer = StageWriter::new(sink, 5, &[]);
    std::io::copy(&mut b"12345".as_slice(), &mut writer).expect("within the limit");
    let (size, digests) = writer.finish().expect("room");
    assert_eq!((size, digests.sha256), (5, key(b"12345").sha256()));
    drop(Staged { id, size, digests }.guard(Arc::clone(store)));
    becomes_free(store, id).await;

    let sink = store.create_staging(id).await.expect("free again");
    let mut writer = StageWriter::new(sink, 5, &[]);
    let error = std::io::copy(&mut b"123456".as_slice(), &mut writer).expect_err("over the limit");
    assert!(matches!(BlobError::from(error), BlobError::TooLarge { limit: 5 }));
    assert!(is_free(store, id).await, "nothing is left, even before the writer is dropped");
    assert!(writer.finish().is_err(), "and there is no going on");
}

async fn sweeping(store: &Store) {
    let kept = staged(store, b"swept").await.keep("user 7").await.expect("room");
    let stored = put(&**store, b"not swept").await;
    assert_eq!(store.sweep_staging(Duration::from_hours(1)).await.expect("reachable"), 0, "too young");
    assert!(is_staged(store, kept.id));
    assert_eq!(store.sweep_staging(Duration::ZERO).await.expect("reachable"), 1);
    assert!(is_free(store, kept.id).await);
    assert!(Staged::load(&**store, kept.id).await.expect("reachable").is_none());
    assert!(read(store, stored).await == b"not swept".as_slice());
    store.delete(stored).await.expect("stored");
}

/// Any range reads what the same slice of the content holds, or is refused when there is no such slice.
#[cfg(test)]
pub(crate) fn ranges(store: Store) {
    use proptest::prelude::*;

    const SIZE: usize = 1_200_000;
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_time().build().expect("threads");
    let content = noise(SIZE);
    let key = runtime.block_on(put(&*store, &content));
    let ends = || 0..SIZE + SIZE / 16;
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(start in ends(), end in ends())| {
        let body = runtime.block_on(store.get(key, Some(start as u64..end as u64)));
        match (content.get(start..end), body) {
            (Some(slice), Ok(body)) => {
                prop_assert_eq!(body.len(), slice.len() as u64);
                let bytes = runtime.block_on(body.collect(SIZE as u64)).expect("readable");
                prop_assert!(bytes == slice);
            }
            (None, Err(BlobError::OutOfRange { size })) => prop_assert_eq!(size, SIZE as u64),
            (slice, body) => panic!("{} but {:?}", slice.is_some(), body.map(|body| body.len())),
        }
    });
}
