//! A package's dependency.

use sea_orm::entity::prelude::*;

/// A package's dependency.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dependency_links")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The package that depends.
    pub package_id: i64,
    /// What it depends on.
    pub dependency_id: i64,
    /// What kind of dependency, in the numbers of the schema.
    pub dependency_type: i16,
    /// Where it holds, in the format's notation; empty for everywhere.
    #[sea_orm(column_type = "Text")]
    pub scope: String,
}

impl ActiveModelBehavior for ActiveModel {}
