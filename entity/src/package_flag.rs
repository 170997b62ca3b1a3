//! A mark on a version, with its reason. Taking it back closes the row.

use sea_orm::entity::prelude::*;

/// A mark on a version, with its reason. Taking it back closes the row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "package_flags")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The version.
    pub package_id: i64,
    /// Number of `domain::PackageFlag`.
    pub flag: i16,
    /// Why, in the words of whoever set it.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// When it was set.
    pub created_at: TimeDateTimeWithTimeZone,
    /// When it was taken back.
    pub removed_at: Option<TimeDateTimeWithTimeZone>,
}

impl ActiveModelBehavior for ActiveModel {}
