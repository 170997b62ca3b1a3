//! What is kept with each file: all that its pieces of the index and its `.metadata` are made of.
//!
//! The core metadata of a wheel is kept whole, so that it is served without opening the wheel (PEP 658). It is compressed,
//! since these rows are also read for downloads, and left out when it is larger than descriptions are: installers then read
//! it from the wheel, as they do from registries that never serve it.

use std::io::Read as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{
    Compression,
    read::{DeflateDecoder, DeflateEncoder},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::file_name::{FileKind, FileName};

/// Largest core metadata that is kept.
const MAX_SIZE: usize = 1024 * 1024;
/// Largest that it may be when compressed. Descriptions compress to a third.
const MAX_COMPRESSED: usize = 256 * 1024;

/// The properties of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::pypi) struct Properties {
    /// `bdist_wheel` or `sdist`, as clients call them.
    filetype: String,
    /// The versions of Python that it runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::pypi) requires_python: Option<String>,
    /// The core metadata of a wheel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::pypi) core_metadata: Option<KeptMetadata>,
}

/// The core metadata of a wheel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::pypi) struct KeptMetadata {
    /// SHA-256 of the text, in hexadecimal.
    pub(in crate::pypi) sha256: String,
    /// The text, as a raw deflate stream in base64.
    deflated: String,
}

impl Properties {
    /// The properties of the file called `name`.
    pub(super) fn new(name: &FileName<'_>, requires_python: Option<&str>, metadata: Option<&[u8]>) -> Self {
        let filetype = if name.kind == FileKind::Wheel { "bdist_wheel" } else { "sdist" };
        Self {
            filetype: filetype.to_owned(),
            requires_python: requires_python.map(str::to_owned),
            core_metadata: metadata.and_then(KeptMetadata::new),
        }
    }
}

impl KeptMetadata {
    /// None for a text that is too large to keep.
    fn new(text: &[u8]) -> Option<Self> {
        if text.len() > MAX_SIZE {
            return None;
        }
        let mut deflated = Vec::new();
        DeflateEncoder::new(text, Compression::best()).read_to_end(&mut deflated).ok()?;
        (deflated.len() <= MAX_COMPRESSED)
            .then(|| Self { sha256: hex::encode(Sha256::digest(text)), deflated: STANDARD.encode(deflated) })
    }

    /// The text.
    pub(in crate::pypi) fn text(&self) -> Option<Vec<u8>> {
        let deflated = STANDARD.decode(&self.deflated).ok()?;
        let mut text = Vec::new();
        DeflateDecoder::new(deflated.as_slice()).take(MAX_SIZE as u64).read_to_end(&mut text).ok()?;
        Some(text)
    }
}
