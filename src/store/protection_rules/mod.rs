//! Protection rules of projects, groups and users' own namespaces. What is said of a namespace holds in every project below.

mod change;
mod find;

use domain::{NamespaceId, PackageFormat, ProjectId, ProtectionLevel, ProtectionLevels, ProtectionRuleId};
use sea_orm::FromQueryResult;
use time::OffsetDateTime;

pub use change::{MOST_RULES, NewProtectionRule, ProtectionRuleChange, check, create, delete, update};
pub use find::{find, inherited_by_namespace, list, of_projects};

use crate::{Result, StoreError, convert, members::Place};

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectionRule {
    /// The id.
    pub id: ProtectionRuleId,
    /// Where it holds: in one project, or in everything below a group or a user's own namespace.
    pub place: Place,
    /// The full path of the namespace, for a rule of one.
    pub namespace_path: Option<String>,
    /// The format of the packages it covers.
    pub format: PackageFormat,
    /// Their names, as the pattern was written. [`domain::NamePattern`] reads it.
    pub pattern: String,
    /// What it asks for.
    pub levels: ProtectionLevels,
    /// When it was created.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
}

/// A row of a rule with the path of its namespace.
#[derive(FromQueryResult)]
struct RuleRow {
    id: i64,
    project_id: Option<i64>,
    namespace_id: Option<i64>,
    namespace_path: Option<String>,
    format: i16,
    pattern: String,
    push_level: Option<i16>,
    delete_level: Option<i16>,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

fn level(number: i16) -> Result<ProtectionLevel> {
    ProtectionLevel::from_number(number)
        .ok_or_else(|| StoreError::Corrupt { column: "protection_rules level", value: number.to_string() })
}

fn levels(push: Option<i16>, delete: Option<i16>) -> Result<ProtectionLevels> {
    Ok(ProtectionLevels { push: push.map(level).transpose()?, delete: delete.map(level).transpose()? })
}

impl TryFrom<RuleRow> for ProtectionRule {
    type Error = StoreError;

    fn try_from(row: RuleRow) -> Result<Self> {
        // The schema sees to it that one of the two is there.
        let place = match (row.project_id, row.namespace_id) {
            (Some(id), _) => Place::Project(ProjectId(id)),
            (None, id) => Place::Group(NamespaceId(id.unwrap_or_default())),
        };
        Ok(Self {
            id: ProtectionRuleId(row.id),
            place,
            namespace_path: row.namespace_path,
            format: convert::format(row.format)?,
            pattern: row.pattern,
            levels: levels(row.push_level, row.delete_level)?,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
