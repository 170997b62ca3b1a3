//! Buffers that are used again.
//!
//! A fresh one costs the system as many page faults as reading into it costs copying.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use crate::body::PIECE;

/// Buffers kept while nobody reads: 16 MiB together.
const KEPT: usize = 64;

/// Buffers of [`PIECE`] bytes. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Buffers(Arc<Mutex<Vec<Box<[u8]>>>>);

impl Buffers {
    /// A buffer, with whatever was in it before.
    pub(crate) fn take(&self) -> Buffer {
        let bytes = self.lock().pop().unwrap_or_else(|| vec![0; PIECE].into_boxed_slice());
        Buffer { bytes, filled: 0, home: self.clone() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Box<[u8]>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A buffer, which goes back where it came from when nobody needs its bytes any more.
pub(crate) struct Buffer {
    bytes: Box<[u8]>,
    filled: usize,
    home: Buffers,
}

impl Buffer {
    /// The first `length` bytes, to be read into; all, if it has fewer.
    pub(crate) fn room(&mut self, length: usize) -> &mut [u8] {
        let length = length.min(self.bytes.len());
        &mut self.bytes[..length]
    }

    /// What was read into the first `filled` bytes.
    pub(crate) fn freeze(mut self, filled: usize) -> Bytes {
        self.filled = filled.min(self.bytes.len());
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut kept = self.home.lock();
        if kept.len() < KEPT {
            kept.push(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_when_its_bytes_are_dropped_and_only_so_many_are_kept() {
        let buffers = Buffers::default();
        let mut buffer = buffers.take();
        buffer.room(3).copy_from_slice(b"abc");
        let bytes = buffer.freeze(3);
        let part = bytes.slice(1..);
        drop(bytes);
        assert_eq!((buffers.lock().len(), part.as_ref()), (0, b"bc".as_slice()), "still needed");
        drop(part);
        assert_eq!(buffers.lock().len(), 1);
        assert_eq!(buffers.take().room(usize::MAX).len(), PIECE);
        drop((0..=KEPT).map(|_| buffers.take()).collect::<Vec<_>>());
        assert_eq!(buffers.lock().len(), KEPT);
    }
}
