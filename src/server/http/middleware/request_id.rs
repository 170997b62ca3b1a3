//! A name for each request, in the answer and in each line of the log.

use axum::{extract::Request, response::Response};
use http::{HeaderName, HeaderValue};

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id taken from outside.
const LONGEST: usize = 128;

/// The id of a request.
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// The id that the request came with, if that is one, or a new one.
    pub(crate) fn of(request: &Request) -> Self {
        match request.headers().get(HEADER) {
            Some(value) if is_sane(value.as_bytes()) => Self(value.clone()),
            _ => Self(fresh()),
        }
    }

    /// The id as text.
    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// Tells the id.
    pub(crate) fn stamp(self, response: &mut Response) {
        response.headers_mut().insert(HEADER, self.0);
    }
}

fn is_sane(id: &[u8]) -> bool {
    (1..=LONGEST).contains(&id.len())
        && id.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// 128 random bits. Without randomness, a name that is none: the id is a help, nothing depends on it.
fn fresh() -> HeaderValue {
    let mut bytes = [0_u8; 16];
    if getrandom::fill(&mut bytes).is_err() {
        return HeaderValue::from_static("none");
    }
    let text = format!("{:032x}", u128::from_be_bytes(bytes));
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("none"))
}

#[cfg(test)]
mod tests {
    use super::is_sane;

    #[test]
    fn only_plain_ids_are_taken_from_outside() {
        assert!(is_sane(b"01HX-7f.a_b"));
        for odd in [&b""[..], b"two words", b"line\nbreak", b"\x1b[31m", &[b'a'; 129]] {
            assert!(!is_sane(odd), "{odd:?}");
        }
    }
}
