//! What stands behind the gateway: object safe, so that adapters do not depend on the GraphQL server.

use std::{any::Any, io, ops::Range};

use async_graphql::{Request, Response};
use bytes::Bytes;
use domain::{Credential, Digests, Failure};
use futures::{future::BoxFuture, stream::BoxStream};

use crate::{Origin, Session};

/// A stream of bytes; an error ends it.
pub type ByteStream = BoxStream<'static, io::Result<Bytes>>;

/// Bytes that arrived and wait for the publish that names them. Dropped unpublished, they are removed.
pub struct StagedBlob {
    /// Length in bytes.
    pub size: u64,
    /// Digests, computed while the bytes came in.
    pub digests: Digests,
    /// Whatever keeps the bytes staged.
    pub guard: Box<dyn Any + Send + Sync>,
}

/// Takes bytes on a blocking thread. An [`io::Error`] of `write` holds a [`Failure`] (`error.downcast::<Failure>()`).
pub trait StageWriter: io::Write + Send {
    /// Ends the upload. The bytes are durable when it returns.
    fn finish(self: Box<Self>) -> Result<StagedBlob, Failure>;
}

/// Bytes on their way out.
pub enum OpenedBlob {
    /// All of them, small enough to hold.
    Full(Bytes),
    /// A stream of `length` bytes.
    Stream {
        /// How many bytes the stream gives.
        length: u64,
        /// The bytes.
        stream: ByteStream,
    },
}

/// Executes operations against the schema and moves bytes. Implemented by the `graphql` crate.
pub trait Backend: Send + Sync {
    /// Turns a credential into a session, and counts the request.
    fn authenticate<'a>(
        &'a self,
        credential: Option<&'a Credential>,
        origin: Origin,
    ) -> BoxFuture<'a, Result<Session, Failure>>;

    /// Executes a request for a session.
    fn execute<'a>(&'a self, session: &'a Session, request: Request) -> BoxFuture<'a, Response>;

    /// Streams bytes into an upload.
    fn stage<'a>(
        &'a self,
        session: &'a Session,
        upload: &'a str,
        body: ByteStream,
    ) -> BoxFuture<'a, Result<StagedBlob, Failure>>;

    /// Starts an upload that is written from a blocking thread.
    fn stage_writer<'a>(
        &'a self,
        session: &'a Session,
        upload: &'a str,
    ) -> BoxFuture<'a, Result<Box<dyn StageWriter>, Failure>>;

    /// Opens the bytes a ticket gives the right to read.
    fn open<'a>(
        &'a self,
        ticket: &'a str,
        range: Option<Range<u64>>,
    ) -> BoxFuture<'a, Result<OpenedBlob, Failure>>;

    /// An address outside of this server where what a ticket gives the right to read can be fetched for a while, with
    /// these headers; none when the bytes have to come through [`Self::open`].
    fn presign<'a>(
        &'a self,
        ticket: &'a str,
        content_disposition: &'a str,
        content_type: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, Failure>>;
}
