//! Enums of projects and groups.

use async_graphql::Enum;

/// Who may know a project or group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::Visibility")]
pub(crate) enum VisibilityLevelsEnum {
    /// Members only.
    #[graphql(name = "private")]
    Private,
    /// Every signed-in user.
    #[graphql(name = "internal")]
    Internal,
    /// Everyone.
    #[graphql(name = "public")]
    Public,
}

/// Who may use a project's package registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::RegistryAccessLevel")]
pub(crate) enum PackageRegistryAccessLevel {
    /// Nobody: every package operation is refused.
    Disabled,
    /// Members of the project only, whatever its visibility.
    Private,
    /// Whoever the project's visibility lets in.
    Enabled,
    /// Viewing and pulling are open to everyone.
    Public,
}
