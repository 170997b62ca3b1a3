//! What an issuer says of itself (OpenID Connect Discovery 1.0).

use serde::Deserialize;

use crate::fetch::{Fetcher, Unanswered};

/// What discovery says of an issuer.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Discovery {
    issuer: String,
    pub(crate) jwks_uri: String,
    pub(crate) authorization_endpoint: Option<String>,
    pub(crate) token_endpoint: Option<String>,
    pub(crate) userinfo_endpoint: Option<String>,
    /// How clients say who they are; with `client_secret_basic` where nothing is said.
    pub(crate) token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// Whether browsers come back with the issuer's name (RFC 9207 §3).
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
}

/// Asks an issuer. One that calls itself otherwise, to the letter, is somebody else.
pub(crate) async fn discover(fetcher: &Fetcher, issuer: &str) -> Result<Discovery, Unanswered> {
    let base = issuer.trim_end_matches('/');
    let address = format!("{base}/.well-known/openid-configuration");
    let discovery: Discovery = fetcher.get(&address, None).await?;
    if discovery.issuer != issuer {
        return Err(Unanswered::other(format!("{base} says that its issuer is '{}'", discovery.issuer)));
    }
    Ok(discovery)
}
