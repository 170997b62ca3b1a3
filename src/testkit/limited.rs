//! A format's rules with a lower limit of the size of files, so that a test need not send gigabytes.

use domain::{
    DigestAlgorithm, Failure, PackageFormat, PackageName, PackageVersion,
    rules::{
        FormatRules, Fragment, Identity, IncomingFile, Inspection, InstanceOrigin, Publication,
        PublishedFile, PublishedVersion, Republish,
    },
};

/// `rules` with another limit.
pub(crate) fn limited(rules: &'static dyn FormatRules, limit: u64) -> &'static dyn FormatRules {
    Box::leak(Box::new(Limited { rules, limit }))
}

struct Limited {
    rules: &'static dyn FormatRules,
    limit: u64,
}

impl FormatRules for Limited {
    fn format(&self) -> PackageFormat {
        self.rules.format()
    }

    fn name(&self, raw: &str) -> Result<PackageName, Failure> {
        self.rules.name(raw)
    }

    fn version(&self, raw: &str) -> Result<PackageVersion, Failure> {
        self.rules.version(raw)
    }

    fn file_name(
        &self,
        name: &PackageName,
        version: Option<&PackageVersion>,
        raw: &str,
    ) -> Result<String, Failure> {
        self.rules.file_name(name, version, raw)
    }

    fn identify(&self, file: &IncomingFile<'_>) -> Result<Identity, Failure> {
        self.rules.identify(file)
    }

    fn republish(&self) -> Republish {
        self.rules.republish()
    }

    fn republish_refused(&self) -> Republish {
        self.rules.republish_refused()
    }

    fn is_named_once(&self) -> bool {
        self.rules.is_named_once()
    }

    fn max_file_size(&self) -> u64 {
        self.limit
    }

    fn digests(&self) -> &'static [DigestAlgorithm] {
        self.rules.digests()
    }

    fn allows_versionless(&self) -> bool {
        self.rules.allows_versionless()
    }

    fn instance_origin(&self, name: &PackageName) -> InstanceOrigin {
        self.rules.instance_origin(name)
    }

    fn wants_patterns_like_names(&self) -> bool {
        self.rules.wants_patterns_like_names()
    }

    fn inspect(&self, publication: &Publication<'_>) -> Result<Inspection, Failure> {
        self.rules.inspect(publication)
    }

    fn fragments(&self, version: &PublishedVersion<'_>) -> Vec<Fragment> {
        self.rules.fragments(version)
    }

    fn fragments_read_files(&self) -> bool {
        self.rules.fragments_read_files()
    }

    fn file_fragments(&self, version: &PublishedVersion<'_>, file: &PublishedFile) -> Vec<Fragment> {
        self.rules.file_fragments(version, file)
    }
}
