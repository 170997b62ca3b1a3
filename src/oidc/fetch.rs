//! Fetching a JSON document, with bounds on its size and on the time it takes. Redirects are not followed.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore};
use serde::de::DeserializeOwned;
use url::Url;

use crate::issuer::is_safe;

/// Largest document, in bytes.
const MAX_SIZE: usize = 512 * 1024;
/// How long a document may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Fetches documents.
pub(crate) struct Fetcher(Client<HttpsConnector<HttpConnector>, Empty<Bytes>>);

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

    /// The document at `address`, or why there is none.
    pub(crate) async fn get<T: DeserializeOwned>(&self, address: &str) -> Result<T, String> {
        match tokio::time::timeout(TIMEOUT, self.read(address)).await {
            Ok(read) => read,
            Err(_elapsed) => Err(format!("{address} took longer than {} s", TIMEOUT.as_secs())),
        }
    }

    async fn read<T: DeserializeOwned>(&self, address: &str) -> Result<T, String> {
        let url = Url::parse(address).map_err(|error| format!("{address}: {error}"))?;
        if !is_safe(&url) {
            return Err(format!("{address} is neither HTTPS nor on this machine"));
        }
        let request = Request::get(url.as_str())
            .header(header::ACCEPT, "application/json")
            .body(Empty::new())
            .map_err(|error| format!("{address}: {error}"))?;
        let response = self.0.request(request).await.map_err(|error| format!("{address}: {error}"))?;
        if response.status() != StatusCode::OK {
            return Err(format!("{address} answered {}", response.status()));
        }
        let body = Limited::new(response.into_body(), MAX_SIZE).collect().await;
        let body = body.map_err(|error| format!("{address}: {error}"))?.to_bytes();
        serde_json::from_slice(&body).map_err(|error| format!("{address}: {error}"))
    }
}
