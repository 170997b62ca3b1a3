//! Requests to a router, without a socket.

use std::{convert::Infallible, io};

use axum::{Router, body::Body};
use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use gateway::ClientAddress;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::{Carried, Person};

/// Sends requests to a router.
#[derive(Clone)]
pub struct Client {
    router: Router,
}

impl Client {
    /// A client of `router`.
    pub fn new(router: Router) -> Self {
        Self { router }
    }

    /// A request with any method.
    pub fn request(&self, method: Method, path: impl Into<String>) -> Request {
        Request {
            router: self.router.clone(),
            method,
            path: path.into(),
            headers: HeaderMap::new(),
            address: None,
            body: Body::empty(),
        }
    }

    /// `GET`.
    pub fn get(&self, path: impl Into<String>) -> Request {
        self.request(Method::GET, path)
    }

    /// `HEAD`.
    pub fn head(&self, path: impl Into<String>) -> Request {
        self.request(Method::HEAD, path)
    }

    /// `PUT`.
    pub fn put(&self, path: impl Into<String>) -> Request {
        self.request(Method::PUT, path)
    }

    /// `POST`.
    pub fn post(&self, path: impl Into<String>) -> Request {
        self.request(Method::POST, path)
    }

    /// `DELETE`.
    pub fn delete(&self, path: impl Into<String>) -> Request {
        self.request(Method::DELETE, path)
    }
}

/// A request on its way.
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    router: Router,
    method: Method,
    path: String,
    headers: HeaderMap,
    address: Option<ClientAddress>,
    body: Body,
}

impl Request {
    /// Presents the credential of `person` in the header named after its kind.
    pub fn by(self, person: &Person) -> Self {
        self.by_way_of(person, Carried::ByName)
    }

    /// Presents the credential of `person` in another way.
    pub fn by_way_of(mut self, person: &Person, carried: Carried) -> Self {
        self.headers.extend(person.headers(carried));
        self
    }

    /// Comes from this address. Nobody knows where other requests come from.
    pub fn from_address(mut self, address: &str) -> Self {
        self.address = Some(ClientAddress(address.parse().expect("an address")));
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let name = HeaderName::try_from(name.as_ref()).expect("a header's name");
        self.headers.append(name, HeaderValue::try_from(value.as_ref()).expect("a header's value"));
        self
    }

    /// Sends these bytes.
    pub fn body(mut self, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        self.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        self.body = Body::from(bytes);
        self
    }

    /// Sends a stream of bytes.
    pub fn stream(mut self, stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Self {
        self.body = Body::from_stream(stream.into_stream());
        self
    }

    /// Sends JSON.
    pub fn json(self, value: &Value) -> Self {
        self.header("content-type", "application/json").body(value.to_string())
    }

    /// Sends the request and reads the whole answer.
    pub async fn send(self) -> Answer {
        let described = format!("{} {}", self.method, self.path);
        let mut request = http::Request::new(self.body);
        *request.method_mut() = self.method;
        *request.uri_mut() = self.path.parse().unwrap_or_else(|error| panic!("{described}: {error}"));
        *request.headers_mut() = self.headers;
        if let Some(address) = self.address {
            request.extensions_mut().insert(address);
        }
        let response = self.router.oneshot(request).await.unwrap_or_else(|never: Infallible| match never {});
        let (parts, body) = response.into_parts();
        let body = match body.collect().await {
            Ok(collected) => collected.to_bytes(),
            Err(error) => panic!("{described}: the answer broke off: {error}"),
        };
        Answer { described, status: parts.status, headers: parts.headers, body }
    }
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The method and path that were asked, for messages.
    pub described: String,
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// A header's text; empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; fails the test when it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => {
                panic!("{}: {} is no JSON ({error}): {}", self.described, self.status, self.text())
            }
        }
    }

    /// Fails the test unless the status is `status`.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "an assertion may be all that a statement is for")]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}: {}", self.described, self.text());
        self
    }
}
