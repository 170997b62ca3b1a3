//! The form that twine and others upload with: fields, and the file among them, in any order.

use std::io;

use domain::Failure;
use futures::{StreamExt as _, TryStreamExt as _};
use gateway::ByteStream;

use crate::{
    pypi::error::parameter,
    shared::{
        excerpt,
        form::{Form, FormError, Part},
    },
};

/// What a form may be longer than the file in it: descriptions, signatures.
const OVERHEAD: u64 = 16 * 1024 * 1024;
/// Longest value of a field that is kept.
const LONGEST_VALUE: usize = 4_096;

/// The fields that are kept. All others pass by: what they say, the archive says itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::pypi) struct Fields {
    pub(in crate::pypi) name: Option<String>,
    pub(in crate::pypi) version: Option<String>,
    pub(in crate::pypi) requires_python: Option<String>,
    pub(in crate::pypi) filetype: Option<String>,
    pub(in crate::pypi) md5_digest: Option<String>,
    pub(in crate::pypi) sha256_digest: Option<String>,
}

impl Fields {
    /// Where the field `name` is kept, with what it is called.
    fn slot(&mut self, name: &str) -> Option<(&'static str, &mut Option<String>)> {
        Some(match name {
            "name" => ("name", &mut self.name),
            "version" => ("version", &mut self.version),
            "requires_python" => ("requires_python", &mut self.requires_python),
            "filetype" => ("filetype", &mut self.filetype),
            "md5_digest" => ("md5_digest", &mut self.md5_digest),
            "sha256_digest" => ("sha256_digest", &mut self.sha256_digest),
            _ => return None,
        })
    }
}

/// The file in a form.
pub(in crate::pypi) struct File {
    /// The name it was sent with.
    pub(in crate::pypi) name: String,
    /// Its bytes.
    pub(in crate::pypi) content: ByteStream,
}

/// A form on its way in.
pub(in crate::pypi) struct UploadForm {
    parts: Form,
    /// What has been kept so far.
    pub(in crate::pypi) fields: Fields,
}

impl UploadForm {
    /// The form in `body`, which has a file of at most `maximum_size` bytes in it.
    pub(in crate::pypi) fn new(
        body: ByteStream,
        content_type: &str,
        maximum_size: u64,
    ) -> Result<Self, Failure> {
        // GitLab's words first: something else than a form has no part of that name.
        let boundary = multer::parse_boundary(content_type).map_err(|_| {
            let sent = if content_type.is_empty() { "nothing" } else { &excerpt(content_type) };
            parameter(
                "content",
                &format!("is missing: the Content-Type is '{sent}', not multipart/form-data with a boundary"),
            )
        })?;
        let parts = Form::new(body, boundary, maximum_size.saturating_add(OVERHEAD));
        Ok(Self { parts, fields: Fields::default() })
    }

    /// Keeps fields until the file comes; none when the form ends. The file before has to be gone.
    pub(in crate::pypi) async fn next_file(&mut self) -> Result<Option<File>, Failure> {
        while let Some(part) = self.parts.next().await.map_err(refused)? {
            if part.name() != "content" {
                self.keep(part).await?;
                continue;
            }
            let name = part
                .file_name()
                .ok_or_else(|| parameter("content", "is invalid: it has no file name"))?
                .to_owned();
            return Ok(Some(File { name, content: part.map_err(io::Error::other).boxed() }));
        }
        Ok(None)
    }

    /// Keeps a field, or passes it by.
    async fn keep(&mut self, mut part: Part) -> Result<(), Failure> {
        let Some((name, slot)) = self.fields.slot(part.name()) else { return Ok(()) };
        let mut value = Vec::new();
        while let Some(chunk) = part.next().await.transpose().map_err(refused)? {
            value.extend_from_slice(&chunk);
            if value.len() > LONGEST_VALUE {
                return Err(parameter(name, "is too long"));
            }
        }
        if slot.is_some() {
            return Err(parameter(name, "is given twice"));
        }
        let value = String::from_utf8(value).map_err(|_| parameter(name, "is not valid UTF-8"))?;
        // A field without a value is a field that is not there.
        *slot = Some(value).filter(|value| !value.is_empty());
        Ok(())
    }
}

fn refused(error: FormError) -> Failure {
    error.into_failure("The form cannot be read: send the file in a part called 'content'")
}
