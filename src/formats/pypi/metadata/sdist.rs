//! Source archives: one folder `{name}-{version}` with a `PKG-INFO` in it (PEP 625, PEP 643).

use std::io::Read;

use domain::{Failure, rules::IncomingFile};

use super::{
    Coordinates, Found,
    core::{CoreMetadata, MAX_SIZE},
    file_name::candidates,
    refuse, tarball,
    zip::Zip,
};
use crate::shared::excerpt;

const PKG_INFO: &str = "PKG-INFO";

/// Reads a `.tar.gz`.
pub(super) fn read_tar(file: &IncomingFile<'_>, coordinates: Coordinates<'_>) -> Result<Found, Failure> {
    let mut source = Source { coordinates, top: None, core: None };
    tarball::walk(file, |path, size, content| source.visit(path, size, content))?;
    source.finish()
}

/// Reads a `.zip`.
pub(super) fn read_zip(file: &IncomingFile<'_>, coordinates: Coordinates<'_>) -> Result<Found, Failure> {
    let mut source = Source { coordinates, top: None, core: None };
    Zip::open(file)?.walk(|path, size, content| source.visit(path, size, content))?;
    source.finish()
}

/// What has been seen of a source archive.
struct Source<'a> {
    coordinates: Coordinates<'a>,
    top: Option<String>,
    core: Option<CoreMetadata>,
}

impl Source<'_> {
    fn visit(&mut self, path: &str, size: u64, content: &mut dyn Read) -> Result<(), Failure> {
        let (top, inner) = path.split_once('/').ok_or_else(|| {
            refuse(format_args!("'{}' is outside the folder of the package", excerpt(path)))
        })?;
        match &self.top {
            Some(known) if known == top => {}
            Some(known) => {
                return Err(refuse(format_args!(
                    "it has more than one folder at its top, '{}' and '{}'",
                    excerpt(known),
                    excerpt(top)
                )));
            }
            None => self.check_top(top)?,
        }
        // Another spelling is the same file where case does not count, and there the last one wins.
        if !inner.eq_ignore_ascii_case(PKG_INFO) {
            return Ok(());
        }
        if inner != PKG_INFO || self.core.is_some() {
            return Err(refuse("PKG-INFO should be there once"));
        }
        let bytes = read_small(PKG_INFO, size, content)?;
        self.core = Some(CoreMetadata::parse(&bytes, PKG_INFO, self.coordinates)?);
        Ok(())
    }

    fn check_top(&mut self, top: &str) -> Result<(), Failure> {
        let Coordinates { name, version } = self.coordinates;
        if !candidates(top).any(|candidate| candidate.name == name && candidate.version == version) {
            return Err(refuse(format_args!(
                "its folder is called '{}', which is not '{name}-{version}'",
                excerpt(top)
            )));
        }
        self.top = Some(top.to_owned());
        Ok(())
    }

    fn finish(self) -> Result<Found, Failure> {
        let core = self.core.ok_or_else(|| refuse("there is no PKG-INFO in the folder of the package"))?;
        Ok(Found { core, metadata: None })
    }
}

/// Reads a file of core metadata, which is bounded.
pub(super) fn read_small(file: &str, size: u64, content: &mut dyn Read) -> Result<Vec<u8>, Failure> {
    if size > MAX_SIZE {
        return Err(refuse(format_args!("{file} is larger than 4 MiB")));
    }
    let mut bytes = Vec::new();
    match content.take(MAX_SIZE).read_to_end(&mut bytes) {
        Ok(_) if bytes.len() as u64 == size => Ok(bytes),
        Ok(_) => Err(refuse(format_args!("{file} is truncated"))),
        Err(error) => Err(refuse(format_args!("{file} cannot be read: {error}"))),
    }
}
