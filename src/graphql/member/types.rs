//! A member of a project or group.

use async_graphql::{ComplexObject, Enum, ID, Interface, SimpleObject};
use domain::Role;
use store::members::{Member, Place};

use crate::{
    relay::global_id::{UserID, print},
    scalars::Time,
    user::UserCore,
};

/// What a member may do, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::Role")]
pub(crate) enum AccessLevelEnum {
    /// Sees a private project, but not its packages.
    Guest,
    /// Views and pulls packages of a private project.
    Reporter,
    /// Publishes.
    Developer,
    /// Deletes, manages deploy tokens and members of a project.
    Maintainer,
    /// Manages a namespace.
    Owner,
}

/// A role, as a number and by name.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct AccessLevel {
    #[graphql(skip)]
    role: Role,
    /// GitLab's number of the role.
    integer_value: Option<i32>,
    /// The role.
    string_value: Option<AccessLevelEnum>,
}

#[ComplexObject]
impl AccessLevel {
    /// The role for reading.
    async fn human_access(&self) -> Option<&str> {
        Some(match self.role {
            Role::Guest => "Guest",
            Role::Reporter => "Reporter",
            Role::Developer => "Developer",
            Role::Maintainer => "Maintainer",
            Role::Owner => "Owner",
        })
    }
}

impl From<Role> for AccessLevel {
    fn from(role: Role) -> Self {
        Self { role, integer_value: Some(role.number().into()), string_value: Some(role.into()) }
    }
}

/// Where the memberships of a list of a project's members were given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum ProjectMemberRelation {
    /// In the project.
    Direct,
    /// In a group above.
    Inherited,
}

/// Where the memberships of a list of a group's members were given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum GroupMemberRelation {
    /// In the group.
    Direct,
    /// In a group above.
    Inherited,
}

/// A member of a project or group.
#[derive(Interface)]
#[graphql(
    field(name = "id", ty = "&ID"),
    field(name = "access_level", ty = "&Option<AccessLevel>"),
    field(name = "user", ty = "&Option<UserCore>"),
    field(name = "created_at", ty = "&Option<Time>"),
    field(name = "created_by_id", ty = "&Option<UserID>", desc = "Who added the member (ours)."),
    field(name = "updated_at", ty = "&Option<Time>"),
    field(name = "expires_at", ty = "&Option<Time>", desc = "From when on it no longer counts.")
)]
pub(crate) enum MemberInterface {
    /// In a project.
    Project(ProjectMember),
    /// In a group.
    Group(GroupMember),
}

/// A member of a project.
#[derive(SimpleObject)]
pub(crate) struct ProjectMember {
    id: ID,
    /// As what.
    access_level: Option<AccessLevel>,
    /// Who.
    user: Option<UserCore>,
    created_at: Option<Time>,
    updated_at: Option<Time>,
    /// Who added the member (ours).
    created_by_id: Option<UserID>,
    /// From when on it no longer counts.
    expires_at: Option<Time>,
}

/// A member of a group.
#[derive(SimpleObject)]
pub(crate) struct GroupMember {
    id: ID,
    /// As what.
    access_level: Option<AccessLevel>,
    /// Who.
    user: Option<UserCore>,
    created_at: Option<Time>,
    updated_at: Option<Time>,
    /// Who added the member (ours).
    created_by_id: Option<UserID>,
    /// From when on it no longer counts.
    expires_at: Option<Time>,
}

impl From<Member> for GroupMember {
    fn from(member: Member) -> Self {
        Self {
            id: print("GroupMember", member.id).into(),
            access_level: Some(member.role.into()),
            user: Some(member.user.into()),
            created_at: Some(member.created_at.into()),
            updated_at: Some(member.updated_at.into()),
            created_by_id: member.created_by_id.map(Into::into),
            expires_at: member.expires_at.map(|day| day.midnight().assume_utc().into()),
        }
    }
}

impl From<Member> for MemberInterface {
    fn from(member: Member) -> Self {
        match member.place {
            Place::Group(_) => Self::Group(member.into()),
            Place::Project(_) => Self::Project(ProjectMember {
                id: print("ProjectMember", member.id).into(),
                access_level: Some(member.role.into()),
                user: Some(member.user.into()),
                created_at: Some(member.created_at.into()),
                updated_at: Some(member.updated_at.into()),
                created_by_id: member.created_by_id.map(Into::into),
                expires_at: member.expires_at.map(|day| day.midnight().assume_utc().into()),
            }),
        }
    }
}
