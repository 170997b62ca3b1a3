//! Writes an upload while hashing it.

use std::io;

use domain::{DigestAlgorithm, Digests};

use crate::{BlobError, Hasher, Result, StageSink};

/// Hashes, counts and writes the bytes of one upload, for whoever makes them on a blocking thread (a decoder).
///
/// Dropped before [`Self::finish`], or after any failure, nothing of the upload is left. The cause of an
/// [`io::Error`] from here is a [`BlobError`], which `BlobError::from` gives back.
pub struct StageWriter {
    sink: Option<Box<dyn StageSink>>,
    hasher: Hasher,
    written: u64,
    limit: u64,
}

impl StageWriter {
    /// Writes to `sink` at most `limit` bytes.
    pub fn new(sink: Box<dyn StageSink>, limit: u64, algorithms: &[DigestAlgorithm]) -> Self {
        Self { sink: Some(sink), hasher: Hasher::new(algorithms), written: 0, limit }
    }

    /// Takes the next bytes, all of them or none.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let outcome = self.try_append(bytes);
        if outcome.is_err() {
            self.sink = None;
        }
        outcome
    }

    fn try_append(&mut self, bytes: &[u8]) -> Result<()> {
        let sink = self.sink.as_mut().ok_or_else(already_failed)?;
        let written = self.written.saturating_add(bytes.len() as u64);
        if written > self.limit {
            return Err(BlobError::TooLarge { limit: self.limit });
        }
        sink.write_all(bytes)?;
        self.hasher.update(bytes);
        self.written = written;
        Ok(())
    }

    /// Makes the upload durable. Answers its length in bytes and its digests.
    pub fn finish(self) -> Result<(u64, Digests)> {
        self.sink.ok_or_else(already_failed)?.finish()?;
        Ok((self.written, self.hasher.finish()))
    }
}

impl io::Write for StageWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.append(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn already_failed() -> BlobError {
    BlobError::Unavailable("the upload failed before".into())
}
