//! The end of an archive: the end record, the comment behind it, and what ZIP64 puts before it.

use bytes::Buf;
use domain::{Failure, rules::ReadSeek};

use super::{MAX_DIRECTORY, MAX_ENTRIES, read_at, refuse};

const END: &[u8] = b"PK\x05\x06";
const END_LENGTH: u64 = 22;
const LOCATOR: &[u8] = b"PK\x06\x07";
const LOCATOR_LENGTH: u64 = 20;
const ZIP64_END: &[u8] = b"PK\x06\x06";
const ZIP64_END_LENGTH: u64 = 56;
/// Longest comment that the end record can state.
const MAX_COMMENT: u64 = 0xffff;

/// Where the central directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Directory {
    /// Its first byte.
    pub(super) offset: u64,
    /// Its length.
    pub(super) size: u64,
    /// How many entries it lists.
    pub(super) count: u64,
}

/// Finds the central directory of an archive of `length` bytes.
pub(super) fn find(source: &mut dyn ReadSeek, length: u64) -> Result<Directory, Failure> {
    if length < END_LENGTH {
        return Err(refuse("it is not a zip archive"));
    }
    let searched = length.min(END_LENGTH + MAX_COMMENT);
    let tail = read_at(source, length - searched, searched)?;
    let position = position(&tail)?;
    let end_position = length - searched + position as u64;
    let end = End::parse(&tail[position..]);
    let (directory, directory_end) = match zip64(source, end_position, &end)? {
        Some(zip64) => zip64,
        None => (end.directory, end_position),
    };
    let tiled = directory.offset.checked_add(directory.size) == Some(directory_end);
    if !end.is_alone || !tiled {
        return Err(refuse("its end record contradicts where its central directory is"));
    }
    if directory.count > MAX_ENTRIES || directory.size > MAX_DIRECTORY {
        return Err(refuse("it has more than 250,000 entries, or a central directory of more than 64 MiB"));
    }
    Ok(directory)
}

/// Where the end record is in the last bytes of an archive. Readers look for it from behind, and not all of them believe the
/// length of the comment: there may be one only, and nothing after it.
fn position(tail: &[u8]) -> Result<usize, Failure> {
    let positions =
        || tail.windows(END.len()).enumerate().filter(|(_, window)| *window == END).map(|(at, _)| at);
    let last =
        positions().next_back().ok_or_else(|| refuse("it is not a zip archive, or it is truncated"))?;
    let ends_there = |at: usize| {
        let comment = tail.get(at + 20..at + 22).map(|mut field| field.get_u16_le());
        comment.is_some_and(|comment| at + 22 + usize::from(comment) == tail.len())
    };
    if !ends_there(last) {
        let nested = positions().any(ends_there);
        return Err(refuse(if nested {
            "it has more than one end record"
        } else {
            "there is data after its end"
        }));
    }
    // What is in a file that is stored uncompressed, and happens to be an archive, ends before this one does.
    if positions().filter(|at| ends_there(*at)).count() > 1 {
        return Err(refuse("it has more than one end record"));
    }
    Ok(last)
}

struct End {
    directory: Directory,
    /// Whether the archive is in one piece.
    is_alone: bool,
    /// Whether a field is too small for its value, which then is in the ZIP64 record.
    is_saturated: bool,
}

impl End {
    fn parse(record: &[u8]) -> Self {
        let mut record = &record[END.len()..];
        let (disk, directory_disk) = (record.get_u16_le(), record.get_u16_le());
        let (here, count) = (record.get_u16_le(), record.get_u16_le());
        let (size, offset) = (record.get_u32_le(), record.get_u32_le());
        Self {
            directory: Directory { offset: offset.into(), size: size.into(), count: count.into() },
            is_alone: disk == 0 && directory_disk == 0 && here == count,
            is_saturated: count == u16::MAX || size == u32::MAX || offset == u32::MAX,
        }
    }
}

/// The directory as the ZIP64 records before the end record have it, and where those begin. None when there are none.
fn zip64(
    source: &mut dyn ReadSeek,
    end_position: u64,
    end: &End,
) -> Result<Option<(Directory, u64)>, Failure> {
    let missing = || refuse("its ZIP64 end record is missing or damaged");
    let Some(position) = end_position.checked_sub(LOCATOR_LENGTH + ZIP64_END_LENGTH) else {
        return if end.is_saturated { Err(missing()) } else { Ok(None) };
    };
    let records = read_at(source, position, LOCATOR_LENGTH + ZIP64_END_LENGTH)?;
    let (mut record, mut locator) = records.split_at(56);
    if !locator.starts_with(LOCATOR) {
        return if end.is_saturated { Err(missing()) } else { Ok(None) };
    }
    locator.advance(LOCATOR.len());
    let (disk, located, disks) = (locator.get_u32_le(), locator.get_u64_le(), locator.get_u32_le());
    if disk != 0 || disks != 1 || located != position || !record.starts_with(ZIP64_END) {
        return Err(missing());
    }
    record.advance(ZIP64_END.len());
    let length = record.get_u64_le();
    record.advance(4); // the versions it was made by and needs
    let (disk, directory_disk) = (record.get_u32_le(), record.get_u32_le());
    let (here, count) = (record.get_u64_le(), record.get_u64_le());
    let (size, offset) = (record.get_u64_le(), record.get_u64_le());
    let alike = |short: u64, most: u64, long: u64| short == long || short == most;
    let agrees = alike(end.directory.count, u16::MAX.into(), count)
        && alike(end.directory.size, u32::MAX.into(), size)
        && alike(end.directory.offset, u32::MAX.into(), offset);
    if length != ZIP64_END_LENGTH - 12 || disk != 0 || directory_disk != 0 || here != count || !agrees {
        return Err(refuse("its end records contradict each other"));
    }
    Ok(Some((Directory { offset, size, count }, position)))
}
