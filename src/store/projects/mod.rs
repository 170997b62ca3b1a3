//! Projects.

mod change;
mod find;
mod list;

use access::{Facts, Guarded, InstanceFacts, ProjectFacts};
use domain::{NamespaceId, ProjectId, RegistryAccessLevel, UserId, Visibility};
use entity::project;
use sea_orm::FromQueryResult;
use time::OffsetDateTime;

pub use change::{NewProject, ProjectChange, create, destroy, update};
pub use find::{below_root, find, find_many};
pub use list::{ProjectFilter, ProjectList, ProjectOrder, count, list};

use crate::{
    Result, convert,
    reader::{FromRow, in_place},
};

/// A project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The id.
    pub id: ProjectId,
    /// The group or user's namespace it stands in.
    pub namespace_id: NamespaceId,
    /// The last segment of the full path.
    pub path: String,
    /// The name people read.
    pub name: String,
    /// The namespace's full path, a slash, the path.
    pub full_path: String,
    /// What people wrote about it.
    pub description: String,
    /// Who may know it.
    pub visibility: Visibility,
    /// Who may use its package registry.
    pub registry_access_level: RegistryAccessLevel,
    /// Who created it.
    pub creator_id: Option<UserId>,
    /// When it was created.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
}

impl Project {
    /// The full path of the namespace it stands in.
    pub fn namespace_path(&self) -> &str {
        self.full_path.rsplit_once('/').map_or("", |(namespace, _)| namespace)
    }
}

impl TryFrom<project::Model> for Project {
    type Error = crate::StoreError;

    fn try_from(row: project::Model) -> Result<Self> {
        Ok(Self {
            id: ProjectId(row.id),
            namespace_id: NamespaceId(row.namespace_id),
            visibility: convert::visibility(row.visibility)?,
            registry_access_level: convert::registry_access_level(row.registry_access_level)?,
            path: row.path,
            name: row.name,
            full_path: row.full_path,
            description: row.description,
            creator_id: row.creator_id.map(UserId),
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// The caller's standing in a project, read together with its row.
#[derive(FromQueryResult)]
struct StandingRow {
    role: Option<i16>,
    covered: bool,
    switched_off: bool,
}

/// A project's row with the caller's standing there.
struct GuardedRow {
    project: project::Model,
    standing: StandingRow,
}

impl FromQueryResult for GuardedRow {
    fn from_query_result(row: &sea_orm::QueryResult, prefix: &str) -> Result<Self, sea_orm::DbErr> {
        Ok(Self {
            project: project::Model::from_query_result(row, prefix)?,
            standing: StandingRow::from_query_result(row, prefix)?,
        })
    }
}

in_place!(StandingRow { role, covered, switched_off });
in_place!(project::Model {
    id,
    namespace_id,
    path,
    name,
    full_path,
    full_path_key,
    description,
    visibility,
    registry_access_level,
    creator_id,
    created_at,
    updated_at,
    deleted_at,
});

impl FromRow for GuardedRow {
    fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { project: project::Model::from_row(row)?, standing: StandingRow::from_row(row)? })
    }
}

impl GuardedRow {
    fn guarded(self, instance: InstanceFacts) -> Result<Guarded<Project>> {
        let project = Project::try_from(self.project)?;
        let facts = ProjectFacts {
            id: project.id,
            visibility: project.visibility,
            registry: project.registry_access_level,
            role: self.standing.role.map(convert::role).transpose()?,
            token_covers: self.standing.covered,
            groups_enabled: !self.standing.switched_off,
            instance,
        };
        Ok(Guarded::new(project, Facts::Project(facts)))
    }
}
