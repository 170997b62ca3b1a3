//! What things in the store are called. Never by names from a request.

use std::{fmt, str::FromStr};

use domain::{Failure, Sha256};

use crate::BlobError;

/// The address of stored content: its SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobKey(Sha256);

impl BlobKey {
    /// The digest that is the address.
    pub const fn sha256(self) -> Sha256 {
        self.0
    }

    /// The key whose content is called `name`, which is the last part of [`Self::path`]; none when it is no such name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let is_ours = name.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        name.parse::<Sha256>().ok().filter(|_| is_ours).map(Self)
    }

    /// Where the content lies below the root of the store: `aa/bb/<sha256>`.
    pub fn path(self) -> String {
        let name = self.0.to_string();
        format!("{}/{}/{name}", &name[..2], &name[2..4])
    }
}

impl From<Sha256> for BlobKey {
    fn from(digest: Sha256) -> Self {
        Self(digest)
    }
}

impl fmt::Display for BlobKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The name of one upload while it is staged: 128 random bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StagingId([u8; 16]);

impl StagingId {
    /// A new id from the operating system's randomness.
    pub fn random() -> Result<Self, BlobError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| BlobError::Unavailable(error.into()))?;
        Ok(Self(bytes))
    }

    /// The id with these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for StagingId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

impl FromStr for StagingId {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| {
            Failure::invalid("uploadId", "The upload id is malformed: expected 32 hexadecimal digits")
        })?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_path_of_hexadecimal_digits() {
        let key = BlobKey::from(Sha256([0xab; 32]));
        assert_eq!(key.path(), format!("ab/ab/{}", "ab".repeat(32)));
        assert_eq!(BlobKey::of_name(&"ab".repeat(32)), Some(key));
        for other in ["check.0123", "", &"AB".repeat(32), &"ab".repeat(31)] {
            assert_eq!(BlobKey::of_name(other), None, "{other}");
        }
    }

    #[test]
    fn a_staging_id_reads_what_it_prints_and_nothing_that_leaves_the_folder() {
        let id = StagingId::random().expect("randomness");
        assert_eq!(id.to_string().parse::<StagingId>().expect("own output"), id);
        for refused in ["", "..", "../../../../../../../../etc/passwd", &"é".repeat(16), &"0".repeat(33)] {
            assert!(refused.parse::<StagingId>().is_err(), "{refused}");
        }
    }
}
