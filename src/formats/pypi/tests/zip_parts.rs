//! Zip archives made byte by byte, so that any of their headers may lie.

use std::io::Write as _;

use flate2::{Compression, Crc, write::DeflateEncoder};

/// An entry, with what its two headers say apart.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) local: Header,
    pub(super) central: Header,
    pub(super) data: Vec<u8>,
    /// What stands behind the data.
    pub(super) behind: Vec<u8>,
    pub(super) attributes: u32,
}

#[derive(Clone)]
pub(super) struct Header {
    pub(super) name: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) compressed: u32,
    pub(super) size: u32,
    pub(super) extra: Vec<u8>,
}

pub(super) fn crc_of(content: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(content);
    crc.sum()
}

pub(super) fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("short")
}

/// A stored entry.
pub(super) fn stored(name: &str, content: &[u8]) -> Entry {
    let header = Header {
        name: name.as_bytes().to_vec(),
        flags: 0,
        method: 0,
        crc: crc_of(content),
        compressed: length(content),
        size: length(content),
        extra: Vec::new(),
    };
    Entry {
        local: header.clone(),
        central: header,
        data: content.to_vec(),
        behind: Vec::new(),
        attributes: 0o100_644 << 16,
    }
}

/// A deflated entry.
pub(super) fn deflated(name: &str, content: &[u8]) -> Entry {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).expect("memory");
    let data = encoder.finish().expect("memory");
    let mut entry = stored(name, content);
    for header in [&mut entry.local, &mut entry.central] {
        (header.method, header.compressed) = (8, length(&data));
    }
    Entry { data, ..entry }
}

impl Entry {
    pub(super) fn both(mut self, change: impl Fn(&mut Header)) -> Self {
        change(&mut self.local);
        change(&mut self.central);
        self
    }

    pub(super) fn central(mut self, change: impl Fn(&mut Header)) -> Self {
        change(&mut self.central);
        self
    }

    pub(super) fn local(mut self, change: impl Fn(&mut Header)) -> Self {
        change(&mut self.local);
        self
    }

    pub(super) fn attributes(self, mode: u32) -> Self {
        Self { attributes: mode << 16, ..self }
    }

    pub(super) fn behind(self, bytes: &[u8]) -> Self {
        Self { behind: bytes.to_vec(), ..self }
    }
}

pub(super) fn push_header(bytes: &mut Vec<u8>, header: &Header) {
    bytes.extend(20_u16.to_le_bytes());
    bytes.extend(header.flags.to_le_bytes());
    bytes.extend(header.method.to_le_bytes());
    bytes.extend([0, 0, 0x21, 0]); // midnight of 1980
    bytes.extend(header.crc.to_le_bytes());
    bytes.extend(header.compressed.to_le_bytes());
    bytes.extend(header.size.to_le_bytes());
    bytes.extend(u16::try_from(header.name.len()).expect("short").to_le_bytes());
    bytes.extend(u16::try_from(header.extra.len()).expect("short").to_le_bytes());
}

/// The parts of an archive.
#[derive(Default)]
pub(super) struct Archive {
    pub(super) before: Vec<u8>,
    pub(super) entries: Vec<Entry>,
    /// Between the entries and the central directory.
    pub(super) between: Vec<u8>,
    /// Between the central directory and the end record.
    pub(super) zip64: Vec<u8>,
    pub(super) comment: Vec<u8>,
    pub(super) after: Vec<u8>,
    /// What is added to the number of entries.
    pub(super) more: u16,
    /// Which disk it says it is.
    pub(super) disk: u16,
}

impl Archive {
    pub(super) fn of(entries: impl IntoIterator<Item = Entry>) -> Self {
        Self { entries: entries.into_iter().collect(), ..Self::default() }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.before.clone();
        let mut directory = Vec::new();
        for entry in &self.entries {
            let offset = length(&bytes);
            bytes.extend(b"PK\x03\x04");
            push_header(&mut bytes, &entry.local);
            bytes.extend(&entry.local.name);
            bytes.extend(&entry.local.extra);
            bytes.extend(&entry.data);
            bytes.extend(&entry.behind);
            directory.extend(b"PK\x01\x02\x14\x03");
            push_header(&mut directory, &entry.central);
            directory.extend([0; 6]); // comment, disk, internal attributes
            directory.extend(entry.attributes.to_le_bytes());
            directory.extend(offset.to_le_bytes());
            directory.extend(&entry.central.name);
            directory.extend(&entry.central.extra);
        }
        bytes.extend(&self.between);
        let (offset, size) = (length(&bytes), length(&directory));
        bytes.extend(directory);
        bytes.extend(&self.zip64);
        bytes.extend(b"PK\x05\x06");
        let count = u16::try_from(self.entries.len()).expect("few") + self.more;
        for field in [self.disk, self.disk, count, count] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend(size.to_le_bytes());
        bytes.extend(offset.to_le_bytes());
        bytes.extend(u16::try_from(self.comment.len()).expect("short").to_le_bytes());
        bytes.extend(&self.comment);
        bytes.extend(&self.after);
        bytes
    }
}
