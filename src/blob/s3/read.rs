//! Content on its way out.

use std::{
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    sync::Arc,
    time::Duration,
};

use aws_sdk_s3::{
    operation::get_object::GetObjectOutput, presigning::PresigningConfig, primitives::ByteStream,
};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use tokio::time;

use super::{
    bucket::Bucket,
    error::{Answer, answer},
};
use crate::{
    BlobBody, BlobError, BlobKey, Result,
    body::{PIECE, resolve},
};

/// How long a server may pause within an answer.
const PAUSE: Duration = Duration::from_secs(30);
/// How often a download is taken up again where it broke off, without a byte in between.
const RESUMPTIONS: u32 = 4;

/// Opens an object, or a range of it.
pub(super) async fn get(bucket: &Arc<Bucket>, object: &str, range: Option<Range<u64>>) -> Result<BlobBody> {
    let mut download = match range {
        None => Download::whole(bucket, object).await?,
        // No header says nothing, and none says numbers that a server cannot read.
        Some(range) if range.is_empty() || range.end > i64::MAX.unsigned_abs() => {
            resolve(Some(range), size(bucket, object).await?)?;
            return Ok(BlobBody::Full(Bytes::new()));
        }
        Some(range) => Download::part(bucket, object, range).await?,
    };
    let length = download.left.end - download.left.start;
    if length > PIECE as u64 {
        return Ok(BlobBody::Stream { length, pieces: download.into_stream().boxed() });
    }
    Ok(BlobBody::Full(download.collect().await?))
}

async fn size(bucket: &Bucket, object: &str) -> Result<u64> {
    Ok(bucket.head(object).await?.ok_or(BlobError::NotFound)?.size)
}

/// Bytes of an object that are still to come.
struct Download {
    bucket: Arc<Bucket>,
    object: String,
    left: Range<u64>,
    /// What the server sends at present.
    body: Option<ByteStream>,
    /// Attempts since the last byte.
    resumptions: u32,
}

impl Download {
    async fn whole(bucket: &Arc<Bucket>, object: &str) -> Result<Self> {
        let request = bucket.client.get_object().bucket(&bucket.name).key(object);
        let output = request.send().await.map_err(|error| BlobError::from(answer(error)))?;
        let size = output.content_length().and_then(|length| length.try_into().ok());
        let size = size.ok_or(BlobError::Corrupt("an object has no length"))?;
        Ok(Self::new(bucket, object, 0..size, output.body))
    }

    async fn part(bucket: &Arc<Bucket>, object: &str, range: Range<u64>) -> Result<Self> {
        match request_range(bucket, object, &range).await {
            Ok(output) => {
                resolve(Some(range.clone()), total(&output)?)?;
                Ok(Self::new(bucket, object, range, output.body))
            }
            Err(Answer::Range) => Err(BlobError::OutOfRange { size: size(bucket, object).await? }),
            Err(other) => Err(other.into()),
        }
    }

    fn new(bucket: &Arc<Bucket>, object: &str, left: Range<u64>, body: ByteStream) -> Self {
        let (bucket, object) = (Arc::clone(bucket), object.to_owned());
        Self { bucket, object, left, body: Some(body), resumptions: 0 }
    }

    /// The next bytes. A connection that breaks or stands still is replaced: the content under an address does not change,
    /// so that the rest is the rest wherever it comes from.
    async fn next(&mut self) -> Result<Option<Bytes>> {
        while !self.left.is_empty() {
            let failure = match &mut self.body {
                Some(body) => match time::timeout(PAUSE, body.next()).await {
                    Ok(Some(Ok(bytes))) if bytes.is_empty() => continue,
                    Ok(Some(Ok(bytes))) => return self.count(bytes).map(Some),
                    Ok(Some(Err(error))) => error.to_string(),
                    Ok(None) => "the answer ended early".to_owned(),
                    Err(_) => "the server pauses within its answer".to_owned(),
                },
                None => match request_range(&self.bucket, &self.object, &self.left).await {
                    Ok(output) => {
                        self.body = Some(output.body);
                        continue;
                    }
                    // It was tried several times already.
                    Err(refusal) => return Err(refusal.into()),
                },
            };
            self.break_off(failure).await?;
        }
        Ok(None)
    }

    fn count(&mut self, bytes: Bytes) -> Result<Bytes> {
        if bytes.len() as u64 > self.left.end - self.left.start {
            return Err(BlobError::Corrupt("an object is longer than it was"));
        }
        self.left.start += bytes.len() as u64;
        self.resumptions = 0;
        Ok(bytes)
    }

    async fn break_off(&mut self, failure: String) -> Result<()> {
        self.body = None;
        if self.resumptions == RESUMPTIONS {
            return Err(BlobError::Unavailable(failure.into()));
        }
        tracing::debug!(error = failure, "A download from the bucket broke off and goes on");
        time::sleep(Duration::from_millis(100 << self.resumptions)).await;
        self.resumptions += 1;
        Ok(())
    }

    async fn collect(&mut self) -> Result<Bytes> {
        let mut all =
            Vec::with_capacity(usize::try_from(self.left.end - self.left.start).unwrap_or_default());
        while let Some(bytes) = self.next().await? {
            all.extend_from_slice(&bytes);
        }
        Ok(all.into())
    }

    /// Nothing is read before somebody asks for it: a slow client makes the server wait.
    fn into_stream(self) -> impl futures::Stream<Item = io::Result<Bytes>> {
        stream::try_unfold(self, async |mut download| {
            Ok(download.next().await?.map(|piece| (piece, download)))
        })
    }
}

async fn request_range(bucket: &Bucket, object: &str, range: &Range<u64>) -> Result<GetObjectOutput, Answer> {
    let request = bucket.client.get_object().bucket(&bucket.name).key(object);
    let request = request.range(format!("bytes={}-{}", range.start, range.end - 1));
    request.send().await.map_err(answer)
}

/// Length of the whole object, of which `output` is a part.
fn total(output: &GetObjectOutput) -> Result<u64> {
    let total = output.content_range().and_then(|range| range.rsplit_once('/')?.1.parse().ok());
    total.ok_or(BlobError::Corrupt("the server of the bucket ignores ranges"))
}

/// Bytes fetched with the first request of a reader: what most archives have in front.
const FIRST_WINDOW: u64 = 128 * 1024;
/// Most bytes fetched at once: whoever reads an archive from one end to the other makes a request for each.
const LAST_WINDOW: u64 = 4 * 1024 * 1024;

/// Reads an object from any place, through a window that grows while it is read in order.
pub(super) struct Reader {
    bucket: Arc<Bucket>,
    object: String,
    size: u64,
    position: u64,
    window: Bytes,
    window_start: u64,
    /// Length of the next window.
    ahead: u64,
}

impl Reader {
    /// Opens an object with its first bytes. Blocks.
    pub(super) fn open(bucket: &Arc<Bucket>, object: String) -> Result<Self> {
        let (size, window) = bucket.wait(Self::first_window(bucket, &object))?;
        let bucket = Arc::clone(bucket);
        Ok(Self { bucket, object, size, position: 0, window, window_start: 0, ahead: 2 * FIRST_WINDOW })
    }

    async fn first_window(bucket: &Arc<Bucket>, object: &str) -> Result<(u64, Bytes)> {
        match request_range(bucket, object, &(0..FIRST_WINDOW)).await {
            Ok(output) => {
                let size = total(&output)?;
                let mut download = Download::new(bucket, object, 0..size.min(FIRST_WINDOW), output.body);
                Ok((size, download.collect().await?))
            }
            // Of nothing there is no first byte.
            Err(Answer::Range) => Ok((size(bucket, object).await?, Bytes::new())),
            Err(other) => Err(other.into()),
        }
    }

    /// The bytes at the position that are here; empty if there are none.
    fn here(&self) -> &[u8] {
        let offset =
            self.position.checked_sub(self.window_start).and_then(|offset| usize::try_from(offset).ok());
        offset.and_then(|offset| self.window.get(offset..)).unwrap_or_default()
    }

    fn move_window(&mut self) -> Result<()> {
        let goes_on = self.position == self.window_start + self.window.len() as u64;
        let length = if goes_on { self.ahead } else { FIRST_WINDOW };
        let range = self.position..self.size.min(self.position.saturating_add(length));
        self.ahead = (2 * length).min(LAST_WINDOW);
        self.window = Bytes::new();
        let window = async {
            let mut download = Download::part(&self.bucket, &self.object, range).await?;
            download.collect().await
        };
        self.window = self.bucket.wait(window)?;
        self.window_start = self.position;
        Ok(())
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.position >= self.size {
            return Ok(0);
        }
        if self.here().is_empty() {
            self.move_window()?;
        }
        let here = self.here();
        let length = here.len().min(buffer.len());
        buffer[..length].copy_from_slice(&here[..length]);
        self.position += length as u64;
        Ok(length)
    }
}

impl Seek for Reader {
    fn seek(&mut self, place: SeekFrom) -> io::Result<u64> {
        let position = match place {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.size.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a place before the first byte"))?;
        Ok(self.position)
    }
}

/// An address where the content can be fetched for a while, if that is wanted.
pub(super) async fn presign(
    bucket: &Bucket,
    key: BlobKey,
    content_disposition: &str,
    content_type: &str,
    lifetime: Duration,
) -> Result<Option<String>> {
    if !bucket.redirects {
        return Ok(None);
    }
    let unsigned = |error: Box<dyn std::error::Error + Send + Sync>| BlobError::Unavailable(error);
    let lifetime = PresigningConfig::expires_in(lifetime).map_err(|error| unsigned(error.into()))?;
    let request = bucket.client.get_object().bucket(&bucket.name).key(bucket.blob(key));
    let request =
        request.response_content_disposition(content_disposition).response_content_type(content_type);
    // The address is a secret for as long as it is good.
    let request = request.response_cache_control("private, no-store");
    let presigned = request.presigned(lifetime).await.map_err(|error| unsigned(error.into()))?;
    Ok(Some(presigned.uri().to_owned()))
}
