//! A name and version pattern that packages depend on.

use sea_orm::entity::prelude::*;

/// A name and version pattern that packages depend on.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dependencies")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The name, as the format writes it.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// The pattern, as the format writes it.
    #[sea_orm(column_type = "Text")]
    pub version_pattern: String,
}

impl ActiveModelBehavior for ActiveModel {}
