//! Reads a `.tar.gz` as a stream, and refuses what two readers could unpack into two different folders.

use std::{
    cell::Cell,
    collections::HashSet,
    hash::{BuildHasher as _, RandomState},
    io::{self, BufRead as _, BufReader, Read},
    rc::Rc,
};

use domain::{Failure, rules::IncomingFile};
use flate2::bufread::GzDecoder;
use tar::EntryType;

use super::{paths, refuse, unreadable};
use crate::pypi::rules::shortened;

/// How much larger than the archive its content may be; sources compress to a tenth, text of one letter to a thousandth.
const MAX_RATIO: u64 = 64;
/// What the content may have whatever the size of the archive.
const FLOOR: u64 = 64 * 1024 * 1024;
/// What the content may have at most: what can be inflated within a request.
const CEILING: u64 = 4 * 1024 * 1024 * 1024;
/// Files and directories in one archive.
const MAX_ENTRIES: u64 = 250_000;
/// Bytes of headers before one entry: its own, and extensions that hold long names, which are read into memory.
const MAX_HEADER: u64 = 1024 * 1024;

/// Why the decompressed stream stopped, told apart after the tar reader has wrapped the error.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    None,
    Inflated,
    Header,
    Gzip,
}

/// What a [`Gauged`] reader counts, watched from outside the tar reader that owns it.
struct Gauge {
    /// What may still be inflated in all.
    left: Cell<u64>,
    /// What may be read until this is set again.
    allowed: Cell<u64>,
    stop: Cell<Stop>,
}

struct Gauged<R> {
    source: R,
    gauge: Rc<Gauge>,
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
        let left = gauge.left.get().checked_sub(read as u64).ok_or_else(|| stop(Stop::Inflated))?;
        gauge.left.set(left);
        Ok(read)
    }
}

impl Gauge {
    /// The reason why reading stopped, if it did; otherwise what the visitor says.
    fn blame(&self, failure: Failure) -> Failure {
        if self.stop.get() == Stop::None { failure } else { self.explain(&io::Error::other("")) }
    }

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

/// Shows `visit` each regular file: its path without `.` segments, its size and its content, of which it reads as much as it
/// likes.
pub(super) fn walk<V>(file: &IncomingFile<'_>, visit: V) -> Result<(), Failure>
where
    V: FnMut(&str, u64, &mut dyn Read) -> Result<(), Failure>,
{
    let content = file.content.open().map_err(|error| unreadable(&error))?;
    let mut source = BufReader::with_capacity(64 * 1024, content);
    if !source.fill_buf().map_err(|error| unreadable(&error))?.starts_with(&[0x1f, 0x8b]) {
        return Err(refuse("it is not gzip-compressed"));
    }
    let gauge = Rc::new(Gauge {
        left: Cell::new(file.size.saturating_mul(MAX_RATIO).saturating_add(FLOOR).min(CEILING)),
        allowed: Cell::new(u64::MAX),
        stop: Cell::new(Stop::None),
    });
    let mut tar = tar::Archive::new(Gauged { source: GzDecoder::new(source), gauge: Rc::clone(&gauge) });
    let mut walk = Walk { gauge: &gauge, names: Names::default(), visit };
    walk.run(&mut tar)?;
    gauge.allowed.set(u64::MAX);
    check_end(tar.into_inner(), &gauge)
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
        Err(error) => Err(unreadable(&error)),
    }
}

struct Walk<'a, V> {
    gauge: &'a Gauge,
    names: Names,
    visit: V,
}

impl<V> Walk<'_, V>
where
    V: FnMut(&str, u64, &mut dyn Read) -> Result<(), Failure>,
{
    fn run<R: Read>(&mut self, tar: &mut tar::Archive<R>) -> Result<(), Failure> {
        let mut entries = tar.entries().map_err(|error| self.gauge.explain(&error))?;
        for number in 0.. {
            // What the entry before had has been read, so that this reads headers only.
            self.gauge.allowed.set(MAX_HEADER);
            let Some(entry) = entries.next() else { break };
            if number == MAX_ENTRIES {
                return Err(refuse("it has more than 250,000 entries"));
            }
            let mut entry = entry.map_err(|error| self.gauge.explain(&error))?;
            self.gauge.allowed.set(u64::MAX);
            self.entry(&mut entry)?;
        }
        Ok(())
    }

    fn entry<R: Read>(&mut self, entry: &mut tar::Entry<'_, R>) -> Result<(), Failure> {
        let (kind, size) = (entry.header().entry_type(), entry.size());
        if kind == EntryType::XGlobalHeader {
            return self.check_global_header(entry);
        }
        let raw = entry.path_bytes().into_owned();
        check_extensions(entry, &raw)?;
        let raw = paths::text(&raw)?;
        let path = paths::checked(raw)?;
        match kind {
            EntryType::Regular | EntryType::Continuous if !raw.ends_with('/') => {
                self.names.take(&path)?;
                // Counted, since a visitor need not read it all.
                let mut content = entry.by_ref().take(size);
                (self.visit)(&path, size, &mut content).map_err(|failure| self.gauge.blame(failure))?;
                io::copy(&mut content, &mut io::sink()).map_err(|error| self.gauge.explain(&error))?;
                if content.limit() > 0 {
                    return Err(refuse("it is truncated"));
                }
            }
            EntryType::Directory => self.names.take_directory(&path)?,
            // As tar wrote folders before it had a type for them.
            EntryType::Regular if size == 0 => self.names.take_directory(&path)?,
            EntryType::Symlink | EntryType::Link => {
                let target =
                    entry.link_name_bytes().ok_or_else(|| refuse("it has a link without a target"))?;
                let target = paths::text(&target)?.to_owned();
                if kind == EntryType::Symlink {
                    self.names.take_symbolic(&path, &target)?;
                } else {
                    self.names.take_hard(&path, &target)?;
                }
            }
            _ => {
                return Err(refuse(format_args!("'{}' is neither a file nor a directory", shortened(&path))));
            }
        }
        Ok(())
    }

    /// A global header, as `git archive` writes one, may say things of the archive, but not change what the entries are:
    /// readers apply a size to all of them, or to none.
    fn check_global_header<R: Read>(&self, entry: &mut tar::Entry<'_, R>) -> Result<(), Failure> {
        if entry.size() > MAX_HEADER {
            return Err(refuse("it has a header of more than 1 MiB"));
        }
        let mut text = Vec::new();
        entry.read_to_end(&mut text).map_err(|error| self.gauge.explain(&error))?;
        for extension in tar::PaxExtensions::new(&text) {
            let key = extension.as_ref().ok().and_then(|extension| extension.key().ok());
            match key {
                Some(key)
                    if !matches!(key, "size" | "path" | "linkpath") && !key.starts_with("GNU.sparse") => {}
                _ => return Err(refuse("it has a global header that changes its entries")),
            }
        }
        Ok(())
    }
}

/// Headers that give a name or a size twice, or give one that some readers overlook, are refused: two readers would see
/// two archives (the class of CVE-2025-62518).
fn check_extensions<R: Read>(entry: &mut tar::Entry<'_, R>, path: &[u8]) -> Result<(), Failure> {
    let ambiguous = || {
        let path = String::from_utf8_lossy(path);
        refuse(format_args!("the headers of '{}' contradict each other", shortened(&path)))
    };
    let size = entry.size();
    let link = entry.link_name_bytes().map(std::borrow::Cow::into_owned);
    let Some(extensions) = entry.pax_extensions().map_err(|_| ambiguous())? else { return Ok(()) };
    for extension in extensions {
        let extension = extension.map_err(|_| ambiguous())?;
        let holds = match extension.key() {
            Ok("path") => extension.value_bytes() == path,
            Ok("linkpath") => Some(extension.value_bytes()) == link.as_deref(),
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

/// The paths seen so far, by their hashes: which there are, and which of them are symbolic links.
#[derive(Default)]
struct Names {
    hasher: RandomState,
    seen: HashSet<u64>,
    symbolic: HashSet<u64>,
}

impl Names {
    /// A file. No path may lead through a symbolic link or be written over one: what is checked as a path would be another one
    /// when unpacked.
    fn take(&mut self, path: &str) -> Result<(), Failure> {
        self.check_way(path)?;
        self.seen.insert(self.hasher.hash_one(path));
        Ok(())
    }

    fn take_directory(&mut self, path: &str) -> Result<(), Failure> {
        if path.is_empty() { Ok(()) } else { self.take(path) }
    }

    /// A symbolic link that stays inside: its target goes up only at its beginning and never above the top folder. Nothing
    /// leads through links, so that counting folders tells where it goes.
    fn take_symbolic(&mut self, path: &str, target: &str) -> Result<(), Failure> {
        if self.seen.contains(&self.hasher.hash_one(path)) {
            return Err(refuse(format_args!("'{}' is there twice, once as a link", shortened(path))));
        }
        self.take(path)?;
        self.symbolic.insert(self.hasher.hash_one(path));
        let depth = path.split('/').count() - 1;
        let up = target.split('/').take_while(|segment| *segment == "..").count();
        let rest = target.split('/').skip(up);
        let climbs = rest.into_iter().any(|segment| segment == "..");
        if target.is_empty() || target.starts_with('/') || target.contains('\\') || climbs || up >= depth {
            return Err(refuse(format_args!(
                "the link '{}' leads to '{}', which is outside of the package",
                shortened(path),
                shortened(target)
            )));
        }
        Ok(())
    }

    /// A hard link to a file that came before it.
    fn take_hard(&mut self, path: &str, target: &str) -> Result<(), Failure> {
        let target = paths::checked(target)?;
        let hash = self.hasher.hash_one(target.as_str());
        if !self.seen.contains(&hash) || self.symbolic.contains(&hash) {
            return Err(refuse(format_args!(
                "the link '{}' leads to '{}', which is no file before it",
                shortened(path),
                shortened(&target)
            )));
        }
        self.take(path)
    }

    fn check_way(&self, path: &str) -> Result<(), Failure> {
        if self.symbolic.is_empty() {
            return Ok(());
        }
        let folders = path.match_indices('/').map(|(end, _)| &path[..end]);
        match folders.chain([path]).find(|part| self.symbolic.contains(&self.hasher.hash_one(*part))) {
            Some(link) => Err(refuse(format_args!(
                "the path '{}' leads through the link '{}'",
                shortened(path),
                shortened(link)
            ))),
            None => Ok(()),
        }
    }
}
