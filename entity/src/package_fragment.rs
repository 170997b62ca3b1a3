//! A version's or a file's ready-made piece of an index document.

use sea_orm::entity::prelude::*;

/// A version's or a file's ready-made piece of an index document.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "package_fragments")]
pub struct Model {
    /// The package.
    #[sea_orm(primary_key, auto_increment = false)]
    pub package_id: i64,
    /// The file it is of; 0 when it is of the version as a whole.
    #[sea_orm(primary_key, auto_increment = false)]
    pub file_id: i64,
    /// Which document it is a piece of.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub document: String,
    /// 0 for a document about one name, 1 for one about many names of a project.
    pub scope: i16,
    /// The piece.
    #[sea_orm(column_type = "Text")]
    pub body: String,
}

impl ActiveModelBehavior for ActiveModel {}
