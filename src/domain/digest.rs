//! Digests of file contents.

use std::{fmt, str::FromStr};

use crate::Failure;

/// A hash function that some format's protocol needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DigestAlgorithm {
    /// RFC 1321.
    Md5,
    /// FIPS 180-4.
    Sha1,
    /// FIPS 180-4; the content address, always computed.
    Sha256,
    /// FIPS 180-4.
    Sha512,
}

/// A SHA-256 digest: the address of stored bytes. Knowing one grants nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sha256(pub [u8; 32]);

impl fmt::Display for Sha256 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "sha256:{self}")
    }
}

impl FromStr for Sha256 {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| {
            Failure::invalid(
                "sha256",
                format!("'{text}' is not a SHA-256 digest: expected 64 hexadecimal digits"),
            )
        })?;
        Ok(Self(bytes))
    }
}

/// Digests of one file. SHA-256 is always there, the others where the format's protocol shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    /// The content address.
    pub sha256: Sha256,
    /// RFC 1321, raw.
    pub md5: Option<[u8; 16]>,
    /// FIPS 180-4, raw.
    pub sha1: Option<[u8; 20]>,
    /// FIPS 180-4, raw.
    pub sha512: Option<Box<[u8; 64]>>,
}

impl Digests {
    /// The digest by `algorithm` in lower-case hexadecimal, if it was computed.
    pub fn hex(&self, algorithm: DigestAlgorithm) -> Option<String> {
        match algorithm {
            DigestAlgorithm::Md5 => self.md5.map(hex::encode),
            DigestAlgorithm::Sha1 => self.sha1.map(hex::encode),
            DigestAlgorithm::Sha256 => Some(self.sha256.to_string()),
            DigestAlgorithm::Sha512 => self.sha512.as_ref().map(|digest| hex::encode(digest.as_slice())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Sha256;

    #[test]
    fn reads_what_it_prints_and_names_what_it_refuses() {
        let digest = Sha256([0xab; 32]);
        assert_eq!(digest.to_string().parse::<Sha256>().expect("own output"), digest);
        let refused = "xyz".parse::<Sha256>().expect_err("not hexadecimal");
        assert!(refused.message.contains("'xyz'"));
    }
}
