//! Database ids as types, so that a package's id cannot be taken for a file's.

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
            #[serde(transparent)]
            pub struct $name(pub i64);

            impl std::fmt::Display for $name {
                fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    self.0.fmt(formatter)
                }
            }
        )+
    };
}

ids! {
    /// A person or a machine account.
    UserId,
    /// A group or a user's own namespace; the two share one sequence.
    NamespaceId,
    /// A project.
    ProjectId,
    /// A membership.
    MemberId,
    /// Somewhere a user is signed in.
    UserSessionId,
    /// An account at a provider that signs in as a user.
    UserIdentityId,
    /// A personal access token.
    AccessTokenId,
    /// A deploy token.
    DeployTokenId,
    /// Whose ID tokens a project accepts.
    TrustedPublisherId,
    /// A run of CI.
    PipelineId,
    /// A job of a run of CI.
    CiJobId,
    /// One version of one package.
    PackageId,
    /// The name under which versions of a package stand in one project.
    PackageNameId,
    /// A file of a package.
    PackageFileId,
    /// A movable name for a version.
    PackageTagId,
    /// A protection rule.
    ProtectionRuleId,
    /// Something that was changed or refused.
    AuditEventId,
    /// Stored bytes.
    BlobId,
    /// Work that is done beside requests.
    BackgroundJobId,
    /// One time that such work was done.
    BackgroundJobRunId,
    /// A name and version pattern that packages depend on.
    DependencyId,
    /// A package's dependency on a name and version pattern.
    DependencyLinkId,
}
