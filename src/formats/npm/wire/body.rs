//! Decodes the body of `PUT /:package`: a publish with the tarball inside, or a packument that a client sends back changed.

use std::io::Read;

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use domain::{ErrorCode, Failure};
use gateway::{StageWriter, StagedBlob};
use serde_json::{Map, Value};
use struson::reader::ValueType;

use super::bounded_json::{BoundedJson, invalid, twice};
use crate::{npm::metadata::DROPPED_FIELDS, shared::excerpt};

/// Node's own decoder, by which other registries read attachments, does not ask for padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Base64 characters decoded at once; a multiple of four.
const CHUNK: usize = 64 * 1024;

/// Largest provenance bundle. They are some ten kilobytes.
const MAX_BUNDLE: u64 = 1024 * 1024;

/// Ends the name of the attachment that holds a provenance bundle (libnpmpublish).
const BUNDLE_SUFFIX: &str = ".sigstore";

/// What to do with the bytes of the attachment.
pub(crate) enum Sink {
    /// Write them to an upload, which refuses more than it may have.
    Upload(Box<dyn StageWriter>),
    /// Refuse the request: it is not a publish, or cannot be one here.
    Refuse(Failure),
}

/// A body, decoded.
#[derive(Default)]
pub(crate) struct Body {
    /// The package, if it says.
    pub(crate) name: Option<String>,
    /// The versions, in order. None when the body says nothing of versions (`npm owner`, `npm star`).
    pub(crate) versions: Option<Vec<SentVersion>>,
    /// The tags and the versions they point at.
    pub(crate) tags: Vec<(String, String)>,
    /// The tarball, uploaded.
    pub(crate) tarball: Option<Tarball>,
    /// The provenance bundle.
    pub(crate) provenance: Option<Value>,
}

/// A version in a body.
pub(crate) struct SentVersion {
    /// The version.
    pub(crate) version: String,
    /// The manifest, of the first version only: a publish has one, and nothing else needs any.
    pub(crate) manifest: Option<Map<String, Value>>,
    /// The deprecation, when it is stated. Empty takes it back.
    pub(crate) deprecated: Option<String>,
}

/// The attachment of a publish.
pub(crate) struct Tarball {
    /// What the client calls it.
    pub(crate) file_name: String,
    /// The uploaded bytes. They wait for the publish as long as this is kept.
    pub(crate) staged: StagedBlob,
}

/// A tarball that has been written, but may yet turn out to belong to a malformed body.
struct Written {
    file_name: String,
    writer: Box<dyn StageWriter>,
}

/// Reads the body from `source`. The members may come in any order; those that nobody needs are passed over. Memory is
/// bounded whatever the body holds.
pub(crate) fn decode(source: &mut dyn Read, sink: Sink) -> Result<Body, Failure> {
    let mut json = BoundedJson::new(source);
    let mut body = Body::default();
    let mut attachments = Attachments { sink: Some(sink), written: None, provenance: None };
    let mut seen = Vec::new();
    json.begin_object()?;
    while let Some(member) = json.next_name()? {
        let known =
            ["name", "versions", "dist-tags", "_attachments"].into_iter().find(|known| *known == member);
        if let Some(known) = known {
            if seen.contains(&known) {
                return Err(twice(known));
            }
            seen.push(known);
        }
        match known {
            Some("name") => body.name = Some(json.text()?),
            Some("versions") => body.versions = Some(versions(&mut json)?),
            Some("dist-tags") => body.tags = tags(&mut json)?,
            Some("_attachments") => attachments.read(&mut json)?,
            _ => json.skip()?,
        }
    }
    json.end_object()?;
    json.finish()?;
    body.provenance = attachments.provenance;
    if let Some(Written { file_name, writer }) = attachments.written {
        body.tarball = Some(Tarball { file_name, staged: writer.finish()? });
    }
    Ok(body)
}

fn versions(json: &mut BoundedJson<'_>) -> Result<Vec<SentVersion>, Failure> {
    let mut versions: Vec<SentVersion> = Vec::new();
    json.begin_object()?;
    while let Some(version) = json.next_name()? {
        json.keep(version.len())?;
        if versions.is_empty() {
            let manifest = json.object_without(DROPPED_FIELDS)?;
            let deprecated = manifest.get("deprecated").and_then(Value::as_str).map(str::to_owned);
            versions.push(SentVersion { version, manifest: Some(manifest), deprecated });
        } else {
            let deprecated = deprecation(json)?;
            versions.push(SentVersion { version, manifest: None, deprecated });
        }
    }
    json.end_object()?;
    Ok(versions)
}

/// The `deprecated` of a manifest of which nothing else is kept.
fn deprecation(json: &mut BoundedJson<'_>) -> Result<Option<String>, Failure> {
    let mut deprecated = None;
    json.begin_object()?;
    while let Some(member) = json.next_name()? {
        if member == "deprecated" {
            deprecated = json.optional_text()?;
        } else {
            json.skip()?;
        }
    }
    json.end_object()?;
    Ok(deprecated)
}

fn tags(json: &mut BoundedJson<'_>) -> Result<Vec<(String, String)>, Failure> {
    let mut tags: Vec<(String, String)> = Vec::new();
    json.begin_object()?;
    while let Some(tag) = json.next_name()? {
        json.keep(tag.len())?;
        let version = json.text()?;
        tags.push((tag, version));
    }
    json.end_object()?;
    Ok(tags)
}

struct Attachments {
    sink: Option<Sink>,
    written: Option<Written>,
    provenance: Option<Value>,
}

impl Attachments {
    fn read(&mut self, json: &mut BoundedJson<'_>) -> Result<(), Failure> {
        json.begin_object()?;
        while let Some(file_name) = json.next_name()? {
            if file_name.ends_with(BUNDLE_SUFFIX) {
                if self.provenance.is_some() {
                    return Err(invalid("The request body has two provenance bundles"));
                }
                self.provenance = Some(bundle(json)?);
            } else {
                self.tarball(json, file_name)?;
            }
        }
        json.end_object()
    }

    fn tarball(&mut self, json: &mut BoundedJson<'_>, file_name: String) -> Result<(), Failure> {
        let mut writer = match self.sink.take() {
            Some(Sink::Upload(writer)) => writer,
            Some(Sink::Refuse(failure)) => return Err(failure),
            None => return Err(invalid("The request body has more than one tarball")),
        };
        let mut size = None;
        let mut stated = None;
        json.begin_object()?;
        while let Some(member) = json.next_name()? {
            match member.as_str() {
                "data" if size.is_some() => return Err(twice("data")),
                "data" if json.next_is(ValueType::String)? => {
                    size = Some(decode_base64(json, writer.as_mut())?);
                }
                "length" => stated = json.number()?,
                _ => json.skip()?,
            }
        }
        json.end_object()?;
        // GitLab's text.
        let size = size.filter(|size| *size > 0).ok_or_else(|| invalid("Attachment data is empty."))?;
        if let Some(stated) = stated.filter(|stated| *stated != size) {
            return Err(invalid(format!(
                "The attachment '{}' has {size} bytes, but its length is given as {stated}",
                excerpt(&file_name)
            )));
        }
        self.written = Some(Written { file_name, writer });
        Ok(())
    }
}

fn decode_base64(json: &mut BoundedJson<'_>, writer: &mut dyn StageWriter) -> Result<u64, Failure> {
    let mut text = vec![0; CHUNK];
    let mut bytes = vec![0; CHUNK / 4 * 3];
    let mut size = 0;
    let mut complete = false;
    json.stream_text(&mut text, |text| {
        let not_base64 = || invalid("Attachment data is not valid base64");
        if complete {
            return Err(not_base64()); // there was padding before
        }
        let length = BASE64.decode_slice(text, &mut bytes).map_err(|_| not_base64())?;
        complete = length < bytes.len();
        size += length as u64;
        writer.write_all(&bytes[..length]).map_err(|error| write_failure(&error))
    })?;
    Ok(size)
}

/// A backend that knows why it cannot write puts the failure into the error.
fn write_failure(error: &std::io::Error) -> Failure {
    if let Some(failure) = error.get_ref().and_then(|inner| inner.downcast_ref::<Failure>()) {
        return failure.clone();
    }
    tracing::error!(%error, "an upload could not be written");
    Failure::new(ErrorCode::Unavailable, "The upload could not be stored; try again later")
}

/// A sigstore bundle: JSON inside a JSON text, not base64 (libnpmpublish 11).
fn bundle(json: &mut BoundedJson<'_>) -> Result<Value, Failure> {
    let mut text = Vec::new();
    let mut chunk = vec![0; CHUNK];
    json.begin_object()?;
    while let Some(member) = json.next_name()? {
        if member == "data" && text.is_empty() && json.next_is(ValueType::String)? {
            json.stream_text(&mut chunk, |piece| {
                if (text.len() + piece.len()) as u64 > MAX_BUNDLE {
                    return Err(invalid("The provenance bundle is larger than 1 MiB"));
                }
                text.extend_from_slice(piece);
                Ok(())
            })?;
        } else {
            json.skip()?;
        }
    }
    json.end_object()?;
    match serde_json::from_slice(&text) {
        Ok(bundle @ Value::Object(_)) => Ok(bundle),
        Ok(_) | Err(_) => Err(invalid("The provenance bundle is not a JSON object")),
    }
}
