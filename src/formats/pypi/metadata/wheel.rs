//! Wheels: one `{name}-{version}.dist-info` with `METADATA`, `WHEEL` and `RECORD` in it, and nothing that `RECORD` does not
//! list (PEP 427).

use std::collections::BTreeSet;

use domain::{Failure, rules::IncomingFile};

use super::{
    Coordinates, Found,
    core::{CoreMetadata, MAX_SIZE},
    file_name::{Tags, candidates},
    record::{self, Record},
    refuse,
    zip::Zip,
};
use crate::shared::excerpt;

/// Largest `WHEEL`: a few lines, and one for each tag.
const MAX_WHEEL: u64 = 1024 * 1024;
/// Files that are written after `RECORD`.
const SIGNATURES: &[&str] = &["RECORD", "RECORD.jws", "RECORD.p7s"];

/// Reads a wheel.
pub(super) fn read(
    file: &IncomingFile<'_>,
    tags: &Tags<'_>,
    coordinates: Coordinates<'_>,
) -> Result<Found, Failure> {
    let mut zip = Zip::open(file)?;
    let folder = dist_info(&zip, coordinates)?;
    let metadata = read_entry(&mut zip, &folder, "METADATA", MAX_SIZE)?;
    let wheel = read_entry(&mut zip, &folder, "WHEEL", MAX_WHEEL)?;
    let record = read_entry(&mut zip, &folder, "RECORD", record::MAX_SIZE)?;
    let core = CoreMetadata::parse(&metadata, "METADATA", coordinates)?;
    check_wheel(&wheel, tags)?;
    let mut record = Record::parse(&record)?;
    let unlisted: Vec<String> = SIGNATURES.iter().map(|name| format!("{folder}/{name}")).collect();
    zip.walk(|path, size, content| {
        if unlisted.iter().any(|name| name == path) {
            record.pass(path);
            return Ok(());
        }
        record.check(path, size, content)
    })?;
    record.finish()?;
    Ok(Found { core, metadata: Some(metadata) })
}

/// The folder of metadata. Installers take whichever they find, so that there may be one only.
fn dist_info(zip: &Zip<'_>, coordinates: Coordinates<'_>) -> Result<String, Failure> {
    let tops = zip.entries.iter().map(|entry| entry.path.split('/').next().unwrap_or_default());
    let folders: BTreeSet<&str> =
        tops.filter(|top| top.to_ascii_lowercase().ends_with(".dist-info")).collect();
    let mut folders = folders.into_iter();
    let folder = match (folders.next(), folders.next()) {
        (Some(folder), None) => folder,
        (None, _) => return Err(refuse("there is no .dist-info folder in it")),
        (Some(first), Some(second)) => {
            return Err(refuse(format_args!(
                "it has more than one .dist-info folder, '{}' and '{}'",
                excerpt(first),
                excerpt(second)
            )));
        }
    };
    let Coordinates { name, version } = coordinates;
    let stem = folder.strip_suffix(".dist-info").unwrap_or_default();
    if !candidates(stem).any(|candidate| candidate.name == name && candidate.version == version) {
        return Err(refuse(format_args!(
            "its folder of metadata is called '{}', which is not '{name}-{version}.dist-info'",
            excerpt(folder)
        )));
    }
    Ok(folder.to_owned())
}

fn read_entry(zip: &mut Zip<'_>, folder: &str, name: &str, most: u64) -> Result<Vec<u8>, Failure> {
    let wanted = format!("{folder}/{name}");
    // Another spelling is the same file where case does not count.
    let mut found = zip.entries.iter().filter(|entry| entry.path.eq_ignore_ascii_case(&wanted));
    let entry = match (found.next(), found.next()) {
        (Some(entry), None) if entry.path == wanted && !entry.is_folder => entry.clone(),
        (None, _) => return Err(refuse(format_args!("there is no {name} in its .dist-info folder"))),
        _ => return Err(refuse(format_args!("{name} should be there once, as a file"))),
    };
    zip.read(&entry, most)
}

/// The tags have to be those in the file name: installers go by the file name, and by `WHEEL` after that.
fn check_wheel(bytes: &[u8], tags: &Tags<'_>) -> Result<(), Failure> {
    let text = std::str::from_utf8(bytes).map_err(|_| refuse("WHEEL is not valid UTF-8"))?;
    let fields: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.split_once(':').map(|(name, value)| (name.trim(), value.trim())))
        .collect();
    let values = |wanted: &'static str| {
        fields.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| *value)
    };
    let version = values("Wheel-Version").collect::<Vec<_>>().join(", ");
    if !version.starts_with("1.") || version.contains(',') {
        return Err(refuse(format_args!("WHEEL has the Wheel-Version '{}', not 1", excerpt(&version))));
    }
    let stated: BTreeSet<String> = values("Tag").map(str::to_ascii_lowercase).collect();
    let named: BTreeSet<String> = tags.expanded().collect();
    if let Some(tag) = named.difference(&stated).next() {
        return Err(refuse(format_args!("its file name has the tag '{tag}', WHEEL does not")));
    }
    if let Some(tag) = stated.difference(&named).next() {
        return Err(refuse(format_args!("WHEEL has the tag '{}', its file name does not", excerpt(tag))));
    }
    match values("Build").next() {
        Some(build) if Some(build) != tags.build => Err(refuse(format_args!(
            "WHEEL has the build '{}', its file name '{}'",
            excerpt(build),
            tags.build.unwrap_or_default()
        ))),
        _ => Ok(()),
    }
}
