//! Several processes on one bucket: each a store of its own here, which know nothing of each other.

use super::*;

async fn replicas() -> Option<(S3Store, S3Store)> {
    let settings = settings()?;
    Some((S3Store::open(settings.clone()).await.unwrap(), S3Store::open(settings).await.unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_has_staged_another_publishes() {
    let Some((one, other)) = replicas().await else { return };
    let content = noise(staging::PART + 5);
    let kept = staged(&one, fresh(), &content).await.unwrap().keep("user:7").await.unwrap();
    drop(one);
    let found = Staged::load(&other, kept.id).await.unwrap().unwrap();
    assert_eq!((&found.staged, found.owner.as_str()), (&kept, "user:7"));
    let (reader, id) = (other.clone(), kept.id);
    let inspected = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        reader.open_staged(id).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    });
    assert!(inspected.await.unwrap() == content);
    other.promote(kept.id, kept.key()).await.unwrap();
    other.remove_staged(kept.id).await.unwrap();
    assert!(read(&other, kept.key()).await == content);
}

/// Otherwise one content would be published under the digest of the other.
#[tokio::test(flavor = "multi_thread")]
async fn one_id_stages_one_content() {
    let Some((one, other)) = replicas().await else { return };
    for (first, second) in [
        (10, 20),
        (10, staging::PART + 20),
        (staging::PART + 10, 20),
        (staging::PART + 10, staging::PART + 20),
    ] {
        let id = fresh();
        // Both begin before one ends.
        let (begun_first, begun_second) =
            (one.create_staging(id).await.unwrap(), other.create_staging(id).await.unwrap());
        let write = |mut sink: Box<dyn StageSink>, size: usize| {
            tokio::task::spawn_blocking(move || {
                sink.write_all(&noise(size))?;
                sink.finish()
            })
        };
        write(begun_first, first).await.unwrap().unwrap();
        let refused = write(begun_second, second).await.unwrap();
        assert!(matches!(refused, Err(BlobError::AlreadyStaged)), "{first} {second}: {refused:?}");
        let key = conformance::key(&noise(first));
        one.promote(id, key).await.unwrap();
        assert!(read(&other, key).await == noise(first));
    }
    nothing_is_pending(&one).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_may_be_made_by_both() {
    let Some((one, other)) = replicas().await else { return };
    for _ in 0..10 {
        let upload = staged(&one, fresh(), &noise(1000)).await.unwrap().disarm();
        let (id, key) = (upload.id, upload.key());
        let (first, second) = futures::join!(one.promote(id, key), other.promote(id, key));
        first.unwrap();
        second.unwrap();
        assert!(read(&other, key).await == noise(1000));
        one.delete(key).await.unwrap();
    }
}
