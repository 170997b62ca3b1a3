//! Wheels, source archives, and the form that a client uploads them with.

use std::{
    fmt::Write as _,
    io::{Cursor, Write as _},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use zip::{ZipWriter, write::SimpleFileOptions};

/// What separates the parts of a form.
pub const BOUNDARY: &str = "a-boundary-of-tests";

/// The content type of a form.
pub fn content_type() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

/// A distribution to publish, as a wheel or as a source archive.
#[derive(Clone, Debug)]
pub struct Distribution {
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// The tag of the wheel.
    pub tag: String,
    /// More headers of its metadata.
    pub headers: Vec<(String, String)>,
    /// The description.
    pub description: String,
    /// Its modules and whatever else is in it: path, content.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Distribution {
    /// A distribution with one module, that runs on any system.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        let (name, version) = (name.into(), version.into());
        let module = format!("{}/__init__.py", name.to_lowercase().replace(['-', '.'], "_"));
        let code = format!("__version__ = \"{version}\"\n");
        Self {
            name,
            version,
            tag: "py3-none-any".to_owned(),
            headers: vec![
                ("Summary".to_owned(), "Made by a test".to_owned()),
                ("Requires-Python".to_owned(), ">=3.8".to_owned()),
            ],
            description: "# Made by a test\n".to_owned(),
            files: vec![(module, code.into_bytes())],
        }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, header: &str, value: &str) -> Self {
        self.headers.push((header.to_owned(), value.to_owned()));
        self
    }

    /// Name and version as file names have them.
    fn stem(&self) -> String {
        format!("{}-{}", self.name.to_lowercase().replace(['-', '.'], "_"), self.version)
    }

    /// What the wheel is called.
    pub fn wheel_name(&self) -> String {
        format!("{}-{}.whl", self.stem(), self.tag)
    }

    /// What the source archive is called.
    pub fn source_name(&self) -> String {
        format!("{}.tar.gz", self.stem())
    }

    /// `METADATA`, which is `PKG-INFO` in a source archive.
    pub fn metadata(&self) -> String {
        let mut text = format!("Metadata-Version: 2.1\nName: {}\nVersion: {}\n", self.name, self.version);
        for (header, value) in &self.headers {
            let _ = writeln!(text, "{header}: {value}");
        }
        let _ = write!(text, "\n{}", self.description);
        text
    }

    /// What is in the wheel: path, content. `RECORD` is the last.
    pub fn wheel_files(&self) -> Vec<(String, Vec<u8>)> {
        let folder = format!("{}.dist-info", self.stem());
        let mut files = self.files.clone();
        files.push((format!("{folder}/METADATA"), self.metadata().into_bytes()));
        let wheel =
            format!("Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {}\n", self.tag);
        files.push((format!("{folder}/WHEEL"), wheel.into_bytes()));
        let mut record = String::new();
        for (path, content) in &files {
            let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(content));
            let _ = writeln!(record, "{path},sha256={hash},{}", content.len());
        }
        let _ = writeln!(record, "{folder}/RECORD,,");
        files.push((format!("{folder}/RECORD"), record.into_bytes()));
        files
    }

    /// The wheel, the same bytes every time.
    pub fn wheel(&self) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (path, content) in self.wheel_files() {
            archive.start_file(path, SimpleFileOptions::default()).expect("memory");
            archive.write_all(&content).expect("memory");
        }
        archive.finish().expect("memory").into_inner()
    }

    /// The source archive, the same bytes every time.
    pub fn source(&self) -> Vec<u8> {
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        let metadata = ("PKG-INFO".to_owned(), self.metadata().into_bytes());
        for (path, content) in std::iter::once(&metadata).chain(&self.files) {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            let path = format!("{}/{path}", self.stem());
            archive.append_data(&mut header, path, content.as_slice()).expect("memory");
        }
        archive.into_inner().and_then(GzEncoder::finish).expect("memory")
    }

    /// The form that twine uploads `content` with.
    pub fn form(&self, file_name: &str, content: &[u8]) -> Vec<u8> {
        let sha256 = hex(content);
        let is_wheel =
            std::path::Path::new(file_name).extension().is_some_and(|extension| extension == "whl");
        let filetype = if is_wheel { "bdist_wheel" } else { "sdist" };
        let fields = [
            (":action", "file_upload"),
            ("protocol_version", "1"),
            ("name", self.name.as_str()),
            ("version", self.version.as_str()),
            ("filetype", filetype),
            ("metadata_version", "2.1"),
            ("sha256_digest", sha256.as_str()),
        ];
        form(&fields, Some((file_name, content)))
    }
}

fn hex(content: &[u8]) -> String {
    Sha256::digest(content).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A form of these fields, and of a file behind them.
pub fn form(fields: &[(&str, &str)], file: Option<(&str, &[u8])>) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        let part =
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    if let Some((file_name, content)) = file {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"content\"; filename=\"{file_name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}
