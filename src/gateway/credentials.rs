//! Finds the credential in a request: every carrier GitLab understands, on every route.

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{Carrier, Credential, Failure};
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

use crate::QueryPairs;

/// What a wrong credential does to a request that needs none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leniency {
    /// It is refused.
    Strict,
    /// A wrong user name or password in `Authorization: Basic` of a read counts as none, as GitLab has it for generic, PyPI,
    /// Composer and Maven. Other carriers stay strict.
    IgnoreWrongBasicOnRead,
}

/// What the cookie of a session counts for at a door. Where it is read it comes last, after every token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionCookie {
    /// Nothing: clients of the door are no browsers, and a cookie would let foreign pages use it.
    Ignored,
    /// The caller, when the header `X-CSRF-Token` proves that a page of ours asks. A dead session is refused.
    WithToken,
    /// The caller, and nothing else does: pages. Whoever changes something proves it in a field of the form, which the pages
    /// look at themselves. A dead session counts as none.
    Alone,
}

/// How a door reads credentials.
#[derive(Clone, Copy, Debug)]
pub struct CredentialPolicy {
    /// What a wrong one does.
    pub leniency: Leniency,
    /// Whether `?private_token=` and `?job_token=` are read.
    pub query_parameters: bool,
    /// What the cookie of a session counts for.
    pub session: SessionCookie,
}

impl Default for CredentialPolicy {
    fn default() -> Self {
        Self { leniency: Leniency::Strict, query_parameters: true, session: SessionCookie::Ignored }
    }
}

/// Whether a carrier carries nothing, as where a script's variable was never set: it counts as none, as in GitLab.
fn is_blank(value: &HeaderValue) -> bool {
    value.as_bytes().trim_ascii().is_empty()
}

/// The token of a request. Headers named after a token win over `Authorization`, and that over the query, as in GitLab.
/// An `Authorization` header that cannot be read is refused, not ignored.
pub(crate) fn find(
    headers: &HeaderMap,
    query: &QueryPairs,
    policy: CredentialPolicy,
) -> Result<Option<Credential>, Failure> {
    if policy.session == SessionCookie::Alone {
        return Ok(None);
    }
    let named = [
        ("private-token", Carrier::PrivateToken),
        ("job-token", Carrier::JobToken),
        ("deploy-token", Carrier::DeployToken),
    ];
    for (name, carrier) in named {
        if let Some(value) = headers.get(name).filter(|value| !is_blank(value)) {
            let secret = value.to_str().map_err(|_| Failure::unauthenticated())?;
            return Ok(Some(Credential { carrier, username: None, secret: secret.trim().to_owned() }));
        }
    }
    if let Some(value) = headers.get(AUTHORIZATION).filter(|value| !is_blank(value)) {
        return authorization(value.to_str().map_err(|_| Failure::unauthenticated())?).map(Some);
    }
    if policy.query_parameters {
        for (name, carrier) in [("private_token", Carrier::PrivateToken), ("job_token", Carrier::JobToken)] {
            if let Some(secret) = query.get(name).filter(|secret| !secret.trim().is_empty()) {
                return Ok(Some(Credential { carrier, username: None, secret: secret.to_owned() }));
            }
        }
    }
    Ok(None)
}

fn authorization(value: &str) -> Result<Credential, Failure> {
    let (scheme, rest) = value.trim().split_once(' ').ok_or_else(Failure::unauthenticated)?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(Credential { carrier: Carrier::Bearer, username: None, secret: rest.to_owned() });
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = STANDARD.decode(rest).map_err(|_| Failure::unauthenticated())?;
        let text = String::from_utf8(decoded).map_err(|_| Failure::unauthenticated())?;
        let (username, secret) = text.split_once(':').ok_or_else(Failure::unauthenticated)?;
        return Ok(Credential {
            carrier: Carrier::Basic,
            username: Some(username.to_owned()),
            secret: secret.to_owned(),
        });
    }
    Err(Failure::unauthenticated())
}
