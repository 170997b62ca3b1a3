//! What the model asks of a format: its rules, its inspector, its index fragments.
//!
//! The model calls these inside publish, so that a publish through GraphQL and one through the client's own protocol
//! meet the same checks. Everything here is synchronous and pure, but for reading the staged content.

use std::{
    borrow::Cow,
    io::{self, Read, Seek},
};

use serde_json::Value;
use time::OffsetDateTime;

use crate::{
    DigestAlgorithm, Digests, Failure, PackageFileId, PackageFormat, PackageName, PackageStatus,
    PackageVersion, ProjectId, VersionFlag,
};

/// What happens when a version that exists is published again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Republish {
    /// Refused, also after a deletion unless the bytes are the same (npm, Cargo).
    Forbidden,
    /// More files may be added, a file name may not be used twice (PyPI).
    NewFilesOnly,
    /// More files may be added; of two files with one name, the newest is served (generic, Maven).
    LatestWins,
}

/// Bytes that can be read and sought: the content of a staged file, as an inspector sees it.
pub trait ReadSeek: Read + Seek + Send {}
impl<T: Read + Seek + Send> ReadSeek for T {}

/// Gives the content of a staged file. Every call starts a new reader at the beginning.
pub trait Content: Send + Sync {
    /// Opens the content. Fails as the store of bytes fails.
    fn open(&self) -> io::Result<Box<dyn ReadSeek + '_>>;
}

/// A file about to be published.
pub struct IncomingFile<'a> {
    /// The name it is to be stored under, with `/` where the format allows directories. Empty in [`FormatRules::identify`]
    /// when nobody gave one.
    pub file_name: String,
    /// The shelf it is to stand on, for formats that have some.
    pub channel: Option<String>,
    /// Length in bytes.
    pub size: u64,
    /// Digests computed while it was uploaded.
    pub digests: Digests,
    /// Named properties that the format keeps with the file (architecture, classifier …).
    pub properties: Value,
    /// Its bytes.
    pub content: &'a dyn Content,
}

/// What a file says of where it belongs, for clients that send an archive and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The package name, as the archive spells it.
    pub name: String,
    /// The version.
    pub version: Option<String>,
    /// The file name, when the archive settles it.
    pub file_name: Option<String>,
}

/// A version about to be published, as claimed by the client.
pub struct Publication<'a> {
    /// The checked name.
    pub name: &'a PackageName,
    /// The checked version; none for packages without versions.
    pub version: Option<&'a PackageVersion>,
    /// The files, at least one unless the format publishes versions without files.
    pub files: Vec<IncomingFile<'a>>,
    /// What the client says about the version, in the format's own words (npm: the manifest of the version).
    pub metadata: Value,
}

/// What a format found in a publication: the truth as far as the archive tells it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inspection {
    /// Metadata of the version to keep, in the format's own words. `null` means: keep what is stored, dependencies too. A
    /// second file of a version must not wipe what the first one said.
    pub metadata: Value,
    /// What the version depends on.
    pub dependencies: Vec<DeclaredDependency>,
    /// Properties to keep with each file, in the order of the files; missing ones keep what the client gave.
    pub file_properties: Vec<Value>,
}

/// How a package depends on another. The names are GitLab's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i16)]
pub enum DependencyType {
    /// Needed to run.
    Dependencies = 1,
    /// Needed to develop.
    DevDependencies = 2,
    /// Shipped inside.
    BundleDependencies = 3,
    /// Expected of whoever uses the package.
    PeerDependencies = 4,
}

impl DependencyType {
    /// Every kind.
    pub const ALL: &[Self] =
        &[Self::Dependencies, Self::DevDependencies, Self::BundleDependencies, Self::PeerDependencies];

    /// The stored number.
    pub const fn number(self) -> i16 {
        self as i16
    }

    /// The kind with this stored number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.number() == number)
    }
}

/// One dependency that a version declares.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeclaredDependency {
    /// Name of the package depended on.
    pub name: String,
    /// The accepted versions, in the format's own notation.
    pub version_pattern: String,
    /// In which way.
    pub kind: DependencyType,
    /// Where it holds, in the format's own notation: a target framework, an extra with its marker. Empty: everywhere.
    pub scope: String,
}

/// A published version, as the maker of index fragments sees it.
pub struct PublishedVersion<'a> {
    /// The project it stands in.
    pub project: ProjectId,
    /// Its name as displayed.
    pub name: &'a str,
    /// Its version as displayed.
    pub version: Option<&'a str>,
    /// Its status.
    pub status: PackageStatus,
    /// Metadata as the inspector left it.
    pub metadata: &'a Value,
    /// Why it is deprecated, when it is.
    pub deprecation: Option<&'a str>,
    /// Its flags.
    pub flags: &'a [VersionFlag],
    /// Its files, oldest first. Empty in [`FormatRules::fragments`] and [`FormatRules::file_fragments`] of a format whose
    /// fragments do not read them.
    pub files: &'a [PublishedFile],
    /// When it was published.
    pub created_at: OffsetDateTime,
}

/// A file of a published version.
#[derive(Clone, Debug)]
pub struct PublishedFile {
    /// Its id: of two files with one name, the higher one is the newer.
    pub id: PackageFileId,
    /// Its name.
    pub file_name: String,
    /// The shelf it stands on.
    pub channel: Option<String>,
    /// Length in bytes.
    pub size: u64,
    /// Its digests.
    pub digests: Digests,
    /// Properties as the inspector left them.
    pub properties: Value,
    /// When it was published.
    pub created_at: OffsetDateTime,
}

/// What one index document is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DocumentScope {
    /// One package name (a packument, a simple page). Its revision is the name's.
    Name,
    /// All names of a project, or those on one shelf of it (a repository index). It has a revision of its own, raised with
    /// each change of one of its pieces.
    Project,
}

/// The ready piece of one index document that a version or a file contributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Which document of the format it is a piece of ("packument", "Packages/bookworm/main/amd64").
    pub document: Cow<'static, str>,
    /// What that document is about.
    pub scope: DocumentScope,
    /// The piece. [`BASE_URL`] stands for the external URL wherever a link begins.
    pub body: String,
}

impl Fragment {
    /// A piece of a document about one package name.
    pub fn of_name(document: impl Into<Cow<'static, str>>, body: String) -> Self {
        Self { document: document.into(), scope: DocumentScope::Name, body }
    }

    /// A piece of a document about many names of a project.
    pub fn of_project(document: impl Into<Cow<'static, str>>, body: String) -> Self {
        Self { document: document.into(), scope: DocumentScope::Project, body }
    }
}

/// Stands in a fragment for the external URL of the server, without a slash at the end. A control character, since no
/// JSON or HTML writer emits one as it is: published text cannot forge it.
pub const BASE_URL: char = '\u{1}';

/// Where a package may come from that is asked for at the instance level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstanceOrigin {
    /// From any project the caller may see.
    AnyProject,
    /// Only from projects below the top-level group or user with this path, in any case (npm: the scope of the name).
    RootNamespace(String),
    /// From nowhere: names of this kind are not answered at the instance level (npm: names without a scope).
    Nowhere,
}

/// The rules of one format.
pub trait FormatRules: Send + Sync {
    /// Which format this is.
    fn format(&self) -> PackageFormat;

    /// Checks and normalizes a package name.
    fn name(&self, raw: &str) -> Result<PackageName, Failure>;

    /// Checks, normalizes and orders a version.
    fn version(&self, raw: &str) -> Result<PackageVersion, Failure>;

    /// Checks a file name against the coordinates it is published under, and answers the one spelling it is stored and found
    /// under. What it answers, it answers again when asked about that.
    fn file_name(
        &self,
        name: &PackageName,
        version: Option<&PackageVersion>,
        raw: &str,
    ) -> Result<String, Failure>;

    /// Reads from a file where it belongs, when the client did not say. Formats whose clients always say refuse.
    fn identify(&self, _file: &IncomingFile<'_>) -> Result<Identity, Failure> {
        Err(Failure::invalid("name", "Name can't be blank"))
    }

    /// What happens on a second publish of a version, unless the namespace's settings say otherwise.
    fn republish(&self) -> Republish;

    /// What happens on a second publish of a version in a namespace whose settings refuse duplicates. Without a version there is
    /// nothing to be a duplicate of.
    fn republish_refused(&self) -> Republish {
        match self.republish() {
            Republish::LatestWins => Republish::NewFilesOnly,
            refused @ (Republish::Forbidden | Republish::NewFilesOnly) => refused,
        }
    }

    /// Whether a duplicate is a name that another project of the top-level namespace has already, rather than a version that
    /// exists (Terraform modules, which are found by name alone).
    fn is_named_once(&self) -> bool {
        false
    }

    /// Largest file in bytes (GitLab's default plan limit for the format), unless administrators say otherwise. 0 for no limit.
    fn max_file_size(&self) -> u64;

    /// Digests to compute beside SHA-256, because the protocol shows them.
    fn digests(&self) -> &'static [DigestAlgorithm];

    /// Whether a package can be published without a version.
    fn allows_versionless(&self) -> bool {
        false
    }

    /// Where a package of this name may come from when it is asked for at the instance level, where names of strangers meet.
    fn instance_origin(&self, _name: &PackageName) -> InstanceOrigin {
        InstanceOrigin::AnyProject
    }

    /// Whether the pattern of a protection rule has to look like a name, but for its `*` (GitLab's rule for npm and PyPI).
    fn wants_patterns_like_names(&self) -> bool {
        false
    }

    /// Reads the archive and checks the client's claims against it. The archive is the truth: what disagrees is refused.
    fn inspect(&self, publication: &Publication<'_>) -> Result<Inspection, Failure>;

    /// Makes the pieces that the version as a whole contributes to the format's index documents. Formats without an index
    /// make none.
    fn fragments(&self, _version: &PublishedVersion<'_>) -> Vec<Fragment> {
        Vec::new()
    }

    /// Whether [`Self::fragments`] looks at the files. A format that says no does not pay for the files a version has
    /// already when one is added.
    fn fragments_read_files(&self) -> bool {
        true
    }

    /// Makes the pieces that one file contributes: made when it is published, and again when a flag or the
    /// status of its version changes. What it says depends on nothing else of the version.
    fn file_fragments(&self, _version: &PublishedVersion<'_>, _file: &PublishedFile) -> Vec<Fragment> {
        Vec::new()
    }
}

/// The rules of every format this server knows, by format.
#[derive(Clone)]
pub struct RuleBook(std::sync::Arc<[&'static dyn FormatRules]>);

impl RuleBook {
    /// A book of these rules.
    pub fn new(rules: impl IntoIterator<Item = &'static dyn FormatRules>) -> Self {
        Self(rules.into_iter().collect())
    }

    /// The rules of every format.
    pub fn iter(&self) -> impl Iterator<Item = &'static dyn FormatRules> {
        self.0.iter().copied()
    }

    /// The rules of `format`; a failure when this server does not implement it.
    pub fn get(&self, format: PackageFormat) -> Result<&'static dyn FormatRules, Failure> {
        self.0.iter().copied().find(|rules| rules.format() == format).ok_or_else(|| {
            Failure::new(
                crate::ErrorCode::Unsupported,
                format!("Packages of type {} are not supported by this server", format.slug()),
            )
        })
    }
}
