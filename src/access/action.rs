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
    /// See what is decided about packages: settings, protection rules, the clean-up policy.
    ViewPackageSettings,
    /// Decide about packages: settings, protection rules, the clean-up policy (GitLab's `admin_package`).
    AdministerPackages,
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
    /// List, create, rotate and revoke access tokens of the project or group itself.
    ManageAccessTokens,
    /// Replace the access token in use by a new one.
    RenewToken,
    /// Make tokens for CI jobs of the project, and end the jobs.
    ManageJobs,
    /// See what oneself did, in the audit log.
    ViewOwnAuditEvents,
    /// See what anybody did, in the audit log.
    ViewAuditEvents,
    /// Change the project's or group's attributes.
    Administer,
    /// Change who may know the project or group (GitLab's `change_visibility_level`).
    ChangeVisibility,
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
        Self::ViewPackageSettings,
        Self::AdministerPackages,
        Self::CreateProject,
        Self::CreateGroup,
        Self::ViewMembers,
        Self::ManageMembers,
        Self::ManageDeployTokens,
        Self::ManageAccessTokens,
        Self::RenewToken,
        Self::ManageJobs,
        Self::ViewOwnAuditEvents,
        Self::ViewAuditEvents,
        Self::Administer,
        Self::ChangeVisibility,
        Self::Destroy,
    ];

    /// Whether the action is about packages, and so falls under the registry's switches.
    pub const fn concerns_packages(self) -> bool {
        matches!(
            self,
            Self::ViewPackages
                | Self::PullPackages
                | Self::PublishPackages
                | Self::DestroyPackages
                | Self::ViewPackageSettings
                | Self::AdministerPackages
        )
    }

    /// Whether the action changes nothing and tells nothing that is in a package: a token that reads the API may do it.
    pub(crate) const fn reads(self) -> bool {
        matches!(
            self,
            Self::View
                | Self::ViewMembers
                | Self::ViewPackageSettings
                | Self::ViewOwnAuditEvents
                | Self::ViewAuditEvents
        )
    }
}
