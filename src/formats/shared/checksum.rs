//! Checksums that clients send along with a body: `X-Checksum-*` as build tools know them, `Content-Digest` and
//! `Repr-Digest` of RFC 9530.

use std::sync::{Arc, Mutex, PoisonError};

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::Failure;
use futures::{StreamExt, TryStreamExt};
use gateway::ByteStream;
use http::HeaderMap;
use sha2::{Digest, Sha512};

/// What the body of a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyShape {
    /// The file itself.
    File,
    /// A form with the file in it: digests of the message are then not the file's, and are left alone.
    Form,
}

/// Digests the client says a file has, in lower-case hexadecimal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExpectedDigests {
    /// RFC 1321.
    pub(crate) md5: Option<String>,
    /// FIPS 180-4.
    pub(crate) sha1: Option<String>,
    /// FIPS 180-4.
    pub(crate) sha256: Option<String>,
    /// FIPS 180-4.
    pub(crate) sha512: Option<String>,
}

impl ExpectedDigests {
    /// Reads what the headers announce. One that cannot be read, or that contradicts another, is refused: a client that
    /// asks for a check must not get less.
    pub(crate) fn read(headers: &HeaderMap, shape: BodyShape) -> Result<Self, Failure> {
        let mut expected = Self::default();
        for (name, algorithm, length) in [
            ("X-Checksum-Md5", Slot::Md5, 16),
            ("X-Checksum-Sha1", Slot::Sha1, 20),
            ("X-Checksum-Sha256", Slot::Sha256, 32),
            ("X-Checksum-Sha512", Slot::Sha512, 64),
        ] {
            for value in headers.get_all(name) {
                let bytes = value.to_str().ok().and_then(|text| hex::decode(text.trim()).ok());
                let bytes = bytes.filter(|bytes| bytes.len() == length).ok_or_else(|| unreadable(name))?;
                expected.expect(algorithm, &bytes, name)?;
            }
        }
        if shape == BodyShape::File {
            for name in ["Content-Digest", "Repr-Digest"] {
                for value in headers.get_all(name) {
                    expected.read_dictionary(name, value.to_str().map_err(|_| unreadable(name))?)?;
                }
            }
        }
        Ok(expected)
    }

    /// Reads a dictionary of byte sequences, `sha-256=:…:, sha-512=:…:` (RFC 9530 §2). Other algorithms are ignored.
    fn read_dictionary(&mut self, name: &'static str, text: &str) -> Result<(), Failure> {
        for member in text.split(',') {
            let (key, value) = member.trim().split_once('=').ok_or_else(|| unreadable(name))?;
            let (slot, length) = match key {
                "sha-256" => (Slot::Sha256, 32),
                "sha-512" => (Slot::Sha512, 64),
                _ => continue,
            };
            let sequence = value.split(';').next().unwrap_or_default().trim(); // parameters mean nothing here
            let encoded = sequence.strip_prefix(':').and_then(|rest| rest.strip_suffix(':'));
            let bytes = encoded.and_then(|encoded| STANDARD.decode(encoded).ok());
            let bytes = bytes.filter(|bytes| bytes.len() == length).ok_or_else(|| unreadable(name))?;
            self.expect(slot, &bytes, name)?;
        }
        Ok(())
    }

    fn expect(&mut self, slot: Slot, bytes: &[u8], name: &'static str) -> Result<(), Failure> {
        let slot = match slot {
            Slot::Md5 => &mut self.md5,
            Slot::Sha1 => &mut self.sha1,
            Slot::Sha256 => &mut self.sha256,
            Slot::Sha512 => &mut self.sha512,
        };
        let digest = hex::encode(bytes);
        match slot {
            Some(other) if *other != digest => Err(Failure::invalid(
                name,
                format!("{name} says {digest}, another header of the request says {other}"),
            )),
            _ => {
                *slot = Some(digest);
                Ok(())
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Slot {
    Md5,
    Sha1,
    Sha256,
    Sha512,
}

fn unreadable(name: &'static str) -> Failure {
    Failure::invalid(name, format!("{name} is invalid"))
}

/// Checks the SHA-512 of a body as it passes, for formats that do not keep one: the model compares what it keeps.
pub(crate) struct Sha512Tap {
    expected: Option<String>,
    hasher: Arc<Mutex<Sha512>>,
}

impl Sha512Tap {
    /// A tap that expects `expected`, in lower-case hexadecimal; without one it does nothing.
    pub(crate) fn new(expected: Option<&str>) -> Self {
        Self { expected: expected.map(str::to_owned), hasher: Arc::default() }
    }

    /// The stream, watched.
    pub(crate) fn watch(&self, body: ByteStream) -> ByteStream {
        if self.expected.is_none() {
            return body;
        }
        let hasher = Arc::clone(&self.hasher);
        body.inspect_ok(move |chunk| hasher.lock().unwrap_or_else(PoisonError::into_inner).update(chunk))
            .boxed()
    }

    /// Refuses what passed when it has another digest.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let Some(expected) = &self.expected else {
            return Ok(());
        };
        let digest = self.hasher.lock().unwrap_or_else(PoisonError::into_inner).clone().finalize();
        let actual = hex::encode(digest);
        if *expected == actual {
            return Ok(());
        }
        Err(Failure::invalid(
            "sha512",
            format!("The content has the SHA-512 digest {actual}, the request announced {expected}"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use futures::{StreamExt, stream};
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{BodyShape, ExpectedDigests, Sha512Tap};

    const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const EMPTY_SHA256_BASE64: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    fn read(headers: &[(&'static str, &str)], shape: BodyShape) -> Result<ExpectedDigests, String> {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"))
            })
            .collect();
        ExpectedDigests::read(&headers, shape).map_err(|failure| failure.message.into_owned())
    }

    #[test]
    fn both_notations_are_read() {
        let dictionary = format!("unixsum=:AAA=:, sha-256=:{EMPTY_SHA256_BASE64}:;p=1");
        let shouted = EMPTY_SHA256.to_uppercase();
        for (name, value) in [
            ("x-checksum-sha256", EMPTY_SHA256),
            ("x-checksum-sha256", shouted.as_str()),
            ("repr-digest", dictionary.as_str()),
            ("content-digest", dictionary.as_str()),
        ] {
            let expected = read(&[(name, value)], BodyShape::File).expect(value);
            assert_eq!(expected.sha256.as_deref(), Some(EMPTY_SHA256), "{name}");
        }
        let form = read(&[("content-digest", &dictionary)], BodyShape::Form).expect("ignored");
        assert_eq!(form, ExpectedDigests::default(), "it is the form's digest, not the file's");
    }

    #[test]
    fn what_cannot_be_checked_is_refused() {
        for (name, value) in [
            ("x-checksum-sha256", "abc"),
            ("x-checksum-sha256", ""),
            ("x-checksum-md5", EMPTY_SHA256),
            ("repr-digest", "sha-256=abc"),
            ("repr-digest", "sha-512=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"),
            ("content-digest", "sha-256"),
        ] {
            assert!(read(&[(name, value)], BodyShape::File).is_err(), "{name}: {value}");
        }
        let other = "0".repeat(64);
        let contradiction = format!("sha-256=:{EMPTY_SHA256_BASE64}:");
        let refused =
            read(&[("x-checksum-sha256", &other), ("repr-digest", &contradiction)], BodyShape::File);
        let message = refused.expect_err("they cannot both be right");
        assert!(message.contains(&other) && message.contains(EMPTY_SHA256), "{message}");
    }

    #[tokio::test]
    async fn the_tap_names_both_digests() {
        let tap = Sha512Tap::new(Some("00"));
        let passed = tap.watch(stream::iter([Ok("ab".into()), Ok("c".into())]).boxed());
        assert_eq!(passed.count().await, 2);
        let message = tap.check().expect_err("another digest").message;
        assert!(message.contains("ddaf35a193617aba") && message.ends_with("announced 00"), "{message}");
        assert!(Sha512Tap::new(None).check().is_ok());
    }
}
