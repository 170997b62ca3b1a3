//! Bodies that are read on blocking threads.

use std::{io, sync::Arc, time::Duration};

use domain::{ErrorCode, Failure};
use futures::StreamExt as _;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    task, time,
};
use tokio_util::io::{StreamReader, SyncIoBridge};

use crate::ByteStream;

/// Bodies read at the same time. Each takes a thread for as long as its client sends; the runtime has twice as many, so that
/// disks go on being read and written while slow clients hold all of these.
const PLACES: usize = 256;

/// How long a client waits for a place before it is sent away.
const PATIENCE: Duration = Duration::from_secs(15);

/// The places that such bodies have.
#[derive(Clone)]
pub(crate) struct Readers {
    places: Arc<Semaphore>,
    patience: Duration,
}

/// One of them.
pub(crate) struct Place(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

impl Default for Readers {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(PLACES)), patience: PATIENCE }
    }
}

impl Readers {
    /// A place, once there is one. Nobody waits for long: a client that is told may come again, one that is not hangs.
    pub(crate) async fn place(&self) -> Result<Place, Failure> {
        match time::timeout(self.patience, Arc::clone(&self.places).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Place(permit)),
            Ok(Err(_)) | Err(_) => Err(Failure::new(
                ErrorCode::Unavailable,
                "The server receives as many packages as it can; try again later",
            )),
        }
    }
}

impl Place {
    /// Reads `body` on a thread of its own. When this future is dropped, the body ends.
    pub(crate) async fn read<T, F>(self, body: ByteStream, read: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn io::Read) -> Result<T, Failure> + Send + 'static,
    {
        // A thread that waits for a body cannot be cancelled. When this future is dropped, the body ends, and so does the thread.
        let (_waiting, given_up) = oneshot::channel::<()>();
        let mut reader = SyncIoBridge::new(StreamReader::new(body.take_until(given_up)));
        let reading = task::spawn_blocking(move || {
            // Free when the thread is, not when nobody waits for it any more.
            let _place = self;
            read(&mut reader)
        });
        reading.await.map_err(|error| {
            tracing::error!(%error, "a decoder panicked");
            Failure::internal()
        })?
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures::stream;

    use super::*;

    fn read_to_end(reader: &mut dyn io::Read) -> Result<u64, Failure> {
        io::copy(reader, &mut io::sink()).map_err(|_| Failure::internal())
    }

    #[tokio::test]
    async fn whoever_finds_no_place_in_time_is_sent_away_and_a_place_comes_free_with_its_thread() {
        let readers = Readers { places: Arc::new(Semaphore::new(1)), patience: Duration::from_millis(50) };
        let slow = stream::iter([Ok(Bytes::from_static(b"abc"))]).chain(stream::pending()).boxed();
        let place = readers.place().await.expect("the first");
        let mut slow = Box::pin(place.read(slow, read_to_end));
        assert!(
            time::timeout(Duration::from_millis(10), &mut slow).await.is_err(),
            "its client sends nothing"
        );

        let refused = readers.place().await.err().expect("no place");
        assert_eq!(refused.code, ErrorCode::Unavailable);
        assert!(refused.message.ends_with("try again later"), "{}", refused.message);

        drop(slow);
        let patient = Readers { patience: Duration::from_secs(10), ..readers };
        let place = patient.place().await.expect("the slow one was given up");
        let quick = stream::iter([Ok(Bytes::from_static(b"abc")), Ok(Bytes::from_static(b"de"))]).boxed();
        assert_eq!(place.read(quick, read_to_end).await.expect("it ends"), 5);
    }
}
