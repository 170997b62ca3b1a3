//! Protection rules of projects and namespaces.

use sea_orm_migration::prelude::*;

use crate::columns::{big_null, drop_tables, id, instant, key, number, reference, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLE: &str = "protection_rules";

fn level(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.small_integer().null();
    column
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let rules = Table::create()
            .table(TABLE)
            .col(id())
            .col(big_null("project_id"))
            .col(big_null("namespace_id"))
            .col(number("format"))
            .col(key(manager, "pattern"))
            .col(level("push_level"))
            .col(level("delete_level"))
            .col(instant("created_at"))
            .col(instant("updated_at"))
            .check(Expr::cust("(project_id IS NULL) <> (namespace_id IS NULL)"))
            .check(Expr::cust("push_level IS NOT NULL OR delete_level IS NOT NULL"))
            .foreign_key(&mut reference(TABLE, "project_id", "projects", ForeignKeyAction::Cascade))
            .foreign_key(&mut reference(TABLE, "namespace_id", "namespaces", ForeignKeyAction::Cascade))
            .to_owned();
        manager.create_table(rules).await?;
        // Nulls differ from each other on both databases: each index concerns the rules of one kind of place.
        manager.create_index(unique(TABLE, &["project_id", "format", "pattern"])).await?;
        manager.create_index(unique(TABLE, &["namespace_id", "format", "pattern"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &[TABLE]).await
    }
}
