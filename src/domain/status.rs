//! The life cycle of packages and files.

/// Status of a package. The numbers are GitLab's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i16)]
pub enum PackageStatus {
    /// Published and listed.
    Default = 0,
    /// Downloadable by those who know its coordinates; not listed.
    Hidden = 1,
    /// Being extracted; neither listed nor downloadable.
    Processing = 2,
    /// Extraction failed; listed with a message, not downloadable.
    Error = 3,
    /// Deleted: gone from every endpoint, kept as a tombstone.
    PendingDestruction = 4,
    /// Published, listed, and advised against.
    Deprecated = 5,
}

impl PackageStatus {
    /// All statuses.
    pub const ALL: &[Self] = &[
        Self::Default,
        Self::Hidden,
        Self::Processing,
        Self::Error,
        Self::PendingDestruction,
        Self::Deprecated,
    ];
    /// Statuses whose files can be downloaded.
    pub const INSTALLABLE: &[Self] = &[Self::Default, Self::Hidden, Self::Deprecated];
    /// Statuses that lists show when none is asked for.
    pub const DISPLAYABLE: &[Self] = &[Self::Default, Self::Error, Self::Deprecated];
    /// Statuses that have a details page.
    pub const DETAILED: &[Self] = &[Self::Default, Self::Deprecated];

    /// The stored number.
    pub const fn number(self) -> i16 {
        self as i16
    }

    /// The status with this stored number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.iter().copied().find(|status| status.number() == number)
    }

    /// The name in REST.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Hidden => "hidden",
            Self::Processing => "processing",
            Self::Error => "error",
            Self::PendingDestruction => "pending_destruction",
            Self::Deprecated => "deprecated",
        }
    }

    /// The status called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|status| status.name() == name)
    }

    /// Whether files of a package in this status can be downloaded.
    pub fn is_installable(self) -> bool {
        Self::INSTALLABLE.contains(&self)
    }
}

/// Status of a package file. The numbers are GitLab's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum FileStatus {
    /// Downloadable.
    Default = 0,
    /// Deleted: gone from every endpoint, kept as a tombstone.
    PendingDestruction = 1,
}

impl FileStatus {
    /// The stored number.
    pub const fn number(self) -> i16 {
        self as i16
    }
}
