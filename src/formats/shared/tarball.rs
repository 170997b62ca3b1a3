//! Reads a `.tar.gz` as a stream, with bounds on what it inflates to and on what of it is held in memory, and refuses what two
//! readers could see as two archives.

use std::{
    cell::Cell,
    fmt::Display,
    io::{self, BufRead as _, BufReader, Read},
    rc::Rc,
};

use domain::{
    Failure,
    rules::{IncomingFile, ReadSeek},
};
use flate2::bufread::GzDecoder;
use tar::EntryType;

/// How much larger than the archive its content may be; sources compress to a tenth, text of one letter to a thousandth.
const MAX_RATIO: u64 = 64;
/// What the content may have whatever the size of the archive.
const FLOOR: u64 = 64 * 1024 * 1024;
/// What the content may have at most: what can be inflated within a request.
const CEILING: u64 = 4 * 1024 * 1024 * 1024;
/// Files and directories in one archive. The largest published ones have some fifty thousand.
const MAX_ENTRIES: u64 = 250_000;
/// Bytes of headers before one entry: its own, and extensions that hold long names, which are read into memory.
const MAX_HEADER: u64 = 1024 * 1024;

/// The compressed bytes, as they are staged.
type Source<'a> = BufReader<Box<dyn ReadSeek + 'a>>;

/// An entry of an archive that is walked.
pub(crate) type Entry<'a, 'content> = tar::Entry<'a, Gauged<'content>>;

/// Words a refusal as the format does.
pub(crate) type Refuse = fn(&dyn Display) -> Failure;

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

/// What a [`Gauged`] reader counts, watched from outside the tar reader that owns it.
pub(crate) struct Gauge {
    /// What may still be inflated in all.
    left: Cell<u64>,
    /// What may be read until this is set again.
    allowed: Cell<u64>,
    stop: Cell<Stop>,
    refuse: Refuse,
}

/// The inflated bytes, counted.
pub(crate) struct Gauged<'a> {
    source: GzDecoder<Source<'a>>,
    gauge: Rc<Gauge>,
}

impl Read for Gauged<'_> {
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
    /// Why reading failed.
    pub(crate) fn explain(&self, error: &io::Error) -> Failure {
        self.blame(match error.kind() {
            io::ErrorKind::UnexpectedEof => (self.refuse)(&"it is truncated"),
            _ => (self.refuse)(&format_args!("it is not a tar archive ({error})")),
        })
    }

    /// The reason why reading stopped, if it did; otherwise `failure`, which a reader of the content came to.
    pub(crate) fn blame(&self, failure: Failure) -> Failure {
        match self.stop.get() {
            Stop::None => failure,
            Stop::Inflated => (self.refuse)(&"it inflates to much more than packages do"),
            Stop::Header => (self.refuse)(&"it has a header of more than 1 MiB"),
            Stop::Gzip => (self.refuse)(&"its gzip data is damaged or truncated"),
        }
    }
}

/// A staged file that cannot be read, which is our fault.
fn unreadable(error: &io::Error) -> Failure {
    tracing::error!(%error, "a staged file could not be read");
    Failure::internal()
}

/// Shows `visit` each entry, but for global headers, which are checked here. `visit` reads the entry to its end, so that the
/// next read of headers reads headers only.
pub(crate) fn walk<V>(file: &IncomingFile<'_>, refuse: Refuse, mut visit: V) -> Result<(), Failure>
where
    V: FnMut(&mut Entry<'_, '_>, &Gauge) -> Result<(), Failure>,
{
    let content = file.content.open().map_err(|error| unreadable(&error))?;
    let mut source = BufReader::with_capacity(64 * 1024, content);
    if !source.fill_buf().map_err(|error| unreadable(&error))?.starts_with(&[0x1f, 0x8b]) {
        return Err(refuse(&"it is not gzip-compressed"));
    }
    let gauge = Rc::new(Gauge {
        left: Cell::new(file.size.saturating_mul(MAX_RATIO).saturating_add(FLOOR).min(CEILING)),
        allowed: Cell::new(u64::MAX),
        stop: Cell::new(Stop::None),
        refuse,
    });
    let mut tar = tar::Archive::new(Gauged { source: GzDecoder::new(source), gauge: Rc::clone(&gauge) });
    let mut entries = tar.entries().map_err(|error| gauge.explain(&error))?;
    for number in 0.. {
        gauge.allowed.set(MAX_HEADER);
        let Some(entry) = entries.next() else { break };
        let mut entry = entry.map_err(|error| gauge.explain(&error))?;
        gauge.allowed.set(u64::MAX);
        if number == MAX_ENTRIES {
            return Err(refuse(&"it has more than 250,000 entries"));
        }
        match entry.header().entry_type() {
            EntryType::XGlobalHeader => check_global_header(&mut entry, &gauge)?,
            _ => visit(&mut entry, &gauge)?,
        }
    }
    gauge.allowed.set(u64::MAX);
    check_end(tar.into_inner(), &gauge)
}

/// After the end mark there is padding and nothing else: a reader that does not stop at the mark would see another archive.
fn check_end(mut rest: Gauged<'_>, gauge: &Gauge) -> Result<(), Failure> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = rest.read(&mut buffer).map_err(|error| gauge.explain(&error))?;
        if read == 0 {
            break;
        }
        if buffer[..read].iter().any(|byte| *byte != 0) {
            return Err((gauge.refuse)(&"there is data after its end"));
        }
    }
    let mut source = rest.source.into_inner();
    match source.fill_buf() {
        Ok([]) => Ok(()),
        Ok(_) => Err((gauge.refuse)(&"there is data after its gzip stream")),
        Err(error) => Err(unreadable(&error)),
    }
}

/// A global header, as `git archive` writes one, may say things of the archive, but not change what the entries are: readers
/// apply a size to all of them, or to none.
fn check_global_header(entry: &mut Entry<'_, '_>, gauge: &Gauge) -> Result<(), Failure> {
    if entry.size() > MAX_HEADER {
        return Err((gauge.refuse)(&"it has a header of more than 1 MiB"));
    }
    let mut text = Vec::new();
    entry.read_to_end(&mut text).map_err(|error| gauge.explain(&error))?;
    for extension in tar::PaxExtensions::new(&text) {
        let key = extension.as_ref().ok().and_then(|extension| extension.key().ok());
        match key {
            Some(key) if !matches!(key, "size" | "path" | "linkpath") && !key.starts_with("GNU.sparse") => {}
            _ => return Err((gauge.refuse)(&"it has a global header that changes its entries")),
        }
    }
    Ok(())
}

/// Whether the targets of links are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    /// The format's clients unpack links.
    Matter,
    /// They do not.
    PassedOver,
}

/// Whether the headers of an entry agree with each other. One that gives a name or a size twice, or gives one that some
/// readers overlook, lets two readers see two archives (the class of CVE-2025-62518).
pub(crate) fn headers_agree(entry: &mut Entry<'_, '_>, path: &[u8], links: Links) -> bool {
    let size = entry.size();
    let link = entry.link_name_bytes().map(std::borrow::Cow::into_owned);
    let Ok(extensions) = entry.pax_extensions() else { return false };
    extensions.into_iter().flatten().all(|extension| {
        let Ok(extension) = extension else { return false };
        match extension.key() {
            Ok("path") => extension.value_bytes() == path,
            Ok("linkpath") if links == Links::Matter => Some(extension.value_bytes()) == link.as_deref(),
            Ok("size") => extension.value().ok().and_then(|value| value.parse().ok()) == Some(size),
            Ok(key) => !key.starts_with("GNU.sparse"),
            Err(_) => false,
        }
    })
}
