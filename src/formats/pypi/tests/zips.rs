//! The structure of zip archives: a corpus of archives that readers disagree on, each made here, byte by byte.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read as _, Write as _},
};

use proptest::prelude::*;
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::{
    InMemory, incoming,
    zip_parts::{Archive, Entry, Header, deflated, stored},
};
use crate::pypi::metadata::zip::{Zip, damaged};

/// The files in an archive, or why it is refused.
fn read(bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let content = InMemory(bytes);
    let file = incoming("a-1.zip", bytes, &content);
    let mut files = BTreeMap::new();
    let outcome = Zip::open(&file).and_then(|mut zip| {
        zip.walk(|path, size, content| {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes).map_err(|error| damaged(path, &error))?;
            // What is too long is refused after it has been shown.
            if bytes.len() as u64 == size {
                files.insert(path.to_owned(), bytes);
            }
            Ok(())
        })
    });
    outcome.map(|()| files).map_err(|failure| {
        failure
            .message
            .strip_prefix("The package archive is invalid: ")
            .expect("about the archive")
            .to_owned()
    })
}

fn refusal(archive: &Archive) -> String {
    read(&archive.bytes()).expect_err("refused")
}

fn descriptor(entry: &Entry, with_signature: bool) -> Vec<u8> {
    let header = &entry.central;
    let mut bytes = if with_signature { b"PK\x07\x08".to_vec() } else { Vec::new() };
    for field in [header.crc, header.compressed, header.size] {
        bytes.extend(field.to_le_bytes());
    }
    bytes
}

#[test]
fn plain_archives_are_read() {
    let entries = [stored("a.txt", b"stored"), deflated("b/c.txt", b"deflated"), stored("b/empty", b"")];
    let files = read(&Archive::of(entries).bytes()).expect("plain");
    assert_eq!(files["a.txt"], b"stored");
    assert_eq!(files["b/c.txt"], b"deflated");
    assert_eq!(files.len(), 3);

    let folder = stored("b/", b"").attributes(0o040_755);
    let commented = Archive { comment: b"a comment".to_vec(), ..Archive::of([folder, stored("b/a", b"x")]) };
    assert_eq!(read(&commented.bytes()).expect("plain").len(), 1);

    // Written as a stream: lengths and checksum come after the content.
    for with_signature in [true, false] {
        let entry = deflated("a", b"content").both(|header| header.flags = 1 << 3);
        let behind = descriptor(&entry, with_signature);
        let open =
            entry.local(|header| (header.crc, header.compressed, header.size) = (0, 0, 0)).behind(&behind);
        assert_eq!(read(&Archive::of([open, stored("b", b"")]).bytes()).expect("plain").len(), 2);
    }
    let utf8 = stored("\u{e4}", b"").both(|header| header.flags = 1 << 11);
    read(&Archive::of([utf8]).bytes()).expect("marked as UTF-8");
}

#[test]
fn archives_with_two_readings_are_refused() {
    let (a, b) = (stored("a", b"first"), stored("b", b"second"));
    let plain = || Archive::of([a.clone(), b.clone()]);
    let other = Archive::of([stored("a", b"evil")]).bytes();
    let cases = [
        (
            Archive { before: b"#!/bin/sh\n".to_vec(), ..plain() },
            "before 'a' there is data that belongs to no entry, or to two",
        ),
        (
            Archive { between: b"junk".to_vec(), ..plain() },
            "after 'b' there is data that belongs to no entry",
        ),
        (
            Archive { zip64: b"junk".to_vec(), ..plain() },
            "its end record contradicts where its central directory is",
        ),
        (Archive { after: b"junk".to_vec(), ..plain() }, "there is data after its end"),
        (
            Archive { after: other.clone(), ..plain() },
            "its end record contradicts where its central directory is",
        ),
        (Archive { comment: other, ..plain() }, "it has more than one end record"),
        (Archive { comment: b"PK\x05\x06".to_vec(), ..plain() }, "it has more than one end record"),
        (Archive { more: 1, ..plain() }, "its end record states 3 entries, its central directory has 2"),
        (Archive { disk: 1, ..plain() }, "its end record contradicts where its central directory is"),
        (Archive::of([a.clone(), stored("a", b"again")]), "'a' is there twice"),
        (Archive::of([a.clone(), stored("./a", b"again")]), "'a' is there twice"),
        (Archive::of([a.clone(), stored("a/b", b"inside")]), "'a' is a file and a folder"),
        (
            Archive::of([a.clone().local(|header| header.name = b"x".to_vec())]),
            "the local header of 'a' and the central directory have a different name",
        ),
        (
            Archive::of([a.clone().local(|header| header.size = 4)]),
            "the local header of 'a' and the central directory have a different length or checksum",
        ),
        (
            Archive::of([a.clone().local(|header| header.crc = 4)]),
            "the local header of 'a' and the central directory have a different length or checksum",
        ),
        (
            Archive::of([a.clone().local(|header| header.method = 8)]),
            "the local header of 'a' and the central directory have a different method of compression",
        ),
        (
            Archive::of([a.clone().local(|header| header.flags = 1 << 3)]),
            "the local header of 'a' and the central directory have a different set of flags",
        ),
        (
            Archive::of([a.clone().behind(b"PK\x07\x08junk")]),
            "after 'a' there is data that belongs to no entry",
        ),
        (
            Archive::of([a.clone().both(|header| header.flags = 1 << 3)]),
            "after 'a' there is data that belongs to no entry",
        ),
        (
            Archive::of([a.clone().both(|header| header.flags = 1 << 3).behind(&[7; 16])]),
            "after 'a' there is data",
        ),
        (
            Archive::of([a.clone().both(|header| header.compressed = 4)]),
            "'a' is stored with another length than it has",
        ),
        (
            Archive::of([a.both(|header| (header.compressed, header.size) = (99, 99))]),
            "'a' overlaps what comes after it",
        ),
        (Archive::default(), "it has no entries"),
    ];
    for (archive, reason) in cases {
        let text = refusal(&archive);
        assert!(text.starts_with(reason), "expected '{reason}', got '{text}'");
    }
}

#[test]
fn two_entries_cannot_share_their_content() {
    // The first covers the second with its content.
    let inner = Archive::of([stored("b", b"content")]).bytes();
    let inner_end = 30 + 1 + 7;
    let outer = stored("a", &inner[..inner_end]);
    let mut archive = Archive::of([outer, stored("b", b"content")]);
    let bytes = archive.bytes();
    archive.entries[1].local = archive.entries[0].local.clone();
    let second = u32::try_from(30 + 1).expect("short");
    let mut bytes = bytes;
    let directory = bytes.windows(4).rposition(|window| window == b"PK\x01\x02").expect("the second header");
    bytes[directory + 42..directory + 46].copy_from_slice(&second.to_le_bytes());
    let text = read(&bytes).expect_err("refused");
    assert_eq!(text, "'a' overlaps what comes after it");
}

#[test]
fn entries_that_are_no_plain_files_are_refused() {
    let a = || stored("a", b"target");
    for (entry, reason) in [
        (a().attributes(0o120_777), "'a' is a link"),
        (a().attributes(0o020_666), "'a' is neither a file nor a folder"),
        (stored("a/", b"").attributes(0o100_644), "'a' is neither a file nor a folder"),
        (a().both(|header| header.flags = 1), "'a' is encrypted"),
        (a().both(|header| header.flags = 1 << 5), "'a' is not an entry of a plain archive"),
        (stored("a/", b"x").attributes(0), "'a' is not an entry of a plain archive"),
        (a().both(|header| header.method = 14), "'a' is compressed with method 14"),
        (a().both(|header| header.method = 8), "'a' cannot be inflated"),
    ] {
        let text = refusal(&Archive::of([entry]));
        assert!(text.starts_with(reason), "expected '{reason}', got '{text}'");
    }
}

#[test]
fn unsafe_names_are_refused() {
    let deep = "a/".repeat(64) + "a";
    let long = "a".repeat(1_025);
    for name in [
        "/etc/passwd",
        "../a",
        "a/../../b",
        "..",
        "a\\b",
        "C:/a",
        "C:a",
        "",
        "a\nb",
        "a\0b",
        "\u{7f}",
        &deep,
        &long,
    ] {
        let text = refusal(&Archive::of([stored(name, b"")]));
        assert!(text.starts_with("the path '") && text.ends_with("is not allowed"), "{name}: {text}");
    }
    assert_eq!(refusal(&Archive::of([stored("\u{e4}", b"")])), "the name '\u{e4}' is not marked as UTF-8");
    let latin = stored("a", b"").both(|header| header.name = b"\xe4".to_vec());
    assert_eq!(refusal(&Archive::of([latin])), "the path '\u{fffd}' is not valid UTF-8");
}

fn extra(id: u16, data: &[u8]) -> Vec<u8> {
    let mut field = id.to_le_bytes().to_vec();
    field.extend(u16::try_from(data.len()).expect("short").to_le_bytes());
    field.extend(data);
    field
}

#[test]
fn extra_fields_do_not_change_what_is_said_already() {
    let a = || stored("a", b"content");
    let second_name = extra(0x7075, b"\x01\0\0\0\0b");
    let sizes = |size: u64| extra(1, &[size.to_le_bytes(), 7_u64.to_le_bytes()].concat());
    let wide =
        |header: &mut Header| (header.size, header.compressed, header.extra) = (u32::MAX, u32::MAX, sizes(7));
    read(&Archive::of([a().local(wide)]).bytes()).expect("ZIP64 in the local header");
    read(&Archive::of([a().both(wide)]).bytes()).expect("ZIP64 in both");
    let repeated = a().local(|header| header.extra = sizes(7));
    read(&Archive::of([repeated]).bytes()).expect("what fits, repeated, as in wheels of protobuf");
    read(&Archive::of([a().both(|header| header.extra = extra(0x7075, b"\x01\0\0\0\0a"))]).bytes())
        .expect("the same name");
    for (entry, reason) in [
        (a().central(|header| header.extra = second_name.clone()), "'a' has a second name"),
        (a().local(|header| header.extra = second_name.clone()), "'a' has a second name"),
        (a().both(|header| header.extra = sizes(9)), "the ZIP64 field of 'a' is missing or damaged"),
        (
            // One is wide: some readers take the first number for it, others the second.
            a().local(|header| (header.compressed, header.extra) = (u32::MAX, sizes(7))),
            "the ZIP64 field of 'a' is missing or damaged",
        ),
        (a().both(|header| header.size = u32::MAX), "the ZIP64 field of 'a' is missing or damaged"),
        (
            a().local(|header| {
                (header.size, header.compressed, header.extra) = (u32::MAX, u32::MAX, sizes(9));
            }),
            "the local header of 'a' and the central directory have a different length or checksum",
        ),
        (a().both(|header| header.extra = b"\x01\0".to_vec()), "the extra fields of 'a' are damaged"),
        (a().both(|header| header.extra = b"\x01\0\x09\0x".to_vec()), "the extra fields of 'a' are damaged"),
        (
            a().both(|header| header.extra = [extra(2, b""), extra(2, b"x")].concat()),
            "'a' has an extra field twice",
        ),
    ] {
        assert_eq!(refusal(&Archive::of([entry])), reason);
    }
}

#[test]
fn contents_are_what_they_are_said_to_be() {
    let bomb = vec![0; 1024 * 1024];
    let a = || deflated("a", b"content");
    let trailing = {
        let mut entry = a();
        entry.data.extend(b"junk");
        entry.both(|header| header.compressed += 4)
    };
    for (entry, reason) in [
        (a().both(|header| header.crc += 1), "the checksum of 'a' is wrong"),
        (a().both(|header| header.size = 6), "'a' has more than the 6 bytes it states"),
        (a().both(|header| header.size = 8), "'a' has less than the 8 bytes it states"),
        (trailing, "'a' has data after its content"),
        (deflated("a", &bomb).both(|header| header.size = 7), "'a' has more than the 7 bytes it states"),
    ] {
        assert_eq!(refusal(&Archive::of([entry])), reason);
    }
    let claimed = a().both(|header| header.size = 200 * 1024 * 1024);
    let text = refusal(&Archive::of([claimed]));
    assert_eq!(text, "it inflates to 209715200 bytes, which is much more than packages do");
}

#[test]
fn what_is_no_archive_is_refused() {
    for bytes in [&b""[..], b"PK", &[0; 100], b"not an archive at all, but long enough to be one"] {
        let text = read(bytes).expect_err("refused");
        assert!(text.starts_with("it is not a zip archive"), "{text}");
    }
    let good = Archive::of([stored("a", b"content")]).bytes();
    for end in 0..good.len() {
        read(&good[..end]).expect_err("truncated");
    }
}

/// What the `zip` crate sees.
fn read_by_another(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).expect("an archive");
    let mut files = BTreeMap::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).expect("an entry");
        let name = file.name().expect("a name").into_owned();
        let mut content = Vec::new();
        file.read_to_end(&mut content).expect("readable");
        if !file.is_dir() {
            files.insert(name, content);
        }
    }
    files
}

fn any_files() -> impl Strategy<Value = Vec<(String, Vec<u8>, bool, bool)>> {
    let content = proptest::collection::vec(any::<u8>(), 0..300);
    let files = proptest::collection::btree_map(
        "[a-z]{1,8}\\.[a-z]{1,3}",
        (content, any::<bool>(), any::<bool>()),
        1..6,
    );
    files.prop_map(|files| {
        files
            .into_iter()
            .map(|(name, (content, is_deflated, is_large))| (name, content, is_deflated, is_large))
            .collect()
    })
}

proptest! {
    #[test]
    fn what_another_writes_is_read(files in any_files()) {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content, is_deflated, is_large) in &files {
            let method = if *is_deflated { CompressionMethod::Deflated } else { CompressionMethod::Stored };
            let options = SimpleFileOptions::default().compression_method(method).large_file(*is_large);
            archive.start_file(name.as_str(), options).expect("memory");
            archive.write_all(content).expect("memory");
        }
        let bytes = archive.finish().expect("memory").into_inner();
        let written: BTreeMap<_, _> = files.into_iter().map(|(name, content, ..)| (name, content)).collect();
        prop_assert_eq!(read(&bytes), Ok(written));
    }

    #[test]
    fn what_is_read_is_read_alike_by_another(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)
    ) {
        let entries = [stored("a.txt", b"stored"), deflated("b/c.txt", b"deflated")];
        let mut bytes = Archive { comment: b"comment".to_vec(), ..Archive::of(entries) }.bytes();
        for (position, byte) in changes {
            let position = position.index(bytes.len());
            bytes[position] = byte;
        }
        if let Ok(files) = read(&bytes) {
            prop_assert_eq!(files, read_by_another(&bytes));
        }
    }
}
