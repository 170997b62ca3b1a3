//! The filter that lists take: which projects a caller may see, in a form that becomes an SQL condition.

use std::sync::Arc;

use domain::{ProjectId, Role, UserId};

use crate::{Action, Holder, Identity, InstanceFacts, Via, Viewer};

/// What a list is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A list of projects or groups.
    Projects,
    /// A list of packages, or an index document made of them.
    Packages,
    /// A list of the pipelines of projects, which private ones show from reporter on.
    Pipelines,
}

/// Which projects a caller may see. Made from a viewer only; the store turns it into a condition, so that pages and counts
/// agree with what single reads allow (`access::tests` and `store` check that they do).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is one independent clause of the condition")]
pub struct Visible {
    /// No restriction by project (administrators).
    pub everything: bool,
    /// Public projects are visible.
    pub public: bool,
    /// Internal projects are visible.
    pub internal: bool,
    /// Projects whose registry is open to everyone are visible, whatever their visibility.
    pub open_registries: bool,
    /// Projects where this user has at least `private_minimum` (private ones) or is any member (others) are visible.
    pub member: Option<UserId>,
    /// Only in these projects do roles count (CI jobs).
    pub reach: Option<Arc<[ProjectId]>>,
    /// The least role that opens a private project.
    pub private_minimum: Role,
    /// What a deploy token, or a trusted publisher, was made for is visible.
    pub holder: Option<Holder>,
    /// Leave out projects whose registry is off, and those whose registry is for members only unless they are.
    pub for_packages: bool,
    /// Nothing at all is visible: the registry of the instance is off, or the token reads nothing.
    pub nothing: bool,
}

impl Visible {
    /// The projects that `viewer` may see for `purpose`.
    pub fn to(viewer: &Viewer, purpose: Purpose, instance: InstanceFacts) -> Self {
        let for_packages = purpose == Purpose::Packages;
        let scoped = match purpose {
            Purpose::Projects => viewer.reads_api(),
            Purpose::Packages | Purpose::Pipelines => viewer.reads_packages(),
        };
        let holder = match viewer.identity() {
            Identity::DeployToken { holder, .. } => Some(holder),
            Identity::TrustedPublisher { project, .. } => Some(Holder::Project(project)),
            Identity::Anonymous | Identity::User { .. } => None,
        };
        Self {
            everything: viewer.is_admin(),
            public: true,
            internal: viewer.user().is_some(),
            open_registries: for_packages && instance.anyone_may_pull,
            member: viewer.user(),
            reach: match viewer.via() {
                Via::Person | Via::Bot => None,
                Via::Job(projects) => Some(Arc::clone(projects)),
            },
            private_minimum: if purpose == Purpose::Projects { Role::Guest } else { Role::Reporter },
            holder,
            for_packages,
            nothing: !scoped || (for_packages && !instance.registry_enabled),
        }
    }

    /// The action on a single project that this filter stands for.
    pub const fn action(&self) -> Action {
        if self.for_packages { Action::ViewPackages } else { Action::View }
    }
}
