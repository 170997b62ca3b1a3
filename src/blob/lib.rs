//! Bytes behind one trait: where the content of package files lies, and how it gets there and out again.
//!
//! An upload is **staged** under a random id while it is hashed ([`stage()`]), inspected from there, and **promoted** to
//! its content address, which is durable before the promotion answers. Only then may a transaction name it. What is
//! stored under a content address never changes. The same crate seals the [tickets](Sealer) that stand for the right
//! to fetch or publish something for a few minutes.
//!
//! Called by `graphql` (which authorizes first), `server` (which chooses the store) and `testkit`. What must not go in:
//! who may read what, names of packages or files as keys, anything that knows a format. A digest is never a
//! capability: whoever can call this crate can read everything in it.

mod body;
mod buffers;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod disk;
mod error;
mod guard;
mod hashing;
mod key;
mod layout;
mod memory;
mod s3;
mod staging;
mod store;
mod ticket;
mod writer;

pub use body::BlobBody;
pub use disk::DiskStore;
pub use error::{BlobError, Result, StageError};
pub use guard::{Staged, StagedContent, StagedGuard, StagedManifest, StoredContent};
pub use hashing::Hasher;
pub use key::{BlobKey, StagingId};
pub use memory::MemoryStore;
pub use s3::{S3Credentials, S3Settings, S3Store};
pub use staging::{StageRequest, stage};
pub use store::{BlobStore, ListedBlob, MANIFEST_LIMIT, StageSink};
pub use ticket::{Sealer, TicketError};
pub use writer::StageWriter;
