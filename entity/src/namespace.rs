//! A group, or a user's own namespace.

use sea_orm::entity::prelude::*;

/// A group, or a user's own namespace.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "namespaces")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// 0 group, 1 user.
    pub kind: i16,
    /// The group above.
    pub parent_id: Option<i64>,
    /// The user whose own namespace it is.
    pub owner_id: Option<i64>,
    /// The last segment of the full path.
    #[sea_orm(column_type = "Text")]
    pub path: String,
    /// The name people read.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// The paths from the top down, joined by slashes.
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
    /// Whether the package registry is on; off here means off in everything below.
    pub package_registry_enabled: bool,
    /// When it was created.
    pub created_at: TimeDateTimeWithTimeZone,
    /// When it was last changed.
    pub updated_at: TimeDateTimeWithTimeZone,
    /// When it was deleted; the row stays as a tombstone.
    pub deleted_at: Option<TimeDateTimeWithTimeZone>,
}

impl ActiveModelBehavior for ActiveModel {}
