//! One request, taken apart for a handler.

use std::{
    io,
    sync::{Mutex, PoisonError},
};

use axum::body::Body;
use bytes::Bytes;
use domain::{ErrorCode, Failure, RegistryScope};
use futures::{StreamExt, TryStreamExt};
use http::{HeaderMap, Method, Uri, header};
use percent_encoding::percent_decode_str;

use crate::{ByteStream, Gateway, Operation, Origin, Session, StageWriter, StagedBlob};

/// Captures of a route's pattern, percent-decoded exactly once.
#[derive(Clone, Debug, Default)]
pub struct PathParams(pub(crate) Vec<(String, String)>);

/// The query of a request, decoded once, with repeated keys kept.
#[derive(Clone, Debug, Default)]
pub struct QueryPairs(Vec<(String, String)>);

impl QueryPairs {
    /// Parses a query string. Text that is no UTF-8 after decoding is refused.
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, Failure> {
        let decode = |text: &str| {
            percent_decode_str(&text.replace('+', " "))
                .decode_utf8()
                .map(std::borrow::Cow::into_owned)
                .map_err(|_| Failure::invalid("query", "The query string is not valid UTF-8"))
        };
        query
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                Ok((decode(key)?, decode(value)?))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The last value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// All pairs, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

/// A request on its way through a handler: who asks, where, for what. The body has not been touched.
pub struct Call {
    /// Runs operations.
    pub gateway: Gateway,
    /// Who asks.
    pub session: Session,
    /// From where.
    pub origin: Origin,
    /// The level the request came in at, with the project or group named in the URL.
    pub scope: RegistryScope,
    /// The method; `HEAD` runs the handler of `GET`.
    pub method: Method,
    /// The address as requested.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
    /// The decoded query.
    pub query: QueryPairs,
    pub(crate) params: PathParams,
    /// In a mutex, that is never locked, since a shared `Call` crosses awaits and a `Body` may not be shared.
    pub(crate) body: Mutex<Body>,
}

impl Call {
    /// The decoded capture `name` of the pattern. Empty when the pattern has none of that name.
    pub fn param(&self, name: &str) -> &str {
        self.params.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }

    /// The project named in the URL; a failure at the other levels.
    pub fn project(&self) -> Result<&str, Failure> {
        match &self.scope {
            RegistryScope::Project(project) => Ok(project),
            RegistryScope::Group(_) | RegistryScope::Instance => {
                Err(Failure::new(ErrorCode::Unsupported, "This is possible at project level only"))
            }
        }
    }

    /// What `projectPath` and `groupPath` of a `PackageScopeInput` are for this request.
    pub fn scope_paths(&self) -> (Option<String>, Option<String>) {
        match &self.scope {
            RegistryScope::Project(path) => (Some(path.clone()), None),
            RegistryScope::Group(path) => (None, Some(path.clone())),
            RegistryScope::Instance => (None, None),
        }
    }

    /// A header's text, when it is there and readable.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Runs an operation for the caller.
    pub async fn run<O: Operation>(&self, variables: O::Variables) -> Result<O::ResponseData, Failure> {
        self.gateway.run::<O>(&self.session, variables).await
    }

    /// Takes the body as a stream. One that is a part of something (RFC 9110 §14.5), or encoded (§8.4), is refused: it would
    /// be kept as if it were the whole, as it is.
    pub fn take_body(&mut self) -> Result<ByteStream, Failure> {
        if let Some(range) = self.headers.get(header::CONTENT_RANGE) {
            let message = format!(
                "Content-Range '{}' is refused: send the whole content in one request",
                String::from_utf8_lossy(range.as_bytes())
            );
            return Err(Failure::invalid("Content-Range", message));
        }
        if let Some(encoding) = self.headers.get(header::CONTENT_ENCODING)
            && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
        {
            let message = format!(
                "Content-Encoding '{}' is refused: send the content as it is, without an encoding",
                String::from_utf8_lossy(encoding.as_bytes())
            );
            return Err(Failure::invalid("Content-Encoding", message));
        }
        let body = self.body.get_mut().unwrap_or_else(PoisonError::into_inner);
        Ok(std::mem::take(body).into_data_stream().map_err(io::Error::other).boxed())
    }

    /// Reads the whole body, refusing one of more than `limit` bytes.
    pub async fn read_body(&mut self, limit: usize) -> Result<Bytes, Failure> {
        let mut stream = self.take_body()?;
        let mut body = Vec::new();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|_| Failure::invalid("body", "The request body ended early"))?;
            if body.len() + chunk.len() > limit {
                return Err(Failure::new(
                    ErrorCode::TooLarge,
                    format!("The request body is larger than {limit} bytes"),
                ));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.into())
    }

    /// Streams the body into the upload called `upload`.
    pub async fn stage_body(&mut self, upload: &str) -> Result<StagedBlob, Failure> {
        let body = self.take_body()?;
        self.gateway.stage(&self.session, upload, body).await
    }

    /// Decodes the body on a blocking thread: `decode` reads it and writes what it finds to the writer of the upload called
    /// `upload`. Memory stays flat: the body waits for the decoder, the client for the body.
    pub async fn decode_body<T, F>(&mut self, upload: &str, decode: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn io::Read, Box<dyn StageWriter>) -> Result<T, Failure> + Send + 'static,
    {
        let place = self.gateway.readers.place().await?;
        let writer = self.gateway.stage_writer(&self.session, upload).await?;
        place.read(self.take_body()?, move |reader| decode(reader, writer)).await
    }

    /// Reads the body on a blocking thread. When this future is dropped, the body ends.
    pub async fn read_blocking<T, F>(&mut self, read: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn io::Read) -> Result<T, Failure> + Send + 'static,
    {
        let place = self.gateway.readers.place().await?;
        place.read(self.take_body()?, read).await
    }
}
