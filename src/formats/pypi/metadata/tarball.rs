//! Reads a `.tar.gz` as a stream, and refuses what two readers could unpack into two different folders.

use std::{
    collections::HashSet,
    hash::{BuildHasher as _, RandomState},
    io::{self, Read},
};

use domain::{Failure, rules::IncomingFile};
use tar::EntryType;

use super::{paths, refuse};
use crate::{
    shared::excerpt,
    shared::tarball::{self, Entry, Gauge, Links},
};

/// Shows `visit` each regular file: its path without `.` segments, its size and its content, of which it reads as much as it
/// likes.
pub(super) fn walk<V>(file: &IncomingFile<'_>, visit: V) -> Result<(), Failure>
where
    V: FnMut(&str, u64, &mut dyn Read) -> Result<(), Failure>,
{
    let mut walk = Walk { names: Names::default(), visit };
    tarball::walk(file, |reason| refuse(reason), |entry, gauge| walk.entry(entry, gauge))
}

struct Walk<V> {
    names: Names,
    visit: V,
}

impl<V> Walk<V>
where
    V: FnMut(&str, u64, &mut dyn Read) -> Result<(), Failure>,
{
    fn entry(&mut self, entry: &mut Entry<'_, '_>, gauge: &Gauge) -> Result<(), Failure> {
        let (kind, size) = (entry.header().entry_type(), entry.size());
        let raw = entry.path_bytes().into_owned();
        if !tarball::headers_agree(entry, &raw, Links::Matter) {
            let path = String::from_utf8_lossy(&raw);
            return Err(refuse(format_args!("the headers of '{}' contradict each other", excerpt(&path))));
        }
        let raw = paths::text(&raw)?;
        let path = paths::checked(raw)?;
        match kind {
            EntryType::Regular | EntryType::Continuous if !raw.ends_with('/') => {
                self.names.take(&path)?;
                // Counted, since a visitor need not read it all.
                let mut content = entry.by_ref().take(size);
                (self.visit)(&path, size, &mut content).map_err(|failure| gauge.blame(failure))?;
                io::copy(&mut content, &mut io::sink()).map_err(|error| gauge.explain(&error))?;
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
                return Err(refuse(format_args!("'{}' is neither a file nor a directory", excerpt(&path))));
            }
        }
        Ok(())
    }
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
            return Err(refuse(format_args!("'{}' is there twice, once as a link", excerpt(path))));
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
                excerpt(path),
                excerpt(target)
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
                excerpt(path),
                excerpt(&target)
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
                excerpt(path),
                excerpt(link)
            ))),
            None => Ok(()),
        }
    }
}
