//! Reads a zip archive that has one reading only.
//!
//! Readers of zip archives differ: some start from the end, some from the beginning, some trust the local headers and some the
//! central directory (the class of CVE-2025-54368). Here every byte of the archive belongs to one thing, in the order
//! entries, central directory, end record, and what is said twice is said alike. The `zip` crate forgives what this refuses;
//! tests hold it against this reader as one of those that must see the same archive.

mod central;
mod end;
mod local;

use std::io::{self, BufRead, BufReader, ErrorKind, Read, SeekFrom};

use bytes::Buf;
use domain::{
    Failure,
    rules::{IncomingFile, ReadSeek},
};
use flate2::{Crc, bufread::DeflateDecoder};

use super::{refuse, unreadable};
use crate::shared::excerpt;

/// How much larger than the archive its content may be.
const MAX_RATIO: u64 = 64;
/// What the content may have whatever the size of the archive.
const FLOOR: u64 = 64 * 1024 * 1024;
/// What the content may have at most: what can be inflated and hashed within a request.
const CEILING: u64 = 8 * 1024 * 1024 * 1024;
/// Files and folders in one archive.
const MAX_ENTRIES: u64 = 250_000;
/// Largest central directory.
const MAX_DIRECTORY: u64 = 64 * 1024 * 1024;

/// How the content of an entry is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Stored,
    Deflated,
}

/// An entry, as the central directory and its local header agree.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its path, without empty and `.` segments.
    pub(super) path: String,
    /// Its length when inflated.
    pub(super) size: u64,
    /// Whether it is a folder.
    pub(super) is_folder: bool,
    method: Method,
    compressed: u64,
    crc: u32,
    /// Where its content begins.
    start: u64,
}

/// An archive whose structure has been checked.
pub(in crate::pypi) struct Zip<'a> {
    content: Box<dyn ReadSeek + 'a>,
    /// Its entries, in the order of their contents.
    pub(super) entries: Vec<Entry>,
}

/// Reads exactly `length` bytes at `position`. An archive that does not have them is truncated.
fn read_at(source: &mut dyn ReadSeek, position: u64, length: u64) -> Result<Vec<u8>, Failure> {
    source.seek(SeekFrom::Start(position)).map_err(|error| unreadable(&error))?;
    let mut bytes = Vec::new();
    source.take(length).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 == length { Ok(bytes) } else { Err(refuse("it is truncated")) }
}

/// The extra fields of a header, by their ids.
fn extra_fields<'a>(mut extra: &'a [u8], path: &str) -> Result<Vec<(u16, &'a [u8])>, Failure> {
    let mut fields = Vec::new();
    while !extra.is_empty() {
        let damaged = || refuse(format_args!("the extra fields of '{}' are damaged", excerpt(path)));
        if extra.len() < 4 {
            return Err(damaged());
        }
        let (id, length) = (extra.get_u16_le(), usize::from(extra.get_u16_le()));
        let (field, rest) = extra.split_at_checked(length).ok_or_else(damaged)?;
        if fields.iter().any(|(known, _)| *known == id) {
            return Err(refuse(format_args!("'{}' has an extra field twice", excerpt(path))));
        }
        fields.push((id, field));
        extra = rest;
    }
    Ok(fields)
}

impl<'a> Zip<'a> {
    /// Checks the structure of an archive.
    pub(in crate::pypi) fn open(file: &'a IncomingFile<'_>) -> Result<Self, Failure> {
        let mut content = file.content.open().map_err(|error| unreadable(&error))?;
        let source = content.as_mut();
        let directory = end::find(source, file.size)?;
        let mut headers = central::read(source, &directory)?;
        let allowed = file.size.saturating_mul(MAX_RATIO).saturating_add(FLOOR).min(CEILING);
        let inflated = headers.iter().fold(0_u64, |all, header| all.saturating_add(header.size));
        if inflated > allowed {
            return Err(refuse(format_args!(
                "it inflates to {inflated} bytes, which is much more than packages do"
            )));
        }
        headers.sort_by_key(|header| header.offset);
        let mut entries = Vec::with_capacity(headers.len());
        let mut expected = 0;
        for (position, header) in headers.iter().enumerate() {
            if header.offset != expected {
                return Err(refuse(format_args!(
                    "before '{}' there is data that belongs to no entry, or to two",
                    excerpt(&header.path)
                )));
            }
            expected = headers.get(position + 1).map_or(directory.offset, |next| next.offset);
            entries.push(local::check(source, header, expected)?);
        }
        if expected != directory.offset || entries.is_empty() {
            return Err(refuse("it has no entries"));
        }
        Ok(Self { content, entries })
    }

    /// Reads a small entry whole.
    pub(super) fn read(&mut self, entry: &Entry, most: u64) -> Result<Vec<u8>, Failure> {
        if entry.size > most {
            return Err(refuse(format_args!("{} is larger than {most} bytes", excerpt(&entry.path))));
        }
        let mut bytes = Vec::new();
        read_entry(self.content.as_mut(), entry, &mut |content| {
            content.read_to_end(&mut bytes).map_err(|error| damaged(&entry.path, &error)).map(drop)
        })?;
        Ok(bytes)
    }

    /// Shows `visit` each file: its path, its size and its content, of which it reads as much as it likes. All of it is
    /// checked.
    pub(in crate::pypi) fn walk<V>(&mut self, mut visit: V) -> Result<(), Failure>
    where
        V: FnMut(&str, u64, &mut dyn Read) -> Result<(), Failure>,
    {
        for entry in self.entries.iter().filter(|entry| !entry.is_folder) {
            read_entry(self.content.as_mut(), entry, &mut |content| visit(&entry.path, entry.size, content))?;
        }
        Ok(())
    }
}

type Visit<'a> = &'a mut dyn FnMut(&mut dyn Read) -> Result<(), Failure>;

/// Why the content of `path` could not be read: what was sent cannot be inflated, or what is kept cannot be read.
pub(in crate::pypi) fn damaged(path: &str, error: &io::Error) -> Failure {
    match error.kind() {
        ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
            refuse(format_args!("'{}' cannot be inflated: {error}", excerpt(path)))
        }
        _ => unreadable(error),
    }
}

fn read_entry(source: &mut dyn ReadSeek, entry: &Entry, visit: Visit<'_>) -> Result<(), Failure> {
    source.seek(SeekFrom::Start(entry.start)).map_err(|error| unreadable(&error))?;
    let mut compressed = BufReader::with_capacity(64 * 1024, source.take(entry.compressed));
    match entry.method {
        Method::Stored => check_content(&mut compressed, entry, visit)?,
        Method::Deflated => check_content(&mut DeflateDecoder::new(&mut compressed), entry, visit)?,
    }
    match compressed.fill_buf() {
        Ok([]) => Ok(()),
        Ok(_) => Err(refuse(format_args!("'{}' has data after its content", excerpt(&entry.path)))),
        Err(error) => Err(unreadable(&error)),
    }
}

/// Shows the content of `entry` to `visit`, and compares it with the length and the checksum that the entry states.
fn check_content(inflated: &mut dyn Read, entry: &Entry, visit: Visit<'_>) -> Result<(), Failure> {
    let mut summed = Summed { source: inflated.take(entry.size + 1), crc: Crc::new(), length: 0 };
    visit(&mut summed)?;
    io::copy(&mut summed, &mut io::sink()).map_err(|error| damaged(&entry.path, &error))?;
    if summed.length != entry.size {
        let relation = if summed.length > entry.size { "more" } else { "less" };
        return Err(refuse(format_args!(
            "'{}' has {relation} than the {} bytes it states",
            excerpt(&entry.path),
            entry.size
        )));
    }
    if summed.crc.sum() != entry.crc {
        return Err(refuse(format_args!("the checksum of '{}' is wrong", excerpt(&entry.path))));
    }
    Ok(())
}

/// Adds up what is read.
struct Summed<R> {
    source: R,
    crc: Crc,
    length: u64,
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.crc.update(&buffer[..read]);
        self.length += read as u64;
        Ok(read)
    }
}
