//! A name under which versions of a package stand in one project.

use sea_orm::entity::prelude::*;

/// A name under which versions of a package stand in one project.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "package_names")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The project.
    pub project_id: i64,
    /// Number of `domain::PackageFormat`.
    pub format: i16,
    /// The name, as first published.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// The name in its format's normal form; unique per project and format.
    #[sea_orm(column_type = "Text")]
    pub name_key: String,
    /// Raised in each transaction that changes what any index of the name shows.
    pub revision: i64,
    /// When it was created.
    pub created_at: TimeDateTimeWithTimeZone,
    /// When it was last changed.
    pub updated_at: TimeDateTimeWithTimeZone,
}

impl ActiveModelBehavior for ActiveModel {}
