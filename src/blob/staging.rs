//! From a stream of bytes to a staged upload.

use std::{mem, pin::pin, sync::Arc};

use bytes::Bytes;
use domain::DigestAlgorithm;
use futures::{Stream, StreamExt as _};
use tokio::{
    runtime::Handle,
    task::{self, JoinHandle},
};

use crate::{BlobError, BlobStore, Result, StageError, StageWriter, Staged, StagedGuard, StagingId};

/// Bytes gathered before a blocking thread is visited.
const BATCH_BYTES: usize = 1024 * 1024;

/// Frames gathered at most: the bound for clients that send single bytes.
const BATCH_FRAMES: usize = 4096;

/// What to make of an upload.
#[derive(Clone, Copy, Debug)]
pub struct StageRequest<'a> {
    /// What to call it.
    pub id: StagingId,
    /// Most bytes it may have.
    pub limit: u64,
    /// Digests to compute beside SHA-256.
    pub algorithms: &'a [DigestAlgorithm],
}

/// Takes in an upload, hashing and writing it as it comes.
///
/// One batch is hashed and written on a blocking thread while the next one is gathered. When the disk is slower than
/// the client, the stream is not polled and the client waits. No thread waits for a slow client. After a failure, or
/// when the future is dropped because the client went away, nothing is left of the upload.
pub async fn stage<S, E>(
    store: &Arc<dyn BlobStore>,
    request: StageRequest<'_>,
    stream: S,
) -> Result<StagedGuard, StageError<E>>
where
    S: Stream<Item = Result<Bytes, E>>,
{
    let sink = store.create_staging(request.id).await?;
    let mut pipeline = Pipeline {
        idle: Some(StageWriter::new(sink, request.limit, request.algorithms)),
        visit: None,
        runtime: Handle::current(),
    };
    match take_in(&mut pipeline, request.limit, stream).await {
        Ok(batch) => Ok(pipeline.finish(batch, request.id, Arc::clone(store)).await?),
        Err(error) => {
            pipeline.abandon().await;
            Err(error)
        }
    }
}

/// Feeds the stream to the pipeline, up to the last batch, which it answers.
async fn take_in<S, E>(pipeline: &mut Pipeline, limit: u64, stream: S) -> Result<Vec<Bytes>, StageError<E>>
where
    S: Stream<Item = Result<Bytes, E>>,
{
    let mut stream = pin!(stream);
    let mut received: u64 = 0;
    let mut batch = Vec::new();
    let mut batch_bytes = 0;
    while let Some(frame) = stream.next().await {
        let frame = frame.map_err(StageError::Interrupted)?;
        received = received.saturating_add(frame.len() as u64);
        if received > limit {
            return Err(BlobError::TooLarge { limit }.into());
        }
        batch_bytes += frame.len();
        batch.push(frame);
        if batch_bytes >= BATCH_BYTES || batch.len() >= BATCH_FRAMES {
            pipeline.feed(mem::take(&mut batch)).await?;
            batch_bytes = 0;
        }
    }
    Ok(batch)
}

/// A writer that is either here or away on a blocking thread.
struct Pipeline {
    idle: Option<StageWriter>,
    visit: Option<JoinHandle<Result<StageWriter>>>,
    runtime: Handle,
}

impl Pipeline {
    /// The writer, once it is back.
    async fn writer(&mut self) -> Result<StageWriter> {
        if let Some(writer) = self.idle.take() {
            return Ok(writer);
        }
        let visit = self.visit.as_mut().ok_or(BlobError::Corrupt("an upload that failed goes on"))?;
        let outcome = visit.await;
        self.visit = None;
        outcome.map_err(|error| BlobError::Unavailable(error.into()))?
    }

    async fn feed(&mut self, batch: Vec<Bytes>) -> Result<()> {
        let mut writer = self.writer().await?;
        self.visit = Some(task::spawn_blocking(move || {
            append_all(&mut writer, batch)?;
            Ok(writer)
        }));
        Ok(())
    }

    /// The guard is made on the blocking thread: if nobody waits for the outcome any more, it is dropped there.
    async fn finish(
        mut self,
        batch: Vec<Bytes>,
        id: StagingId,
        store: Arc<dyn BlobStore>,
    ) -> Result<StagedGuard> {
        let mut writer = self.writer().await?;
        let runtime = self.runtime.clone();
        let last = task::spawn_blocking(move || {
            append_all(&mut writer, batch)?;
            let (size, digests) = writer.finish()?;
            Ok(Staged { id, size, digests }.guard_on(store, runtime))
        });
        last.await.map_err(|error| BlobError::Unavailable(error.into()))?
    }

    /// Takes everything back, and waits until that is done.
    async fn abandon(mut self) {
        if let Ok(writer) = self.writer().await {
            // Failing to wait is no failure to drop.
            let _ = task::spawn_blocking(move || drop(writer)).await;
        }
    }
}

impl Drop for Pipeline {
    /// A writer that is away is dropped over there, when it is done.
    fn drop(&mut self) {
        if let Some(writer) = self.idle.take() {
            self.runtime.spawn_blocking(move || drop(writer));
        }
    }
}

fn append_all(writer: &mut StageWriter, batch: Vec<Bytes>) -> Result<()> {
    for frame in batch {
        writer.append(&frame)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use futures::stream::BoxStream;

    use super::*;

    #[test]
    fn handlers_may_wait_for_it_on_any_thread() {
        fn sendable<T: Send>(_: impl FnOnce(&'static Arc<dyn BlobStore>) -> T) {}
        let request = StageRequest { id: StagingId::from_bytes([0; 16]), limit: 0, algorithms: &[] };
        let body: BoxStream<'static, std::io::Result<Bytes>> = futures::stream::empty().boxed();
        sendable(move |store| stage(store, request, body));
    }
}
