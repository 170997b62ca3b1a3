//! A protection rule of a project or a namespace, never both.

use sea_orm::entity::prelude::*;

/// A protection rule of a project or a namespace, never both.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "protection_rules")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The project it holds in.
    pub project_id: Option<i64>,
    /// The namespace it holds in, with everything below.
    pub namespace_id: Option<i64>,
    /// Number of `domain::PackageFormat`.
    pub format: i16,
    /// The pattern of names, as it was written.
    #[sea_orm(column_type = "Text")]
    pub pattern: String,
    /// Number of the `domain::ProtectionLevel` for publishing.
    pub push_level: Option<i16>,
    /// Number of the `domain::ProtectionLevel` for deleting.
    pub delete_level: Option<i16>,
    /// When it was created.
    pub created_at: TimeDateTimeWithTimeZone,
    /// When it was last changed.
    pub updated_at: TimeDateTimeWithTimeZone,
}

impl ActiveModelBehavior for ActiveModel {}
