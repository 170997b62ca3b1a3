//! The descriptor that a plugin of Maven has in its archive: it alone knows the prefix of the goals.

use std::io::{Read, SeekFrom};

use domain::rules::ReadSeek;
use flate2::read::DeflateDecoder;

use super::xml;

/// Where the descriptor stands in the archive.
const DESCRIPTOR: &[u8] = b"META-INF/maven/plugin.xml";

/// Largest table of contents that is searched. A plugin has some hundred entries of some hundred bytes.
const MAX_DIRECTORY: u32 = 4 * 1024 * 1024;

/// Largest descriptor that is read, inflated.
const MAX_DESCRIPTOR: u64 = 4 * 1024 * 1024;

/// Largest comment of an archive, which stands at its end.
const MAX_COMMENT: u64 = 65_535;

const END_OF_DIRECTORY: [u8; 4] = *b"PK\x05\x06";
const ENTRY_OF_DIRECTORY: [u8; 4] = *b"PK\x01\x02";
const LOCAL_HEADER: [u8; 4] = *b"PK\x03\x04";

/// What a plugin says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Descriptor {
    /// What goals are called with: `mvn <prefix>:<goal>`.
    pub(super) goal_prefix: String,
    /// The name for people.
    pub(super) name: Option<String>,
}

/// The descriptor in `archive`; none when this is no archive, or no plugin's. The little of the container that is needed is
/// read here: crates that open archives reserve memory for as many entries as the archive claims to have.
pub(super) fn descriptor(mut archive: Box<dyn ReadSeek + '_>) -> Option<Descriptor> {
    let directory = directory(archive.as_mut())?;
    let place = find(&directory)?;
    let bytes = inflate(archive.as_mut(), place)?;
    let (mut goal_prefix, mut name) = (None, None);
    xml::walk("The plugin's descriptor", &bytes, |path, text| {
        match path {
            [root, field] if root == "plugin" && field == "goalPrefix" => goal_prefix = Some(text.to_owned()),
            [root, field] if root == "plugin" && field == "name" => name = Some(text.to_owned()),
            _ => {}
        }
        Ok(())
    })
    .ok()?;
    Some(Descriptor { goal_prefix: goal_prefix.filter(|prefix| !prefix.is_empty())?, name })
}

/// Where an entry stands.
struct Place {
    offset: u64,
    compressed: u64,
    is_deflated: bool,
}

/// The table of contents, as the last record of the archive says where it is.
fn directory(archive: &mut dyn ReadSeek) -> Option<Vec<u8>> {
    let length = archive.seek(SeekFrom::End(0)).ok()?;
    let tail = length.min(MAX_COMMENT + 22);
    let end = read_at(archive, length - tail, tail)?;
    let record = (0..=end.len().checked_sub(22)?).rev().find(|start| {
        let record = &end[*start..];
        record.starts_with(&END_OF_DIRECTORY)
            && usize::from(u16_at(record, 20).unwrap_or(0)) == record.len() - 22
    })?;
    let (size, offset) = (u32_at(&end[record..], 12)?, u32_at(&end[record..], 16)?);
    if size > MAX_DIRECTORY {
        return None;
    }
    read_at(archive, u64::from(offset), u64::from(size))
}

fn find(mut directory: &[u8]) -> Option<Place> {
    while directory.starts_with(&ENTRY_OF_DIRECTORY) {
        let [name, extra, comment] = [28, 30, 32].map(|at| u16_at(directory, at).map(usize::from));
        let name_end = 46 + name?;
        if directory.get(46..name_end)? == DESCRIPTOR {
            let is_deflated = match u16_at(directory, 10)? {
                0 => false,
                8 => true,
                _ => return None,
            };
            let (compressed, offset) = (u32_at(directory, 20)?, u32_at(directory, 42)?);
            return Some(Place { offset: u64::from(offset), compressed: u64::from(compressed), is_deflated });
        }
        directory = directory.get(name_end + extra? + comment?..)?;
    }
    None
}

fn inflate(archive: &mut dyn ReadSeek, place: Place) -> Option<Vec<u8>> {
    let header = read_at(archive, place.offset, 30).filter(|header| header.starts_with(&LOCAL_HEADER))?;
    let skipped = 30 + u64::from(u16_at(&header, 26)?) + u64::from(u16_at(&header, 28)?);
    archive.seek(SeekFrom::Start(place.offset + skipped)).ok()?;
    let content = archive.take(place.compressed);
    let mut bytes = Vec::new();
    let read = if place.is_deflated {
        DeflateDecoder::new(content).take(MAX_DESCRIPTOR + 1).read_to_end(&mut bytes)
    } else {
        content.take(MAX_DESCRIPTOR + 1).read_to_end(&mut bytes)
    };
    let length = u64::try_from(read.ok()?).ok()?;
    (length <= MAX_DESCRIPTOR).then_some(bytes)
}

/// Exactly `length` bytes from `offset`, which the caller has bounded.
fn read_at(archive: &mut dyn ReadSeek, offset: u64, length: u64) -> Option<Vec<u8>> {
    archive.seek(SeekFrom::Start(offset)).ok()?;
    let mut bytes = Vec::new();
    let read = archive.take(length).read_to_end(&mut bytes).ok()?;
    (u64::try_from(read).ok()? == length).then_some(bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
