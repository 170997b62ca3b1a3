//! Snapshots: versions that grow. Each build of `1.0-SNAPSHOT` adds files named after the moment it was deployed,
//! `app-1.0-20240101.120000-1.jar`; Ivy and sbt put `app-1.0-SNAPSHOT.jar` again and again.

/// What a version that grows ends in.
const SNAPSHOT: &str = "SNAPSHOT";

/// Signatures, which stand behind the extension of what they sign.
const SIGNATURE: &str = ".asc";

/// Extensions that have a dot in them.
const DOTTED: &[&str] = &["tar.gz", "tar.bz2", "tar.xz", "tar.zst", "tar.Z"];

/// Whether a version grows.
pub(crate) fn is_snapshot(version: &str) -> bool {
    version.ends_with(SNAPSHOT)
}

/// A file of a snapshot, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SnapshotFile<'a> {
    /// The version in its name: `1.0-20240101.120000-1`, or `1.0-SNAPSHOT` itself.
    pub(crate) value: &'a str,
    /// Which build it is of; none when the name does not say.
    pub(crate) build: Option<Build<'a>>,
    /// What tells it from the artifact itself (`sources`); empty for that.
    pub(crate) classifier: &'a str,
    /// `jar`, `pom`, `tar.gz`, `jar.asc`.
    pub(crate) extension: &'a str,
}

/// A build of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Build<'a> {
    /// When it was deployed, by the clock of the client: `20240101.120000`.
    pub(crate) timestamp: &'a str,
    /// Counted by the clients.
    pub(crate) number: &'a str,
}

impl<'a> SnapshotFile<'a> {
    /// Takes the name of a file of `artifact` in the snapshot `version` apart; none when it is named in another way.
    pub(crate) fn parse(artifact: &str, version: &str, file_name: &'a str) -> Option<Self> {
        let named = file_name.strip_prefix(artifact)?.strip_prefix('-')?;
        let base = version.strip_suffix(SNAPSHOT)?;
        let after = named.strip_prefix(base)?;
        let (length, build) = match after.strip_prefix(SNAPSHOT) {
            Some(_) => (SNAPSHOT.len(), None),
            None => Build::parse(after).map(|(length, build)| (length, Some(build)))?,
        };
        let (classifier, extension) = classified(&after[length..])?;
        Some(Self { value: &named[..base.len() + length], build, classifier, extension })
    }
}

impl<'a> Build<'a> {
    /// The build at the beginning of `text`, and how long it is there.
    fn parse(text: &'a str) -> Option<(usize, Self)> {
        const TIMESTAMP: usize = "20240101.120000".len();
        let timestamp = text.get(..TIMESTAMP)?;
        let shaped = timestamp.bytes().enumerate().all(|(at, byte)| match at {
            8 => byte == b'.',
            _ => byte.is_ascii_digit(),
        });
        let number = text[TIMESTAMP..].strip_prefix('-')?;
        let digits = number.bytes().take_while(u8::is_ascii_digit).count();
        let number = &number[..digits];
        (shaped && digits > 0).then_some((TIMESTAMP + 1 + digits, Self { timestamp, number }))
    }
}

/// The classifier and the extension in `-sources.jar` or `.tar.gz`.
///
/// Without a classifier the extension is all that is left. With one the name is ambiguous, since both may have dots: the
/// extension is what stands after the last dot, but for the few known ones that have a dot, and signatures.
fn classified(rest: &str) -> Option<(&str, &str)> {
    if let Some(extension) = rest.strip_prefix('.') {
        return (!extension.is_empty()).then_some(("", extension));
    }
    let rest = rest.strip_prefix('-')?;
    let signed = rest.strip_suffix(SIGNATURE).unwrap_or(rest);
    let dotted = DOTTED.iter().find_map(|extension| signed.strip_suffix(extension)?.strip_suffix('.'));
    let classifier = match dotted {
        Some(classifier) => classifier,
        None => signed.rsplit_once('.')?.0,
    };
    let extension = rest.get(classifier.len() + 1..)?;
    (!classifier.is_empty() && !extension.is_empty()).then_some((classifier, extension))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Build, SnapshotFile, is_snapshot};

    /// Value, timestamp with number, classifier, extension.
    type Parts<'a> = (&'a str, Option<(&'a str, &'a str)>, &'a str, &'a str);

    fn parsed(file: &str) -> Option<Parts<'_>> {
        let file = SnapshotFile::parse("my-app", "1.0-SNAPSHOT", file)?;
        let build = file.build.map(|Build { timestamp, number }| (timestamp, number));
        Some((file.value, build, file.classifier, file.extension))
    }

    #[test]
    fn names_of_builds_are_taken_apart() {
        let build = Some(("20240101.120000", "12"));
        let value = "1.0-20240101.120000-12";
        for (rest, classifier, extension) in [
            (".jar", "", "jar"),
            (".pom", "", "pom"),
            (".tar.gz", "", "tar.gz"),
            (".pom.asc", "", "pom.asc"),
            ("-sources.jar", "sources", "jar"),
            ("-sources.jar.asc", "sources", "jar.asc"),
            ("-linux-x86_64.tar.gz", "linux-x86_64", "tar.gz"),
            ("-bin.tar.bz2.asc", "bin", "tar.bz2.asc"),
            ("-scala-2.12.jar", "scala-2.12", "jar"),
            (".module", "", "module"),
        ] {
            let file = format!("my-app-{value}{rest}");
            assert_eq!(parsed(&file), Some((value, build, classifier, extension)), "{file}");
        }
    }

    #[test]
    fn names_without_a_build_are_taken_apart() {
        assert_eq!(parsed("my-app-1.0-SNAPSHOT.jar"), Some(("1.0-SNAPSHOT", None, "", "jar")));
        assert_eq!(parsed("my-app-1.0-SNAPSHOT-tests.jar"), Some(("1.0-SNAPSHOT", None, "tests", "jar")));
        let dotted =
            SnapshotFile::parse("app", "1.0.SNAPSHOT", "app-1.0.20240101.120000-1.jar").expect("a build");
        assert_eq!(dotted.value, "1.0.20240101.120000-1");
    }

    #[test]
    fn other_names_are_none_of_a_snapshot() {
        for file in [
            "my-app-1.0.jar",
            "my-app-1.1-20240101.120000-12.jar",
            "other-1.0-20240101.120000-12.jar",
            "my-app-1.0-20240101.120000.jar",
            "my-app-1.0-20240101.120000-.jar",
            "my-app-1.0-2024010a.120000-1.jar",
            "my-app-1.0-20240101.120000-12",
            "my-app-1.0-20240101.120000-12.",
            "my-app-1.0-20240101.120000-12-sources",
            "my-app-1.0-20240101.120000-12-.jar",
            "my-app-1.0-20240101.120000-12sources.jar",
            "my-app-1.0-SNAPSHOT",
            "my-app-1.0-\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}.jar",
            "maven-metadata.xml",
            "",
        ] {
            assert_eq!(parsed(file), None, "{file}");
        }
        assert!(is_snapshot("1.0-SNAPSHOT") && is_snapshot("SNAPSHOT"));
        assert!(!is_snapshot("1.0") && !is_snapshot("1.0-snapshot"));
    }

    proptest! {
        #[test]
        fn a_name_is_the_sum_of_its_parts(
            classifier in "([a-z][a-z0-9_.-]{0,8}[a-z0-9])?",
            extension in "jar|pom|tar\\.gz|jar\\.asc|module",
            number in 1..100_000_u32,
        ) {
            let value = format!("1.0-20240101.120000-{number}");
            let dash = if classifier.is_empty() { "" } else { "-" };
            let file = format!("my-app-{value}{dash}{classifier}.{extension}");
            let parsed = SnapshotFile::parse("my-app", "1.0-SNAPSHOT", &file).expect("a build");
            prop_assert_eq!(parsed.value, value.as_str());
            prop_assert_eq!(format!("{}{dash}{}.{}", value, parsed.classifier, parsed.extension), &file["my-app-".len()..]);
            if !classifier.contains('.') || extension == "jar" {
                prop_assert_eq!((parsed.classifier, parsed.extension), (classifier.as_str(), extension.as_str()));
            }
        }

        #[test]
        fn nothing_panics(version in "\\PC{0,6}(SNAPSHOT)?", file in "\\PC{0,40}", rest in "[-.0-9a-z]{0,30}") {
            let _ = SnapshotFile::parse("a", &version, &file);
            let _ = SnapshotFile::parse("a", "1-SNAPSHOT", &format!("a-1-{rest}"));
        }
    }
}
