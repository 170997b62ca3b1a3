//! A server that breaks off: connections to it go through a relay that ends them when it is told to.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream as Stream},
};

use super::*;

struct Relay {
    endpoint: String,
    /// Bytes of answers after which a connection is ended.
    patience: Arc<AtomicU64>,
    /// Connections that were ended so far.
    ended: Arc<AtomicUsize>,
}

impl Relay {
    async fn to(endpoint: &str) -> Self {
        let server = endpoint.strip_prefix("http://").unwrap().trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let relay = Self { endpoint, patience: Arc::new(u64::MAX.into()), ended: Arc::default() };
        let (patience, ended) = (Arc::clone(&relay.patience), Arc::clone(&relay.ended));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = Stream::connect(&server).await.unwrap();
                let (patience, ended) = (Arc::clone(&patience), Arc::clone(&ended));
                tokio::spawn(async move {
                    if pass_on(client, server, &patience).await.is_none() {
                        ended.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        relay
    }
}

/// None when it was ended by the relay.
async fn pass_on(mut client: Stream, mut server: Stream, patience: &AtomicU64) -> Option<()> {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let back = async {
        let (mut passed, mut bytes) = (0, vec![0; 64 * 1024]);
        loop {
            let length = from_server.read(&mut bytes).await.unwrap_or(0);
            passed += length as u64;
            if passed > patience.load(Ordering::SeqCst) {
                return None;
            }
            if length == 0 || to_client.write_all(&bytes[..length]).await.is_err() {
                return Some(());
            }
        }
    };
    let forth = async {
        let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
        Some(())
    };
    tokio::select! { outcome = back => outcome, outcome = forth => outcome }
}

async fn relayed() -> Option<(Relay, S3Store)> {
    let settings = settings()?;
    let relay = Relay::to(settings.endpoint.as_deref().unwrap()).await;
    let store =
        S3Store::open(S3Settings { endpoint: Some(relay.endpoint.clone()), ..settings }).await.unwrap();
    Some((relay, store))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_goes_on_where_it_broke_off() {
    let Some((relay, store)) = relayed().await else { return };
    let content = noise(3 * 1024 * 1024);
    let key = conformance::put(&store, &content).await;
    relay.patience.store(1_000_000, Ordering::SeqCst);
    assert!(read(&store, key).await == content);
    let part = store.get(key, Some(7..2_900_000)).await.unwrap().collect(u64::MAX).await.unwrap();
    assert!(part == content[7..2_900_000]);
    assert!(relay.ended.load(Ordering::SeqCst) >= 4, "it did break off");

    // But not for ever.
    let body = store.get(key, None).await.unwrap();
    relay.patience.store(0, Ordering::SeqCst);
    let error = body.collect(u64::MAX).await.unwrap_err();
    assert!(matches!(error, BlobError::Unavailable(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_fails_when_the_server_is_gone_and_leaves_nothing() {
    let Some((relay, store)) = relayed().await else { return };
    let id = fresh();
    let mut sink = store.create_staging(id).await.unwrap();
    let (first, second) = (noise(2 * staging::PART), noise(3 * staging::PART));
    let sink = tokio::task::spawn_blocking(move || sink.write_all(&first).map(|()| sink)).await.unwrap();
    let mut sink = sink.unwrap();
    relay.patience.store(0, Ordering::SeqCst);
    let outcome = tokio::task::spawn_blocking(move || sink.write_all(&second).and_then(|()| sink.finish()));
    let error = outcome.await.unwrap().unwrap_err();
    assert!(matches!(error, BlobError::Unavailable(_)), "{error}");
    relay.patience.store(u64::MAX, Ordering::SeqCst);
    assert!(store.create_staging(id).await.is_ok(), "the id is free");
    store.sweep_staging(Duration::ZERO).await.unwrap();
    nothing_is_pending(&store).await;
}
