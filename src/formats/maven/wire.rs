//! Paths and checksums, as clients send them.

use domain::{DigestAlgorithm, Failure, Subject, coordinates::is_safe_relative_path};

use super::rules::{METADATA, is_file_name, is_snapshot};
use crate::shared::excerpt;

/// The files that stand beside every file and hold its digest.
const SIDE_FILES: &[(&str, DigestAlgorithm)] = &[
    (".md5", DigestAlgorithm::Md5),
    (".sha1", DigestAlgorithm::Sha1),
    (".sha256", DigestAlgorithm::Sha256),
    (".sha512", DigestAlgorithm::Sha512),
];

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// Which thing.
    pub(super) thing: Thing,
    /// Its digest instead of the thing itself.
    pub(super) side: Option<DigestAlgorithm>,
}

/// The things of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Thing {
    /// A published file.
    File(Coordinates),
    /// `maven-metadata.xml` of an artifact, or of a group with plugins: the path alone does not tell.
    Metadata {
        /// The folder: `com/acme/app`.
        path: String,
    },
    /// `maven-metadata.xml` of a snapshot.
    SnapshotMetadata {
        /// The package.
        name: String,
        /// The snapshot.
        version: String,
    },
    /// Something beside a `maven-metadata.xml` that is no digest of it, such as a signature. There is none.
    BesideMetadata {
        /// The folder.
        path: String,
    },
}

/// Which file of which version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Coordinates {
    /// The package: `com/acme/app`.
    pub(super) name: String,
    /// The version: `1.0`.
    pub(super) version: String,
    /// The file: `app-1.0.jar`.
    pub(super) file_name: String,
}

/// Why a path names nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BadPath {
    /// It could lead elsewhere.
    Unsafe(String),
    /// The last segment is no name of a file.
    FileName(String),
    /// It is a folder, or too short to be group, artifact, version and file.
    NoCoordinates(String),
}

impl Target {
    /// Reads a path that was decoded once. A percent sign that is left is refused with the rest of what no name has.
    pub(super) fn parse(path: &str) -> Result<Self, BadPath> {
        let without_slash = path.strip_suffix('/').unwrap_or(path);
        if !is_safe_relative_path(without_slash) || path.contains('%') {
            return Err(BadPath::Unsafe(path.to_owned()));
        }
        if without_slash != path {
            return Err(BadPath::NoCoordinates(path.to_owned()));
        }
        let (folder, file) = path.rsplit_once('/').ok_or_else(|| BadPath::NoCoordinates(path.to_owned()))?;
        if !is_file_name(file) {
            return Err(BadPath::FileName(file.to_owned()));
        }
        let (file, side) = split_side(file);
        let split = folder.rsplit_once('/').filter(|(name, _)| name.contains('/'));
        let thing = match (file.strip_prefix(METADATA), split) {
            (Some(""), Some((name, version))) if is_snapshot(version) => {
                Thing::SnapshotMetadata { name: name.to_owned(), version: version.to_owned() }
            }
            (Some(""), _) => Thing::Metadata { path: folder.to_owned() },
            (Some(_), _) => Thing::BesideMetadata { path: folder.to_owned() },
            (None, Some((name, version))) => Thing::File(Coordinates {
                name: name.to_owned(),
                version: version.to_owned(),
                file_name: file.to_owned(),
            }),
            (None, None) => return Err(BadPath::NoCoordinates(path.to_owned())),
        };
        Ok(Self { thing, side })
    }
}

/// The file and the digest that a name with such an ending asks for.
fn split_side(file: &str) -> (&str, Option<DigestAlgorithm>) {
    let found = SIDE_FILES.iter().find_map(|(suffix, algorithm)| {
        let base = file.strip_suffix(suffix).filter(|base| !base.is_empty())?;
        Some((base, Some(*algorithm)))
    });
    found.unwrap_or((file, None))
}

impl BadPath {
    /// What a reader is told, in GitLab's words first: what is no place for a package has none.
    pub(super) fn for_reading(self) -> Failure {
        match self {
            Self::Unsafe(path) => Failure::invalid(
                "path",
                format!(
                    "path should be a valid file path: '{}' has an empty segment, '.', '..', '\\', '%' or a control character",
                    excerpt(&path)
                ),
            ),
            Self::FileName(file) => Failure::invalid(
                "file_name",
                format!(
                    "file_name is invalid: '{}' can have letters, digits, '.', '_', '-' and '+'",
                    excerpt(&file)
                ),
            ),
            Self::NoCoordinates(_) => Failure::not_found(Subject::Package),
        }
    }

    /// What a writer is told.
    pub(super) fn for_writing(self) -> Failure {
        match self {
            Self::NoCoordinates(path) => Failure::invalid(
                "name",
                format!(
                    "Name is invalid: '{}' is not group/artifact/version/file, such as com/acme/app/1.0/app-1.0.jar",
                    excerpt(&path)
                ),
            ),
            unsafe_or_file_name => unsafe_or_file_name.for_reading(),
        }
    }
}

/// The name of an algorithm, as people write it.
pub(super) fn title(algorithm: DigestAlgorithm) -> &'static str {
    match algorithm {
        DigestAlgorithm::Md5 => "MD5",
        DigestAlgorithm::Sha1 => "SHA-1",
        DigestAlgorithm::Sha256 => "SHA-256",
        DigestAlgorithm::Sha512 => "SHA-512",
    }
}

/// How many hexadecimal digits a digest has.
const fn length(algorithm: DigestAlgorithm) -> usize {
    match algorithm {
        DigestAlgorithm::Md5 => 32,
        DigestAlgorithm::Sha1 => 40,
        DigestAlgorithm::Sha256 => 64,
        DigestAlgorithm::Sha512 => 128,
    }
}

/// The digest in a file of checksums. Clients write the digits alone; tools write a name before (`MD5 (file) = …`) or behind
/// (`…  file`) them.
pub(super) fn digest_in(text: &[u8], algorithm: DigestAlgorithm) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let is_digest =
        |word: &&str| word.len() == length(algorithm) && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let first = text.split_ascii_whitespace().next().filter(is_digest);
    let last = || text.rsplit_once("= ").map(|(_, last)| last.trim()).filter(is_digest);
    first.or_else(last).map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn thing(path: &str) -> Thing {
        Target::parse(path).expect(path).thing
    }

    #[test]
    fn paths_are_coordinates() {
        let file = Coordinates {
            name: "com/acme/app".to_owned(),
            version: "1.0".to_owned(),
            file_name: "app-1.0.jar".to_owned(),
        };
        assert_eq!(thing("com/acme/app/1.0/app-1.0.jar"), Thing::File(file.clone()));
        for (suffix, algorithm) in SIDE_FILES {
            let target =
                Target::parse(&format!("com/acme/app/1.0/app-1.0.jar{suffix}")).expect("a side file");
            assert_eq!(target, Target { thing: Thing::File(file.clone()), side: Some(*algorithm) });
        }
        let signed = Target::parse("com/acme/app/1.0/app-1.0.jar.asc.md5").expect("a side file");
        let Thing::File(signed) = signed.thing else { panic!("a file") };
        assert_eq!(signed.file_name, "app-1.0.jar.asc");
    }

    #[test]
    fn metadata_stands_at_three_places() {
        assert_eq!(
            thing("com/acme/app/maven-metadata.xml"),
            Thing::Metadata { path: "com/acme/app".to_owned() }
        );
        assert_eq!(thing("acme/maven-metadata.xml.sha1"), Thing::Metadata { path: "acme".to_owned() });
        let snapshot =
            Thing::SnapshotMetadata { name: "com/acme/app".to_owned(), version: "1-SNAPSHOT".to_owned() };
        assert_eq!(thing("com/acme/app/1-SNAPSHOT/maven-metadata.xml"), snapshot);
        let beside = Thing::BesideMetadata { path: "com/acme/app".to_owned() };
        for path in ["com/acme/app/maven-metadata.xml.asc", "com/acme/app/maven-metadata.xml.asc.sha1"] {
            assert_eq!(thing(path), beside, "never a file of the version 'app'");
        }
    }

    #[test]
    fn other_paths_are_refused() {
        for path in ["app.jar", "acme/app.jar", "acme/1.0/app.jar", "com/acme/app/1.0/", "com/"] {
            assert_eq!(Target::parse(path), Err(BadPath::NoCoordinates(path.to_owned())));
        }
        for path in [
            "",
            "/a/b/c",
            "a/b/../c/d",
            "a//b/c/d",
            "a/b/c/d//",
            "/",
            "a\\b/c/d/e",
            "a/b/c/%2e%2e",
            "a/b/c\n/d",
            "./a/b/c/d",
        ] {
            assert_eq!(Target::parse(path), Err(BadPath::Unsafe(path.to_owned())), "{path:?}");
        }
        for path in ["a/b/1/a b", "a/b/1/a~b", "a/b/1/é.jar", "a/b/1/a:b"] {
            let file = path.rsplit('/').next().expect("a file").to_owned();
            assert_eq!(Target::parse(path), Err(BadPath::FileName(file)), "{path:?}");
        }
    }

    #[test]
    fn checksums_are_read_as_tools_write_them() {
        let digest = "0cc175b9c0f1b6a831c399e269772661";
        for text in [
            digest.to_owned(),
            format!("{digest}\n"),
            digest.to_uppercase(),
            format!("{digest}  app-1.0.jar\n"),
            format!("{digest} *app-1.0.jar"),
            format!("MD5 (app-1.0.jar) = {digest}\n"),
        ] {
            assert_eq!(digest_in(text.as_bytes(), DigestAlgorithm::Md5).as_deref(), Some(digest), "{text}");
        }
        for text in ["", "abc", "app-1.0.jar", "0cc175b9c0f1b6a831c399e26977266g", &digest[1..]] {
            assert_eq!(digest_in(text.as_bytes(), DigestAlgorithm::Md5), None, "{text}");
        }
        assert_eq!(digest_in(digest.as_bytes(), DigestAlgorithm::Sha1), None);
        assert_eq!(digest_in(b"\xff", DigestAlgorithm::Sha1), None);
    }

    proptest! {
        #[test]
        fn a_path_is_the_sum_of_its_coordinates(path in "([a-zA-Z0-9._+-]{1,5}/){0,5}[a-z0-9.+-]{1,12}(\\.md5|\\.sha1|\\.sha256|\\.sha512)?") {
            if let Ok(Target { thing: Thing::File(file), side }) = Target::parse(&path) {
                let suffix = side.map_or("", |side| SIDE_FILES.iter().find(|(_, known)| *known == side).expect("known").0);
                prop_assert_eq!(format!("{}/{}/{}{suffix}", file.name, file.version, file.file_name), path);
                prop_assert!(file.name.contains('/'));
            }
        }

        #[test]
        fn nothing_leaves_its_folder(path in "(\\PC|[./%\\\\\r\n\0]){0,40}") {
            if Target::parse(&path).is_ok() {
                prop_assert!(path.split('/').all(|segment| !matches!(segment, "" | "." | "..")));
                prop_assert!(!path.contains(['\\', '%', '\r', '\n', '\0']));
            }
            let _ = digest_in(path.as_bytes(), DigestAlgorithm::Sha1);
        }
    }
}
