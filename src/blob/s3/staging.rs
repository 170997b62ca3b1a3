//! An upload on its way in: one object when it is small, parts when it is not.

use std::{
    collections::HashSet,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    bucket::Bucket,
    multipart::{IfThere, Multipart},
};
use crate::{BlobError, Result, StageSink, StagingId};

/// Length of a part: the shortest that S3 permits. One is filled while [two](super::multipart) are on their way, so
/// that an upload takes at most 15 MiB of memory. With 10 000 parts a file has at most 48 GiB.
pub(super) const PART: usize = 5 * 1024 * 1024;

/// The smallest buffer that is worth growing.
const FIRST_BUFFER: usize = 64 * 1024;

/// Gathers bytes into parts, and sends them.
pub(super) struct S3Sink {
    bucket: Arc<Bucket>,
    claim: Claim,
    part: Vec<u8>,
    upload: Option<Multipart>,
}

impl S3Sink {
    /// Fails when this process has an upload with this id under way.
    pub(super) fn new(
        bucket: Arc<Bucket>,
        open: &Arc<Mutex<HashSet<StagingId>>>,
        id: StagingId,
    ) -> Result<Self> {
        Ok(Self { bucket, claim: Claim::take(open, id)?, part: Vec::new(), upload: None })
    }

    /// Makes room for `more` bytes, which fit into the part. Grows as a vector does, and never beyond the part.
    fn reserve(&mut self, more: usize) {
        let needed = self.part.len() + more;
        if needed > self.part.capacity() {
            let capacity = match self.upload {
                Some(_) => PART,
                None => needed.max(self.part.capacity() * 2).clamp(FIRST_BUFFER, PART),
            };
            self.part.reserve_exact(capacity - self.part.len());
        }
    }

    fn send(&mut self) -> Result<()> {
        let content = mem::take(&mut self.part).into();
        if self.upload.is_none() {
            let object = self.bucket.staged(self.claim.id);
            self.upload = Some(self.bucket.wait(Multipart::begin(&self.bucket, object))?);
        }
        let upload = self.upload.as_mut().expect("made above");
        self.bucket.wait(upload.send(content))
    }
}

impl StageSink for S3Sink {
    fn write_all(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            // A full part waits for the byte after it: the last part may be a full one, and there is always a last one.
            if self.part.len() == PART {
                self.send()?;
            }
            let (now, later) = bytes.split_at(bytes.len().min(PART - self.part.len()));
            self.reserve(now.len());
            self.part.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        if self.upload.is_none() {
            let object = self.bucket.staged(self.claim.id);
            let content = mem::take(&mut self.part).into();
            return self.bucket.wait(self.bucket.put_new(&object, content));
        }
        self.send()?;
        let upload = self.upload.take().expect("checked above");
        self.bucket.wait(upload.complete(IfThere::Refuse))
    }
}

/// The right to be the only upload with an id in this process.
struct Claim {
    open: Arc<Mutex<HashSet<StagingId>>>,
    id: StagingId,
}

impl Claim {
    fn take(open: &Arc<Mutex<HashSet<StagingId>>>, id: StagingId) -> Result<Self> {
        let is_new = open.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        if is_new { Ok(Self { open: Arc::clone(open), id }) } else { Err(BlobError::AlreadyStaged) }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
