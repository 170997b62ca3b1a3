//! Asking issuers, with bounds on the size of an answer and on the time it takes. Redirects are not followed.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore};
use serde::de::DeserializeOwned;
use thiserror::Error;
use url::Url;

use crate::issuer::is_safe;

/// Largest answer, in bytes.
const MAX_SIZE: usize = 512 * 1024;
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why there is no answer. Names the address, and nothing that was sent there.
#[derive(Debug, Error)]
#[error("{0}")]
pub(crate) struct Unanswered(String);

impl Unanswered {
    /// An answer that is none.
    pub(crate) fn other(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// Asks issuers. Clones share their connections.
#[derive(Clone)]
pub(crate) struct Fetcher(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl Fetcher {
    /// One that trusts the certificates that this machine trusts.
    pub(crate) fn new() -> Result<Self, String> {
        let provider = rustls::crypto::ring::default_provider;
        let builder = match HttpsConnectorBuilder::new().with_provider_and_native_roots(provider()) {
            Ok(builder) => builder,
            Err(error) => {
                tracing::warn!(%error, "this machine trusts no certificates: no issuer will be reached over HTTPS");
                let config = ClientConfig::builder_with_provider(Arc::new(provider()))
                    .with_safe_default_protocol_versions()
                    .map_err(|error| format!("TLS cannot be used: {error}"))?
                    .with_root_certificates(RootCertStore::empty())
                    .with_no_client_auth();
                HttpsConnectorBuilder::new().with_tls_config(config)
            }
        };
        let connector = builder.https_or_http().enable_http1().build();
        Ok(Self(Client::builder(TokioExecutor::new()).build(connector)))
    }

    /// The JSON document at `address`, shown to whoever has the `bearer` token where one is given; or why there is none.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        address: &str,
        bearer: Option<&str>,
    ) -> Result<T, Unanswered> {
        let failed = |error: &dyn std::fmt::Display| Unanswered(format!("{address}: {error}"));
        let mut request = Request::get(address).header(header::ACCEPT, "application/json");
        if let Some(token) = bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Vec::new()).map_err(|error| failed(&error))?;
        let response = self.send(request).await?;
        if response.status() != StatusCode::OK {
            return Err(Unanswered(format!("{address} answered {}", response.status())));
        }
        serde_json::from_slice(response.body()).map_err(|error| failed(&error))
    }

    /// What is answered to a request.
    pub(crate) async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Unanswered> {
        let address = request.uri().to_string();
        match tokio::time::timeout(TIMEOUT, self.exchange(&address, request)).await {
            Ok(answer) => answer,
            Err(_elapsed) => Err(Unanswered(format!("{address} took longer than {} s", TIMEOUT.as_secs()))),
        }
    }

    async fn exchange(
        &self,
        address: &str,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, Unanswered> {
        let failed = |error: &dyn std::fmt::Display| Unanswered(format!("{address}: {error}"));
        let url = Url::parse(address).map_err(|error| failed(&error))?;
        if !is_safe(&url) {
            return Err(Unanswered(format!("{address} is neither HTTPS nor on this machine")));
        }
        let request = request.map(|body| Full::new(Bytes::from(body)));
        let (head, body) = self.0.request(request).await.map_err(|error| failed(&error))?.into_parts();
        let body = Limited::new(body, MAX_SIZE).collect().await.map_err(|error| failed(&error))?;
        Ok(Response::from_parts(head, body.to_bytes().into()))
    }
}
