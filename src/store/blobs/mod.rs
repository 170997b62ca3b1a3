//! Stored bytes as the database knows them, and the way they go once nothing refers to them.
//!
//! A row of `blobs` goes through these states, each step one transaction:
//!
//! ```text
//! stored ──condemn──▶ condemned ──begin_removals──▶ being removed ──finish_removals──▶ removed
//!    ▲                    │                                                               │
//!    └──────publish───────┴────────────────────────publish────────────────────────────────┘
//! ```
//!
//! * Bytes are deleted between the last two steps and at no other time, by the server that took the step before.
//! * A publish asks with [`claim`] before it makes its bytes durable, and states in its transaction how often the bytes had been
//!   on their way out by then (`removals`). If that number has grown since, the bytes that it made durable may be gone, and it
//!   is refused: there never is a file without bytes. While a removal is under way, `claim` waits, and refuses in the end.
//! * A publish takes the mark of a condemned row away. Since a row stays condemned for a while before its bytes go, a publish is
//!   refused for that reason only when it takes longer than that.
//! * A server that dies between the last two steps leaves a row that is being removed, which [`stalled_removals`] finds. It counts
//!   as a further removal: one that was merely slow ends nothing any more.
//! * Bytes without a row, which a publish that failed leaves, are given one by [`adopt`], condemned, and go the same way.
//!
//! The row stays, for the digests that deleted files are remembered by, and goes with [`purge`] when nobody needs it.

mod claim;
mod collect;
mod usage;

use domain::{BlobId, Failure, Sha256};
use sea_orm::FromQueryResult;

pub use claim::claim;
pub(crate) use claim::refuse_removed;
pub use collect::{
    Collectable, adopt, begin_removals, condemn, finish_removals, purge, stalled_removals, unknown,
};
pub use usage::unreferenced;

use crate::{Result, StoreError};

/// Bytes that a server is to delete, or has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// Their digest, which is their address.
    pub sha256: Sha256,
    /// Their length.
    pub size: u64,
}

/// How many contents, and how many bytes they have together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub contents: u64,
    /// Bytes.
    pub bytes: u64,
}

#[derive(FromQueryResult)]
struct ContentRow {
    id: i64,
    sha256: String,
    size: i64,
    removals: i64,
}

impl TryFrom<ContentRow> for Collectable {
    type Error = StoreError;

    fn try_from(row: ContentRow) -> Result<Self> {
        let sha256 = row
            .sha256
            .parse()
            .map_err(|_: Failure| StoreError::Corrupt { column: "blobs.sha256", value: row.sha256 })?;
        let content = Content { sha256, size: row.size.unsigned_abs() };
        Ok(Self { id: BlobId(row.id), removal: row.removals, content })
    }
}

/// A condition on a row `b` of `blobs`: some file keeps its bytes from being removed. That is one that is there, or that was
/// deleted, alone or with its package or project, after the instant `$1`.
macro_rules! is_kept_sql {
    () => {
        "EXISTS (SELECT 1 FROM package_files f JOIN packages k ON k.id = f.package_id JOIN projects p ON p.id = k.project_id \
         WHERE f.blob_id = b.id AND (f.deleted_at IS NULL OR f.deleted_at > $1) \
         AND (k.deleted_at IS NULL OR k.deleted_at > $1) AND (p.deleted_at IS NULL OR p.deleted_at > $1))"
    };
}
pub(crate) use is_kept_sql;
