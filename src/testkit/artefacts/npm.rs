//! npm tarballs and the document a client publishes them with.

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use sha2::Sha512;

/// A version to publish.
#[derive(Clone, Debug)]
pub struct Version {
    /// The name, with its scope.
    pub name: String,
    /// The version.
    pub version: String,
    /// More fields of `package.json`.
    pub manifest: Value,
    /// More files: path below `package/`, content.
    pub files: Vec<(String, Vec<u8>)>,
    /// The tags to set.
    pub tags: Vec<String>,
}

impl Version {
    /// A version with an `index.js`, to be tagged `latest`.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            manifest: json!({ "description": "made by a test", "license": "MIT", "main": "index.js" }),
            files: vec![("index.js".to_owned(), b"module.exports = 1;\n".to_vec())],
            tags: vec!["latest".to_owned()],
        }
    }

    /// The same with one more field of `package.json`.
    #[must_use]
    pub fn with(mut self, field: &str, value: Value) -> Self {
        self.manifest[field] = value;
        self
    }

    /// The content of `package.json`.
    pub fn package_json(&self) -> Value {
        let mut manifest = json!({ "name": self.name, "version": self.version });
        if let (Value::Object(all), Value::Object(more)) = (&mut manifest, &self.manifest) {
            all.extend(more.clone());
        }
        manifest
    }

    /// The tarball, the same bytes every time.
    pub fn tarball(&self) -> Vec<u8> {
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        let manifest = self.package_json().to_string().into_bytes();
        let files = std::iter::once(("package.json", &manifest))
            .chain(self.files.iter().map(|(path, content)| (path.as_str(), content)));
        for (path, content) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            archive
                .append_data(&mut header, format!("package/{path}"), content.as_slice())
                .expect("memory takes everything");
        }
        let gzip = archive.into_inner().expect("memory takes everything");
        gzip.finish().expect("memory takes everything")
    }

    /// The tarball's name in `_attachments`: what npm sends.
    pub fn attachment_name(&self) -> String {
        format!("{}-{}.tgz", self.name, self.version)
    }

    /// The tarball's name in addresses.
    pub fn file_name(&self) -> String {
        let name = self.name.rsplit('/').next().unwrap_or(&self.name);
        format!("{name}-{}.tgz", self.version)
    }

    /// The document that `npm publish` puts.
    pub fn document(&self) -> Value {
        self.document_with(&self.tarball())
    }

    /// The document for other bytes than this version's.
    pub fn document_with(&self, tarball: &[u8]) -> Value {
        let mut manifest = self.package_json();
        manifest["_id"] = json!(format!("{}@{}", self.name, self.version));
        manifest["dist"] = json!({
            "integrity": format!("sha512-{}", STANDARD.encode(Sha512::digest(tarball))),
            "shasum": hex(&Sha1::digest(tarball)),
            "tarball": format!("http://localhost/{}/-/{}", self.name, self.attachment_name()),
        });
        let tags: serde_json::Map<String, Value> =
            self.tags.iter().map(|tag| (tag.clone(), json!(self.version))).collect();
        json!({
            "_id": self.name,
            "name": self.name,
            "description": self.manifest["description"],
            "dist-tags": tags,
            "versions": { &self.version: manifest },
            "access": null,
            "_attachments": {
                self.attachment_name(): {
                    "content_type": "application/octet-stream",
                    "data": STANDARD.encode(tarball),
                    "length": tarball.len(),
                }
            }
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
