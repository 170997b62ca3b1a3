//! Who a request speaks for, and the handle that runs its operations.

use std::{any::Any, fmt, ops::Range, sync::Arc};

use async_graphql::{Request, Value, Variables};
use domain::{Credential, Failure};
use http::HeaderValue;

use crate::{
    Backend, ByteStream, CsrfToken, OpenedBlob, Operation, Origin, StageWriter, StagedBlob, failure,
    readers::Readers,
};

/// Proof that a credential was looked at. Opaque: only the backend knows what is inside.
#[derive(Clone)]
pub struct Session {
    inner: Arc<dyn Any + Send + Sync>,
    anonymous: bool,
    csrf_token: Option<CsrfToken>,
}

impl Session {
    /// Wraps what the backend knows of the caller. Meaningful to backends only: one that did not make the inner value
    /// cannot read it and treats the caller as nobody.
    pub fn new(inner: Arc<dyn Any + Send + Sync>, anonymous: bool) -> Self {
        Self { inner, anonymous, csrf_token: None }
    }

    /// The same caller, known by a cookie: what changes something has to come with this token.
    pub(crate) fn by_cookie(self, csrf_token: CsrfToken) -> Self {
        Self { csrf_token: Some(csrf_token), ..self }
    }

    /// What the backend put in.
    pub fn inner<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.inner.downcast_ref()
    }

    /// Whether the caller presented nothing: only for choosing how a refusal is worded.
    pub const fn is_anonymous(&self) -> bool {
        self.anonymous
    }

    /// The token that proves a request of this caller's to come from a page of ours; none for callers that no cookie vouches for.
    pub const fn csrf_token(&self) -> Option<&CsrfToken> {
        self.csrf_token.as_ref()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Session").field("anonymous", &self.anonymous).finish_non_exhaustive()
    }
}

/// Runs operations and moves bytes. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    backend: Arc<dyn Backend>,
    external_url: Arc<str>,
    pub(crate) readers: Readers,
}

impl Gateway {
    /// A gateway to `backend`; links in answers start with `external_url`, given without a slash at the end.
    pub fn new(backend: Arc<dyn Backend>, external_url: impl Into<Arc<str>>) -> Self {
        Self { backend, external_url: external_url.into(), readers: Readers::default() }
    }

    /// What links in answers start with, without a slash at the end.
    pub fn external_url(&self) -> &str {
        &self.external_url
    }

    /// Whether clients reach the server over HTTPS.
    pub fn is_secure(&self) -> bool {
        self.external_url.starts_with("https:")
    }

    /// Turns a credential into a session; none gives the anonymous one. Fails with `UNAUTHENTICATED` when it is not accepted, and
    /// with `RATE_LIMITED` when too many requests came from there.
    pub async fn authenticate(
        &self,
        credential: Option<&Credential>,
        origin: Origin,
    ) -> Result<Session, Failure> {
        self.backend.authenticate(credential, origin).await
    }

    /// Runs one operation for `session`. The first error of the answer becomes the failure.
    pub async fn run<O: Operation>(
        &self,
        session: &Session,
        variables: O::Variables,
    ) -> Result<O::ResponseData, Failure> {
        let body = O::build_query(variables);
        let variables = match async_graphql::to_value(body.variables) {
            Ok(object @ Value::Object(_)) => Variables::from_value(object),
            Ok(_) => Variables::default(),
            Err(error) => {
                tracing::error!(operation.name = body.operation_name, %error, "variables of an operation could not be encoded");
                return Err(Failure::internal());
            }
        };
        let mut request = Request::new("").operation_name(body.operation_name).variables(variables);
        request.set_parsed_query(O::parsed().get(body.query, body.operation_name));
        let response = self.backend.execute(session, request).await;
        if let Some(error) = response.errors.first() {
            return Err(failure::from_server_error(error));
        }
        async_graphql::from_value(response.data).map_err(|error| {
            tracing::error!(operation.name = body.operation_name, %error, "answer of an operation could not be decoded");
            Failure::internal()
        })
    }

    /// Streams bytes into the upload called `upload` (the id that `createUpload` gave). Dropping the result, or this
    /// future, before the publish leaves nothing behind.
    pub async fn stage(
        &self,
        session: &Session,
        upload: &str,
        body: ByteStream,
    ) -> Result<StagedBlob, Failure> {
        self.backend.stage(session, upload, body).await
    }

    /// The same for a decoder that runs on a blocking thread and writes.
    pub async fn stage_writer(
        &self,
        session: &Session,
        upload: &str,
    ) -> Result<Box<dyn StageWriter>, Failure> {
        self.backend.stage_writer(session, upload).await
    }

    /// Opens what `ticket` gives the right to read, or the `range` of it.
    pub async fn open(&self, ticket: &str, range: Option<Range<u64>>) -> Result<OpenedBlob, Failure> {
        self.backend.open(ticket, range).await
    }

    /// An address outside of this server where what `ticket` gives the right to read can be fetched for a while, with
    /// these headers. It is a secret of the caller's, and good for nothing but GET.
    pub async fn presign(
        &self,
        ticket: &str,
        content_disposition: &HeaderValue,
        content_type: &HeaderValue,
    ) -> Result<Option<String>, Failure> {
        match (content_disposition.to_str(), content_type.to_str()) {
            (Ok(disposition), Ok(kind)) => self.backend.presign(ticket, disposition, kind).await,
            _ => Ok(None),
        }
    }
}
