//! Content on its way out.

use std::{io, ops::Range};

use bytes::{Bytes, BytesMut};
use futures::{
    StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};

use crate::{BlobError, Result};

/// Up to this many bytes, content is read at once and in place; above, it comes in pieces of this size. Measured:
/// a hop to another thread costs more than the read, and larger pieces fall out of the processor's cache.
pub(crate) const PIECE: usize = 256 * 1024;

/// Content, whole or in part.
pub enum BlobBody {
    /// All of it.
    Full(Bytes),
    /// Piece by piece, never more than a few pieces ahead of whoever reads.
    Stream {
        /// Bytes that the pieces have together.
        length: u64,
        /// The pieces, in order. Fewer bytes than `length` end in an error.
        pieces: BoxStream<'static, io::Result<Bytes>>,
    },
}

impl BlobBody {
    /// Its length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Full(bytes) => bytes.len() as u64,
            Self::Stream { length, .. } => *length,
        }
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its pieces in order, whatever kind it is.
    pub fn into_stream(self) -> BoxStream<'static, io::Result<Bytes>> {
        match self {
            Self::Full(bytes) => stream::iter((!bytes.is_empty()).then_some(Ok(bytes))).boxed(),
            Self::Stream { pieces, .. } => pieces,
        }
    }

    /// All of its bytes in memory, if they are at most `limit`.
    pub async fn collect(self, limit: u64) -> Result<Bytes> {
        if self.len() > limit {
            return Err(BlobError::TooLarge { limit });
        }
        match self {
            Self::Full(bytes) => Ok(bytes),
            Self::Stream { pieces, .. } => Ok(pieces
                .try_fold(BytesMut::new(), async |mut all, piece| {
                    all.extend_from_slice(&piece);
                    Ok(all)
                })
                .await?
                .freeze()),
        }
    }
}

/// The part of `size` bytes to read: all, or `range` if it lies within.
pub(crate) fn resolve(range: Option<Range<u64>>, size: u64) -> Result<Range<u64>> {
    match range {
        None => Ok(0..size),
        Some(range) if range.start <= range.end && range.end <= size => Ok(range),
        Some(_) => Err(BlobError::OutOfRange { size }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_lies_within_or_is_refused() {
        assert_eq!(resolve(None, 5).expect("all"), 0..5);
        assert_eq!(resolve(Some(5..5), 5).expect("empty"), 5..5);
        let backwards = Range { start: 3, end: 2 };
        for refused in [0..6, 6..6, backwards, u64::MAX..u64::MAX, 1..u64::MAX] {
            assert!(matches!(resolve(Some(refused), 5), Err(BlobError::OutOfRange { size: 5 })));
        }
    }
}
