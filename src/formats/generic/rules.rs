//! Names, versions and file names of generic packages (GitLab's `generic_package_*_regex`).

use std::borrow::Cow;

use domain::{
    DigestAlgorithm, Failure, PackageFormat, PackageName, PackageVersion,
    coordinates::{MAX_LENGTH, is_safe_segment},
    rules::{FormatRules, Inspection, Publication, Republish},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::metadata;
use crate::shared::excerpt;

/// GitLab's default limit: 5 GiB.
const MAX_FILE_SIZE: u64 = 5 * 1024 * 1024 * 1024;

/// What stands unescaped in a stored path: GitLab's encoder keeps exactly these.
const STORED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');

/// The rules of generic packages.
pub(crate) struct GenericRules;

impl FormatRules for GenericRules {
    fn format(&self) -> PackageFormat {
        PackageFormat::Generic
    }

    fn name(&self, raw: &str) -> Result<PackageName, Failure> {
        if is_safe_segment(raw) && raw.bytes().all(is_name_byte) {
            return Ok(PackageName::verbatim(raw));
        }
        Err(Failure::invalid(
            "name",
            format!(
                "'{}' is no name of a generic package: use letters, digits, '.', '_', '-' and '+'",
                excerpt(raw)
            ),
        ))
    }

    fn version(&self, raw: &str) -> Result<PackageVersion, Failure> {
        if is_safe_segment(raw) && raw.bytes().all(is_name_byte) && !raw.contains("..") {
            return Ok(PackageVersion::verbatim(raw));
        }
        Err(Failure::invalid(
            "version",
            format!(
                "'{}' is no version of a generic package: use letters, digits, '.', '_', '-' and '+', without '..'",
                excerpt(raw)
            ),
        ))
    }

    fn file_name(
        &self,
        _name: &PackageName,
        _version: Option<&PackageVersion>,
        raw: &str,
    ) -> Result<String, Failure> {
        if let Ok(path) = FilePath::parse(raw) {
            return Ok(path.stored_name().into_owned());
        }
        let stored = percent_decode_str(raw).decode_utf8().ok().and_then(|path| FilePath::parse(&path).ok());
        if stored.is_some_and(|path| path.stored_name() == raw) {
            return Ok(raw.to_owned());
        }
        let mut failure = not_a_file_name(raw);
        failure.message = format!("{}; write a path percent-encoded ('dir%2Ffile')", failure.message).into();
        Err(failure)
    }

    fn republish(&self) -> Republish {
        Republish::LatestWins
    }

    fn max_file_size(&self) -> u64 {
        MAX_FILE_SIZE
    }

    fn digests(&self) -> &'static [DigestAlgorithm] {
        &[DigestAlgorithm::Md5, DigestAlgorithm::Sha1]
    }

    fn inspect(&self, publication: &Publication<'_>) -> Result<Inspection, Failure> {
        metadata::inspect(publication)
    }
}

/// The refusal of what is no name of a file.
pub(crate) fn not_a_file_name(raw: &str) -> Failure {
    Failure::invalid(
        "fileName",
        format!(
            "'{}' is no file name of a generic package: use letters, digits, '.', '_', '-', '+', '~' and '@', neither \
             of the last two first or last",
            excerpt(raw)
        ),
    )
}

/// Why a file path was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadFilePath {
    /// It leaves its folder, or could be read as doing so by some system on the way.
    Unsafe,
    /// The file's own name has characters that a generic package does not.
    Name,
}

/// Where a file stands in a version: its name, perhaps below directories. Always safe to join to a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FilePath(String);

impl FilePath {
    /// Checks a path that has been decoded once. A percent sign in it is refused: whoever decodes it again would see
    /// another path.
    pub(crate) fn parse(path: &str) -> Result<Self, BadFilePath> {
        let is_safe = |segment: &str| is_safe_segment(segment) && !segment.contains('%');
        if !path.split('/').all(is_safe) {
            return Err(BadFilePath::Unsafe);
        }
        let parsed = Self(path.to_owned());
        let name = parsed.file_name();
        let is_bordered = name.starts_with(['~', '@']) || name.ends_with(['~', '@']);
        let is_file_byte = |byte| is_name_byte(byte) || matches!(byte, b'~' | b'@');
        if is_bordered || !name.bytes().all(is_file_byte) || parsed.stored_name().len() > MAX_LENGTH {
            return Err(BadFilePath::Name);
        }
        Ok(parsed)
    }

    /// The path with `/` between its segments.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment.
    pub(crate) fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The file name in the model, which is GitLab's: a name as it is, a path with all but its plainest characters encoded.
    pub(crate) fn stored_name(&self) -> Cow<'_, str> {
        if self.0.contains('/') {
            Cow::Owned(utf8_percent_encode(&self.0, STORED).to_string())
        } else {
            Cow::Borrowed(&self.0)
        }
    }
}

/// A letter, digit or sign that GitLab lets into names and versions.
const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'+')
}

#[cfg(test)]
mod tests {
    use domain::rules::FormatRules;
    use proptest::prelude::*;

    use super::{BadFilePath, FilePath, GenericRules};

    #[test]
    fn names_and_versions_are_gitlabs() {
        for good in ["my-package", "a", "A.b_c+d", "...", "1", "-"] {
            assert!(GenericRules.name(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "a/b",
            "a b",
            "@scope",
            "a~",
            "%2e%2e%2f",
            "my-package/../",
            "\u{e4}",
            "a\n",
            "a\0",
            "a\\b",
        ] {
            assert!(GenericRules.name(bad).is_err(), "{bad:?}");
        }
        // From GitLab's own spec of the endpoint.
        for good in [
            "1.3.350-20201230123456",
            "1.2.3",
            "1.2.3g",
            "1.2",
            "1.2.bananas",
            "v1.2.4-build",
            "d50d836eb3de6177ce6c7a5482f27f9c2c84b672",
        ] {
            assert!(GenericRules.version(good).is_ok(), "{good}");
        }
        for bad in ["", "..1.2.3", "1.2.3-4/../../", "%2e%2e%2f1.2.3", "1..2", "1 2", "1\n"] {
            assert!(GenericRules.version(bad).is_err(), "{bad:?}");
        }
        assert!(GenericRules.name(&"a".repeat(255)).is_ok());
        assert!(GenericRules.name(&"a".repeat(256)).is_err());
    }

    #[test]
    fn file_names_are_gitlabs() {
        for good in
            ["myfile.tar.gz", "my+file.tar.gz", "my~file.tar.gz", "myfile@1.1.tar.gz", ".hidden", "..."]
        {
            assert_eq!(FilePath::parse(good).expect(good).stored_name(), good);
        }
        for bad in [
            "myfile1.1.tar.gz@",
            "@myfile1.1.tar.gz",
            "myfile.tar.gz~",
            "~myfile.tar.gz",
            "a b",
            "dir/~a",
            "\u{e4}",
        ] {
            assert_eq!(FilePath::parse(bad), Err(BadFilePath::Name), "{bad}");
        }
        for bad in [
            "",
            ".",
            "..",
            "/etc/passwd",
            "a/",
            "a//b",
            "a/../b",
            "../.ssh/authorized_keys",
            "a\\..\\b",
            "a\nb",
            "a\r\nb",
            "a\0b",
            "%2e%2e%2fa",
            "a/./b",
            "..%2fa",
            "dir%/a",
        ] {
            assert_eq!(FilePath::parse(bad), Err(BadFilePath::Unsafe), "{bad:?}");
        }
    }

    #[test]
    fn a_path_is_stored_as_gitlab_stores_it() {
        let path = FilePath::parse("path/to/my+file.tar.gz").expect("a path");
        assert_eq!(path.stored_name(), "path%2Fto%2Fmy%2Bfile.tar.gz");
        assert_eq!((path.file_name(), path.as_str()), ("my+file.tar.gz", "path/to/my+file.tar.gz"));
    }

    #[test]
    fn the_model_knows_a_file_under_one_spelling() {
        let name = GenericRules.name("package").expect("a name");
        for good in ["file.bin", "path%2Fto%2Ffile.bin", "my+file", "dir%2Fmy%2Bfile"] {
            assert_eq!(GenericRules.file_name(&name, None, good).expect(good), good);
        }
        assert_eq!(GenericRules.file_name(&name, None, "dir/my+file").expect("a path"), "dir%2Fmy%2Bfile");
        for bad in
            ["path%2fto%2ffile.bin", "dir%2Fmy+file", "..%2Ffile", "%66ile", "my%2Bfile", "a%00b", "a%ff"]
        {
            assert!(GenericRules.file_name(&name, None, bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_safe_everywhere(text in "(\\PC|[./%~@\\\\\r\n\0]){0,40}") {
            if let Ok(path) = FilePath::parse(&text) {
                prop_assert_eq!(path.as_str(), text.as_str());
                prop_assert!(text.split('/').all(|segment| !segment.is_empty() && segment != "." && segment != ".."));
                prop_assert!(!text.contains(['\\', '\r', '\n', '\0', '%']));
                prop_assert!(!path.stored_name().contains('/'));
            }
            if let Ok(name) = GenericRules.name(&text) {
                prop_assert_eq!(&name.display, &name.key);
                prop_assert!(name.key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/'));
            }
        }

        #[test]
        fn the_model_accepts_what_a_path_is_stored_as(path in "([a-z0-9 +.~@-]{1,8}/){0,3}[a-z0-9+._-]{1,12}") {
            let name = GenericRules.name("package").expect("a name");
            if let Ok(path) = FilePath::parse(&path) {
                let stored = path.stored_name().into_owned();
                for spelling in [&stored, path.as_str()] {
                    prop_assert_eq!(GenericRules.file_name(&name, None, spelling).ok(), Some(stored.clone()));
                }
            }
        }

        #[test]
        fn two_paths_never_share_a_stored_name(left in "[a+%/.]{1,6}", right in "[a+%/.]{1,6}") {
            if let (Ok(a), Ok(b)) = (FilePath::parse(&left), FilePath::parse(&right)) {
                prop_assert_eq!(left == right, a.stored_name() == b.stored_name());
            }
        }
    }
}
