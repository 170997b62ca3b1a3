//! Maven's rules: names, versions and their order, file names, limits.
//!
//! A path is `group/as/folders/artifact/version/file`. The name of a package is the path up to the artifact, as GitLab has it:
//! `com/acme/app` for `com.acme:app`.

mod order;
mod snapshot;

use domain::{
    DigestAlgorithm, Failure, PackageFormat, PackageName, PackageVersion,
    coordinates::{Coordinate, MAX_LENGTH},
    rules::{
        FormatRules, Fragment, Inspection, InstanceOrigin, Publication, PublishedFile, PublishedVersion,
        Republish,
    },
};

pub(super) use snapshot::{Build, SnapshotFile, is_snapshot};

use super::{document, metadata};
use crate::shared::excerpt;

/// The document that the server makes itself, and nobody else.
pub(super) const METADATA: &str = "maven-metadata.xml";

/// GitLab's default plan limit for Maven: 3 GiB.
const MAX_FILE_SIZE: u64 = 3 * 1024 * 1024 * 1024;

/// The rules of the Maven format.
#[derive(Clone, Copy, Debug)]
pub(super) struct MavenRules;

/// Group and artifact in a name: `com.acme` and `app` in `com/acme/app`.
pub(super) fn group_and_artifact(name: &str) -> (String, &str) {
    let (group, artifact) = name.rsplit_once('/').unwrap_or(("", name));
    (group.replace('/', "."), artifact)
}

/// A letter, digit or sign that GitLab lets into names, versions and file names.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

fn is_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..") && text.bytes().all(is_plain)
}

/// A segment that may have `+` in it, which GitLab allows in artifacts, versions and file names.
fn is_last_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..") && text.bytes().all(|byte| is_plain(byte) || byte == b'+')
}

/// GitLab's `maven_app_name_regex`, without what no path can have: empty and dotted segments.
fn is_name(raw: &str) -> bool {
    let Some((group, artifact)) = raw.rsplit_once('/') else { return false };
    raw.len() <= MAX_LENGTH
        && group.strip_prefix('@').unwrap_or(group).split('/').all(is_segment)
        && is_last_segment(artifact)
}

/// GitLab's `maven_version_regex`.
fn is_version(raw: &str) -> bool {
    raw.len() <= MAX_LENGTH && is_last_segment(raw) && !raw.contains("..")
}

/// GitLab's `maven_file_name_regex`.
pub(super) fn is_file_name(raw: &str) -> bool {
    raw.len() <= MAX_LENGTH && is_last_segment(raw)
}

impl FormatRules for MavenRules {
    fn format(&self) -> PackageFormat {
        PackageFormat::Maven
    }

    fn name(&self, raw: &str) -> Result<PackageName, Failure> {
        if is_name(raw) {
            return Ok(Coordinate::verbatim(raw));
        }
        Err(Failure::invalid(
            "name",
            format!(
                "Name is invalid: '{}' is not a group and an artifact with '/' between them, such as com/acme/app, of \
                 letters, digits, '.', '_' and '-'",
                excerpt(raw)
            ),
        ))
    }

    /// Two spellings of one version (`1` and `1.0`) are two versions: a version is the folder that its files are in.
    fn version(&self, raw: &str) -> Result<PackageVersion, Failure> {
        if is_version(raw) {
            return Ok(PackageVersion {
                display: raw.to_owned(),
                key: raw.to_owned(),
                order: order::order_of(raw),
            });
        }
        Err(Failure::invalid(
            "version",
            format!(
                "Version is invalid: '{}' can have letters, digits, '.', '_', '-' and '+', without '..'",
                excerpt(raw)
            ),
        ))
    }

    fn file_name(
        &self,
        _name: &PackageName,
        version: Option<&PackageVersion>,
        raw: &str,
    ) -> Result<String, Failure> {
        let is_metadata = raw == METADATA;
        if !is_file_name(raw) || raw.starts_with(METADATA) && !is_metadata {
            return Err(Failure::invalid(
                "fileName",
                format!(
                    "File name is invalid: '{}' can have letters, digits, '.', '_', '-' and '+', and may not begin with \
                     {METADATA}",
                    excerpt(raw)
                ),
            ));
        }
        // An upload is asked for under this name when a client puts its own; nothing is ever published so.
        if is_metadata && version.is_some() {
            return Err(Failure::invalid("fileName", format!("{METADATA} is made by the server")));
        }
        Ok(raw.to_owned())
    }

    fn republish(&self) -> Republish {
        Republish::LatestWins
    }

    fn max_file_size(&self) -> u64 {
        MAX_FILE_SIZE
    }

    /// All that have a side file.
    fn digests(&self) -> &'static [DigestAlgorithm] {
        &[DigestAlgorithm::Md5, DigestAlgorithm::Sha1, DigestAlgorithm::Sha512]
    }

    /// At the instance level, where groups of strangers meet, `com/acme/app` comes from below the top-level group `com`. The
    /// protocol asks for less: only the project of that very path, as in GitLab.
    fn instance_origin(&self, name: &PackageName) -> InstanceOrigin {
        let root = name.display.split('/').next().unwrap_or_default();
        InstanceOrigin::RootNamespace(root.to_owned())
    }

    fn inspect(&self, publication: &Publication<'_>) -> Result<Inspection, Failure> {
        metadata::inspect(publication)
    }

    fn fragments(&self, version: &PublishedVersion<'_>) -> Vec<Fragment> {
        document::of_version(version)
    }

    /// So that the hundredth build of a snapshot costs what the first did.
    fn fragments_read_files(&self) -> bool {
        false
    }

    fn file_fragments(&self, version: &PublishedVersion<'_>, file: &PublishedFile) -> Vec<Fragment> {
        document::of_file(version, file)
    }
}

#[cfg(test)]
mod tests {
    use domain::coordinates::is_safe_segment;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_gitlabs() {
        for good in ["com/acme/app", "a/b", "com.acme/app_2.13", "com/acme/app+x", "@acme/app", "A/B-c.D_e"] {
            assert_eq!(MavenRules.name(good).expect(good).key, good);
        }
        let long = format!("a/{}", "b".repeat(254));
        for bad in [
            "", "app", "/app", "a/", "a//b", "a/../b", "../b", "a/..", "./a", "a b/c", "a+b/c", "a/b\n",
            "a/é", "a\\b/c", "a%2fb/c", "@/a", &long,
        ] {
            let failure = MavenRules.name(bad).expect_err(bad);
            assert_eq!(failure.field.as_deref(), Some("name"));
            assert!(failure.message.starts_with("Name is invalid: '"), "{failure}");
        }
        assert_eq!(group_and_artifact("com/acme/app"), ("com.acme".to_owned(), "app"));
    }

    #[test]
    fn versions_are_gitlabs_and_two_spellings_are_two_versions() {
        for good in ["1", "1.0", "1.0-SNAPSHOT", "2024.1+build.5", "v1_2", "1-alpha-1"] {
            assert_eq!(MavenRules.version(good).expect(good).key, good);
        }
        for bad in ["", ".", "..", "1..2", "1 2", "1/2", "${revision}", "1\0", "%2e%2e", "1:2"] {
            assert!(MavenRules.version(bad).is_err(), "{bad}");
        }
        let [short, long] = ["1", "1.0"].map(|text| MavenRules.version(text).expect(text));
        assert!(short.key != long.key && short.order == long.order);
    }

    #[test]
    fn the_servers_own_document_is_never_published() {
        let name = MavenRules.name("com/acme/app").expect("a name");
        let version = MavenRules.version("1.0").expect("a version");
        for good in ["app-1.0.jar", "app-1.0.pom.asc", "anything+else", "maven-metadata-central.xml", "...a"]
        {
            assert_eq!(MavenRules.file_name(&name, Some(&version), good).expect(good), good);
        }
        for bad in [
            "maven-metadata.xml",
            "maven-metadata.xml.sha1",
            "maven-metadata.xml.asc",
            "",
            "..",
            "a/b",
            "a b",
            "a~",
            "é",
        ] {
            assert!(MavenRules.file_name(&name, Some(&version), bad).is_err(), "{bad}");
        }
        assert!(
            MavenRules.file_name(&name, None, METADATA).is_ok(),
            "an upload that only asks for the right"
        );
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_harmless_and_comes_back(text in "(\\PC|[./%~@\\\\\r\n\0]){0,40}") {
            if let Ok(name) = MavenRules.name(&text) {
                prop_assert!(name.display.split('/').all(is_safe_segment));
                let (group, artifact) = group_and_artifact(&name.display);
                prop_assert!(!group.is_empty() && !artifact.is_empty());
            }
            if let Ok(version) = MavenRules.version(&text) {
                prop_assert!(is_safe_segment(&version.display) && version.order.is_ascii());
            }
            let name = MavenRules.name("a/b").expect("a name");
            if let Ok(file) = MavenRules.file_name(&name, None, &text) {
                prop_assert!(is_safe_segment(&file));
                prop_assert_eq!(MavenRules.file_name(&name, None, &file).ok(), Some(file));
            }
            prop_assert!(excerpt(&text).chars().count() <= 101);
        }
    }
}
