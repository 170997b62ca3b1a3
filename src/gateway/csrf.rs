//! Proof that a request which a cookie vouches for comes from a page of ours. Browsers send cookies with whatever a foreign page
//! makes them send.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Failure;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderName, header};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use url::{Origin, Url};

/// The header that a script of ours carries the token in, as in GitLab.
const HEADER: HeaderName = HeaderName::from_static("x-csrf-token");
/// Where the browser says how the page that asks is related to this site (Fetch Metadata).
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// What keeps these codes apart from any other that the same secret may be used for.
const LABEL: &[u8] = b"entrepot: a token against forged requests";

/// What a page of ours carries and a foreign one cannot know. It follows from a secret that travels in a cookie that no script
/// can read, so nothing has to be kept; the secret does not follow from it.
#[derive(Clone)]
pub struct CsrfToken(String);

impl CsrfToken {
    /// The token that belongs to a secret.
    pub fn of(secret: &str) -> Self {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(LABEL);
        Self(URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    /// The token as it stands in a page.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `presented` is this token. How long that takes does not tell how much of it is right.
    pub fn is(&self, presented: &str) -> bool {
        self.0.as_bytes().ct_eq(presented.as_bytes()).into()
    }

    /// Refuses headers that do not carry this token.
    pub(crate) fn check_header(&self, headers: &HeaderMap) -> Result<(), Failure> {
        match headers.get(HEADER).map(|value| value.to_str().unwrap_or_default()) {
            Some(presented) if self.is(presented) => Ok(()),
            Some(_) => Err(Failure::forbidden(
                "The X-CSRF-Token is not the one of this session: take it from the csrf-token of a page that was loaded in it",
            )),
            None => Err(Failure::forbidden(
                "A request with the cookie of a session has to carry the csrf-token of a page in the header X-CSRF-Token",
            )),
        }
    }
}

impl fmt::Debug for CsrfToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CsrfToken(…)")
    }
}

/// Refuses what the browser says a foreign page made it send: it is a second line, and costs nothing. A client that says nothing
/// of the kind is no browser of today, and is judged by its token alone.
pub fn refuse_foreign(headers: &HeaderMap, external_url: &str) -> Result<(), Failure> {
    let refused = || {
        Failure::forbidden("The request comes from a page of another site: send it from a page of this one")
    };
    if headers.get(FETCH_SITE).is_some_and(|site| site == "cross-site") {
        return Err(refused());
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().ok().and_then(|origin| Url::parse(origin).ok()).map(|url| url.origin());
    let ours = |origin: &Origin| {
        let is_external = Url::parse(external_url).is_ok_and(|url| url.origin() == *origin);
        is_external || is_host(headers, origin)
    };
    if origin.is_some_and(|origin| ours(&origin)) { Ok(()) } else { Err(refused()) }
}

/// Whether an origin is the host that was asked, which may be reached under more names than the external URL. The scheme does not
/// count: a proxy in front may have taken the TLS off.
fn is_host(headers: &HeaderMap, origin: &Origin) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
    let Origin::Tuple(scheme, ..) = origin else { return false };
    Url::parse(&format!("{scheme}://{host}/")).is_ok_and(|url| url.origin() == *origin)
}
