//! Who may know that a project exists, and who may reach its registry.

/// Visibility of a project or group. The numbers are GitLab's visibility levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i16)]
pub enum Visibility {
    /// Members only.
    Private = 0,
    /// Every signed-in user.
    Internal = 10,
    /// Everyone.
    Public = 20,
}

impl Visibility {
    /// All visibilities, narrowest first.
    pub const ALL: &[Self] = &[Self::Private, Self::Internal, Self::Public];

    /// The stored number.
    pub const fn number(self) -> i16 {
        self as i16
    }

    /// The visibility with this stored number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.iter().copied().find(|visibility| visibility.number() == number)
    }

    /// The name in REST and GraphQL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Internal => "internal",
            Self::Public => "public",
        }
    }

    /// The visibility called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|visibility| visibility.name() == name)
    }
}

/// Who may use a project's package registry (GitLab's `package_registry_access_level`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i16)]
pub enum RegistryAccessLevel {
    /// Nobody: every package operation is refused.
    Disabled = 0,
    /// Members of the project only, whatever its visibility.
    Private = 10,
    /// Whoever the project's visibility lets in.
    Enabled = 20,
    /// "Allow anyone to pull": viewing and pulling are open to everyone.
    Public = 30,
}

impl RegistryAccessLevel {
    /// All levels, narrowest first.
    pub const ALL: &[Self] = &[Self::Disabled, Self::Private, Self::Enabled, Self::Public];

    /// The stored number.
    pub const fn number(self) -> i16 {
        self as i16
    }

    /// The level with this stored number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.iter().copied().find(|level| level.number() == number)
    }

    /// The name in REST.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Private => "private",
            Self::Enabled => "enabled",
            Self::Public => "public",
        }
    }

    /// The level called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|level| level.name() == name)
    }
}
