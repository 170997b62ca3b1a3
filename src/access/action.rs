//! What can be done.

/// Something a caller wants to do with a project, a group or the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Know that the project or group exists and read its attributes.
    View,
    /// See packages in lists and details.
    ViewPackages,
    /// Download files and read index documents.
    PullPackages,
    /// Publish files, versions and tags.
    PublishPackages,
    /// Delete packages, files and tags; deprecate.
    DestroyPackages,
    /// Create a project in a group.
    CreateProject,
    /// Create a subgroup in a group, or a top-level group on the instance.
    CreateGroup,
    /// See who is a member.
    ViewMembers,
    /// Add, change and remove members.
    ManageMembers,
    /// List, create and revoke deploy tokens.
    ManageDeployTokens,
    /// Change the project's or group's attributes.
    Administer,
    /// Delete the project or group.
    Destroy,
}

impl Action {
    /// Every action.
    pub const ALL: &[Self] = &[
        Self::View,
        Self::ViewPackages,
        Self::PullPackages,
        Self::PublishPackages,
        Self::DestroyPackages,
        Self::CreateProject,
        Self::CreateGroup,
        Self::ViewMembers,
        Self::ManageMembers,
        Self::ManageDeployTokens,
        Self::Administer,
        Self::Destroy,
    ];

    /// Whether the action is about packages, and so falls under the registry's switches.
    pub const fn concerns_packages(self) -> bool {
        matches!(
            self,
            Self::ViewPackages | Self::PullPackages | Self::PublishPackages | Self::DestroyPackages
        )
    }
}
