//! The checks that make an ID token worth something.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{ErrorCode, Failure};
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

use crate::{fetch::Fetcher, issuer::check_issuer, keys::IssuerKeys, ring_provider};

/// Longest token, in bytes.
const MAX_LENGTH: usize = 16 * 1024;
/// How far the clocks of an issuer and of this machine may be apart.
pub(crate) const LEEWAY: Duration = Duration::seconds(60);
/// Longest time for which a token is issued.
const MAX_LIFETIME: Duration = Duration::days(1);

/// An ID token that was found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdToken {
    /// Who issued it.
    pub issuer: String,
    /// For whom it was issued.
    pub audience: Vec<String>,
    /// What it says.
    pub claims: Map<String, Value>,
    /// Names the token, whatever is done to its text: by its `jti`, or by what was signed.
    pub fingerprint: [u8; 32],
    /// From when on nobody accepts it, clocks that are apart included.
    pub dead_after: OffsetDateTime,
}

impl IdToken {
    /// A claim as text, the way publishers are compared with it. Lists and objects have none.
    pub fn claim(&self, name: &str) -> Option<String> {
        match self.claims.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

/// Checks ID tokens of the issuers that the administrator trusts.
pub struct Verifier {
    issuers: HashMap<String, IssuerKeys>,
    /// None where nobody is trusted: then nothing is fetched.
    fetcher: Option<Fetcher>,
}

/// Checks ID tokens of one issuer with what `fetcher` fetches.
pub(crate) fn of_issuer(issuer: &str, fetcher: Fetcher) -> Verifier {
    ring_provider::install();
    let issuers = HashMap::from([(issuer.to_owned(), IssuerKeys::new(issuer.to_owned()))]);
    Verifier { issuers, fetcher: Some(fetcher) }
}

impl Verifier {
    /// One that trusts these issuers, each checked with [`check_issuer`]. Says which is wrong, and why.
    pub fn new(issuers: &[String]) -> Result<Self, String> {
        for issuer in issuers {
            check_issuer(issuer)?;
        }
        ring_provider::install();
        let fetcher = if issuers.is_empty() { None } else { Some(Fetcher::new()?) };
        let issuers = issuers.iter().map(|issuer| (issuer.clone(), IssuerKeys::new(issuer.clone())));
        Ok(Self { issuers: issuers.collect(), fetcher })
    }

    /// Whether tokens of this issuer are looked at: the address has to be the same to the letter.
    pub fn trusts(&self, issuer: &str) -> bool {
        self.issuers.contains_key(issuer)
    }

    /// Checks a token: issuer, algorithm, key, signature, times. Whom it was issued for, and what it says, is for the caller to
    /// compare. Fails with `UNAUTHENTICATED` and the reason, or with `UNAVAILABLE` when the issuer does not give its keys.
    pub async fn verify(&self, token: &str, now: OffsetDateTime) -> Result<IdToken, Failure> {
        if token.len() > MAX_LENGTH {
            return Err(refused("it is too long"));
        }
        let header = decode_header(token).map_err(|_| refused("it is not a signed token in compact form"))?;
        if !ring_provider::is_supported(header.alg) {
            return Err(refused("it is not signed with RSA, ECDSA or Ed25519"));
        }
        if names_critical(token) {
            return Err(refused("it asks for extensions that are not known here"));
        }
        let issuer = claims_of(token).and_then(|claims| Some(claims.get("iss")?.as_str()?.to_owned()));
        let issuer = issuer.ok_or_else(|| refused("it does not say who issued it"))?;
        let (Some(keys), Some(fetcher)) = (self.issuers.get(&issuer), self.fetcher.as_ref()) else {
            return Err(refused("its issuer is not one that the administrator of this server trusts"));
        };
        let found = keys.find(fetcher, header.kid.as_deref()).await.map_err(|why| {
            tracing::warn!(oidc.issuer = %issuer, error = %why, "the keys of an issuer cannot be had");
            Failure::new(
                ErrorCode::Unavailable,
                format!("The keys of the issuer '{issuer}' cannot be had: try again later"),
            )
        })?;
        let key = found.ok_or_else(|| refused("its issuer has no such key"))?;
        if key.common.key_algorithm.is_some_and(|named| named.to_string() != format!("{:?}", header.alg)) {
            return Err(refused("its key is for another algorithm"));
        }
        let key = DecodingKey::from_jwk(&key).map_err(|_| refused("its issuer's key cannot be used"))?;
        let mut validation = Validation::new(header.alg);
        // Times are compared below with the clock that is given here, the audience by whoever asks.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let decoded = decode::<Map<String, Value>>(token, &key, &validation)
            .map_err(|_| refused("its signature is not its issuer's"))?;
        check(token, issuer, decoded.claims, now)
    }
}

pub(crate) fn refused(why: &str) -> Failure {
    Failure::new(ErrorCode::Unauthenticated, format!("The ID token is refused: {why}"))
}

fn part(token: &str, place: usize) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(place)?).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// What a token claims, believed by nobody yet.
fn claims_of(token: &str) -> Option<Map<String, Value>> {
    part(token, 1)
}

/// Whether the header names extensions that whoever reads the token has to understand (RFC 7515 §4.1.11).
fn names_critical(token: &str) -> bool {
    part(token, 0).is_none_or(|header| header.contains_key("crit"))
}

/// Checks what the signature stands for.
fn check(
    token: &str,
    issuer: String,
    claims: Map<String, Value>,
    now: OffsetDateTime,
) -> Result<IdToken, Failure> {
    if claims.get("iss").and_then(Value::as_str) != Some(issuer.as_str()) {
        return Err(refused("it does not say who issued it"));
    }
    let instant = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value
            .as_i64()
            .or_else(|| {
                let seconds = value.as_f64().filter(|seconds| seconds.is_finite() && seconds.abs() < 1e11)?;
                Some(Duration::seconds_f64(seconds).whole_seconds())
            })
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
            .map(Some)
            .ok_or_else(|| refused(&format!("its '{name}' is not a time"))),
    };
    let expires = instant("exp")?.ok_or_else(|| refused("it does not say when it expires"))?;
    let issued = instant("iat")?.ok_or_else(|| refused("it does not say when it was issued"))?;
    if expires.saturating_add(LEEWAY) <= now {
        return Err(refused("it has expired"));
    }
    let has_begun = |begins: OffsetDateTime| begins.saturating_sub(LEEWAY) <= now;
    if !has_begun(issued) || !instant("nbf")?.is_none_or(has_begun) {
        return Err(refused("its time has not begun: compare the clocks"));
    }
    if expires - issued > MAX_LIFETIME {
        return Err(refused("it was issued for more than a day"));
    }
    let audience = match claims.get("aud") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(several)) => {
            several.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    };
    let mut fingerprint = Sha256::new();
    fingerprint.update(issuer.as_bytes());
    match claims.get("jti").and_then(Value::as_str).filter(|name| !name.is_empty()) {
        Some(name) => {
            fingerprint.update(b"\0name\0");
            fingerprint.update(name.as_bytes());
        }
        // Not the signature: of some algorithms there are several for one text.
        None => {
            fingerprint.update(b"\0text\0");
            fingerprint.update(token.rsplit_once('.').map_or(token, |(signed, _)| signed).as_bytes());
        }
    }
    Ok(IdToken {
        issuer,
        audience,
        fingerprint: fingerprint.finalize().into(),
        dead_after: expires.saturating_add(LEEWAY),
        claims,
    })
}

#[cfg(test)]
mod tests {
    use domain::ErrorCode;
    use serde_json::{Value, json};
    use time::{Duration, OffsetDateTime};

    use super::{Verifier, check};

    const NOW: OffsetDateTime = time::macros::datetime!(2026-11-23 12:00 UTC);

    fn claims(changes: Value) -> serde_json::Map<String, Value> {
        let now = NOW.unix_timestamp();
        let mut claims =
            json!({ "iss": "https://ci", "aud": "us", "iat": now, "exp": now + 300, "jti": "1" });
        for (name, value) in changes.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        claims.as_object().expect("an object").clone()
    }

    fn checked(changes: Value) -> Result<super::IdToken, String> {
        check("a.b.c", "https://ci".to_owned(), claims(changes), NOW).map_err(|failure| {
            assert_eq!(failure.code, ErrorCode::Unauthenticated);
            failure.message.into_owned()
        })
    }

    #[test]
    fn times_are_compared_with_a_minute_of_leeway() {
        let at = |seconds: i64| json!(NOW.unix_timestamp() + seconds);
        for (changes, why) in [
            (json!({ "exp": at(-60) }), "expired"),
            (json!({ "iat": at(61) }), "begun"),
            (json!({ "nbf": at(61) }), "begun"),
            (json!({ "exp": null }), "not a time"),
            (json!({ "exp": "soon" }), "not a time"),
            (json!({ "exp": 1e300 }), "not a time"),
            (json!({ "exp": at(100_000) }), "more than a day"),
            (json!({ "iss": "https://other" }), "who issued it"),
        ] {
            let told = checked(changes.clone()).expect_err("refused");
            assert!(told.contains(why), "{changes}: {told}");
        }
        for changes in [json!({ "exp": at(-59) }), json!({ "iat": at(59) }), json!({ "nbf": at(59) })] {
            assert!(checked(changes.clone()).is_ok(), "{changes}");
        }
        let token = checked(json!({})).expect("good");
        assert_eq!(token.dead_after, NOW + Duration::seconds(360), "as long as anybody would accept it");
    }

    #[test]
    fn a_token_is_named_by_its_id_or_by_what_was_signed() {
        let of = |token: &str, changes| {
            check(token, "https://ci".to_owned(), claims(changes), NOW).expect("good").fingerprint
        };
        assert_eq!(of("a.b.c", json!({})), of("x.y.z", json!({})), "one id, one token");
        assert_ne!(of("a.b.c", json!({})), of("a.b.c", json!({ "jti": "2" })));
        let nameless = json!({ "jti": "" });
        assert_eq!(of("a.b.c", nameless.clone()), of("a.b.d", nameless.clone()), "another signature");
        assert_ne!(of("a.b.c", nameless.clone()), of("a.x.c", nameless));
    }

    #[tokio::test]
    async fn what_is_no_signed_token_of_a_trusted_issuer_is_refused_unasked() {
        let verifier = Verifier::new(&["https://ci".to_owned()]).expect("an issuer");
        let encode = |value: Value| {
            use base64::Engine;
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string())
        };
        let token = |header: Value, claims: Value| format!("{}.{}.c2ln", encode(header), encode(claims));
        for (token, why) in [
            (String::new(), "compact"),
            ("a.b".to_owned(), "compact"),
            ("x".repeat(20_000), "too long"),
            (token(json!({ "alg": "none" }), json!({ "iss": "https://ci" })), "compact"),
            (token(json!({ "alg": "HS256" }), json!({ "iss": "https://ci" })), "not signed with"),
            (token(json!({ "alg": "RS256", "crit": ["b64"] }), json!({ "iss": "https://ci" })), "extensions"),
            (token(json!({ "alg": "RS256" }), json!({})), "who issued it"),
            (token(json!({ "alg": "RS256" }), json!({ "iss": "https://ci/" })), "trusts"),
            (token(json!({ "alg": "RS256" }), json!({ "iss": "https://other" })), "trusts"),
        ] {
            let failure = verifier.verify(&token, NOW).await.expect_err("refused");
            assert_eq!(failure.code, ErrorCode::Unauthenticated, "{token}");
            assert!(failure.message.contains(why), "{token}: {}", failure.message);
        }
    }
}
