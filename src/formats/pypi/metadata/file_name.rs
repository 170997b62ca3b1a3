//! Names of distribution files: what they say of the name, the version and the tags (PEP 427, 625).

use crate::pypi::rules::{is_name, normalized, parse_version, version_key};

/// The kinds of files that are taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pypi) enum FileKind {
    /// `.whl`.
    Wheel,
    /// `.tar.gz`.
    TarGz,
    /// `.zip`, which source archives were before PEP 625.
    Zip,
}

/// A name and a version that a file name may be of, each as compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::pypi) struct Candidate {
    /// The name.
    pub(in crate::pypi) name: String,
    /// The version.
    pub(in crate::pypi) version: String,
}

/// The tags in the name of a wheel: what it can be installed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::pypi) struct Tags<'a> {
    /// The build number, if it has one.
    pub(in crate::pypi) build: Option<&'a str>,
    python: &'a str,
    abi: &'a str,
    platform: &'a str,
}

impl Tags<'_> {
    /// Every single tag that the compressed ones stand for, as compared.
    pub(in crate::pypi) fn expanded(&self) -> impl Iterator<Item = String> {
        self.python.split('.').flat_map(move |python| {
            self.abi.split('.').flat_map(move |abi| {
                self.platform
                    .split('.')
                    .map(move |platform| format!("{python}-{abi}-{platform}").to_ascii_lowercase())
            })
        })
    }
}

/// The name of a distribution file, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::pypi) struct FileName<'a> {
    /// What kind of file it names.
    pub(in crate::pypi) kind: FileKind,
    /// Name and version, with a hyphen between them.
    stem: &'a str,
    /// The tags of a wheel.
    pub(in crate::pypi) tags: Option<Tags<'a>>,
}

impl<'a> FileName<'a> {
    /// Takes a file name apart. None when no distribution file is called like that.
    pub(in crate::pypi) fn parse(raw: &'a str) -> Option<Self> {
        if let Some(stem) = raw.strip_suffix(".whl") {
            return Self::of_wheel(stem);
        }
        let (stem, kind) = match (raw.strip_suffix(".tar.gz"), raw.strip_suffix(".zip")) {
            (Some(stem), _) => (stem, FileKind::TarGz),
            (_, Some(stem)) => (stem, FileKind::Zip),
            _ => return None,
        };
        let file = Self { kind, stem, tags: None };
        file.candidates().next().is_some().then_some(file)
    }

    /// `{name}-{version}(-{build})?-{python}-{abi}-{platform}`, none of which has a hyphen in it.
    fn of_wheel(stem: &'a str) -> Option<Self> {
        let parts: Vec<&str> = stem.split('-').collect();
        let (build, [python, abi, platform]) = match parts[..] {
            [_, _, python, abi, platform] => (None, [python, abi, platform]),
            [_, _, build, python, abi, platform] if build.starts_with(|c: char| c.is_ascii_digit()) => {
                (Some(build), [python, abi, platform])
            }
            _ => return None,
        };
        let is_tag = |tag: &str| {
            tag.split('.').all(|single| {
                !single.is_empty() && single.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            })
        };
        let is_build = |build: &str| {
            build.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
        };
        if !build.is_none_or(is_build) || ![python, abi, platform].into_iter().all(is_tag) {
            return None;
        }
        let tags = Tags { build, python, abi, platform };
        let file = Self {
            kind: FileKind::Wheel,
            stem: &stem[..parts[0].len() + 1 + parts[1].len()],
            tags: Some(tags),
        };
        file.candidates().next().is_some().then_some(file)
    }

    /// What the file may be of, likeliest first. One of a wheel; a source archive of an old tool may have hyphens in its name
    /// and in its version, so that `a-1-2.tar.gz` is version 2 of `a-1` and post-release 2 of version 1 of `a`.
    pub(in crate::pypi) fn candidates(&self) -> impl Iterator<Item = Candidate> + use<'a> {
        candidates(self.stem)
    }
}

/// The names and versions that `stem` may be made of, with the longest name first.
pub(in crate::pypi) fn candidates(stem: &str) -> impl Iterator<Item = Candidate> {
    stem.rmatch_indices('-').filter_map(|(position, _)| {
        let (name, version) = (&stem[..position], &stem[position + 1..]);
        // A hyphen is written as an underscore where hyphens separate.
        let version = parse_version(version).or_else(|| parse_version(&version.replace('_', "-")))?;
        is_name(name).then(|| Candidate { name: normalized(name), version: version_key(&version) })
    })
}
