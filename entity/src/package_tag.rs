//! A movable name for a version. Moving it closes the row and inserts a new one.

use sea_orm::entity::prelude::*;

/// A movable name for a version. Moving it closes the row and inserts a new one.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "package_tags")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The package's name; a tag is unique within it.
    pub name_id: i64,
    /// The version it points to.
    pub package_id: i64,
    /// The tag.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// When it was created.
    pub created_at: TimeDateTimeWithTimeZone,
    /// When it was last changed.
    pub updated_at: TimeDateTimeWithTimeZone,
    /// When it was moved or removed.
    pub removed_at: Option<TimeDateTimeWithTimeZone>,
}

impl ActiveModelBehavior for ActiveModel {}
