//! Marks that a version may carry, each with a reason. They change how it is listed, never what is stored.

/// A mark on a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i16)]
pub enum PackageFlag {
    /// Not to be chosen unless asked for by its very version (PyPI, Cargo, RubyGems).
    Yanked = 1,
    /// Installable and not found by searching (NuGet).
    Unlisted = 2,
}

impl PackageFlag {
    /// Every mark.
    pub const ALL: &[Self] = &[Self::Yanked, Self::Unlisted];

    /// The stored number.
    pub const fn number(self) -> i16 {
        self as i16
    }

    /// The name in the audit log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Yanked => "yanked",
            Self::Unlisted => "unlisted",
        }
    }

    /// The mark with this stored number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.iter().copied().find(|flag| flag.number() == number)
    }
}

/// A mark that a version carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionFlag {
    /// Which one.
    pub flag: PackageFlag,
    /// Why, when somebody said so.
    pub reason: Option<String>,
}
