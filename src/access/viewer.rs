//! Who asks, and how far the presented token lets them go.

use std::sync::Arc;

use domain::{DeployTokenId, NamespaceId, ProjectId, Scope, Scopes, TokenLimits, TrustedPublisherId, UserId};

/// What a deploy token was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// One project.
    Project(ProjectId),
    /// A group with every project below it.
    Group(NamespaceId),
}

/// Whom a credential proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// Nobody in particular.
    Anonymous,
    /// A user.
    User {
        /// The user.
        id: UserId,
        /// Whether the user administers the instance.
        admin: bool,
    },
    /// A deploy token, which is nobody and acts for one project or group.
    DeployToken {
        /// The token.
        id: DeployTokenId,
        /// What it was made for.
        holder: Holder,
    },
    /// CI that a project trusts: nobody, who publishes to that project.
    TrustedPublisher {
        /// The publisher.
        id: TrustedPublisherId,
        /// The only project that it reaches.
        project: ProjectId,
    },
}

/// By way of what a user acts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Via {
    /// Nothing: a person with a token of their own.
    #[default]
    Person,
    /// An access token of a project or group, whose user is a bot that was made for it.
    Bot,
    /// A CI job, which reaches only these projects: its own and those that let its jobs in.
    Job(Arc<[ProjectId]>),
}

/// Identity and ceiling of a caller. Exchanging one credential for another can only lower the ceiling.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Viewer {
    identity: Identity,
    scopes: Scopes,
    limits: TokenLimits,
    via: Via,
}

impl Viewer {
    /// A caller without a credential.
    pub const fn anonymous() -> Self {
        Self::new(Identity::Anonymous, Scopes::all())
    }

    /// A caller that presented a credential with these scopes.
    pub const fn new(identity: Identity, scopes: Scopes) -> Self {
        Self { identity, scopes, limits: TokenLimits::none(), via: Via::Person }
    }

    /// The same caller, whose token is limited to some packages.
    #[must_use]
    pub fn limited_to(self, limits: TokenLimits) -> Self {
        Self { limits, ..self }
    }

    /// The same caller, who acts by way of something.
    #[must_use]
    pub fn by_way_of(self, via: Via) -> Self {
        Self { via, ..self }
    }

    /// Whom the credential proved.
    pub const fn identity(&self) -> Identity {
        self.identity
    }

    /// The ceiling.
    pub const fn scopes(&self) -> Scopes {
        self.scopes
    }

    /// What the token is limited to.
    pub const fn limits(&self) -> &TokenLimits {
        &self.limits
    }

    /// By way of what the caller acts.
    pub const fn via(&self) -> &Via {
        &self.via
    }

    /// Whether the caller is a person with a token of their own: neither a bot nor a CI job.
    pub(crate) const fn is_in_person(&self) -> bool {
        matches!((&self.via, self.identity), (Via::Person, Identity::User { .. }))
    }

    /// Whether the caller is a CI job.
    pub(crate) const fn is_job(&self) -> bool {
        matches!(self.via, Via::Job(_))
    }

    /// Whether the caller's role in the project counts.
    pub(crate) fn reaches(&self, project: ProjectId) -> bool {
        match &self.via {
            Via::Person | Via::Bot => true,
            Via::Job(projects) => projects.contains(&project),
        }
    }

    /// Whether the caller presented no credential.
    pub const fn is_anonymous(&self) -> bool {
        matches!(self.identity, Identity::Anonymous)
    }

    /// The user, when the caller is one.
    pub const fn user(&self) -> Option<UserId> {
        match self.identity {
            Identity::User { id, .. } => Some(id),
            Identity::Anonymous | Identity::DeployToken { .. } | Identity::TrustedPublisher { .. } => None,
        }
    }

    /// Whether the caller administers the instance and the token lets the power through.
    pub fn is_admin(&self) -> bool {
        matches!(self.identity, Identity::User { admin: true, .. })
    }

    /// Whether the token's scopes open reading of packages.
    pub(crate) fn reads_packages(&self) -> bool {
        self.is_anonymous()
            || self.scopes.contains_any(&[
                Scope::Api,
                Scope::ReadApi,
                Scope::ReadPackageRegistry,
                Scope::WritePackageRegistry,
            ])
    }

    /// Whether the token's scopes open writing of packages.
    pub(crate) fn writes_packages(&self) -> bool {
        self.scopes.contains_any(&[Scope::Api, Scope::WritePackageRegistry])
    }

    /// Whether the token's scopes open reading of what is not a package.
    pub(crate) fn reads_api(&self) -> bool {
        self.is_anonymous() || self.scopes.contains_any(&[Scope::Api, Scope::ReadApi])
    }

    /// Whether the token's scopes open changing what is not a package.
    pub(crate) fn writes_api(&self) -> bool {
        self.scopes.contains(Scope::Api)
    }
}
