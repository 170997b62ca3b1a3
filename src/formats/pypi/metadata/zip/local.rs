//! Local headers, which stand before the contents.

use bytes::Buf;
use domain::{Failure, rules::ReadSeek};

use super::{
    Entry, Method,
    central::{HAS_DESCRIPTOR, Header, ZIP64, check_unicode_path, widen},
    extra_fields, read_at, refuse,
};
use crate::shared::excerpt;

const HEADER: &[u8] = b"PK\x03\x04";
/// A header without its name and extra fields.
const HEADER_LENGTH: u64 = 30;
const DESCRIPTOR: &[u8] = b"PK\x07\x08";

/// Checks that the local header of `header` says the same, and that its content ends where the next thing begins.
pub(super) fn check(source: &mut dyn ReadSeek, header: &Header, next: u64) -> Result<Entry, Failure> {
    let path = excerpt(&header.path);
    let differs = |what: &str| {
        refuse(format_args!("the local header of '{path}' and the central directory have a different {what}"))
    };
    let bytes = read_at(source, header.offset, HEADER_LENGTH)?;
    let mut fixed = bytes.as_slice();
    if !fixed.starts_with(HEADER) {
        return Err(refuse(format_args!("'{path}' has no local header")));
    }
    fixed.advance(HEADER.len() + 2); // the version it needs
    let (flags, method) = (fixed.get_u16_le(), fixed.get_u16_le());
    fixed.advance(4); // time and date
    let crc = fixed.get_u32_le();
    let (compressed, size) = (fixed.get_u32_le(), fixed.get_u32_le());
    let (name_length, extra_length) = (u64::from(fixed.get_u16_le()), u64::from(fixed.get_u16_le()));
    let variable = read_at(source, header.offset + HEADER_LENGTH, name_length + extra_length)?;
    let (name, extra) = variable.split_at(header.name.len().min(variable.len()));
    if name != header.name || name_length != header.name.len() as u64 {
        return Err(differs("name"));
    }
    let extra = extra_fields(extra, &header.path)?;
    check_unicode_path(&extra, name, &header.path)?;
    if flags != header.flags {
        return Err(differs("set of flags"));
    }
    if method != (if header.method == Method::Stored { 0 } else { 8 }) {
        return Err(differs("method of compression"));
    }
    let mut sizes = [u64::from(size), u64::from(compressed)];
    let is_wide = extra.iter().any(|(id, _)| *id == ZIP64);
    if is_wide {
        widen(&mut sizes, &extra, &header.path)?;
    }
    let stated = (crc, sizes[1], sizes[0]);
    let has_descriptor = flags & HAS_DESCRIPTOR != 0;
    let is_left_open = has_descriptor && stated == (0, 0, 0);
    if !is_left_open && stated != (header.crc, header.compressed, header.size) {
        return Err(differs("length or checksum"));
    }
    let start = header.offset + HEADER_LENGTH + name_length + extra_length;
    let gap = start.checked_add(header.compressed).and_then(|end| next.checked_sub(end));
    let gap = gap.ok_or_else(|| refuse(format_args!("'{path}' overlaps what comes after it")))?;
    let is_filled = match gap {
        0 => !has_descriptor,
        12 | 16 | 20 | 24 if has_descriptor => is_descriptor(&read_at(source, next - gap, gap)?, header),
        _ => false,
    };
    if !is_filled {
        return Err(refuse(format_args!("after '{path}' there is data that belongs to no entry")));
    }
    Ok(Entry {
        path: header.path.clone(),
        size: header.size,
        is_folder: header.is_folder,
        method: header.method,
        compressed: header.compressed,
        crc: header.crc,
        start,
    })
}

/// Whether these bytes are the checksum and lengths of `header`, as they follow a content: in 32 or in 64 bits, with a
/// signature before them or without.
fn is_descriptor(bytes: &[u8], header: &Header) -> bool {
    let mut fields = bytes;
    if matches!(bytes.len(), 16 | 24) {
        if !bytes.starts_with(DESCRIPTOR) {
            return false;
        }
        fields.advance(DESCRIPTOR.len());
    }
    let crc = fields.get_u32_le();
    let (compressed, size) = match fields.len() {
        8 => (u64::from(fields.get_u32_le()), u64::from(fields.get_u32_le())),
        _ => (fields.get_u64_le(), fields.get_u64_le()),
    };
    (crc, compressed, size) == (header.crc, header.compressed, header.size)
}
