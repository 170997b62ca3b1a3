//! Content: how it gets to its address, and how it is read from there.

use std::{
    io::{Read as _, Seek as _, SeekFrom},
    sync::Arc,
};

use bytes::Bytes;
use domain::rules::{Content as _, ReadSeek};
use futures::{StreamExt as _, future};

use super::{
    LARGE, LARGE_U64, Store, blocking, fresh, is_free, is_staged, key, noise, open_blob, put, request, staged,
};
use crate::{BlobError, BlobKey, Hasher, ListedBlob, StagedContent, StagedGuard};

pub(super) async fn absent_things(store: &Store) {
    let absent = key(b"never stored");
    assert!(matches!(store.get(absent, None).await, Err(BlobError::NotFound)));
    assert!(matches!(store.get(absent, Some(0..1)).await, Err(BlobError::NotFound)));
    assert_eq!(store.size(absent).await.expect("reachable"), None);
    store.delete(absent).await.expect("nothing to do");
    assert!(!is_staged(store, fresh()).await);
    assert!(matches!(open_blob(store, absent).await, Err(BlobError::NotFound)));
    assert!(store.get_manifest(fresh()).await.expect("reachable").is_none());
    store.remove_staged(fresh()).await.expect("nothing to do");
    assert!(matches!(store.promote(fresh(), absent).await, Err(BlobError::NotFound)));
    assert_eq!(store.size(absent).await.expect("reachable"), None);
}

pub(super) async fn read(store: &Store, key: BlobKey) -> Bytes {
    let body = store.get(key, None).await.expect("stored");
    body.collect(u64::MAX).await.expect("readable")
}

pub(super) async fn upload_to_deletion(store: &Store, size: usize) {
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
        let shared = shared.clone();
        let bytes = blocking(move || {
            let mut bytes = Vec::new();
            shared.open().expect("staged").read_to_end(&mut bytes).expect("readable");
            bytes
        });
        assert!(bytes.await == content, "an inspector reads what was sent");
    }

    let key = guard.promote().await.expect("staged").key();
    assert!(!is_staged(store, id).await);
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

/// Everything in pages of two, as it is now.
async fn list_all(store: &Store) -> Vec<ListedBlob> {
    let mut all: Vec<ListedBlob> = Vec::new();
    loop {
        let page = store.list(all.last().map(|listed| listed.key), 2).await.expect("reachable");
        assert!(page.len() <= 2, "no more than was asked for");
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

pub(super) async fn listing(store: &Store) {
    let contents: Vec<_> = (0..5).map(|number| noise(100 + number)).collect();
    let mut keys = Vec::new();
    for content in &contents {
        keys.push(put(&**store, content).await);
    }
    let unpublished = staged(store, &noise(200)).await.disarm();
    let all = list_all(store).await;
    assert!(all.is_sorted_by(|one, other| one.key < other.key), "in the order of keys, each once");
    for (content, key) in contents.iter().zip(&keys) {
        let listed = all.iter().find(|listed| listed.key == *key).expect("what is stored is listed");
        assert_eq!(listed.size, content.len() as u64);
        assert!(listed.age < std::time::Duration::from_hours(1), "{:?}", listed.age);
    }
    assert!(all.iter().all(|listed| listed.key != unpublished.key()), "what is staged is no content yet");
    store.remove_staged(unpublished.id).await.expect("staged");
    store.delete(keys[2]).await.expect("stored");
    let after = list_all(store).await;
    assert_eq!(after.len(), all.len() - 1);
    assert!(after.iter().all(|listed| listed.key != keys[2]));
    for key in keys {
        store.delete(key).await.expect("stored, or gone");
    }
}

pub(super) async fn partial_reads(store: &Store) {
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

/// Content that is staged and content that is stored read alike, from any place: as archives are read.
pub(super) async fn seeking(store: &Store) {
    let content = noise(LARGE);
    let guard = staged(store, &content).await;
    let (shared, id) = (Arc::clone(store), guard.id);
    let opened = blocking(move || shared.open_staged(id)).await.expect("staged");
    let content = blocking(move || jump_about(opened, content)).await;
    let key = guard.promote().await.expect("staged").key();
    let opened = open_blob(store, key).await.expect("stored");
    blocking(move || jump_about(opened, content)).await;
    store.delete(key).await.expect("stored");
    assert!(matches!(open_blob(store, key).await, Err(BlobError::NotFound)));
}

fn jump_about(mut opened: Box<dyn ReadSeek>, content: Vec<u8>) -> Vec<u8> {
    let places = [
        (SeekFrom::End(-22), LARGE - 22, 22), // where a ZIP archive has its directory
        (SeekFrom::Start(0), 0, 300_000),
        (SeekFrom::Current(-150_000), 150_000, 5),
        (SeekFrom::Current(500_000), 650_005, LARGE - 650_005),
        (SeekFrom::Start(7), 7, 1),
        (SeekFrom::Start(LARGE_U64), LARGE, 0),
    ];
    for (place, start, length) in places {
        assert_eq!(opened.seek(place).expect("within"), start as u64);
        let mut bytes = vec![0; length];
        opened.read_exact(&mut bytes).expect("readable");
        assert!(bytes == content[start..start + length], "{place:?}");
    }
    assert_eq!(opened.seek(SeekFrom::Start(LARGE_U64 + 9)).expect("allowed"), LARGE_U64 + 9);
    assert_eq!(opened.read(&mut [0; 9]).expect("nothing there"), 0);
    assert!(opened.seek(SeekFrom::Current(-4_000_000)).is_err(), "before the start");
    opened.rewind().expect("allowed");
    let mut all = Vec::new();
    opened.read_to_end(&mut all).expect("readable");
    assert!(all == content);
    content
}

pub(super) async fn promotions_again(store: &Store) {
    let content = noise(1000);
    let (first, second) = (staged(store, &content).await.disarm(), staged(store, &content).await.disarm());
    store.promote(first.id, first.key()).await.expect("staged");
    store.promote(first.id, first.key()).await.expect("there already");
    store.promote(second.id, second.key()).await.expect("the same content");
    assert!(!is_staged(store, second.id).await, "nothing is left of the second upload");
    assert!(read(store, first.key()).await == content);
    store.delete(first.key()).await.expect("stored");
    let outcome = store.promote(first.id, first.key()).await;
    assert!(matches!(outcome, Err(BlobError::NotFound)), "neither staged nor stored");
}

pub(super) async fn concurrent_promotions(store: &Store) {
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

/// Any range reads what the same slice of the content holds, or is refused when there is no such slice.
#[cfg(test)]
pub(crate) fn ranges(store: Store) {
    use proptest::prelude::*;

    const SIZE: usize = 1_200_000;
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build().expect("threads");
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
