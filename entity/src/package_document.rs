//! The revision of an index document about many names of a project.

use sea_orm::entity::prelude::*;

/// The revision of an index document about many names of a project.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "package_documents")]
pub struct Model {
    /// The project.
    #[sea_orm(primary_key, auto_increment = false)]
    pub project_id: i64,
    /// Number of `domain::PackageFormat`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub format: i16,
    /// The document.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub document: String,
    /// Raised in each transaction that changes one of its pieces.
    pub revision: i64,
    /// When that was last.
    pub updated_at: TimeDateTimeWithTimeZone,
}

impl ActiveModelBehavior for ActiveModel {}
