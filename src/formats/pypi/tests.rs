//! Tests of rules, documents, forms and the inspector by themselves; `protocol` sends requests through the router.

mod documents;
mod failures;
mod forms;
mod protocol;
mod rules;
mod sdists;
mod stage;
mod wheels;
mod zip_parts;
mod zips;

use std::io::{self, Cursor};

use domain::{
    Digests, Failure,
    rules::{Content, FormatRules as _, IncomingFile, Inspection, Publication, ReadSeek},
};
use serde_json::Value;
use sha2::Digest as _;

use super::rules::PypiRules;

/// A staged file that lies in memory.
struct InMemory<'a>(&'a [u8]);

impl Content for InMemory<'_> {
    fn open(&self) -> io::Result<Box<dyn ReadSeek + '_>> {
        Ok(Box::new(Cursor::new(self.0)))
    }
}

fn digests(bytes: &[u8]) -> Digests {
    Digests {
        sha256: domain::Sha256(sha2::Sha256::digest(bytes).into()),
        md5: None,
        sha1: None,
        sha512: None,
    }
}

fn incoming<'a>(file_name: &str, bytes: &[u8], content: &'a InMemory<'a>) -> IncomingFile<'a> {
    IncomingFile {
        file_name: file_name.to_owned(),
        channel: None,
        size: bytes.len() as u64,
        digests: digests(bytes),
        properties: Value::Null,
        content,
    }
}

/// Runs the inspector as the model does.
fn inspect(
    (name, version): (&str, &str),
    file_name: &str,
    claims: Value,
    bytes: &[u8],
) -> Result<Inspection, Failure> {
    let content = InMemory(bytes);
    let name = PypiRules.name(name)?;
    let version = PypiRules.version(version)?;
    let file_name = PypiRules.file_name(&name, Some(&version), file_name)?;
    PypiRules.inspect(&Publication {
        name: &name,
        version: Some(&version),
        files: vec![incoming(&file_name, bytes, &content)],
        metadata: claims,
    })
}

/// The text of what is refused for what is in the archive.
fn refusal(outcome: Result<Inspection, Failure>) -> String {
    let failure = outcome.expect_err("refused");
    assert_eq!(
        (failure.code, failure.field.as_deref()),
        (domain::ErrorCode::Invalid, Some("archive")),
        "{failure}"
    );
    failure.message.strip_prefix("The package archive is invalid: ").expect("GitLab's words first").to_owned()
}
