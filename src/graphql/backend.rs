//! What the gateway finds behind it.

use std::{ops::Range, sync::Arc};

use async_graphql::{Request, Response};
use domain::{Credential, Failure};
use futures::future::BoxFuture;
use gateway::{Backend, ByteStream, OpenedBlob, Origin, Session, StageWriter, StagedBlob};

use crate::{Model, authenticate::admit, context::Caller, limits::Door, upload};

impl Backend for Model {
    fn authenticate<'a>(
        &'a self,
        credential: Option<&'a Credential>,
        origin: Origin,
    ) -> BoxFuture<'a, Result<Session, Failure>> {
        Box::pin(async move {
            let caller = admit(&self.state, credential, origin).await?;
            let anonymous = caller.viewer.is_anonymous();
            Ok(Session::new(Arc::new(caller), anonymous))
        })
    }

    fn execute<'a>(&'a self, session: &'a Session, request: Request) -> BoxFuture<'a, Response> {
        Box::pin(self.run(&self.internal, Door::Internal, session, request))
    }

    fn stage<'a>(
        &'a self,
        session: &'a Session,
        upload: &'a str,
        body: ByteStream,
    ) -> BoxFuture<'a, Result<StagedBlob, Failure>> {
        Box::pin(async move { upload::stage(&self.state, &caller(session), upload, body).await })
    }

    fn stage_writer<'a>(
        &'a self,
        session: &'a Session,
        upload: &'a str,
    ) -> BoxFuture<'a, Result<Box<dyn StageWriter>, Failure>> {
        Box::pin(async move { upload::stage_writer(&self.state, &caller(session), upload).await })
    }

    fn open<'a>(
        &'a self,
        ticket: &'a str,
        range: Option<Range<u64>>,
    ) -> BoxFuture<'a, Result<OpenedBlob, Failure>> {
        Box::pin(upload::open(&self.state, ticket, range))
    }

    fn presign<'a>(
        &'a self,
        ticket: &'a str,
        content_disposition: &'a str,
        content_type: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, Failure>> {
        Box::pin(upload::presign(&self.state, ticket, content_disposition, content_type))
    }
}

/// Whom a session speaks for. One that was not made here speaks for nobody.
pub(crate) fn caller(session: &Session) -> Caller {
    session.inner::<Caller>().cloned().unwrap_or_else(Caller::anonymous)
}
