//! Reads an npm tarball as a stream: what is in it, its `package.json`, and whether it is safe to unpack.

use std::io::{self, Read as _};

use domain::{Failure, rules::IncomingFile};
use serde_json::{Map, Value};
use tar::EntryType;

use crate::{
    shared::excerpt,
    shared::tarball::{self, Entry, Gauge, Links},
};

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

/// Reads the whole tarball.
pub(super) fn read(file: &IncomingFile<'_>) -> Result<Archive, Failure> {
    let mut survey = Survey::default();
    tarball::walk(file, |reason| refuse(reason), |entry, gauge| survey.visit(entry, gauge))?;
    survey.finish()
}

#[derive(Default)]
struct Survey {
    top: Option<String>,
    package_json: Option<Map<String, Value>>,
    file_count: u64,
    unpacked_size: u64,
    has_shrinkwrap: bool,
    has_gyp: bool,
}

impl Survey {
    fn visit(&mut self, entry: &mut Entry<'_, '_>, gauge: &Gauge) -> Result<(), Failure> {
        let kind = entry.header().entry_type();
        let size = entry.size();
        let path = entry.path_bytes().into_owned();
        // npm does not unpack links.
        if !tarball::headers_agree(entry, &path, Links::PassedOver) {
            return Err(refuse("it has an entry whose headers contradict each other"));
        }
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
                return Err(refuse(format_args!("'{}' is neither a file nor a directory", excerpt(&path))));
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
            return Err(refuse(format_args!("'{}' is outside the folder of the package", excerpt(path))));
        }
        match &self.top {
            Some(known) if known != top => {
                return Err(refuse(format_args!(
                    "it has more than one folder at its top, '{}' and '{}'",
                    excerpt(known),
                    excerpt(top)
                )));
            }
            Some(_) => {}
            None => self.top = Some(top.to_owned()),
        }
        let segments: Vec<&str> =
            rest.split('/').filter(|segment| !segment.is_empty() && *segment != ".").collect();
        Ok(segments.join("/"))
    }

    fn read_package_json(
        &mut self,
        entry: &mut Entry<'_, '_>,
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
fn drain(entry: &mut Entry<'_, '_>, size: u64, gauge: &Gauge) -> Result<(), Failure> {
    let drained = io::copy(entry, &mut io::sink()).map_err(|error| gauge.explain(&error))?;
    if drained == size { Ok(()) } else { Err(refuse("it is truncated")) }
}

/// No absolute path and no way up, with either separator: npm on Windows takes both.
fn check_path(path: &str) -> Result<(), Failure> {
    let unsafe_path = path.is_empty()
        || path.starts_with(['/', '\\'])
        || path.as_bytes().get(1) == Some(&b':')
        || path.contains('\0')
        || path.split(['/', '\\']).any(|segment| segment == "..");
    if unsafe_path {
        return Err(refuse(format_args!("the path '{}' is not allowed", excerpt(path))));
    }
    Ok(())
}
