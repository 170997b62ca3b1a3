//! npm's rules: names, versions and their order, file names, duplicates, limits.

use domain::{
    DigestAlgorithm, Failure, PackageFormat, PackageName, PackageVersion,
    coordinates::{Coordinate, MAX_LENGTH},
    rules::{FormatRules, Fragment, Inspection, InstanceOrigin, Publication, PublishedVersion, Republish},
};
use semver::Version;

use super::{document, metadata};
use crate::shared::excerpt;

/// Longest name that npm accepts (validate-npm-package-name).
const MAX_NAME: usize = 214;

/// Largest number that npm reads in a version: it holds them in doubles (node-semver, `MAX_SAFE_INTEGER`).
const MAX_VERSION_NUMBER: u64 = 9_007_199_254_740_991;

/// GitLab's default plan limit for npm.
const MAX_FILE_SIZE: u64 = 524_288_000;

/// The rules of the npm format.
#[derive(Clone, Copy, Debug)]
pub(super) struct NpmRules;

/// The part of a name after the scope.
pub(super) fn unscoped(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The scope of a name, without `@`.
pub(super) fn scope(name: &str) -> Option<&str> {
    name.strip_prefix('@')?.split_once('/').map(|(scope, _)| scope)
}

/// The file name without a repetition of the scope: npm uploads `@scope/name-1.0.0.tgz`, and GitLab's links end in that.
pub(super) fn unscoped_file<'a>(name: &str, file: &'a str) -> &'a str {
    scope(name)
        .and_then(|scope| file.strip_prefix('@')?.strip_prefix(scope)?.strip_prefix('/'))
        .unwrap_or(file)
}

/// The file name that a version is stored and linked under. Without a version, what an upload is called that does not know
/// its version yet.
pub(super) fn file_name_of(name: &str, version: Option<&str>) -> String {
    match version {
        Some(version) => format!("{}-{version}.tgz", unscoped(name)),
        None => format!("{}.tgz", unscoped(name)),
    }
}

/// The version in `<unscoped name>-<version>.tgz`, if `file` has that form.
pub(super) fn version_in_file_name<'a>(name: &str, file: &'a str) -> Option<&'a str> {
    unscoped_file(name, file)
        .strip_prefix(unscoped(name))?
        .strip_prefix('-')?
        .strip_suffix(".tgz")
        .filter(|version| !version.is_empty())
}

/// Parses a version as npm does: SemVer 2, with numbers that a double holds.
pub(super) fn parse_version(raw: &str) -> Option<Version> {
    let version = Version::parse(raw).ok()?;
    let numbers = [version.major, version.minor, version.patch];
    (raw.len() <= MAX_LENGTH && numbers.iter().all(|number| *number <= MAX_VERSION_NUMBER)).then_some(version)
}

/// The text that two spellings of one version have in common: build metadata does not count (SemVer 2, §10).
pub(super) fn version_key(version: &Version) -> String {
    Version { build: semver::BuildMetadata::EMPTY, ..version.clone() }.to_string()
}

/// A text whose byte order is the precedence of SemVer 2, §11.
///
/// Numbers are preceded by how many digits they have, so that longer ones are larger. A release ends in `~`, which is
/// above the `-` that begins a pre-release. In a pre-release each identifier begins with `0` when it is a number and `1`
/// when it is not, so that numbers come first; text ends in `!`, which is below everything it may contain, so that a
/// prefix is less than what it is a prefix of. More identifiers beat fewer, since a longer text beats its prefix.
fn order_key(version: &Version) -> String {
    use std::fmt::Write as _;

    let mut key = String::new();
    for number in [version.major, version.minor, version.patch] {
        let digits = number.to_string();
        let _ = write!(key, "{:02}{digits}.", digits.len());
    }
    if version.pre.is_empty() {
        key.push('~');
        return key;
    }
    key.push('-');
    for identifier in version.pre.split('.') {
        let _ = if identifier.bytes().all(|byte| byte.is_ascii_digit()) {
            write!(key, "0{:03}{identifier}", identifier.len())
        } else {
            write!(key, "1{identifier}!")
        };
    }
    key
}

fn check_name_part(part: &str) -> Result<(), &'static str> {
    if part.is_empty() {
        return Err("a part of it is empty");
    }
    if part.starts_with('.') {
        return Err("it can't start with a dot");
    }
    // GitLab also takes '+', which npm refuses to put into a URL.
    if !part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')) {
        return Err("it can contain only letters, digits, '-', '.' and '_', after an optional '@scope/'");
    }
    Ok(())
}

/// validate-npm-package-name, and the characters of GitLab's `npm_package_name_regex`. Upper case is accepted: npm holds
/// packages from before it was forbidden, and GitLab takes them.
fn check_name(name: &str) -> Result<(), &'static str> {
    if name.len() > MAX_NAME {
        return Err("it is longer than 214 characters");
    }
    let unscoped = match name.strip_prefix('@') {
        Some(scoped) => {
            let (scope, rest) =
                scoped.split_once('/').ok_or("the scope is not followed by '/' and a name")?;
            check_name_part(scope)?;
            rest
        }
        None if name.starts_with('_') => return Err("it can't start with an underscore"),
        None => name,
    };
    check_name_part(unscoped)?;
    if unscoped == "-" || ["node_modules", "favicon.ico"].iter().any(|taken| name.eq_ignore_ascii_case(taken))
    {
        return Err("the name is reserved");
    }
    Ok(())
}

impl FormatRules for NpmRules {
    fn format(&self) -> PackageFormat {
        PackageFormat::Npm
    }

    fn name(&self, raw: &str) -> Result<PackageName, Failure> {
        match check_name(raw) {
            Ok(()) => Ok(Coordinate::verbatim(raw)),
            // The first half is GitLab's text.
            Err(reason) => Err(Failure::invalid(
                "name",
                format!("Name should be a valid NPM package name: '{}' is not: {reason}", excerpt(raw)),
            )),
        }
    }

    fn version(&self, raw: &str) -> Result<PackageVersion, Failure> {
        let version = parse_version(raw).ok_or_else(|| {
            Failure::invalid(
                "version",
                format!(
                    "Version is invalid: '{}' is not a semantic version such as 1.2.3 or 1.2.3-beta.1",
                    excerpt(raw)
                ),
            )
        })?;
        Ok(PackageVersion { display: raw.to_owned(), key: version_key(&version), order: order_key(&version) })
    }

    fn file_name(
        &self,
        name: &PackageName,
        version: Option<&PackageVersion>,
        raw: &str,
    ) -> Result<String, Failure> {
        let file = unscoped_file(&name.display, raw);
        // Compared as versions: bun leaves the build metadata in the name of a file and takes it off the version.
        let stated = version_in_file_name(&name.display, file).and_then(parse_version);
        let matches = match version {
            Some(version) => stated.is_some_and(|stated| version_key(&stated) == version.key),
            // An upload may be asked for before the version is known.
            None => stated.is_some() || file == file_name_of(&name.display, None),
        };
        if matches {
            return Ok(file.to_owned());
        }
        let expected = file_name_of(&name.display, version.map(|version| version.key.as_str()));
        Err(Failure::invalid(
            "fileName",
            format!("File name is invalid: '{}' should be '{expected}'", excerpt(raw)),
        ))
    }

    fn republish(&self) -> Republish {
        Republish::Forbidden
    }

    fn max_file_size(&self) -> u64 {
        MAX_FILE_SIZE
    }

    fn digests(&self) -> &'static [DigestAlgorithm] {
        // `dist.shasum` and `dist.integrity`.
        &[DigestAlgorithm::Sha1, DigestAlgorithm::Sha512]
    }

    /// GitLab's naming convention: at the instance level `@acme/web` comes from the top-level group `acme` and from nowhere
    /// else, so that no stranger's package takes its place.
    fn instance_origin(&self, name: &PackageName) -> InstanceOrigin {
        match scope(&name.display) {
            Some(scope) => InstanceOrigin::RootNamespace(scope.to_owned()),
            None => InstanceOrigin::Nowhere,
        }
    }

    fn wants_patterns_like_names(&self) -> bool {
        true
    }

    fn inspect(&self, publication: &Publication<'_>) -> Result<Inspection, Failure> {
        metadata::inspect(publication)
    }

    fn fragments(&self, version: &PublishedVersion<'_>) -> Vec<Fragment> {
        document::fragments(version)
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::prelude::*;

    use super::*;

    fn name(raw: &str) -> Result<PackageName, Failure> {
        NpmRules.name(raw)
    }

    #[test]
    fn names() {
        for good in [
            "a",
            "@acme/web",
            "lodash.get",
            "JSONStream",
            "@a.b/_c",
            "a--b",
            "0",
            "@a/-x",
            "-x",
            "constructor",
        ] {
            assert_eq!(name(good).expect(good).key, good);
        }
        let long = "a".repeat(215);
        for bad in [
            "",
            "@",
            "@a",
            "@a/",
            "@/a",
            "@a/b/c",
            "a/b",
            ".a",
            "_a",
            "a b",
            "a%2fb",
            "a\n",
            "é",
            "a+b",
            "..",
            "@../a",
            "@a/..",
            "@a/.b",
            "-",
            "@a/-",
            "node_modules",
            "Favicon.ico",
            "a~",
            &long,
        ] {
            let failure = name(bad).expect_err(bad);
            assert_eq!(failure.field.as_deref(), Some("name"));
            assert!(failure.message.starts_with("Name should be a valid NPM package name"), "{failure}");
        }
    }

    #[test]
    fn versions() {
        for bad in [
            "",
            "1",
            "1.2",
            "v1.2.3",
            "01.2.3",
            "1.2.3-",
            "1.2.3-01",
            " 1.2.3",
            "9007199254740992.0.0",
            "latest",
        ] {
            assert!(NpmRules.version(bad).is_err(), "{bad}");
        }
        let version = NpmRules.version("1.2.3-a.1+build.5").expect("valid");
        assert_eq!((version.display.as_str(), version.key.as_str()), ("1.2.3-a.1+build.5", "1.2.3-a.1"));
        assert_eq!(version.order, NpmRules.version("1.2.3-a.1").expect("valid").order);
    }

    #[test]
    fn file_names() {
        let name = name("@acme/web").expect("valid");
        let version = NpmRules.version("1.0.0+b").expect("valid");
        for good in ["web-1.0.0.tgz", "@acme/web-1.0.0.tgz", "web-1.0.0+b.tgz", "web-1.0.0+c.tgz"] {
            NpmRules.file_name(&name, Some(&version), good).expect(good);
        }
        for bad in
            ["web-1.0.1.tgz", "@other/web-1.0.0.tgz", "../web-1.0.0.tgz", "web-1.0.0.tar", "web.tgz", ""]
        {
            NpmRules.file_name(&name, Some(&version), bad).expect_err(bad);
        }
        NpmRules.file_name(&name, None, "web.tgz").expect("an upload that does not know its version");
        NpmRules.file_name(&name, None, "web-1.0.0.tgz").expect("an upload that does");
        NpmRules.file_name(&name, None, "web-x.tgz").expect_err("no version");
        assert_eq!(version_in_file_name("@acme/web", "@acme/web-2.0.0-rc.1.tgz"), Some("2.0.0-rc.1"));
        assert_eq!(version_in_file_name("web", "web-.tgz"), None);
    }

    fn any_version() -> impl Strategy<Value = String> {
        let number = prop_oneof![0..12_u64, 0..=MAX_VERSION_NUMBER];
        let identifier =
            prop_oneof!["0|[1-9][0-9]{0,2}", "[1-9][0-9]{18,30}", "[0-9A-Za-z-]*[A-Za-z-][0-9A-Za-z-]*"];
        let pre = proptest::collection::vec(identifier, 0..4);
        (number.clone(), number.clone(), number, pre, "(\\+[0-9A-Za-z.-]{0,3}[0-9a-z])?").prop_map(
            |(major, minor, patch, pre, build)| {
                let dash = if pre.is_empty() { "" } else { "-" };
                format!("{major}.{minor}.{patch}{dash}{}{build}", pre.join("."))
            },
        )
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_semver(first in any_version(), second in any_version()) {
            // Build metadata after a dot may be malformed; such pairs say nothing.
            if let (Ok(left), Ok(right)) = (NpmRules.version(&first), NpmRules.version(&second)) {
                let precedence = Version::parse(&first).expect("accepted").cmp_precedence(&Version::parse(&second).expect("accepted"));
                prop_assert_eq!(left.order.cmp(&right.order), precedence, "{} {}", first, second);
                prop_assert_eq!(left.key == right.key, precedence == Ordering::Equal);
            }
        }

        #[test]
        fn nothing_panics_and_what_is_accepted_is_harmless(text in "\\PC*", prefix in "(@[a-z]{0,3}/)?") {
            let raw = format!("{prefix}{text}");
            if let Ok(name) = name(&raw) {
                prop_assert!(raw.len() <= MAX_NAME);
                prop_assert!(name.display.split('/').all(domain::coordinates::is_safe_segment));
                let file = file_name_of(&raw, Some("1.0.0"));
                prop_assert_eq!(version_in_file_name(&raw, &file), Some("1.0.0"));
            }
            let _ = NpmRules.version(&raw);
            let _ = version_in_file_name(&raw, &text);
        }
    }
}
