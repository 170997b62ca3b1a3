//! Closure of the tree of namespaces: one row per namespace and namespace above it, itself included.

use sea_orm::entity::prelude::*;

/// Closure of the tree of namespaces: one row per namespace and namespace above it, itself included.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "namespace_ancestors")]
pub struct Model {
    /// The namespace above, or the same.
    #[sea_orm(primary_key, auto_increment = false)]
    pub ancestor_id: i64,
    /// The namespace below, or the same.
    #[sea_orm(primary_key, auto_increment = false)]
    pub descendant_id: i64,
    /// How many levels lie between; 0 for itself.
    pub depth: i32,
}

impl ActiveModelBehavior for ActiveModel {}
