//! What is written down of changes and refusals.

/// Calls a macro with one row per kind of event: `Variant, "name", "SDL_NAME", "when it is written"`.
///
/// The names are GitLab's where GitLab writes the event. The Rust enum below and the SDL enum of the `graphql` crate both expand
/// from this list, so they cannot differ.
#[macro_export]
macro_rules! for_each_event {
    ($($callback:tt)+) => {
        $($callback)+! {
            (PackagePublished, "package_registry_package_published", "PACKAGE_REGISTRY_PACKAGE_PUBLISHED",
                "A package was published."),
            (PackageDeleted, "package_registry_package_deleted", "PACKAGE_REGISTRY_PACKAGE_DELETED",
                "A package was deleted."),
            (PackageFilesAdded, "package_registry_package_files_added", "PACKAGE_REGISTRY_PACKAGE_FILES_ADDED",
                "Files were added to a package that was there already (ours)."),
            (PackageFileDeleted, "package_registry_package_file_deleted", "PACKAGE_REGISTRY_PACKAGE_FILE_DELETED",
                "A file of a package was deleted (ours)."),
            (PackageTagSet, "package_registry_package_tag_set", "PACKAGE_REGISTRY_PACKAGE_TAG_SET",
                "A tag was pointed at a package (ours)."),
            (PackageTagRemoved, "package_registry_package_tag_removed", "PACKAGE_REGISTRY_PACKAGE_TAG_REMOVED",
                "A tag was removed (ours)."),
            (PackageDeprecationUpdated, "package_registry_package_deprecation_updated",
                "PACKAGE_REGISTRY_PACKAGE_DEPRECATION_UPDATED",
                "A package was marked as deprecated, or no longer (ours)."),
            (PackageFlagUpdated, "package_registry_package_flag_updated", "PACKAGE_REGISTRY_PACKAGE_FLAG_UPDATED",
                "A package was yanked or unlisted, or no longer (ours)."),
            (PackageSettingsUpdated, "package_registry_settings_updated", "PACKAGE_REGISTRY_SETTINGS_UPDATED",
                "The package settings of a namespace were changed (ours)."),
            (ProtectionRuleCreated, "package_registry_protection_rule_created",
                "PACKAGE_REGISTRY_PROTECTION_RULE_CREATED", "A protection rule was created (ours)."),
            (ProtectionRuleUpdated, "package_registry_protection_rule_updated",
                "PACKAGE_REGISTRY_PROTECTION_RULE_UPDATED", "A protection rule was changed (ours)."),
            (ProtectionRuleDeleted, "package_registry_protection_rule_deleted",
                "PACKAGE_REGISTRY_PROTECTION_RULE_DELETED", "A protection rule was deleted (ours)."),
            (CleanupPolicyUpdated, "package_registry_cleanup_policy_updated",
                "PACKAGE_REGISTRY_CLEANUP_POLICY_UPDATED", "The clean-up policy of a project was changed (ours)."),
            (RetentionPolicyUpdated, "package_registry_retention_policy_updated",
                "PACKAGE_REGISTRY_RETENTION_POLICY_UPDATED",
                "The retention policy of a project or group was changed (ours)."),
            (RegistryAccessLevelUpdated, "project_feature_package_registry_access_level_updated",
                "PROJECT_FEATURE_PACKAGE_REGISTRY_ACCESS_LEVEL_UPDATED",
                "Who may use the registry of a project was changed."),
            (ProjectVisibilityUpdated, "project_visibility_level_updated", "PROJECT_VISIBILITY_LEVEL_UPDATED",
                "The visibility of a project was changed."),
            (ProjectCreated, "project_created", "PROJECT_CREATED", "A project was created."),
            (ProjectNameUpdated, "project_name_updated", "PROJECT_NAME_UPDATED", "The name of a project was changed."),
            (ProjectPathUpdated, "project_path_updated", "PROJECT_PATH_UPDATED", "The path of a project was changed."),
            (ProjectDescriptionUpdated, "project_description_updated", "PROJECT_DESCRIPTION_UPDATED",
                "The description of a project was changed."),
            (ProjectDestroyed, "project_destroyed", "PROJECT_DESTROYED", "A project was deleted."),
            (GroupVisibilityUpdated, "group_visibility_level_updated", "GROUP_VISIBILITY_LEVEL_UPDATED",
                "The visibility of a group was changed."),
            (GroupRegistryUpdated, "group_package_registry_enabled_updated", "GROUP_PACKAGE_REGISTRY_ENABLED_UPDATED",
                "The package registry of a group was switched on or off (ours)."),
            (GroupCreated, "group_created", "GROUP_CREATED", "A group was created."),
            (GroupNameUpdated, "group_name_updated", "GROUP_NAME_UPDATED", "The name of a group was changed."),
            (GroupPathUpdated, "group_path_updated", "GROUP_PATH_UPDATED", "The path of a group was changed."),
            (GroupDescriptionUpdated, "group_description_updated", "GROUP_DESCRIPTION_UPDATED",
                "The description of a group was changed."),
            (GroupDestroyed, "group_destroyed", "GROUP_DESTROYED", "A group was deleted."),
            (MemberCreated, "member_created", "MEMBER_CREATED", "Somebody became a member."),
            (MemberUpdated, "member_updated", "MEMBER_UPDATED", "The role or the last day of a member was changed."),
            (MemberDestroyed, "member_destroyed", "MEMBER_DESTROYED", "Somebody is no longer a member."),
            (AccessTokenCreated, "personal_access_token_created", "PERSONAL_ACCESS_TOKEN_CREATED",
                "A personal access token was created."),
            (AccessTokenRotated, "personal_access_token_rotated", "PERSONAL_ACCESS_TOKEN_ROTATED",
                "A personal access token was replaced by another."),
            (AccessTokenRevoked, "personal_access_token_revoked", "PERSONAL_ACCESS_TOKEN_REVOKED",
                "A personal access token was revoked."),
            (ProjectAccessTokenCreated, "project_access_token_created", "PROJECT_ACCESS_TOKEN_CREATED",
                "An access token of a project was created."),
            (ProjectAccessTokenRotated, "project_access_token_rotated", "PROJECT_ACCESS_TOKEN_ROTATED",
                "An access token of a project was replaced by another (ours)."),
            (ProjectAccessTokenRevoked, "project_access_token_deleted", "PROJECT_ACCESS_TOKEN_DELETED",
                "An access token of a project was revoked."),
            (GroupAccessTokenCreated, "group_access_token_created", "GROUP_ACCESS_TOKEN_CREATED",
                "An access token of a group was created."),
            (GroupAccessTokenRotated, "group_access_token_rotated", "GROUP_ACCESS_TOKEN_ROTATED",
                "An access token of a group was replaced by another (ours)."),
            (GroupAccessTokenRevoked, "group_access_token_deleted", "GROUP_ACCESS_TOKEN_DELETED",
                "An access token of a group was revoked."),
            (DeployTokenCreated, "deploy_token_created", "DEPLOY_TOKEN_CREATED", "A deploy token was created."),
            (DeployTokenRevoked, "deploy_token_revoked", "DEPLOY_TOKEN_REVOKED", "A deploy token was revoked."),
            (JobTokenCreated, "ci_job_token_created", "CI_JOB_TOKEN_CREATED",
                "A token for a CI job was made (ours)."),
            (JobEnded, "ci_job_ended", "CI_JOB_ENDED", "A CI job ended, and with it its token (ours)."),
            (JobTokenProjectAdded, "secure_ci_job_token_project_added", "SECURE_CI_JOB_TOKEN_PROJECT_ADDED",
                "A project lets the CI jobs of another in."),
            (JobTokenProjectRemoved, "secure_ci_job_token_project_removed", "SECURE_CI_JOB_TOKEN_PROJECT_REMOVED",
                "A project no longer lets the CI jobs of another in."),
            (TrustedPublisherCreated, "trusted_publisher_created", "TRUSTED_PUBLISHER_CREATED",
                "A project trusts ID tokens of CI (ours)."),
            (TrustedPublisherDeleted, "trusted_publisher_deleted", "TRUSTED_PUBLISHER_DELETED",
                "A project no longer trusts ID tokens of CI (ours)."),
            (TrustedTokenCreated, "trusted_token_created", "TRUSTED_TOKEN_CREATED",
                "An ID token of CI was exchanged for a token (ours)."),
            (UserCreated, "user_created", "USER_CREATED", "A user was created."),
            (UserBlocked, "user_blocked", "USER_BLOCKED", "A user was shut out."),
            (UserUnblocked, "unblock_user", "UNBLOCK_USER", "A user was let in again."),
            (UserLoggedIn, "user_logged_in", "USER_LOGGED_IN", "Somebody signed in."),
            (LoginFailed, "login_failed_with_standard_authentication", "LOGIN_FAILED_WITH_STANDARD_AUTHENTICATION",
                "Somebody gave a wrong password for a user."),
            (UserAccessLocked, "user_access_locked", "USER_ACCESS_LOCKED",
                "The password of a user was locked for a while, after too many wrong ones."),
            (UserPasswordUpdated, "user_password_updated", "USER_PASSWORD_UPDATED",
                "A user was given a password, or changed it."),
            (UserSessionRevoked, "user_session_revoked", "USER_SESSION_REVOKED",
                "A session of a user was ended from elsewhere (ours)."),
            (UserLoggedOut, "logout", "LOGOUT", "Somebody signed out."),
            (UserIdentityLinked, "user_identity_linked", "USER_IDENTITY_LINKED",
                "An account at a provider was linked to a user (ours)."),
            (UserIdentityUnlinked, "user_identity_unlinked", "USER_IDENTITY_UNLINKED",
                "An account at a provider was unlinked from a user (ours)."),
            (InstanceSettingUpdated, "application_setting_updated", "APPLICATION_SETTING_UPDATED",
                "A setting of the instance was changed."),
            (WriteRefused, "package_registry_write_refused", "PACKAGE_REGISTRY_WRITE_REFUSED",
                "Somebody was refused a change (ours)."),
        }
    };
}

macro_rules! define_event_kind {
    ($(($variant:ident, $name:literal, $sdl:literal, $doc:literal)),+ $(,)?) => {
        /// A kind of event.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum EventKind { $(#[doc = $doc] $variant),+ }

        impl EventKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name, as it is stored and shown.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

for_each_event!(define_event_kind);

/// What an event belongs to: the thing whose people may read it. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum EntityType {
    /// The instance.
    Instance = 0,
    /// A user.
    User = 1,
    /// A group.
    Group = 2,
    /// A project.
    Project = 3,
}

impl EntityType {
    /// Every type.
    pub const ALL: &[Self] = &[Self::Instance, Self::User, Self::Group, Self::Project];

    /// The stored number.
    pub const fn number(self) -> i16 {
        self as i16
    }

    /// The type with this stored number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.number() == number)
    }

    /// GitLab's name of the type.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Instance => "Gitlab::Audit::InstanceScope",
            Self::User => "User",
            Self::Group => "Group",
            Self::Project => "Project",
        }
    }

    /// The type called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// Who did it. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum AuthorType {
    /// The server itself, or somebody on its machine.
    System = 0,
    /// A user.
    User = 1,
    /// A deploy token.
    DeployToken = 2,
    /// A trusted publisher.
    TrustedPublisher = 3,
}

impl AuthorType {
    /// Every type.
    pub const ALL: &[Self] = &[Self::System, Self::User, Self::DeployToken, Self::TrustedPublisher];

    /// The stored number.
    pub const fn number(self) -> i16 {
        self as i16
    }

    /// The type with this stored number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.number() == number)
    }

    /// GitLab's name of the class of the author.
    pub const fn class(self) -> &'static str {
        match self {
            Self::System => "Gitlab::Audit::UnauthenticatedAuthor",
            Self::User => "User",
            Self::DeployToken => "Gitlab::Audit::DeployTokenAuthor",
            Self::TrustedPublisher => "TrustedPublisher",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::EventKind;

    #[test]
    fn names_are_unique_and_the_sdl_says_the_same() {
        let names: BTreeSet<_> = EventKind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), EventKind::ALL.len());
        macro_rules! compare {
            ($(($variant:ident, $name:literal, $sdl:literal, $doc:literal)),+ $(,)?) => {
                $(assert_eq!($name.to_ascii_uppercase(), $sdl);)+
            };
        }
        for_each_event!(compare);
    }
}
