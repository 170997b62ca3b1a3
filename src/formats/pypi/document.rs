//! Index documents: the piece that each file contributes, and how the pieces become a page (PEP 503, 592, 658, 691, 700, 714).

use std::{borrow::Cow, fmt::Write as _};

use bytes::Bytes;
use domain::{
    PackageFlag, VersionFlag,
    rules::{BASE_URL, Fragment, PublishedFile, PublishedVersion},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

use super::rules::{normalized, parse_version};

/// What an index document is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Document {
    /// A page of links (PEP 503).
    Html,
    /// PEP 691.
    Json,
}

/// The version of the simple API that the documents have: sizes, times of upload and versions are there (PEP 700).
const API_VERSION: &str = "1.1";

/// A time as PEP 700 has it.
const UPLOAD_TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

/// What stands unescaped in the path of a link.
const PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'+').remove(b'!');

/// Where the files of an index are, below its address.
const FILES: &str = "/files/";

impl Document {
    /// Its name in the schema.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Json => "json",
        }
    }
}

/// What the pieces of a file say of it.
struct Link<'a> {
    address: String,
    file: &'a PublishedFile,
    requires_python: Option<&'a str>,
    /// SHA-256 of the core metadata, when it is served beside the file.
    metadata: Option<&'a str>,
    /// Why the version is yanked, when it is.
    yanked: Option<&'a str>,
}

/// The pieces of both documents that a file contributes.
pub(super) fn fragments(version: &PublishedVersion<'_>, file: &PublishedFile) -> Vec<Fragment> {
    // Read in place: the core metadata itself, which stands among the properties, is not needed here.
    let metadata = file.properties.get("core_metadata").and_then(|kept| kept.get("sha256"));
    let yanked = version.flags.iter().find(|set| set.flag == PackageFlag::Yanked);
    let link = Link {
        address: address(version.project.0, file),
        file,
        requires_python: file.properties.get("requires_python").and_then(Value::as_str),
        metadata: metadata.and_then(Value::as_str),
        yanked: yanked.map(|VersionFlag { reason, .. }| reason.as_deref().unwrap_or_default()),
    };
    vec![
        Fragment::of_name(Document::Html.name(), link.html()),
        Fragment::of_name(Document::Json.name(), link.json()),
    ]
}

/// The address of a file in its project. The digest is in it, as GitLab has it, so that it stays with these bytes.
fn address(project: i64, file: &PublishedFile) -> String {
    let (sha256, name) = (file.digests.sha256, utf8_percent_encode(&file.file_name, PATH));
    format!("{BASE_URL}/api/v4/projects/{project}/packages/pypi{FILES}{sha256}/{name}")
}

impl Link<'_> {
    fn html(&self) -> String {
        let mut html = format!("<a href=\"{}#sha256={}\"", self.address, self.file.digests.sha256);
        // Always there, as GitLab has it.
        let _ =
            write!(html, " data-requires-python=\"{}\"", escaped(self.requires_python.unwrap_or_default()));
        if let Some(sha256) = self.metadata {
            let _ = write!(
                html,
                " data-dist-info-metadata=\"sha256={sha256}\" data-core-metadata=\"sha256={sha256}\""
            );
        }
        if let Some(reason) = self.yanked {
            let _ = write!(html, " data-yanked=\"{}\"", escaped(reason));
        }
        let _ = write!(html, ">{}</a>", escaped(&self.file.file_name));
        html
    }

    /// Written by hand for its link: [`BASE_URL`] stands in the text as no writer of JSON would put it.
    fn json(&self) -> String {
        let Self { file, .. } = self;
        let sha256 = file.digests.sha256;
        let mut json = format!(
            "{{\"filename\":{},\"url\":\"{}#sha256={sha256}\",\"hashes\":{{\"sha256\":\"{sha256}\"}}",
            Value::from(file.file_name.as_str()),
            self.address
        );
        if let Some(python) = self.requires_python {
            let _ = write!(json, ",\"requires-python\":{}", Value::from(python));
        }
        let metadata = self.metadata.map_or(Value::Bool(false), |sha256| json!({ "sha256": sha256 }));
        let yanked = match self.yanked {
            None => Value::Bool(false),
            Some("") => Value::Bool(true),
            Some(reason) => Value::from(reason),
        };
        let _ = write!(
            json,
            ",\"size\":{},\"upload-time\":\"{}\",\"core-metadata\":{metadata},\"dist-info-metadata\":{metadata},\
             \"yanked\":{yanked}}}",
            file.size,
            upload_time(file.created_at)
        );
        json
    }
}

fn upload_time(instant: OffsetDateTime) -> String {
    instant.to_offset(time::UtcOffset::UTC).format(UPLOAD_TIME).unwrap_or_default()
}

/// Text as it stands in HTML, within quotes or without.
fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) && !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // A mark of ours among them.
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    Cow::Owned(escaped)
}

/// One file, as a document lists it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The version that it is of.
    pub(super) version: String,
    /// Tells which of two files is newer.
    pub(super) file_id: i64,
    /// Its piece of the document.
    pub(super) fragment: String,
}

/// Puts the page of one name together. Links begin with `base`, the address of the index that was asked.
pub(super) fn page(document: Document, name: &str, entries: Vec<Entry>, base: &str) -> Bytes {
    let entries = in_order(entries);
    let size: usize = entries.iter().map(|entry| entry.fragment.len() + base.len() + 16).sum();
    let mut text = String::with_capacity(size + 1024);
    match document {
        Document::Html => {
            begin_html(&mut text, &format!("Links for {}", escaped(name)));
            for entry in &entries {
                text.push_str("    ");
                push_fragment(&mut text, &entry.fragment, base);
                text.push_str("<br>\n");
            }
            text.push_str("  </body>\n</html>\n");
        }
        Document::Json => {
            let mut versions: Vec<&str> = entries.iter().map(|entry| entry.version.as_str()).collect();
            versions.dedup();
            let (name, versions) = (json!(normalized(name)), json!(versions));
            let _ = write!(text, "{{{},\"name\":{name},\"versions\":{versions},\"files\":[", meta());
            for (position, entry) in entries.iter().enumerate() {
                text.push_str(if position > 0 { "," } else { "" });
                push_fragment(&mut text, &entry.fragment, base);
            }
            text.push_str("]}");
        }
    }
    text.into()
}

/// Puts the list of all names together.
pub(super) fn list(document: Document, names: &[String], base: &str) -> Bytes {
    let mut text = String::new();
    match document {
        Document::Html => {
            begin_html(&mut text, "Links for all packages");
            for name in names {
                let (address, shown) = (normalized(name), escaped(name));
                // The attribute is always there, as GitLab has it.
                let _ = writeln!(
                    text,
                    "    <a href=\"{base}/simple/{address}\" data-requires-python=\"\">{shown}</a><br>"
                );
            }
            text.push_str("  </body>\n</html>\n");
        }
        Document::Json => {
            let projects: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
            let _ = write!(text, "{{{},\"projects\":{}}}", meta(), Value::from(projects));
        }
    }
    text.into()
}

fn meta() -> String {
    format!("\"meta\":{{\"api-version\":\"{API_VERSION}\"}}")
}

fn begin_html(text: &mut String, title: &str) {
    let _ = write!(
        text,
        "<!DOCTYPE html>\n<html>\n  <head>\n    <meta name=\"pypi:repository-version\" content=\"{API_VERSION}\">\n    \
         <title>{title}</title>\n  </head>\n  <body>\n    <h1>{title}</h1>\n"
    );
}

/// A piece with its link below `base`: pieces have the address of the project's index in them, and an index at another level
/// links to itself, so that clients send the credential they have for it.
fn push_fragment(text: &mut String, fragment: &str, base: &str) {
    let mut parts = fragment.split(BASE_URL);
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let below = part.find(FILES).map_or(part, |position| &part[position..]);
        text.push_str(base);
        text.push_str(below);
    }
}

/// The name of the file that a piece is of, as it stands in its link.
fn file_name(fragment: &str) -> &str {
    let (_, address) = fragment.split_once(FILES).unwrap_or_default();
    let (address, _) = address.split_once('#').unwrap_or_default();
    address.split_once('/').unwrap_or_default().1
}

/// The files in the order of their versions, then of their names. Of two with one name, from two projects of a group, the
/// newer one: it is also what a download finds.
fn in_order(entries: Vec<Entry>) -> Vec<Entry> {
    let mut keyed: Vec<_> = entries.into_iter().map(|entry| (parse_version(&entry.version), entry)).collect();
    keyed.sort_by(|(left_version, left), (right_version, right)| {
        let names = || file_name(&left.fragment).cmp(file_name(&right.fragment));
        left_version.cmp(right_version).then_with(names).then(left.file_id.cmp(&right.file_id))
    });
    let mut ordered: Vec<Entry> = Vec::with_capacity(keyed.len());
    for (_, entry) in keyed {
        match ordered.last_mut() {
            Some(last) if file_name(&last.fragment) == file_name(&entry.fragment) => *last = entry,
            _ => ordered.push(entry),
        }
    }
    ordered
}
