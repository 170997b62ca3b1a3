//! The central directory.

use std::collections::HashMap;

use bytes::Buf;
use domain::{Failure, rules::ReadSeek};

use super::{Method, end::Directory, extra_fields, read_at, refuse};
use crate::{pypi::metadata::paths, shared::excerpt};

const HEADER: &[u8] = b"PK\x01\x02";
/// A header without its name, extra fields and comment.
const HEADER_LENGTH: usize = 46;
/// Flag: encrypted.
const ENCRYPTED: u16 = 1;
/// Flag: lengths and checksum come after the content.
pub(super) const HAS_DESCRIPTOR: u16 = 1 << 3;
/// Flag: the name is UTF-8.
const UTF8: u16 = 1 << 11;
/// Flags that tell how well it was compressed, or what its name is written in.
const HARMLESS: u16 = 0b110 | HAS_DESCRIPTOR | UTF8;
/// Extra field: what does not fit into 32 bits.
pub(super) const ZIP64: u16 = 0x0001;
/// Extra field: another name, which some readers prefer.
pub(super) const UNICODE_PATH: u16 = 0x7075;

/// What the central directory says of an entry.
#[derive(Clone, Debug)]
pub(super) struct Header {
    /// Its path, without empty and `.` segments.
    pub(super) path: String,
    /// Its name as it is written.
    pub(super) name: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: Method,
    pub(super) crc: u32,
    pub(super) compressed: u64,
    pub(super) size: u64,
    /// Where its local header is.
    pub(super) offset: u64,
    pub(super) is_folder: bool,
}

/// Reads the headers of a directory.
pub(super) fn read(source: &mut dyn ReadSeek, directory: &Directory) -> Result<Vec<Header>, Failure> {
    let bytes = read_at(source, directory.offset, directory.size)?;
    let mut rest = bytes.as_slice();
    let mut headers = Vec::new();
    let mut kinds = HashMap::new();
    while !rest.is_empty() {
        let header = header(&mut rest)?;
        if kinds.insert(header.path.clone(), header.is_folder).is_some() {
            return Err(refuse(format_args!("'{}' is there twice", excerpt(&header.path))));
        }
        headers.push(header);
    }
    if headers.len() as u64 != directory.count {
        return Err(refuse(format_args!(
            "its end record states {} entries, its central directory has {}",
            directory.count,
            headers.len()
        )));
    }
    for header in &headers {
        let mut folders = header.path.match_indices('/').map(|(end, _)| &header.path[..end]);
        if let Some(folder) = folders.find(|folder| kinds.get(*folder) == Some(&false)) {
            return Err(refuse(format_args!("'{}' is a file and a folder", excerpt(folder))));
        }
    }
    Ok(headers)
}

fn header(rest: &mut &[u8]) -> Result<Header, Failure> {
    if rest.len() < HEADER_LENGTH || !rest.starts_with(HEADER) {
        return Err(refuse("its central directory is damaged"));
    }
    rest.advance(HEADER.len());
    let made_by = rest.get_u16_le();
    rest.advance(2); // the version it needs
    let (flags, method) = (rest.get_u16_le(), rest.get_u16_le());
    rest.advance(4); // time and date
    let crc = rest.get_u32_le();
    let (compressed, size) = (rest.get_u32_le(), rest.get_u32_le());
    let lengths = [rest.get_u16_le(), rest.get_u16_le(), rest.get_u16_le()];
    let disk = rest.get_u16_le();
    rest.advance(2); // internal attributes
    let (attributes, offset) = (rest.get_u32_le(), rest.get_u32_le());
    let mut field = |length: u16| {
        let (field, behind) =
            rest.split_at_checked(length.into()).ok_or_else(|| refuse("its central directory is damaged"))?;
        *rest = behind;
        Ok::<_, Failure>(field)
    };
    let (name, extra, _comment) = (field(lengths[0])?, field(lengths[1])?, field(lengths[2])?);
    let raw = checked_name(name, flags)?;
    let path = paths::checked(raw)?;
    let is_folder = raw.ends_with('/');
    check_kind(&path, is_folder, made_by, attributes)?;
    let extra = extra_fields(extra, &path)?;
    let mut values = [u64::from(size), u64::from(compressed), u64::from(offset)];
    widen(&mut values, &extra, &path)?;
    let [size, compressed, offset] = values;
    if disk != 0 || flags & !HARMLESS != 0 || is_folder && size != 0 {
        let reason =
            if flags & ENCRYPTED == 0 { "is not an entry of a plain archive" } else { "is encrypted" };
        return Err(refuse(format_args!("'{}' {reason}", excerpt(&path))));
    }
    check_unicode_path(&extra, name, &path)?;
    let method = match method {
        0 if compressed == size => Method::Stored,
        8 => Method::Deflated,
        0 => {
            return Err(refuse(format_args!(
                "'{}' is stored with another length than it has",
                excerpt(&path)
            )));
        }
        other => {
            return Err(refuse(format_args!(
                "'{}' is compressed with method {other}; only deflate is read everywhere",
                excerpt(&path)
            )));
        }
    };
    Ok(Header { path, name: name.to_vec(), flags, method, crc, compressed, size, offset, is_folder })
}

/// The name of an entry. One that is not marked as UTF-8 is read in whatever a reader takes for its own.
fn checked_name(name: &[u8], flags: u16) -> Result<&str, Failure> {
    let text = paths::text(name)?;
    if flags & UTF8 == 0 && !text.is_ascii() {
        return Err(refuse(format_args!("the name '{}' is not marked as UTF-8", excerpt(text))));
    }
    Ok(text)
}

/// Links are unpacked as links by some, as files by others, and devices by nobody.
fn check_kind(path: &str, is_folder: bool, made_by: u16, attributes: u32) -> Result<(), Failure> {
    const UNIX: u16 = 3;
    if made_by >> 8 != UNIX {
        return Ok(());
    }
    let kind = match (attributes >> 16) & 0o170_000 {
        0 => return Ok(()),
        0o100_000 if !is_folder => return Ok(()),
        0o040_000 if is_folder => return Ok(()),
        0o120_000 => "a link",
        _ => "neither a file nor a folder",
    };
    Err(refuse(format_args!("'{}' is {kind}", excerpt(path))))
}

/// Takes what does not fit into 32 bits from the ZIP64 field, which has these and no others, in this order. Where everything
/// fits, the field may repeat it, as some writers do.
pub(super) fn widen(values: &mut [u64], extra: &[(u16, &[u8])], path: &str) -> Result<(), Failure> {
    let damaged = || refuse(format_args!("the ZIP64 field of '{}' is missing or damaged", excerpt(path)));
    let mut field = extra.iter().find(|(id, _)| *id == ZIP64).map_or(&[][..], |(_, field)| *field);
    let is_wide = |value: &u64| *value == u64::from(u32::MAX);
    if !values.iter().any(is_wide) {
        let repeats = field.chunks(8).zip(values.iter()).all(|(chunk, value)| *chunk == value.to_le_bytes());
        return if repeats && field.len() <= 8 * values.len() { Ok(()) } else { Err(damaged()) };
    }
    // Readers take what is wide in turn: with anything else in the field, they would take different things.
    for value in values.iter_mut().filter(|value| is_wide(value)) {
        *value = field.try_get_u64_le().map_err(|_| damaged())?;
    }
    if field.is_empty() { Ok(()) } else { Err(damaged()) }
}

/// Refuses a second name that differs from the first (Info-ZIP's "Unicode Path").
pub(super) fn check_unicode_path(extra: &[(u16, &[u8])], name: &[u8], path: &str) -> Result<(), Failure> {
    match extra.iter().find(|(id, _)| *id == UNICODE_PATH) {
        Some((_, field)) if field.get(5..) != Some(name) => {
            Err(refuse(format_args!("'{}' has a second name", excerpt(path))))
        }
        _ => Ok(()),
    }
}
