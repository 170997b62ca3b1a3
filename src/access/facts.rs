//! What a decision must know of the resource and of the caller's standing there.

use domain::{NamespaceId, ProjectId, RegistryAccessLevel, Role, Visibility};

/// Switches of the instance that bear on every decision about packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InstanceFacts {
    /// Whether the package registry is on at all.
    pub registry_enabled: bool,
    /// GitLab's `package_registry_allow_anyone_to_pull_option`: whether projects may open their registry to everyone.
    pub anyone_may_pull: bool,
}

impl Default for InstanceFacts {
    fn default() -> Self {
        Self { registry_enabled: true, anyone_may_pull: true }
    }
}

/// Facts about a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProjectFacts {
    /// The project.
    pub id: ProjectId,
    /// Who may know the project.
    pub visibility: Visibility,
    /// Who may use its registry.
    pub registry: RegistryAccessLevel,
    /// The caller's highest role, in the project or inherited.
    pub role: Option<Role>,
    /// Whether the caller's deploy token was made for this project or a group above it.
    pub token_covers: bool,
    /// Whether the registry is on in every group above.
    pub groups_enabled: bool,
    /// Switches of the instance.
    pub instance: InstanceFacts,
}

/// Facts about a group, or a user's namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupFacts {
    /// The group.
    pub id: NamespaceId,
    /// Who may know the group.
    pub visibility: Visibility,
    /// The caller's highest role, in the group or inherited; a role in a project or group below counts as guest.
    pub role: Option<Role>,
    /// Whether the caller's deploy token was made for this group or a group above it.
    pub token_covers: bool,
    /// Whether some project below has opened its registry to everyone, and no group has switched it off.
    pub has_open_registry: bool,
    /// Whether the registry is on in the group and in every group above.
    pub groups_enabled: bool,
    /// Switches of the instance.
    pub instance: InstanceFacts,
}

/// Facts about whatever a [`Guarded`](crate::Guarded) value belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Facts {
    /// It belongs to a project.
    Project(ProjectFacts),
    /// It belongs to a group.
    Group(GroupFacts),
}
