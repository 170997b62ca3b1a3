//! Reads an npm tarball as a stream: what is in it, its `package.json`, and whether it is safe to unpack.

use std::{
    cell::Cell,
    io::{self, BufRead as _, BufReader, Read},
    rc::Rc,
};

use domain::{Failure, rules::IncomingFile};
use flate2::bufread::GzDecoder;
use serde_json::{Map, Value};
use tar::EntryType;

use crate::npm::rules::shortened;

/// How much larger than the tarball its content may be; sources compress to a tenth, text of one letter to a thousandth.
const MAX_RATIO: u64 = 64;
/// What the content may have whatever the size of the tarball.
const FLOOR: u64 = 64 * 1024 * 1024;
/// What the content may have at most: what can be inflated within a request.
const CEILING: u64 = 4 * 1024 * 1024 * 1024;
/// Files and directories in one tarball. The largest published ones have some fifty thousand.
const MAX_ENTRIES: u64 = 250_000;
/// Bytes of headers before one entry: its own, and extensions that hold long names, which are read into memory.
const MAX_HEADER: u64 = 1024 * 1024;
/// Largest `package.json`.
const MAX_PACKAGE_JSON: u64 = 1024 * 1024;

/// What an npm tarball has in it.
#[derive(Debug)]
pub(super) struct Archive {
    /// Its `package.json`.
    pub(super) package_json: Map<String, Value>,
    /// How many files.
    pub(super) file_count: u64,
    /// Their bytes together.
    pub(super) unpacked_size: u64,
    /// Whether there is an `npm-shrinkwrap.json`.
    pub(super) has_shrinkwrap: bool,
    /// Whether there is a `*.gyp` at the root, which npm builds when no script says otherwise.
    pub(super) has_gyp: bool,
}

impl Archive {
    /// Whether installing runs a script of the package.
    pub(super) fn has_install_script(&self) -> bool {
        let script = |name: &&str| {
            self.package_json
                .get("scripts")
                .and_then(|scripts| scripts.get(*name))
                .and_then(Value::as_str)
                .is_some_and(|script| !script.is_empty())
        };
        let builds = self.has_gyp && self.package_json.get("gypfile") != Some(&Value::Bool(false));
        builds || super::manifest::INSTALL_SCRIPTS.iter().any(script)
    }
}

/// The archive is refused.
fn refuse(reason: impl std::fmt::Display) -> Failure {
    Failure::invalid("files.0", format!("The package archive is invalid: {reason}"))
}

/// Why the decompressed stream stopped, told apart after the tar reader has wrapped the error.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// It did not.
    None,
    /// More was inflated than the archive may have.
    Inflated,
    /// A header was larger than a header may be.
    Header,
    /// The gzip stream is damaged or truncated.
    Gzip,
}

struct Gauge {
    inflated: Cell<u64>,
    allowed: Cell<u64>,
    stop: Cell<Stop>,
}

struct Gauged<R> {
    source: R,
    gauge: Rc<Gauge>,
    maximum: u64,
}

impl<R: Read> Read for Gauged<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let gauge = &self.gauge;
        let stop = |reason| {
            gauge.stop.set(reason);
            io::Error::other("the archive was refused")
        };
        if gauge.allowed.get() == 0 {
            return Err(stop(Stop::Header));
        }
        let wanted = buffer.len().min(usize::try_from(gauge.allowed.get()).unwrap_or(usize::MAX));
        let read = self.source.read(&mut buffer[..wanted]).map_err(|_| stop(Stop::Gzip))?;
        gauge.allowed.set(gauge.allowed.get() - read as u64);
        gauge.inflated.set(gauge.inflated.get() + read as u64);
        if gauge.inflated.get() > self.maximum {
            return Err(stop(Stop::Inflated));
        }
        Ok(read)
    }
}

impl Gauge {
    fn explain(&self, error: &io::Error) -> Failure {
        match self.stop.get() {
            Stop::Inflated => refuse("it inflates to much more than packages do"),
            Stop::Header => refuse("it has a header of more than 1 MiB"),
            Stop::Gzip => refuse("its gzip data is damaged or truncated"),
            Stop::None if error.kind() == io::ErrorKind::UnexpectedEof => refuse("it is truncated"),
            Stop::None => refuse(format_args!("it is not a tar archive ({error})")),
        }
    }
}

/// Reads the whole tarball.
pub(super) fn read(file: &IncomingFile<'_>) -> Result<Archive, Failure> {
    let unreadable = |error: io::Error| {
        tracing::error!(%error, "a staged file could not be read");
        Failure::internal()
    };
    let mut source = BufReader::with_capacity(64 * 1024, file.content.open().map_err(unreadable)?);
    let magic = source.fill_buf().map_err(unreadable)?;
    if !magic.starts_with(&[0x1f, 0x8b]) {
        return Err(refuse("it is not gzip-compressed"));
    }
    let gauge =
        Rc::new(Gauge { inflated: Cell::new(0), allowed: Cell::new(u64::MAX), stop: Cell::new(Stop::None) });
    let maximum = file.size.saturating_mul(MAX_RATIO).saturating_add(FLOOR).min(CEILING);
    let gauged = Gauged { source: GzDecoder::new(source), gauge: Rc::clone(&gauge), maximum };
    let mut tar = tar::Archive::new(gauged);
    let survey = survey(&mut tar, &gauge)?;
    gauge.allowed.set(u64::MAX);
    check_end(tar.into_inner(), &gauge)?;
    survey.finish()
}

fn survey<R: Read>(tar: &mut tar::Archive<R>, gauge: &Gauge) -> Result<Survey, Failure> {
    let explain = |error: io::Error| gauge.explain(&error);
    let mut survey = Survey::default();
    let mut entries = tar.entries().map_err(explain)?;
    loop {
        // What the entry before had has been read, so that this reads headers only.
        gauge.allowed.set(MAX_HEADER);
        let Some(entry) = entries.next() else { break };
        let mut entry = entry.map_err(explain)?;
        gauge.allowed.set(u64::MAX);
        survey.visit(&mut entry, gauge)?;
    }
    Ok(survey)
}

/// After the end mark there is padding and nothing else: a reader that does not stop at the mark would see another archive.
fn check_end<R: io::BufRead>(mut rest: Gauged<GzDecoder<R>>, gauge: &Gauge) -> Result<(), Failure> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = rest.read(&mut buffer).map_err(|error| gauge.explain(&error))?;
        if read == 0 {
            break;
        }
        if buffer[..read].iter().any(|byte| *byte != 0) {
            return Err(refuse("there is data after its end"));
        }
    }
    let mut source = rest.source.into_inner();
    match source.fill_buf() {
        Ok([]) => Ok(()),
        Ok(_) => Err(refuse("there is data after its gzip stream")),
        Err(_) => Err(Failure::internal()),
    }
}

#[derive(Default)]
struct Survey {
    entries: u64,
    top: Option<String>,
    package_json: Option<Map<String, Value>>,
    file_count: u64,
    unpacked_size: u64,
    has_shrinkwrap: bool,
    has_gyp: bool,
}

impl Survey {
    fn visit<R: Read>(&mut self, entry: &mut tar::Entry<'_, R>, gauge: &Gauge) -> Result<(), Failure> {
        self.entries += 1;
        if self.entries > MAX_ENTRIES {
            return Err(refuse("it has more than 250,000 entries"));
        }
        let kind = entry.header().entry_type();
        let size = entry.size();
        if kind == EntryType::XGlobalHeader {
            return check_global_header(entry, gauge);
        }
        let path = entry.path_bytes().into_owned();
        check_extensions(entry, &path)?;
        let path = String::from_utf8(path).map_err(|error| {
            refuse(format_args!(
                "the path '{}' is not valid UTF-8",
                String::from_utf8_lossy(error.as_bytes())
            ))
        })?;
        check_path(&path)?;
        let is_file = match kind {
            // npm's reader takes a file whose path ends in a slash for a directory.
            EntryType::Regular | EntryType::Continuous if !path.ends_with('/') => true,
            // npm does not unpack links; yarn packs symbolic ones and npm packs hard ones.
            EntryType::Directory | EntryType::Symlink | EntryType::Link => false,
            _ => {
                return Err(refuse(format_args!("'{}' is neither a file nor a directory", shortened(&path))));
            }
        };
        let inner = self.below_top(&path, kind)?;
        if inner.eq_ignore_ascii_case("package.json") {
            return self.read_package_json(entry, &inner, is_file, gauge);
        }
        if is_file {
            self.has_shrinkwrap |= inner == "npm-shrinkwrap.json";
            self.has_gyp |= !inner.contains('/') && inner.strip_suffix(".gyp").is_some();
            self.file_count += 1;
            self.unpacked_size = self.unpacked_size.saturating_add(size);
        }
        drain(entry, size, gauge)
    }

    /// The path below the folder that all entries share, without empty and `.` segments. npm takes the first segment off,
    /// whatever it is.
    fn below_top(&mut self, path: &str, kind: EntryType) -> Result<String, Failure> {
        let (top, rest) = path.split_once('/').unwrap_or((path, ""));
        if rest.is_empty() && kind != EntryType::Directory {
            return Err(refuse(format_args!("'{}' is outside the folder of the package", shortened(path))));
        }
        match &self.top {
            Some(known) if known != top => {
                return Err(refuse(format_args!(
                    "it has more than one folder at its top, '{}' and '{}'",
                    shortened(known),
                    shortened(top)
                )));
            }
            Some(_) => {}
            None => self.top = Some(top.to_owned()),
        }
        let segments: Vec<&str> =
            rest.split('/').filter(|segment| !segment.is_empty() && *segment != ".").collect();
        Ok(segments.join("/"))
    }

    fn read_package_json<R: Read>(
        &mut self,
        entry: &mut tar::Entry<'_, R>,
        inner: &str,
        is_file: bool,
        gauge: &Gauge,
    ) -> Result<(), Failure> {
        let size = entry.size();
        // Another spelling is the same file where case does not count, and there the last one wins.
        if !is_file || inner != "package.json" || self.package_json.is_some() {
            return Err(refuse("package.json should be there once, as a file"));
        }
        if size > MAX_PACKAGE_JSON {
            return Err(refuse("package.json is larger than 1 MiB"));
        }
        let mut text = Vec::new();
        entry.read_to_end(&mut text).map_err(|error| gauge.explain(&error))?;
        if text.len() as u64 != size {
            return Err(refuse("it is truncated"));
        }
        let text = std::str::from_utf8(&text).map_err(|_| refuse("package.json is not valid UTF-8"))?;
        // npm takes a byte order mark off too.
        let json = serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
        self.package_json =
            Some(json.map_err(|error| refuse(format_args!("package.json is not a JSON object: {error}")))?);
        self.file_count += 1;
        self.unpacked_size = self.unpacked_size.saturating_add(size);
        Ok(())
    }

    fn finish(self) -> Result<Archive, Failure> {
        let package_json = self
            .package_json
            .ok_or_else(|| refuse("there is no package.json in the folder of the package"))?;
        Ok(Archive {
            package_json,
            file_count: self.file_count,
            unpacked_size: self.unpacked_size,
            has_shrinkwrap: self.has_shrinkwrap,
            has_gyp: self.has_gyp,
        })
    }
}

/// Reads the content of an entry of `size` bytes, so that the next read of headers reads headers only.
fn drain<R: Read>(entry: &mut tar::Entry<'_, R>, size: u64, gauge: &Gauge) -> Result<(), Failure> {
    let drained = io::copy(entry, &mut io::sink()).map_err(|error| gauge.explain(&error))?;
    if drained == size { Ok(()) } else { Err(refuse("it is truncated")) }
}

/// A global header, as `git archive` writes one, may say things of the archive, but not change what the entries are: npm's
/// reader would apply a size to all of them.
fn check_global_header<R: Read>(entry: &mut tar::Entry<'_, R>, gauge: &Gauge) -> Result<(), Failure> {
    if entry.size() > MAX_HEADER {
        return Err(refuse("it has a header of more than 1 MiB"));
    }
    let mut text = Vec::new();
    entry.read_to_end(&mut text).map_err(|error| gauge.explain(&error))?;
    for extension in tar::PaxExtensions::new(&text) {
        let key = extension.as_ref().ok().and_then(|extension| extension.key().ok());
        match key {
            Some(key) if !matches!(key, "size" | "path" | "linkpath") && !key.starts_with("GNU.sparse") => {}
            _ => return Err(refuse("it has a global header that changes its entries")),
        }
    }
    Ok(())
}

/// Headers that give a name or a size twice, or give one that some readers overlook, are refused: two readers would see
/// two archives (the class of CVE-2025-62518).
fn check_extensions<R: Read>(entry: &mut tar::Entry<'_, R>, path: &[u8]) -> Result<(), Failure> {
    let ambiguous = || refuse("it has an entry whose headers contradict each other");
    let size = entry.size();
    let Some(extensions) = entry.pax_extensions().map_err(|_| ambiguous())? else {
        return Ok(());
    };
    for extension in extensions {
        let extension = extension.map_err(|_| ambiguous())?;
        let holds = match extension.key() {
            Ok("path") => extension.value_bytes() == path,
            Ok("size") => extension.value().ok().and_then(|value| value.parse().ok()) == Some(size),
            Ok(key) => !key.starts_with("GNU.sparse"),
            Err(_) => false,
        };
        if !holds {
            return Err(ambiguous());
        }
    }
    Ok(())
}

/// No absolute path and no way up, with either separator: npm on Windows takes both.
fn check_path(path: &str) -> Result<(), Failure> {
    let unsafe_path = path.is_empty()
        || path.starts_with(['/', '\\'])
        || path.as_bytes().get(1) == Some(&b':')
        || path.contains('\0')
        || path.split(['/', '\\']).any(|segment| segment == "..");
    if unsafe_path {
        return Err(refuse(format_args!("the path '{}' is not allowed", shortened(path))));
    }
    Ok(())
}
