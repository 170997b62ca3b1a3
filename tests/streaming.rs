//! Memory stays flat while gigabytes pass: measured on the real server, in a process of its own.

use std::{
    fs,
    io::{self, Read, Write},
    net::TcpStream,
};

use base64::{engine::general_purpose::STANDARD, write::EncoderWriter};
use flate2::{Compression, write::GzEncoder};
use serde_json::json;

use crate::{
    clients::Registry,
    server::{ROOT_TOKEN, Response, Server, Setup, has_s3},
};

/// How much more memory a transfer may take, whatever its size.
const MORE_MEMORY: u64 = 32 << 20;
const GENERIC_FILE: u64 = 2 << 30;
const NPM_CONTENT: u64 = 300 << 20;
/// A first round, after which whatever is made once has been made.
const WARM_UP: u64 = 24 << 20;

/// In a bucket, when nobody asks for gigabytes: enough to show what would grow.
const GENERIC_FILE_BRIEFLY: u64 = 192 << 20;

/// These tests move gigabytes: CI runs them, and whoever asks for them.
fn is_wanted() -> bool {
    let wanted = std::env::var_os("ENTREPOT_TEST_LARGE").is_some();
    if !wanted {
        crate::clients::say("skipped: set ENTREPOT_TEST_LARGE=1 to move gigabytes");
    }
    wanted
}

const ON_DISK: Setup = Setup { postgres: false, s3: false, variables: &[] };
const IN_A_BUCKET: Setup = Setup { postgres: false, s3: true, variables: &[] };

fn is_s3_there() -> bool {
    if !has_s3() {
        crate::clients::say("skipped: ENTREPOT_TEST_S3_ENDPOINT names no server");
    }
    has_s3()
}

/// Bytes that do not compress, a function of their place only: however they are cut into reads, they are the same.
struct Noise {
    at: u64,
    end: u64,
}

impl Noise {
    fn new(length: u64) -> Self {
        Self { at: 0, end: length }
    }

    /// The eight bytes from eight times `index` on: SplitMix64.
    fn word(index: u64) -> [u8; 8] {
        let mut mixed = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).to_le_bytes()
    }
}

impl Read for Noise {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(usize::try_from(self.end - self.at).unwrap_or(usize::MAX));
        let mut rest = &mut buffer[..length];
        while !rest.is_empty() {
            let word = Self::word(self.at / 8);
            let word = &word[usize::try_from(self.at % 8).expect("less than eight")..];
            let taken = word.len().min(rest.len());
            rest[..taken].copy_from_slice(&word[..taken]);
            self.at += taken as u64;
            rest = &mut rest[taken..];
        }
        Ok(length)
    }
}

#[test]
fn noise_is_the_same_however_it_is_read() {
    let (mut whole, mut pieces) = (Vec::new(), Vec::new());
    Noise::new(1000).read_to_end(&mut whole).expect("memory");
    let mut noise = Noise::new(1000);
    for length in (1..).take_while(|length| length * (length + 1) / 2 <= 1000) {
        let mut piece = vec![0; length];
        noise.read_exact(&mut piece).expect("memory");
        pieces.extend(piece);
    }
    noise.read_to_end(&mut pieces).expect("memory");
    assert_eq!(pieces, whole);
}

/// Memory of a process in bytes: now, and at most since [`Memory::forget_peak`].
struct Memory {
    pid: u32,
}

impl Memory {
    fn read(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).expect("a process");
        let line = status.lines().find(|line| line.starts_with(field)).expect("a figure");
        let kibibytes: u64 =
            line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).expect("a number");
        kibibytes << 10
    }

    fn now(&self) -> u64 {
        self.read("VmRSS:")
    }

    fn peak(&self) -> u64 {
        self.read("VmHWM:")
    }

    /// Begins a new peak.
    fn forget_peak(&self) {
        fs::write(format!("/proc/{}/clear_refs", self.pid), "5").expect("Linux");
    }
}

/// Runs `transfer` small and then large, and compares the memory it takes.
fn stays_flat(server: &Server, what: &str, large: u64, transfer: impl Fn(u64)) {
    let memory = Memory { pid: server.pid() };
    transfer(WARM_UP);
    let before = memory.now();
    memory.forget_peak();
    transfer(large);
    let more = memory.peak().saturating_sub(before);
    crate::clients::say(&format!("{what}: {} MiB took {} KiB more memory", large >> 20, more >> 10));
    assert!(more < MORE_MEMORY, "{what} of {large} bytes took {more} bytes more\n{}", server.log());
}

/// Reads an answer to its end and compares it with what was sent.
fn compare(response: &mut Response, expected: &mut dyn Read) -> u64 {
    let mut length = 0;
    let (mut got, mut wanted) = (vec![0; 1 << 18], vec![0; 1 << 18]);
    loop {
        let read = response.reader.read(&mut got).expect("more of the answer");
        if read == 0 {
            return length;
        }
        expected.read_exact(&mut wanted[..read]).expect("no more than was sent");
        assert!(got[..read] == wanted[..read], "the bytes are those that were sent");
        length += read as u64;
    }
}

#[test]
fn a_generic_file_of_two_gibibytes() {
    if is_wanted() {
        a_generic_file(ON_DISK, GENERIC_FILE);
    }
}

#[test]
fn a_generic_file_in_a_bucket() {
    if is_s3_there() {
        a_generic_file(IN_A_BUCKET, if is_wanted() { GENERIC_FILE } else { GENERIC_FILE_BRIEFLY });
    }
}

fn a_generic_file(setup: Setup, size: u64) {
    let registry = Registry::new(setup);
    let server = &registry.server;
    let path = |length: u64| format!("{}/generic/large/1.0.0/{length}.bin", registry.project_packages());
    stays_flat(server, "a generic upload", size, |length| {
        let size = length.to_string();
        let headers = [("PRIVATE-TOKEN", ROOT_TOKEN), ("Content-Length", size.as_str())];
        let mut stream = server.open("PUT", &path(length), &headers);
        io::copy(&mut Noise::new(length), &mut io::BufWriter::with_capacity(1 << 18, &mut stream))
            .expect("the server reads");
        let response = Response::head(stream);
        assert_eq!(response.status, 201, "{}", server.log());
    });
    stays_flat(server, "a generic download", size, |length| {
        let mut response =
            Response::head(server.open("GET", &path(length), &[("PRIVATE-TOKEN", ROOT_TOKEN)]));
        assert_eq!((response.status, response.header("content-length")), (200, length.to_string().as_str()));
        assert_eq!(compare(&mut response, &mut Noise::new(length)), length);
    });
}

/// A body in chunks, since nobody knows how long a tarball gets.
struct Chunked(io::BufWriter<TcpStream>);

impl Write for Chunked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !bytes.is_empty() {
            write!(self.0, "{:x}\r\n", bytes.len())?;
            self.0.write_all(bytes)?;
            self.0.write_all(b"\r\n")?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Passes bytes on and counts them.
struct Counted<W> {
    inner: W,
    count: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.count += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Writes the tarball of an npm package with a file of `length` bytes.
fn write_tarball<W: Write>(output: W, version: &str, length: u64) -> io::Result<W> {
    let mut archive = tar::Builder::new(GzEncoder::new(output, Compression::none()));
    let manifest = json!({ "name": "large", "version": version }).to_string();
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o644);
    header.set_size(manifest.len() as u64);
    archive.append_data(&mut header, "package/package.json", manifest.as_bytes())?;
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o644);
    header.set_size(length);
    archive.append_data(
        &mut header,
        "package/noise.bin",
        io::BufReader::with_capacity(1 << 16, Noise::new(length)),
    )?;
    archive.into_inner()?.finish()
}

#[test]
fn an_npm_package_of_three_hundred_mebibytes() {
    if is_wanted() {
        an_npm_package(ON_DISK);
    }
}

#[test]
fn an_npm_package_of_three_hundred_mebibytes_in_a_bucket() {
    if is_wanted() && is_s3_there() {
        an_npm_package(IN_A_BUCKET);
    }
}

fn an_npm_package(setup: Setup) {
    let registry = Registry::new(setup);
    let server = &registry.server;
    let version = |length: u64| format!("1.0.{}", length >> 20);
    stays_flat(server, "an npm publish", NPM_CONTENT, |length| {
        let version = version(length);
        let headers = [
            ("PRIVATE-TOKEN", ROOT_TOKEN),
            ("Content-Type", "application/json"),
            ("Transfer-Encoding", "chunked"),
        ];
        let stream = server.open("PUT", &format!("{}/npm/large", registry.project_packages()), &headers);
        let mut body = Chunked(io::BufWriter::with_capacity(1 << 18, stream));
        let manifest = json!({ "name": "large", "version": version, "dist": {} });
        let head = json!({
            "_id": "large", "name": "large", "dist-tags": { "latest": version }, "versions": { &version: manifest },
        });
        let head = head.to_string();
        let head = head.trim_end_matches('}').to_owned()
            + &"}".repeat(head.len() - head.trim_end_matches('}').len() - 1);
        write!(
            body,
            "{head},\"_attachments\":{{\"large-{version}.tgz\":{{\"content_type\":\"application/octet-stream\",\"data\":\""
        )
        .expect("the server reads");
        let encoder = EncoderWriter::new(io::BufWriter::with_capacity(1 << 16, &mut body), &STANDARD);
        let counted = Counted { inner: encoder, count: 0 };
        let mut counted = write_tarball(counted, &version, length).expect("the server reads");
        counted.inner.finish().expect("the server reads").flush().expect("the server reads");
        let length = counted.count;
        drop(counted);
        write!(body, "\",\"length\":{length}}}}}}}").expect("the server reads");
        body.0.write_all(b"0\r\n\r\n").expect("the server reads");
        let stream = body.0.into_inner().expect("the server reads");
        let mut response = Response::head(stream);
        response.reader.read_to_end(&mut response.body).expect("an answer");
        assert_eq!(response.status, 200, "{}\n{}", response.text(), server.log());
    });
    stays_flat(server, "an npm download", NPM_CONTENT, |length| {
        let path = format!("{}/npm/large/-/large-{}.tgz", registry.project_packages(), version(length));
        let mut response = Response::head(server.open("GET", &path, &[("PRIVATE-TOKEN", ROOT_TOKEN)]));
        assert_eq!(response.status, 200);
        let expected: u64 = response.header("content-length").parse().expect("a length");
        let read = io::copy(&mut response.reader, &mut io::sink()).expect("all of it");
        assert!(read == expected && read > length, "{read} of {expected} bytes");
    });
}
