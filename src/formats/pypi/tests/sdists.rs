//! Source archives: what is in them, and that they can be unpacked in one way only.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use serde_json::Value;
use tar::{Builder, EntryType, Header};
use testkit::artefacts::pypi::Distribution;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{inspect, refusal};

const ACME: (&str, &str) = ("acme", "1.0");
const PKG_INFO: &str =
    "Metadata-Version: 2.1\nName: acme\nVersion: 1.0\nRequires-Python: >=3.9\nRequires-Dist: a>1\n";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// An archive being written, with entries that the writer itself would refuse.
struct Tar(Builder<Vec<u8>>);

impl Tar {
    fn good() -> Self {
        Self(Builder::new(Vec::new())).file("acme-1.0/PKG-INFO", PKG_INFO).file("acme-1.0/acme.py", "")
    }

    fn entry(mut self, kind: EntryType, path: &str, target: &str, data: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_cksum();
        self.0.append(&header, data).expect("memory");
        self
    }

    fn file(self, path: &str, text: &str) -> Self {
        self.entry(EntryType::Regular, path, "", text.as_bytes())
    }

    fn link(self, path: &str, target: &str) -> Self {
        self.entry(EntryType::Symlink, path, target, b"")
    }

    fn hard(self, path: &str, target: &str) -> Self {
        self.entry(EntryType::Link, path, target, b"")
    }

    fn bytes(self) -> Vec<u8> {
        self.0.into_inner().expect("memory")
    }

    fn gzipped(self) -> Vec<u8> {
        gzip(&self.bytes())
    }
}

fn read(bytes: &[u8]) -> Result<domain::rules::Inspection, domain::Failure> {
    inspect(ACME, "acme-1.0.tar.gz", Value::Null, bytes)
}

fn refused(bytes: &[u8]) -> String {
    refusal(read(bytes))
}

#[test]
fn the_archive_says_what_is_kept() {
    let inspection = read(&Tar::good().gzipped()).expect("a source archive");
    assert_eq!(inspection.metadata["required_python"], ">=3.9");
    assert_eq!(inspection.dependencies.len(), 1);
    assert_eq!(inspection.file_properties[0]["filetype"], "sdist");
    assert_eq!(inspection.file_properties[0].get("core_metadata"), None, "which only wheels have fixed");
    let distribution = Distribution::new("Acme", "1.0.0");
    inspect(ACME, "acme-1.0.0.tar.gz", Value::Null, &distribution.source()).expect("another spelling");

    let mut archive = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file("acme-1.0/PKG-INFO", SimpleFileOptions::default()).expect("memory");
    archive.write_all(PKG_INFO.as_bytes()).expect("memory");
    let bytes = archive.finish().expect("memory").into_inner();
    inspect(ACME, "acme-1.0.zip", Value::Null, &bytes).expect("as it was before PEP 625");
}

#[test]
fn there_is_one_folder_with_one_pkg_info() {
    let empty = || Tar(Builder::new(Vec::new()));
    for (tar, reason) in [
        (empty(), "there is no PKG-INFO in the folder of the package"),
        (empty().file("acme-1.0/acme.py", ""), "there is no PKG-INFO in the folder of the package"),
        (
            empty().file("acme-1.0/src/PKG-INFO", PKG_INFO),
            "there is no PKG-INFO in the folder of the package",
        ),
        (empty().file("PKG-INFO", PKG_INFO), "'PKG-INFO' is outside the folder of the package"),
        (
            empty().file("other-1.0/PKG-INFO", PKG_INFO),
            "its folder is called 'other-1.0', which is not 'acme-1'",
        ),
        (
            empty().file("acme-1.1/PKG-INFO", PKG_INFO),
            "its folder is called 'acme-1.1', which is not 'acme-1'",
        ),
        (Tar::good().file("other/a", ""), "it has more than one folder at its top, 'acme-1.0' and 'other'"),
        (Tar::good().file("acme-1.0/PKG-INFO", PKG_INFO), "PKG-INFO should be there once"),
        (Tar::good().file("acme-1.0/pkg-info", PKG_INFO), "PKG-INFO should be there once"),
        (
            empty().file("acme-1.0/PKG-INFO", "Name: acme\nVersion: 1.0\n"),
            "PKG-INFO cannot be read: metadata field Metadata-Version not found",
        ),
        (
            empty().file("acme-1.0/PKG-INFO", &PKG_INFO.replace("acme", "other")),
            "its metadata has the name 'other', it was published as 'acme'",
        ),
        (empty().entry(EntryType::Regular, "acme-1.0/PKG-INFO", "", b"\xff"), "PKG-INFO is not valid UTF-8"),
    ] {
        assert_eq!(refused(&tar.gzipped()), reason);
    }
}

#[test]
fn unsafe_paths_and_kinds_are_refused() {
    for path in ["/acme-1.0/a", "../a", "acme-1.0/../../a", "acme-1.0\\..\\a", "C:/a", "acme-1.0/a\nb"] {
        let text = refused(&Tar::good().file(path, "").gzipped());
        assert!(text.starts_with("the path '") && text.ends_with("is not allowed"), "{path}: {text}");
    }
    let device = Tar::good().entry(EntryType::Char, "acme-1.0/null", "", b"");
    assert_eq!(refused(&device.gzipped()), "'acme-1.0/null' is neither a file nor a directory");
    read(&Tar::good().entry(EntryType::Directory, "acme-1.0/folder/", "", b"").gzipped()).expect("a folder");
}

#[test]
fn links_stay_inside() {
    for good in [
        Tar::good().link("acme-1.0/a", "acme.py"),
        Tar::good().link("acme-1.0/b/c/d", "../../acme.py"),
        Tar::good().hard("acme-1.0/a", "acme-1.0/acme.py"),
    ] {
        read(&good.gzipped()).expect("inside");
    }
    for (bad, reason) in [
        (Tar::good().link("acme-1.0/a", "/etc/passwd"), "the link 'acme-1.0/a' leads to '/etc/passwd'"),
        (Tar::good().link("acme-1.0/a", "../a"), "the link 'acme-1.0/a' leads to '../a'"),
        (Tar::good().link("acme-1.0/b/a", "../../a"), "the link 'acme-1.0/b/a' leads to '../../a'"),
        (Tar::good().link("acme-1.0/a", "b/../../../a"), "the link 'acme-1.0/a' leads to 'b/../../../a'"),
        (Tar::good().link("acme-1.0/a", "b\\c"), "the link 'acme-1.0/a' leads to 'b\\c'"),
        (Tar::good().link("acme-1.0/a", ""), "it has a link without a target"),
        (Tar::good().link("a", "b"), "the link 'a' leads to 'b'"),
        (
            Tar::good().link("acme-1.0/a", ".").file("acme-1.0/a/x", ""),
            "the path 'acme-1.0/a/x' leads through the link 'acme-1.0/a'",
        ),
        (
            Tar::good().link("acme-1.0/a", "acme.py").file("acme-1.0/a", ""),
            "the path 'acme-1.0/a' leads through the link 'acme-1.0/a'",
        ),
        (Tar::good().link("acme-1.0/acme.py", "b"), "'acme-1.0/acme.py' is there twice, once as a link"),
        (
            Tar::good().hard("acme-1.0/a", "acme-1.0/none"),
            "the link 'acme-1.0/a' leads to 'acme-1.0/none', which is no file",
        ),
        (Tar::good().hard("acme-1.0/a", "/etc/passwd"), "the path '/etc/passwd' is not allowed"),
        (
            Tar::good().link("acme-1.0/a", "acme.py").hard("acme-1.0/b", "acme-1.0/a"),
            "the link 'acme-1.0/b' leads to 'acme-1.0/a', which is no file",
        ),
    ] {
        let text = refused(&bad.gzipped());
        assert!(text.starts_with(reason), "expected '{reason}', got '{text}'");
    }
}

#[test]
fn archives_with_two_readings_are_refused() {
    let good = Tar::good().bytes();
    let mut junk = good.clone();
    junk.extend_from_slice(b"junk");
    assert_eq!(refused(&gzip(&junk)), "there is data after its end");
    let mut member = gzip(&good);
    member.extend(gzip(b"another member"));
    assert_eq!(refused(&member), "there is data after its gzip stream");
    let mut trailing = gzip(&good);
    trailing.extend(b"junk");
    assert_eq!(refused(&trailing), "there is data after its gzip stream");
    assert_eq!(refused(&good), "it is not gzip-compressed");
    let gzipped = gzip(&good);
    assert_eq!(refused(&gzipped[..gzipped.len() - 20]), "its gzip data is damaged or truncated");

    let record = |text: &str| format!("{} {text}\n", text.len() + 4);
    let twice = [record("path=acme-1.0/x"), record("path=acme-1.0/y")].concat();
    let pax = Tar::good().entry(EntryType::XHeader, "pax", "", twice.as_bytes()).file("acme-1.0/z", "");
    let text = refused(&pax.gzipped());
    assert!(
        text.starts_with("the headers of 'acme-1.0/") && text.ends_with("' contradict each other"),
        "{text}"
    );
    let global = Tar::good().entry(EntryType::XGlobalHeader, "pax", "", b"12 path=abc\n");
    assert_eq!(refused(&global.gzipped()), "it has a global header that changes its entries");
}

#[test]
fn bombs_are_refused() {
    let zeros = vec![0; 72 * 1024 * 1024];
    let bomb = Tar::good().entry(EntryType::Regular, "acme-1.0/zeros", "", &zeros).bytes();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&bomb).expect("memory");
    let bomb = encoder.finish().expect("memory");
    assert_eq!(refused(&bomb), "it inflates to much more than packages do");
    let large = "x".repeat(5 * 1024 * 1024);
    let tar = Tar(Builder::new(Vec::new())).file("acme-1.0/PKG-INFO", &large);
    assert_eq!(refused(&tar.gzipped()), "PKG-INFO is larger than 4 MiB");
}

proptest! {
    #[test]
    fn a_damaged_archive_never_panics(
        position in any::<prop::sample::Index>(), byte in any::<u8>(), is_tar in any::<bool>(), cut in any::<prop::sample::Index>()
    ) {
        let tar = Tar::good().link("acme-1.0/a", "acme.py").bytes();
        let mut bytes = if is_tar { tar } else { gzip(&tar) };
        let position = position.index(bytes.len());
        bytes[position] = byte;
        let bytes = if is_tar { gzip(&bytes) } else { bytes };
        let _ = read(&bytes);
        let good = Tar::good().gzipped();
        prop_assert!(read(&good[..cut.index(good.len())]).is_err());
    }
}
