//! Builders: people, groups and projects in one line each.

use access::{Identity, Viewer};
use domain::{NamespaceId, RegistryAccessLevel, Role, Scopes, UserId, Visibility};

use super::NOW;
use crate::{
    Store,
    groups::{self, Group, NewGroup},
    members::{self, Caller, Membership, NewMember, Place},
    projects::{self, NewProject, Project},
    users::{self, NewUser, User},
};

/// The administrator of members in tests.
pub(super) const OWNER: Caller = Caller { user_id: None, role: Role::Owner };

pub(super) async fn user(store: &Store, username: &str) -> User {
    let new = NewUser { username: username.into(), name: username.into(), email: None, admin: false };
    users::create(store, new, NOW).await.expect("a user")
}

pub(super) fn viewer(id: UserId) -> Viewer {
    Viewer::new(Identity::User { id, admin: false }, Scopes::all())
}

pub(super) fn new_group(parent_id: Option<NamespaceId>, path: &str, visibility: Visibility) -> NewGroup {
    NewGroup {
        parent_id,
        path: path.into(),
        name: path.into(),
        description: String::new(),
        visibility,
        creator_id: None,
    }
}

pub(super) async fn group(
    store: &Store,
    parent: Option<NamespaceId>,
    path: &str,
    visibility: Visibility,
) -> Group {
    groups::create(store, new_group(parent, path, visibility), NOW).await.expect("a group")
}

pub(super) fn new_project(namespace_id: NamespaceId, path: &str, visibility: Visibility) -> NewProject {
    NewProject {
        namespace_id,
        path: path.into(),
        name: path.into(),
        description: String::new(),
        visibility,
        registry_access_level: RegistryAccessLevel::Enabled,
        creator_id: None,
    }
}

pub(super) async fn project(
    store: &Store,
    namespace: NamespaceId,
    path: &str,
    visibility: Visibility,
) -> Project {
    projects::create(store, new_project(namespace, path, visibility), NOW).await.expect("a project")
}

pub(super) async fn member(store: &Store, place: Place, user_id: UserId, role: Role) {
    let new = NewMember { membership: Membership { place, user_id }, role, expires_at: None };
    members::add(store, new, OWNER, NOW).await.expect("a member");
}
