//! Tests of documents, the inspector and the decoder by themselves; `protocol` and `services` send requests through the
//! router.

/// Compares with a snapshot in this format's folder of them.
macro_rules! assert_snapshot {
    ($name:expr, $value:expr) => {
        insta::with_settings!(
            { snapshot_path => "../snapshots", prepend_module_to_snapshot => false },
            { insta::assert_json_snapshot!($name, $value) }
        )
    };
}

mod archives;
mod bodies;
mod documents;
mod protocol;
mod services;
mod stage;

use std::io::{self, Cursor, Write as _};

use domain::{
    DigestAlgorithm, Digests, Failure,
    rules::{Content, FormatRules as _, IncomingFile, Inspection, Publication, ReadSeek},
};
use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use sha2::Digest as _;

use super::rules::NpmRules;

/// A staged file that lies in memory.
struct InMemory(Vec<u8>);

impl Content for InMemory {
    fn open(&self) -> io::Result<Box<dyn ReadSeek + '_>> {
        Ok(Box::new(Cursor::new(&self.0)))
    }
}

fn digests(bytes: &[u8]) -> Digests {
    Digests {
        sha256: domain::Sha256(sha2::Sha256::digest(bytes).into()),
        md5: None,
        sha1: Some(sha1::Sha1::digest(bytes).into()),
        sha512: Some(Box::new(sha2::Sha512::digest(bytes).into())),
    }
}

fn hex(bytes: &[u8], algorithm: DigestAlgorithm) -> String {
    digests(bytes).hex(algorithm).expect("computed")
}

/// Runs the inspector as the model does.
fn inspect(name: &str, version: &str, metadata: Value, tarball: &[u8]) -> Result<Inspection, Failure> {
    let content = InMemory(tarball.to_vec());
    let file = IncomingFile {
        file_name: super::rules::file_name_of(name, Some(version)),
        channel: None,
        size: tarball.len() as u64,
        digests: digests(tarball),
        properties: Value::Null,
        content: &content,
    };
    let name = NpmRules.name(name)?;
    let version = NpmRules.version(version)?;
    NpmRules.inspect(&Publication { name: &name, version: Some(&version), files: vec![file], metadata })
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// A tar archive of files.
fn tar(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        append(&mut builder, header, path, text.as_bytes());
    }
    builder.into_inner().expect("memory")
}

/// Appends an entry whose path the builder itself would refuse to write.
fn append(builder: &mut tar::Builder<Vec<u8>>, mut header: tar::Header, path: &str, data: &[u8]) {
    header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_cksum();
    builder.append(&header, data).expect("memory");
}

/// A tarball of the package whose package.json this is.
fn package(package_json: &Value) -> Vec<u8> {
    gzip(&tar(&[
        ("package/package.json", &package_json.to_string()),
        ("package/index.js", "module.exports = 1"),
    ]))
}
