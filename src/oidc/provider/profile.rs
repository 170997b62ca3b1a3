//! What an ID token, and what a provider tells beside it, say of somebody.

use domain::Failure;
use serde_json::{Map, Value};

use crate::{IdToken, verify::refused};

/// Longest subject, in bytes (OpenID Connect Core 1.0 §2).
const MAX_SUBJECT: usize = 255;

/// Who somebody is, as a provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// What the issuer calls them, for ever.
    pub subject: String,
    /// What a user name can be made from: the claim for it and the mail address, as far as they are there.
    pub usernames: Vec<String>,
    /// The name people read.
    pub name: Option<String>,
    /// The mail address, when the provider says that it was confirmed.
    pub email: Option<String>,
}

impl Profile {
    /// What claims say of somebody.
    pub(super) fn read(subject: String, claims: &Map<String, Value>, username_claim: &str) -> Self {
        let text = |name: &str| {
            claims.get(name).and_then(Value::as_str).filter(|text| is_plain(text)).map(str::to_owned)
        };
        let confirmed = claims.get("email_verified") == Some(&Value::Bool(true));
        Self {
            subject,
            usernames: [text(username_claim), text("email")].into_iter().flatten().collect(),
            name: text("name"),
            email: text("email").filter(|_| confirmed),
        }
    }
}

/// Whether a text holds no control characters, which no name does and not every database keeps.
fn is_plain(text: &str) -> bool {
    !text.contains(char::is_control)
}

/// Checks that a good ID token was issued to this client, for this attempt (OpenID Connect Core 1.0 §3.1.3.7). Gives its subject.
pub(super) fn check(token: &IdToken, client_id: &str, nonce: &str) -> Result<String, Failure> {
    let text = |name: &str| token.claims.get(name).and_then(Value::as_str);
    if !token.audience.iter().any(|audience| audience == client_id) {
        return Err(refused("it was issued for somebody else"));
    }
    let party = text("azp");
    if party.is_some_and(|party| party != client_id) || (party.is_none() && token.audience.len() > 1) {
        return Err(refused("it was issued to somebody else"));
    }
    if text("nonce") != Some(nonce) {
        return Err(refused("it belongs to another attempt"));
    }
    match text("sub") {
        Some(subject) if !subject.is_empty() && subject.len() <= MAX_SUBJECT && is_plain(subject) => {
            Ok(subject.to_owned())
        }
        _ => Err(refused("it does not say who it is of")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Profile, check};
    use crate::IdToken;

    fn token(claims: Value) -> IdToken {
        let audience = match &claims["aud"] {
            Value::Array(several) => {
                several.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
            }
            one => one.as_str().map(str::to_owned).into_iter().collect(),
        };
        IdToken {
            issuer: "https://people".to_owned(),
            audience,
            claims: claims.as_object().expect("an object").clone(),
            fingerprint: [0; 32],
            dead_after: time::OffsetDateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_token_is_for_this_client_and_this_attempt() {
        let told =
            |claims: Value| check(&token(claims), "us", "n").map_err(|failure| failure.message.into_owned());
        for good in [
            json!({ "aud": "us", "nonce": "n", "sub": "1" }),
            json!({ "aud": ["us"], "azp": "us", "nonce": "n", "sub": "1" }),
            json!({ "aud": ["them", "us"], "azp": "us", "nonce": "n", "sub": "1" }),
        ] {
            assert_eq!(told(good.clone()), Ok("1".to_owned()), "{good}");
        }
        let long = "s".repeat(256);
        for (bad, why) in [
            (json!({ "aud": "them", "nonce": "n", "sub": "1" }), "for somebody else"),
            (json!({ "nonce": "n", "sub": "1" }), "for somebody else"),
            (json!({ "aud": ["them", "us"], "nonce": "n", "sub": "1" }), "to somebody else"),
            (json!({ "aud": "us", "azp": "them", "nonce": "n", "sub": "1" }), "to somebody else"),
            (json!({ "aud": "us", "nonce": "m", "sub": "1" }), "another attempt"),
            (json!({ "aud": "us", "sub": "1" }), "another attempt"),
            (json!({ "aud": "us", "nonce": "n" }), "who it is of"),
            (json!({ "aud": "us", "nonce": "n", "sub": "" }), "who it is of"),
            (json!({ "aud": "us", "nonce": "n", "sub": 1 }), "who it is of"),
            (json!({ "aud": "us", "nonce": "n", "sub": "a\0b" }), "who it is of"),
            (json!({ "aud": "us", "nonce": "n", "sub": long }), "who it is of"),
        ] {
            let told = told(bad.clone()).expect_err("refused");
            assert!(told.contains(why), "{bad}: {told}");
        }
    }

    #[test]
    fn a_mail_address_counts_once_it_was_confirmed() {
        let of =
            |claims: Value| Profile::read("1".to_owned(), claims.as_object().expect("an object"), "login");
        let ann =
            of(json!({ "login": "ann", "name": "Ann", "email": "a@example.org", "email_verified": true }));
        assert_eq!((ann.name.as_deref(), ann.email.as_deref()), (Some("Ann"), Some("a@example.org")));
        assert_eq!(ann.usernames, ["ann", "a@example.org"]);
        let odd = of(json!({ "login": "a\0", "email": "e\0@x", "email_verified": true }));
        assert_eq!((odd.usernames.len(), odd.email), (0, None));
        for unsure in [json!(false), json!("true"), json!(1), Value::Null] {
            assert_eq!(of(json!({ "email": "a@example.org", "email_verified": unsure })).email, None);
        }
    }
}
