//! A project: what packages belong to.

use sea_orm::entity::prelude::*;

/// A project: what packages belong to.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "projects")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The group or user's namespace it stands in.
    pub namespace_id: i64,
    /// The last segment of the full path.
    #[sea_orm(column_type = "Text")]
    pub path: String,
    /// The name people read.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// The namespace's full path, a slash, the path.
    #[sea_orm(column_type = "Text")]
    pub full_path: String,
    /// The full path in lower case; unique. A deleted row's key carries a suffix, so that the path is free.
    #[sea_orm(column_type = "Text")]
    pub full_path_key: String,
    /// What people wrote about it.
    #[sea_orm(column_type = "Text")]
    pub description: String,
    /// Number of `domain::Visibility`.
    pub visibility: i16,
    /// Number of `domain::RegistryAccessLevel`.
    pub registry_access_level: i16,
    /// Who created it.
    pub creator_id: Option<i64>,
    /// When it was created.
    pub created_at: TimeDateTimeWithTimeZone,
    /// When it was last changed.
    pub updated_at: TimeDateTimeWithTimeZone,
    /// When it was deleted; the row stays as a tombstone.
    pub deleted_at: Option<TimeDateTimeWithTimeZone>,
}

impl ActiveModelBehavior for ActiveModel {}
