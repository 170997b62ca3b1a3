//! Against a real server, which `ENTREPOT_TEST_S3_ENDPOINT` names: `.ci/run` starts one.

#![expect(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod broken;
mod replicas;

use std::{
    env,
    io::{Read as _, Write as _},
    net::TcpStream,
};

use domain::{ErrorCode, Failure};

use super::{bucket::Mark, *};
use crate::{
    StageRequest, Staged, StagedGuard,
    conformance::{self, noise},
    stage,
};

/// A new place in the bucket for tests; none when no server is named.
fn settings() -> Option<S3Settings> {
    let Ok(endpoint) = env::var("ENTREPOT_TEST_S3_ENDPOINT") else {
        let _ = writeln!(std::io::stderr(), "skipped: ENTREPOT_TEST_S3_ENDPOINT names no server");
        return None;
    };
    let variable = |name: &str| env::var(name).unwrap_or_else(|_| panic!("{name} belongs to it"));
    Some(S3Settings {
        bucket: variable("ENTREPOT_TEST_S3_BUCKET"),
        // With what has to be escaped somewhere on the way.
        prefix: format!("tests of blob+é/{}", StagingId::random().unwrap()),
        endpoint: Some(endpoint),
        region: "us-east-1".to_owned(),
        credentials: S3Credentials {
            access_key_id: variable("AWS_ACCESS_KEY_ID"),
            secret_access_key: variable("AWS_SECRET_ACCESS_KEY"),
            session_token: None,
        },
        redirects: false,
    })
}

async fn store() -> Option<S3Store> {
    Some(S3Store::open(settings()?).await.unwrap())
}

async fn staged(store: &S3Store, id: StagingId, content: &[u8]) -> crate::Result<StagedGuard> {
    let store: Arc<dyn BlobStore> = Arc::new(store.clone());
    let request = StageRequest { id, limit: u64::MAX, algorithms: &[] };
    let frames = content.chunks(100_000).map(|frame| Ok(Bytes::copy_from_slice(frame)));
    let frames: Vec<std::result::Result<Bytes, std::convert::Infallible>> = frames.collect();
    stage(&store, request, futures::stream::iter(frames)).await.map_err(|error| match error {
        crate::StageError::Store(error) => error,
        crate::StageError::Interrupted(never) => match never {},
    })
}

async fn read(store: &S3Store, key: BlobKey) -> Bytes {
    store.get(key, None).await.unwrap().collect(u64::MAX).await.unwrap()
}

/// Multipart uploads that the bucket knows of.
async fn pending(store: &S3Store) -> usize {
    let bucket = &store.bucket;
    let list = bucket.client.list_multipart_uploads().bucket(&bucket.name).prefix(bucket.prefix());
    list.send().await.unwrap().uploads().len()
}

async fn nothing_is_pending(store: &S3Store) {
    for _ in 0..500 {
        if pending(store).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("parts of an upload are still there");
}

fn fresh() -> StagingId {
    StagingId::random().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn conforms() {
    let Some(store) = store().await else { return };
    conformance::conformance(Arc::new(store.clone())).await;
    nothing_is_pending(&store).await;
    let bucket = &store.bucket;
    let list = bucket.client.list_objects_v2().bucket(&bucket.name).prefix(bucket.prefix());
    let left = list.send().await.unwrap().contents.unwrap();
    let left: Vec<_> = left.into_iter().filter_map(|object| object.key).collect();
    assert_eq!(left, [bucket.version()], "the suite leaves nothing");
}

#[test]
fn ranges_read_what_slices_hold() {
    let Some(settings) = settings() else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = runtime.block_on(S3Store::open(settings)).unwrap();
    conformance::ranges(Arc::new(store));
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_end_where_they_end() {
    let Some(store) = store().await else { return };
    for size in [staging::PART - 1, staging::PART, staging::PART + 1, 2 * staging::PART] {
        let content = noise(size);
        let key = staged(&store, fresh(), &content).await.unwrap().promote().await.unwrap().key();
        assert!(read(&store, key).await == content, "{size}");
    }
    nothing_is_pending(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_for_one_request_is_copied_in_parts() {
    let Some(store) = store().await else { return };
    let content = noise(2 * staging::PART + 77);
    let upload = staged(&store, fresh(), &content).await.unwrap().disarm();
    let (id, key) = (upload.id, upload.key());
    promote::copy(&store.bucket, id, key, staging::PART as u64).await.unwrap();
    assert!(read(&store, key).await == content);
    nothing_is_pending(&store).await;
    store.promote(id, key).await.unwrap();
    assert!(read(&store, key).await == content);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_leaves_no_parts() {
    let Some(store) = store().await else { return };
    let id = fresh();
    let mut sink = store.create_staging(id).await.unwrap();
    let content = noise(3 * staging::PART);
    let sink =
        tokio::task::spawn_blocking(move || sink.write_all(&content).map(|()| sink)).await.unwrap().unwrap();
    assert_eq!(pending(&store).await, 1, "it goes by parts");
    drop(sink);
    nothing_is_pending(&store).await;

    // By a process that has no time to give it up.
    let mut lost = multipart::Multipart::begin(&store.bucket, store.bucket.staged(id)).await.unwrap();
    lost.send(Bytes::from_static(b"part")).await.unwrap();
    std::mem::forget(lost);
    assert_eq!(pending(&store).await, 1);
    assert_eq!(store.sweep_staging(Duration::from_hours(1)).await.unwrap(), 0, "too young");
    assert_eq!(store.sweep_staging(Duration::ZERO).await.unwrap(), 1);
    assert_eq!(pending(&store).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_known_again_by_whoever_wrote_it() {
    let Some(store) = store().await else { return };
    let (bucket, object) = (&store.bucket, store.bucket.staged(fresh()));
    bucket.put_new(&object, Bytes::from_static(b"first")).await.unwrap();
    let again = bucket.put_new(&object, Bytes::from_static(b"second")).await;
    assert!(matches!(again, Err(BlobError::AlreadyStaged)));
    let stranger = bucket.is_ours(&object, &Mark::random().unwrap()).await;
    assert!(matches!(stranger, Err(BlobError::AlreadyStaged)));
}

#[tokio::test(flavor = "multi_thread")]
async fn opens_again_and_refuses_another_layout() {
    let Some(settings) = settings() else { return };
    let unmade = S3Store::new(settings.clone());
    unmade.check().await.unwrap();
    for _ in 0..2 {
        S3Store::open(settings.clone()).await.unwrap();
    }
    let version = unmade.bucket.version();
    unmade.bucket.put(&version, Bytes::from_static(b"2\n")).await.unwrap();
    for refused in [S3Store::open(settings).await.err().unwrap(), unmade.check().await.unwrap_err()] {
        assert!(matches!(&refused, BlobError::UnknownLayout { found, .. } if found == "2"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_wrong_is_said_and_clients_are_not_told() {
    let Some(right) = settings() else { return };
    let bucket = S3Settings { bucket: "no-such-bucket".to_owned(), ..right.clone() };
    let endpoint = S3Settings { endpoint: Some("http://127.0.0.1:1".to_owned()), ..right.clone() };
    let mut secret = right.clone();
    secret.credentials.secret_access_key = "wrong-and-secret".to_owned();
    let mut key = right.clone();
    key.credentials.access_key_id = "NOBODY".to_owned();
    for (settings, expected) in [
        (bucket, "the bucket does not exist (NoSuchBucket)"),
        (endpoint, "the server cannot be reached: connection refused"),
        (secret, "the secret access key is wrong (SignatureDoesNotMatch)"),
        (key, "the access key is not known there (InvalidAccessKeyId)"),
    ] {
        assert!(!format!("{settings:?}").contains("secret\""));
        let error = S3Store::open(settings).await.err().unwrap();
        let BlobError::Unavailable(cause) = &error else { panic!("{error}") };
        assert_eq!(cause.to_string(), expected);
        let failure = Failure::from(error);
        assert_eq!(failure.code, ErrorCode::Unavailable);
        assert_eq!(failure.message, "The storage of the server is out of reach; try again later");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_the_bucket_opens_without_credentials_for_a_while() {
    let Some(settings) = settings() else { return };
    let store = S3Store::open(S3Settings { redirects: true, ..settings.clone() }).await.unwrap();
    let key = conformance::put(&store, b"for anybody").await;
    let (disposition, kind) =
        ("attachment; filename=\"a b.bin\"; filename*=UTF-8''a%20b.bin", "application/x-test");
    let address = store.presign(key, disposition, kind, Duration::from_mins(5)).await.unwrap().unwrap();
    assert!(
        !address.contains(&settings.credentials.secret_access_key) && address.contains("X-Amz-Expires=300")
    );
    let answer = fetch(&address);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nfor anybody"), "{answer}");
    let head = answer.to_lowercase();
    assert!(head.contains(&format!("content-disposition: {}\r\n", disposition.to_lowercase())), "{answer}");
    assert!(head.contains("content-type: application/x-test\r\n"), "{answer}");
    let forged = address.replace("X-Amz-Expires=300", "X-Amz-Expires=301");
    assert!(fetch(&forged).starts_with("HTTP/1.1 403"));

    let quiet = S3Store::open(settings).await.unwrap();
    assert_eq!(quiet.presign(key, disposition, kind, Duration::from_mins(5)).await.unwrap(), None);
}

/// A plain request: whoever follows a redirect sends no credentials.
fn fetch(address: &str) -> String {
    let (authority, path) = address.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(authority).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
