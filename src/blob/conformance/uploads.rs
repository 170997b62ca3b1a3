//! Uploads: what becomes of those that end well, and that nothing is left of the others.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, stream};

use super::{
    LARGE, LARGE_U64, Store, becomes_free, blocking, content::read, frames, fresh, is_free, is_staged, key,
    noise, put, request, staged,
};
use crate::{BlobError, MANIFEST_LIMIT, StageError, StageRequest, StageWriter, Staged, stage};

pub(super) async fn unfinished_sinks(store: &Store) {
    let id = fresh();
    let mut sink = store.create_staging(id).await.expect("new id");
    let sink = blocking(move || sink.write_all(b"unfinished").map(|()| sink)).await.expect("room");
    assert!(matches!(store.create_staging(id).await, Err(BlobError::AlreadyStaged)), "ids are exclusive");
    assert!(!is_staged(store, id).await, "not to be opened before it is finished");
    let outcome = store.promote(id, key(b"unfinished")).await;
    assert!(matches!(outcome, Err(BlobError::NotFound)), "not to be promoted before it is finished");
    drop(sink);
    assert!(is_free(store, id).await, "dropping takes everything back");

    let sink = store.create_staging(id).await.expect("free again");
    blocking(move || sink.finish()).await.expect("room");
    assert!(matches!(store.create_staging(id).await, Err(BlobError::AlreadyStaged)), "finished ids too");
    store.remove_staged(id).await.expect("staged");
    assert!(is_free(store, id).await);
}

pub(super) async fn limits(store: &Store) {
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

pub(super) async fn aborted_streams(store: &Store) {
    for sent in [0, 10, LARGE] {
        let id = fresh();
        let content = noise(sent);
        let sent = frames(&content).into_iter().map(|frame| frame.map_err(|never| match never {}));
        let outcome = stage(store, request(id), stream::iter(sent.chain([Err("reset by peer")]))).await;
        assert!(matches!(outcome.err().expect("aborted"), StageError::Interrupted("reset by peer")));
        assert!(is_free(store, id).await, "nothing is left");
    }
}

pub(super) async fn dropped_futures(store: &Store) {
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

pub(super) async fn guards(store: &Store) {
    let guard = staged(store, b"dropped").await;
    let id = guard.id;
    drop(guard);
    becomes_free(store, id).await;

    let guard = staged(store, b"dropped outside of the runtime").await;
    let id = guard.id;
    std::thread::spawn(move || drop(guard)).join().expect("no panic");
    becomes_free(store, id).await;
}

pub(super) async fn manifests(store: &Store) {
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

pub(super) async fn decoders(store: &Store) {
    let id = fresh();
    let sink = store.create_staging(id).await.expect("new id");
    let decoded = blocking(move || {
        let mut writer = StageWriter::new(sink, 5, &[]);
        std::io::copy(&mut b"12345".as_slice(), &mut writer).expect("within the limit");
        writer.finish()
    });
    let (size, digests) = decoded.await.expect("room");
    assert_eq!((size, digests.sha256), (5, key(b"12345").sha256()));
    drop(Staged { id, size, digests }.guard(Arc::clone(store)));
    becomes_free(store, id).await;

    let sink = store.create_staging(id).await.expect("free again");
    let decoded = blocking(move || {
        let mut writer = StageWriter::new(sink, 5, &[]);
        let outcome = std::io::copy(&mut b"123456".as_slice(), &mut writer);
        (writer, outcome.expect_err("over the limit"))
    });
    let (writer, error) = decoded.await;
    assert!(matches!(BlobError::from(error), BlobError::TooLarge { limit: 5 }));
    assert!(is_free(store, id).await, "nothing is left, even before the writer is dropped");
    assert!(blocking(move || writer.finish()).await.is_err(), "and there is no going on");
}

pub(super) async fn sweeping(store: &Store) {
    let kept = staged(store, b"swept").await.keep("user 7").await.expect("room");
    let stored = put(&**store, b"not swept").await;
    assert_eq!(store.sweep_staging(Duration::from_hours(1)).await.expect("reachable"), 0, "too young");
    assert!(is_staged(store, kept.id).await);
    assert_eq!(store.sweep_staging(Duration::ZERO).await.expect("reachable"), 1);
    assert!(is_free(store, kept.id).await);
    assert!(Staged::load(&**store, kept.id).await.expect("reachable").is_none());
    assert!(read(store, stored).await == b"not swept".as_slice());
    store.delete(stored).await.expect("stored");
}
