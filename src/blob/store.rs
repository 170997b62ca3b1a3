//! The boundary between the model and whatever keeps the bytes.

use std::{ops::Range, time::Duration};

use bytes::Bytes;
use domain::rules::ReadSeek;
use futures::future::{self, BoxFuture, FutureExt as _};

use crate::{BlobBody, BlobKey, Result, StagingId};

/// Keeps bytes: uploads under a random id first, then content under its digest, for good.
///
/// Every implementation passes the suite in `conformance`. Several processes may work on one store at the same time.
pub trait BlobStore: Send + Sync {
    /// Begins an upload. Its bytes can be opened and promoted once the sink is finished, and not before.
    fn create_staging(&self, id: StagingId) -> BoxFuture<'_, Result<Box<dyn StageSink>>>;

    /// Keeps what is known about a finished upload beside it, so that another process can publish it.
    /// At most [`MANIFEST_LIMIT`] bytes; replaces what was there. Makes the upload itself survive a crash too.
    fn put_manifest(&self, id: StagingId, manifest: Bytes) -> BoxFuture<'_, Result<()>>;

    /// What [`Self::put_manifest`] kept.
    fn get_manifest(&self, id: StagingId) -> BoxFuture<'_, Result<Option<Bytes>>>;

    /// Opens a finished upload that is not promoted yet. Blocks: not for a thread of the runtime.
    fn open_staged(&self, id: StagingId) -> Result<Box<dyn ReadSeek>>;

    /// Moves a finished upload to its content address. Durable when it answers. The caller vouches that the digest is
    /// the one computed while staging.
    ///
    /// Succeeds also when the content is there already, whether the upload still exists or not, so that a publish can
    /// be tried again. A manifest stays until [`Self::remove_staged`] or [`Self::sweep_staging`].
    fn promote(&self, id: StagingId, key: BlobKey) -> BoxFuture<'_, Result<()>>;

    /// Forgets an upload with its manifest. Fine if there is none.
    fn remove_staged(&self, id: StagingId) -> BoxFuture<'_, Result<()>>;

    /// The content, or the part of it that `range` says. The range has to lie within the content.
    fn get(&self, key: BlobKey, range: Option<Range<u64>>) -> BoxFuture<'_, Result<BlobBody>>;

    /// Opens content to be read from any place in it, as [`Self::open_staged`] does before its promotion. Blocks: not for a
    /// thread of the runtime. Who wants it from one end to the other takes [`Self::get`].
    fn open_blob(&self, key: BlobKey) -> Result<Box<dyn ReadSeek>>;

    /// Length of the content in bytes, if it is there.
    fn size(&self, key: BlobKey) -> BoxFuture<'_, Result<Option<u64>>>;

    /// Removes content. Fine if there is none. Who reads it at this moment reads on.
    fn delete(&self, key: BlobKey) -> BoxFuture<'_, Result<()>>;

    /// Content in the order of its keys: what comes after `after`, at most `limit` entries, of which an empty answer says that
    /// there are no more. What comes or goes meanwhile may be among them or not; what is no content never is. `limit` is
    /// taken for 1 where it is 0.
    fn list(&self, after: Option<BlobKey>, limit: usize) -> BoxFuture<'_, Result<Vec<ListedBlob>>>;

    /// Removes uploads that nobody touched for this long, and at once those whose writer has died, where that can be told.
    /// Answers how many.
    fn sweep_staging(&self, older_than: Duration) -> BoxFuture<'_, Result<usize>>;

    /// An address outside of this server where the content can be fetched for a while, if the store has such.
    fn presign<'a>(
        &'a self,
        _key: BlobKey,
        _content_disposition: &'a str,
        _content_type: &'a str,
        _lifetime: Duration,
    ) -> BoxFuture<'a, Result<Option<String>>> {
        future::ready(Ok(None)).boxed()
    }

    /// Fails unless the store can be reached and written.
    fn check(&self) -> BoxFuture<'_, Result<()>>;
}

/// Content as [`BlobStore::list`] finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedBlob {
    /// Its address.
    pub key: BlobKey,
    /// Length in bytes.
    pub size: u64,
    /// How long ago its bytes were written, the storage's clock compared with this machine's.
    pub age: Duration,
}

/// Longest manifest in bytes.
pub const MANIFEST_LIMIT: usize = 64 * 1024;

/// Where the bytes of one upload go. Blocks: not for a thread of the runtime. Dropped before it is finished, it takes
/// everything back.
pub trait StageSink: Send {
    /// Appends bytes.
    fn write_all(&mut self, bytes: &[u8]) -> Result<()>;

    /// Makes the content durable and the upload visible.
    fn finish(self: Box<Self>) -> Result<()>;
}
