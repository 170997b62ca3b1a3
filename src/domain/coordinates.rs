//! Names, versions and file names, each as shown and as compared.

/// A text as it is shown and as it is compared: a format's normalization made the second from the first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Coordinate {
    /// As published and displayed.
    pub display: String,
    /// As compared: two texts with one key are the same name or version.
    pub key: String,
}

impl Coordinate {
    /// A coordinate of a format that compares texts as they are.
    pub fn verbatim(text: impl Into<String>) -> Self {
        let display = text.into();
        Self { key: display.clone(), display }
    }
}

/// The name of a package, checked by its format's rules.
pub type PackageName = Coordinate;

/// The version of a package, checked by its format's rules, with its place in the format's order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PackageVersion {
    /// As published and displayed.
    pub display: String,
    /// As compared.
    pub key: String,
    /// A text whose byte order is the format's order of versions.
    pub order: String,
}

impl PackageVersion {
    /// A version of a format that neither normalizes nor orders: the byte order of the text itself.
    pub fn verbatim(text: impl Into<String>) -> Self {
        let display = text.into();
        Self { key: display.clone(), order: display.clone(), display }
    }
}

/// Longest name, version or file name that any format accepts, in bytes (GitLab's column limit).
pub const MAX_LENGTH: usize = 255;

/// Whether `name` is safe as one segment of a path on any system and in any header: no separator, no control character,
/// neither `.` nor `..`, not empty, at most [`MAX_LENGTH`] bytes.
pub fn is_safe_segment(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_LENGTH
        && name != "."
        && name != ".."
        && !name.chars().any(|c| c.is_control() || matches!(c, '/' | '\\'))
}

/// Whether every segment of the relative path `path` is safe, there is at least one, and none is empty.
pub fn is_safe_relative_path(path: &str) -> bool {
    path.split('/').all(is_safe_segment)
}

#[cfg(test)]
mod tests {
    use super::is_safe_relative_path;

    #[test]
    fn traversal_and_absolute_paths_are_unsafe() {
        for bad in ["", "/etc/passwd", "a/../b", "..", "a//b", "a/", "a\\b", "a\nb", "./a", "\0"] {
            assert!(!is_safe_relative_path(bad), "{bad:?}");
        }
        assert!(is_safe_relative_path("package/lib/index.js"));
        assert!(is_safe_relative_path("...x"));
    }
}
