//! Objects that are put together from parts.

use std::{mem, sync::Arc, time::Duration};

use aws_sdk_s3::{
    config::{Builder, timeout::TimeoutConfig},
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart},
};
use bytes::Bytes;
use tokio::task::JoinSet;

use super::{
    bucket::{Bucket, Mark},
    error::{Answer, answer},
};
use crate::{BlobError, Result};

/// Most parts that an object has.
const MOST_PARTS: i32 = 10_000;
/// Parts of one object on their way at the same time.
const PARTS_AHEAD: usize = 2;
/// Copies of one object under way at the same time: the server works on them, and we wait.
const COPIES_AHEAD: usize = 6;
/// How long a server may take to copy a part, or an object that is copied as a whole.
const COPY_TIMEOUT: Duration = Duration::from_mins(5);

/// An object on its way. Dropped before it is completed, it is given up.
pub(super) struct Multipart {
    bucket: Arc<Bucket>,
    object: String,
    mark: Mark,
    upload: String,
    /// Number of the next part, from 1.
    next: i32,
    on_their_way: JoinSet<Result<CompletedPart>>,
    arrived: Vec<CompletedPart>,
    completed: bool,
}

/// What becomes of an object that is there already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum IfThere {
    /// The new one does not come to be: [`BlobError::AlreadyStaged`].
    Refuse,
    /// The new one replaces it.
    Replace,
}

impl Multipart {
    pub(super) async fn begin(bucket: &Arc<Bucket>, object: String) -> Result<Self> {
        let mark = Mark::random()?;
        let (name, value) = mark.metadata();
        let begin = bucket.client.create_multipart_upload().bucket(&bucket.name).key(&object);
        let begun =
            begin.metadata(name, value).send().await.map_err(|error| BlobError::from(answer(error)))?;
        let upload = begun.upload_id().unwrap_or_default().to_owned();
        Ok(Self {
            bucket: Arc::clone(bucket),
            object,
            mark,
            upload,
            next: 1,
            on_their_way: JoinSet::new(),
            arrived: Vec::new(),
            completed: false,
        })
    }

    /// Sends the next part, once there is a place for it; fails when one before has failed.
    pub(super) async fn send(&mut self, content: Bytes) -> Result<()> {
        let number = self.number(content.len() as u64)?;
        self.leave_at_most(PARTS_AHEAD - 1).await?;
        let places = Arc::clone(&self.bucket.places);
        let place = places.acquire_owned().await.expect("the places are never closed");
        let request = self.bucket.client.upload_part().bucket(&self.bucket.name).key(&self.object);
        let request = request.upload_id(&self.upload).part_number(number).body(ByteStream::from(content));
        let sending = async move {
            let sent = request.send().await.map_err(|error| BlobError::from(answer(error)))?;
            drop(place);
            Ok(CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag).build())
        };
        self.on_their_way.spawn_on(sending, &self.bucket.runtime);
        Ok(())
    }

    /// Has the server copy a range of another object as the next part.
    pub(super) async fn copy(&mut self, source: &str, range: std::ops::Range<u64>) -> Result<()> {
        let number = self.number(range.end - range.start)?;
        self.leave_at_most(COPIES_AHEAD - 1).await?;
        let request = self.bucket.client.upload_part_copy().bucket(&self.bucket.name).key(&self.object);
        let request = request.upload_id(&self.upload).part_number(number).copy_source(source);
        let request = request.copy_source_range(format!("bytes={}-{}", range.start, range.end - 1));
        let copying = async move {
            let copied = request.customize().config_override(patient()).send().await;
            let copied = copied.map_err(|error| BlobError::from(answer(error)))?;
            let tag = copied.copy_part_result.and_then(|result| result.e_tag);
            Ok(CompletedPart::builder().part_number(number).set_e_tag(tag).build())
        };
        self.on_their_way.spawn_on(copying, &self.bucket.runtime);
        Ok(())
    }

    fn number(&mut self, part: u64) -> Result<i32> {
        let number = self.next;
        if number > MOST_PARTS {
            return Err(BlobError::TooLarge { limit: part * u64::from(MOST_PARTS.unsigned_abs()) });
        }
        self.next += 1;
        Ok(number)
    }

    async fn leave_at_most(&mut self, number: usize) -> Result<()> {
        while self.on_their_way.len() > number {
            let part = self.on_their_way.join_next().await.expect("there are more");
            self.arrived.push(part.map_err(|error| BlobError::Unavailable(error.into()))??);
        }
        Ok(())
    }

    /// Makes the parts an object, which is durable then.
    pub(super) async fn complete(mut self, if_there: IfThere) -> Result<()> {
        self.leave_at_most(0).await?;
        self.arrived.sort_unstable_by_key(|part| part.part_number);
        let parts = CompletedMultipartUpload::builder().set_parts(Some(mem::take(&mut self.arrived))).build();
        let request = self.bucket.client.complete_multipart_upload().bucket(&self.bucket.name);
        let request = request.key(&self.object).upload_id(&self.upload).multipart_upload(parts);
        let request = match if_there {
            IfThere::Refuse => request.if_none_match("*"),
            IfThere::Replace => request,
        };
        // The server puts the parts together while we wait.
        let Err(error) = request.customize().config_override(patient()).send().await else {
            self.completed = true;
            return Ok(());
        };
        match answer(error) {
            Answer::Exists => self.bucket.is_ours(&self.object, &self.mark).await?,
            // Ended by an attempt whose answer was lost, or swept away.
            Answer::NoUpload => match self.bucket.is_ours(&self.object, &self.mark).await {
                Err(BlobError::AlreadyStaged) => return Err(Answer::NoUpload.into()),
                outcome => outcome?,
            },
            other => return Err(other.into()),
        }
        self.completed = true;
        Ok(())
    }
}

impl Drop for Multipart {
    /// Gives it up. A part that arrives in spite of that stays until the next sweep.
    fn drop(&mut self) {
        if self.completed {
            return;
        }
        let mut on_their_way = mem::take(&mut self.on_their_way);
        let (object, upload) = (mem::take(&mut self.object), mem::take(&mut self.upload));
        let bucket = Arc::clone(&self.bucket);
        self.bucket.runtime.spawn(async move {
            on_their_way.shutdown().await;
            if let Err(error) = give_up(&bucket, &object, &upload).await {
                tracing::warn!(%error, "An abandoned upload stays until the next sweep");
            }
        });
    }
}

/// Removes the parts of an upload that did not become an object. Fine if there are none.
pub(super) async fn give_up(bucket: &Bucket, object: &str, upload: &str) -> Result<()> {
    let request = bucket.client.abort_multipart_upload().bucket(&bucket.name).key(object).upload_id(upload);
    match request.send().await.map_err(answer) {
        Ok(_) | Err(Answer::NoUpload | Answer::Absent) => Ok(()),
        Err(other) => Err(other.into()),
    }
}

/// For requests whose answer comes when the server has moved the bytes.
pub(super) fn patient() -> Builder {
    let patience =
        TimeoutConfig::builder().operation_attempt_timeout(COPY_TIMEOUT).operation_timeout(COPY_TIMEOUT * 2);
    aws_sdk_s3::Config::builder().timeout_config(patience.build())
}
