//! Groups, and users' own namespaces, which are groups of one.

mod change;
mod create;
mod find;
mod list;

use access::{Facts, GroupFacts, Guarded, InstanceFacts};
use domain::{NamespaceId, UserId, Visibility};
use entity::namespace;
use sea_orm::FromQueryResult;
use time::OffsetDateTime;

pub use change::{GroupChange, destroy, update};
pub use create::{NewGroup, create};
pub use find::{find, find_many, own_namespace};
pub use list::{GroupFilter, GroupList, GroupOrder, Within, count, list};

use crate::{Result, StoreError, convert};

/// What a namespace is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum NamespaceKind {
    /// A group.
    Group = 0,
    /// A user's own.
    User = 1,
}

impl NamespaceKind {
    /// The stored number.
    pub const fn number(self) -> i16 {
        self as i16
    }

    /// The name in REST.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::User => "user",
        }
    }

    fn from_number(number: i16) -> Result<Self> {
        match number {
            0 => Ok(Self::Group),
            1 => Ok(Self::User),
            _ => Err(StoreError::Corrupt { column: "namespaces.kind", value: number.to_string() }),
        }
    }
}

/// A group, or a user's own namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The id.
    pub id: NamespaceId,
    /// What it is.
    pub kind: NamespaceKind,
    /// The group above.
    pub parent_id: Option<NamespaceId>,
    /// The user whose own namespace it is.
    pub owner_id: Option<UserId>,
    /// The last segment of the full path.
    pub path: String,
    /// The name people read.
    pub name: String,
    /// The paths from the top down, joined by slashes.
    pub full_path: String,
    /// What people wrote about it.
    pub description: String,
    /// Who may know it.
    pub visibility: Visibility,
    /// Whether the package registry is on, as far as the group itself decides: off here means off in everything below.
    pub package_registry_enabled: bool,
    /// When it was created.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
}

impl TryFrom<namespace::Model> for Group {
    type Error = StoreError;

    fn try_from(row: namespace::Model) -> Result<Self> {
        Ok(Self {
            id: NamespaceId(row.id),
            kind: NamespaceKind::from_number(row.kind)?,
            parent_id: row.parent_id.map(NamespaceId),
            owner_id: row.owner_id.map(UserId),
            visibility: convert::visibility(row.visibility)?,
            package_registry_enabled: row.package_registry_enabled,
            path: row.path,
            name: row.name,
            full_path: row.full_path,
            description: row.description,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// The caller's standing in a group, read together with its row.
#[derive(FromQueryResult)]
struct StandingRow {
    role: Option<i16>,
    covered: bool,
    open_registry: bool,
    switched_off: bool,
}

/// A group's row with the caller's standing there.
struct GuardedRow {
    namespace: namespace::Model,
    standing: StandingRow,
}

impl FromQueryResult for GuardedRow {
    fn from_query_result(row: &sea_orm::QueryResult, prefix: &str) -> Result<Self, sea_orm::DbErr> {
        Ok(Self {
            namespace: namespace::Model::from_query_result(row, prefix)?,
            standing: StandingRow::from_query_result(row, prefix)?,
        })
    }
}

impl GuardedRow {
    fn guarded(self, instance: InstanceFacts) -> Result<Guarded<Group>> {
        let group = Group::try_from(self.namespace)?;
        let facts = GroupFacts {
            id: group.id,
            visibility: group.visibility,
            role: self.standing.role.map(convert::role).transpose()?,
            token_covers: self.standing.covered,
            has_open_registry: self.standing.open_registry,
            groups_enabled: !self.standing.switched_off,
            instance,
        };
        Ok(Guarded::new(group, Facts::Group(facts)))
    }
}
