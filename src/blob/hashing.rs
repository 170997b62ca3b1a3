//! All digests of some content in one pass.

use domain::{DigestAlgorithm, Digests};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

/// Bytes that every hash function sees before the next bytes come: they stay in the processor's cache meanwhile.
const BLOCK: usize = 32 * 1024;

/// Computes SHA-256 always, and the other digests asked for.
#[derive(Clone)]
pub struct Hasher {
    sha256: Sha256,
    md5: Option<Md5>,
    sha1: Option<Sha1>,
    sha512: Option<Sha512>,
}

impl Hasher {
    /// A hasher that has seen nothing.
    pub fn new(algorithms: &[DigestAlgorithm]) -> Self {
        Self {
            sha256: Sha256::new(),
            md5: algorithms.contains(&DigestAlgorithm::Md5).then(Md5::new),
            sha1: algorithms.contains(&DigestAlgorithm::Sha1).then(Sha1::new),
            sha512: algorithms.contains(&DigestAlgorithm::Sha512).then(Sha512::new),
        }
    }

    /// Takes the next bytes of the content.
    pub fn update(&mut self, bytes: &[u8]) {
        for block in bytes.chunks(BLOCK) {
            self.sha256.update(block);
            if let Some(md5) = &mut self.md5 {
                md5.update(block);
            }
            if let Some(sha1) = &mut self.sha1 {
                sha1.update(block);
            }
            if let Some(sha512) = &mut self.sha512 {
                sha512.update(block);
            }
        }
    }

    /// The digests of everything seen.
    pub fn finish(self) -> Digests {
        Digests {
            sha256: domain::Sha256(self.sha256.finalize().into()),
            md5: self.md5.map(|md5| md5.finalize().into()),
            sha1: self.sha1.map(|sha1| sha1.finalize().into()),
            sha512: self.sha512.map(|sha512| Box::new(sha512.finalize().into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &[DigestAlgorithm] =
        &[DigestAlgorithm::Md5, DigestAlgorithm::Sha1, DigestAlgorithm::Sha256, DigestAlgorithm::Sha512];

    #[test]
    fn knows_the_published_test_vectors() {
        let mut hasher = Hasher::new(ALL);
        hasher.update(b"a");
        hasher.update(b"bc");
        let digests = hasher.finish();
        let expected = [
            (DigestAlgorithm::Md5, "900150983cd24fb0d6963f7d28e17f72"),
            (DigestAlgorithm::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (DigestAlgorithm::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                DigestAlgorithm::Sha512,
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                 2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ),
        ];
        for (algorithm, digest) in expected {
            assert_eq!(digests.hex(algorithm).as_deref(), Some(digest), "{algorithm:?}");
        }
    }

    #[test]
    fn computes_only_what_was_asked_for() {
        let digests = Hasher::new(&[DigestAlgorithm::Sha1]).finish();
        assert!(digests.sha1.is_some() && digests.md5.is_none() && digests.sha512.is_none());
    }
}
