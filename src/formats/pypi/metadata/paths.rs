//! Paths inside archives.

use domain::Failure;

use super::refuse;
use crate::shared::excerpt;

/// Longest path, in bytes.
const MAX_LENGTH: usize = 1024;
/// Most folders inside each other.
const MAX_DEPTH: usize = 64;

/// The text of a path.
pub(super) fn text(bytes: &[u8]) -> Result<&str, Failure> {
    std::str::from_utf8(bytes).map_err(|_| {
        refuse(format_args!("the path '{}' is not valid UTF-8", excerpt(&String::from_utf8_lossy(bytes))))
    })
}

/// The path without empty and `.` segments, if it is safe: no absolute path and no way up, with the separators of any system,
/// and nothing that a terminal or a file system reads as something else.
pub(super) fn checked(path: &str) -> Result<String, Failure> {
    let unsafe_path = path.is_empty()
        || path.len() > MAX_LENGTH
        || path.starts_with('/')
        || path.contains('\\')
        || path.as_bytes().get(1) == Some(&b':')
        || path.chars().any(char::is_control)
        || path.split('/').count() > MAX_DEPTH
        || path.split('/').any(|segment| segment == "..");
    if unsafe_path {
        return Err(refuse(format_args!("the path '{}' is not allowed", excerpt(path))));
    }
    let segments: Vec<&str> =
        path.split('/').filter(|segment| !segment.is_empty() && *segment != ".").collect();
    Ok(segments.join("/"))
}
