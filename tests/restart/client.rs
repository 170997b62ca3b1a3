//! A client that does not mind when the server is gone.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testkit::artefacts::{npm::Version, pypi};

use crate::{clients::Registry, server::ROOT_TOKEN};

const CREATE_UPLOAD: &str =
    "mutation B($input: CreateUploadInput!) { createUpload(input: $input) { upload { id path } errors } }";
const PUBLISH: &str =
    "mutation P($input: PublishPackageInput!) { publishPackage(input: $input) { package { id } errors } }";

/// Something to publish, with what it is made of.
pub(super) enum Publication {
    /// One generic file, which makes its package.
    File { name: String, content: Vec<u8> },
    /// Several generic files in one mutation: visible as a whole or not at all.
    Release { name: String, files: Vec<(String, Vec<u8>)> },
    /// A version of an npm package.
    Npm { name: String, version: String, tarball: Vec<u8>, document: Value },
    /// A version of a Maven artefact.
    Jar { name: String, version: String, content: Vec<u8> },
    /// A version of a Python package.
    Wheel { distribution: pypi::Distribution, wheel: Vec<u8> },
}

impl Publication {
    pub(super) fn file(name: &str, size: usize) -> Self {
        Self::File { name: name.to_owned(), content: content(name, size) }
    }

    pub(super) fn release(name: &str, sizes: [usize; 3]) -> Self {
        let files = sizes.into_iter().enumerate().map(|(number, size)| {
            let file = format!("{number}.bin");
            let content = content(&format!("{name}/{file}"), size);
            (file, content)
        });
        Self::Release { name: name.to_owned(), files: files.collect() }
    }

    pub(super) fn npm(name: &str, version: &str, size: usize) -> Self {
        let mut package = Version::new(name, version);
        package.files.push(("noise.bin".to_owned(), content(version, size)));
        let tarball = package.tarball();
        let document = package.document_with(&tarball);
        Self::Npm { name: name.to_owned(), version: version.to_owned(), tarball, document }
    }

    pub(super) fn jar(name: &str, version: &str, size: usize) -> Self {
        let content = content(&format!("{name} {version}"), size);
        Self::Jar { name: name.to_owned(), version: version.to_owned(), content }
    }

    pub(super) fn wheel(name: &str, version: &str, size: usize) -> Self {
        let mut distribution = pypi::Distribution::new(name, version);
        distribution.files.push(("noise.bin".to_owned(), content(&format!("{name} {version}"), size)));
        let wheel = distribution.wheel();
        Self::Wheel { distribution, wheel }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::File { name, .. }
            | Self::Release { name, .. }
            | Self::Npm { name, .. }
            | Self::Jar { name, .. } => name,
            Self::Wheel { distribution, .. } => &distribution.name,
        }
    }

    /// Paths below the project's packages, with contents.
    pub(super) fn files(&self) -> Vec<(String, &[u8])> {
        match self {
            Self::File { name, content } => {
                vec![(format!("generic/{name}/1.0.0/file.bin"), content.as_slice())]
            }
            Self::Release { name, files } => {
                let path = |file: &str| format!("generic/{name}/1.0.0/{file}");
                files.iter().map(|(file, content)| (path(file), content.as_slice())).collect()
            }
            Self::Npm { name, version, tarball, .. } => {
                vec![(format!("npm/{name}/-/{name}-{version}.tgz"), tarball.as_slice())]
            }
            Self::Jar { name, version, content } => {
                vec![(format!("maven/com/acme/{name}/{version}/{name}-{version}.jar"), content.as_slice())]
            }
            Self::Wheel { distribution, wheel } => {
                let (sha256, file) = (hex(&Sha256::digest(wheel)), distribution.wheel_name());
                vec![(format!("pypi/files/{sha256}/{file}"), wheel.as_slice())]
            }
        }
    }

    /// The index document that it stands in, and what that says of it: where it is and that it is this one, or which one it is.
    pub(super) fn listing(&self) -> Option<(String, String)> {
        match self {
            Self::File { .. } | Self::Release { .. } => None,
            Self::Npm { name, version, document, .. } => {
                let integrity = document["versions"][version]["dist"]["integrity"].as_str();
                Some((format!("npm/{name}"), integrity.unwrap_or_default().to_owned()))
            }
            Self::Jar { name, version, .. } => Some((
                format!("maven/com/acme/{name}/maven-metadata.xml"),
                format!("<version>{version}</version>"),
            )),
            Self::Wheel { distribution, .. } => {
                Some((format!("pypi/simple/{}/", distribution.name), self.files().remove(0).0))
            }
        }
    }
}

/// Bytes that differ from those of other names everywhere.
fn content(name: &str, size: usize) -> Vec<u8> {
    let mut block = Sha256::digest(name);
    let mut content = Vec::with_capacity(size + 32);
    while content.len() < size {
        content.extend_from_slice(&block);
        block = Sha256::digest(block);
    }
    content.truncate(size);
    content
}

/// An answer that arrived as a whole.
struct Answer {
    status: u16,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Speaks to one server, as the administrator.
pub(super) struct Client {
    authority: String,
    packages: String,
}

impl Client {
    pub(super) fn new(registry: &Registry) -> Self {
        Self { authority: registry.server.authority.clone(), packages: registry.project_packages() }
    }

    fn try_ask(&self, method: &str, path: &str, body: &[u8]) -> io::Result<Answer> {
        let stream = TcpStream::connect(&self.authority)?;
        stream.set_read_timeout(Some(Duration::from_mins(1)))?;
        let mut reader = BufReader::new(stream);
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nPRIVATE-TOKEN: {ROOT_TOKEN}\r\n\
             Content-Type: {}\r\nContent-Length: {}\r\n\r\n",
            self.authority,
            if method == "POST" && path.ends_with("/pypi") {
                pypi::content_type()
            } else {
                "application/json".to_owned()
            },
            body.len()
        );
        reader.get_mut().write_all(head.as_bytes())?;
        reader.get_mut().write_all(body)?;
        let (mut line, mut length) = (String::new(), None);
        reader.read_line(&mut line)?;
        let broken = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(broken)?;
        while line != "\r\n" {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Err(broken());
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse::<usize>().ok();
            }
        }
        let mut body = Vec::new();
        reader.read_to_end(&mut body)?;
        if length.is_some_and(|length| length != body.len()) {
            return Err(broken());
        }
        Ok(Answer { status, body })
    }

    /// Asks a server that is known to run.
    fn ask(&self, path: &str) -> Answer {
        self.try_ask("GET", path, b"").unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn graphql(&self, query: &str, input: &Value) -> Option<Value> {
        let body = json!({ "query": query, "variables": { "input": input } }).to_string();
        let answer = self.try_ask("POST", "/api/graphql", body.as_bytes()).ok()?.json();
        Some(answer["data"].clone())
    }

    /// Publishes; gives the status it was answered with. None when the server is gone.
    pub(super) fn publish(&self, publication: &Publication) -> Option<u16> {
        let (method, path, body) = match publication {
            Publication::File { content, .. } | Publication::Jar { content, .. } => {
                ("PUT", publication.files().remove(0).0, content.clone())
            }
            Publication::Npm { name, document, .. } => {
                ("PUT", format!("npm/{name}"), document.to_string().into_bytes())
            }
            Publication::Wheel { distribution, wheel } => {
                ("POST", "pypi".to_owned(), distribution.form(&distribution.wheel_name(), wheel))
            }
            Publication::Release { name, files } => return self.release(name, files),
        };
        let answer = self.try_ask(method, &format!("{}/{path}", self.packages), &body).ok()?;
        Some(answer.status)
    }

    fn release(&self, name: &str, files: &[(String, Vec<u8>)]) -> Option<u16> {
        let mut uploads = Vec::new();
        for (file, content) in files {
            let input = json!({
                "projectPath": "acme/web", "packageType": "GENERIC", "packageName": name, "packageVersion": "1.0.0",
                "fileName": file,
            });
            let created = self.graphql(CREATE_UPLOAD, &input)?;
            let upload = &created["createUpload"]["upload"];
            let answer = self.try_ask("PUT", upload["path"].as_str()?, content).ok()?;
            if answer.status != 201 {
                return Some(answer.status);
            }
            uploads.push(json!({ "uploadId": upload["id"] }));
        }
        let input = json!({
            "projectPath": "acme/web", "packageType": "GENERIC", "name": name, "version": "1.0.0", "files": uploads,
        });
        let published = self.graphql(PUBLISH, &input)?;
        Some(if published["publishPackage"]["package"]["id"].is_string() { 201 } else { 500 })
    }

    /// What a client does that was not answered. It works, unless it had worked.
    pub(super) fn publish_again(&self, publication: &Publication, about: &str) {
        let was_visible = self.visible_files(publication, about) > 0;
        let status = self.publish(publication).unwrap_or_default();
        let name = publication.name();
        assert!(status < 300 || (was_visible && status < 500), "{about}: {name} again: {status}");
        assert_eq!(
            self.visible_files(publication, about),
            publication.files().len(),
            "{about}: {name} again"
        );
    }

    /// How many of its files can be fetched. One that can be is whole.
    pub(super) fn visible_files(&self, publication: &Publication, about: &str) -> usize {
        let mut visible = 0;
        for (path, content) in publication.files() {
            let answer = self.ask(&format!("{}/{path}", self.packages));
            match answer.status {
                200 => {
                    assert!(answer.body == content, "{about}: {path} has other bytes");
                    visible += 1;
                }
                404 => {}
                status => panic!("{about}: {path}: {status}"),
            }
        }
        visible
    }

    /// An index document; empty where there is none.
    pub(super) fn document(&self, path: &str) -> String {
        let answer = self.ask(&format!("{}/{path}", self.packages));
        assert!(matches!(answer.status, 200 | 404), "{path}: {}", answer.status);
        if answer.status == 404 { String::new() } else { String::from_utf8(answer.body).expect("text") }
    }

    /// Every file that the registry lists can be fetched, with the length and the digest it is listed with.
    pub(super) fn everything_listed_is_whole(&self, about: &str) {
        for package in self.list(&self.packages) {
            let (name, version) = (package["name"].as_str().expect("a name"), package["version"].as_str());
            let files = self.list(&format!("{}/{}/package_files", self.packages, package["id"]));
            assert!(!files.is_empty(), "{about}: {name} {version:?} has no files");
            for file in files {
                let (file_name, version) =
                    (file["file_name"].as_str().expect("a name"), version.expect("one"));
                let path = match package["package_type"].as_str() {
                    Some("npm") => format!("npm/{name}/-/{file_name}"),
                    Some("maven") => format!("maven/{name}/{version}/{file_name}"),
                    Some("pypi") => {
                        format!("pypi/files/{}/{file_name}", file["file_sha256"].as_str().unwrap_or_default())
                    }
                    _ => format!("generic/{name}/{version}/{file_name}"),
                };
                let answer = self.ask(&format!("{}/{path}", self.packages));
                let sha256 = hex(&Sha256::digest(&answer.body));
                let is_whole = answer.status == 200
                    && file["size"].as_u64() == Some(answer.body.len() as u64)
                    && file["file_sha256"].as_str() == Some(&sha256);
                assert!(is_whole, "{about}: {path} is listed as {file}, and is {} {sha256}", answer.status);
            }
        }
    }

    fn list(&self, path: &str) -> Vec<Value> {
        let mut all = Vec::new();
        for page in 1.. {
            let answer = self.ask(&format!("{path}?per_page=100&page={page}"));
            assert_eq!(answer.status, 200, "{path}");
            let Value::Array(rows) = answer.json() else { panic!("{path}: no list") };
            if rows.is_empty() {
                break;
            }
            all.extend(rows);
        }
        all
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
