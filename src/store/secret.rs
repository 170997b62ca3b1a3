//! Secrets: the one place that draws random bytes.

use std::fmt;

use domain::Failure;
use sha2::{Digest, Sha256};

use crate::Result;

/// What the random part of a token is written in. 32 characters carry more than 190 bits.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Length of the random part of a token.
const LENGTH: usize = 32;

/// Fresh random bytes.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        tracing::error!(error = %error, "the system gives no random bytes");
        Failure::internal()
    })?;
    Ok(bytes)
}

/// A fresh token that starts with `prefix`. Neither the first nor the last character of the random part is a sign, so that a
/// double click selects all of it.
fn token(prefix: &str) -> Result<String> {
    let bytes = random::<LENGTH>()?;
    let mut token = String::with_capacity(prefix.len() + LENGTH);
    token.push_str(prefix);
    for (place, byte) in bytes.iter().enumerate() {
        let plain = place == 0 || place == LENGTH - 1;
        let letter = usize::from(byte % 64);
        token.push(char::from(ALPHABET[if plain { letter % 52 } else { letter }]));
    }
    Ok(token)
}

/// A secret that is shown once: to whoever asked for the token. Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret that was given, not drawn.
    pub fn given(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A fresh one that starts with `prefix`.
    pub(crate) fn fresh(prefix: &str) -> Result<Self> {
        token(prefix).map(Self)
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored in its place.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// What is stored in place of a secret, and what a presented one is looked up by. Tokens carry enough randomness for a plain
/// hash: nobody can try them all.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TokenHash(String);

impl TokenHash {
    /// The hash of a presented secret.
    pub fn of(secret: &str) -> Self {
        Self(hex::encode(Sha256::digest(secret.as_bytes())))
    }

    /// The hash in hexadecimal, as it is stored.
    pub(crate) fn as_text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TokenHash(…)")
    }
}
