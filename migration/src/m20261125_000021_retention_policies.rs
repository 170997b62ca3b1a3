//! Which versions of packages a project or group lets go.

use sea_orm_migration::prelude::*;

use crate::columns::{big_null, drop_tables, id, index, instant, instant_null, json, reference, unique};

const TABLE: &str = "package_retention_policies";

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let policies = Table::create()
            .table(TABLE)
            .col(id())
            .col(big_null("project_id"))
            .col(big_null("namespace_id"))
            .col(ColumnDef::new("enabled").boolean().not_null())
            .col(json("rules"))
            .col(instant_null("next_run_at"))
            .col(instant("created_at"))
            .col(instant("updated_at"))
            .check(Expr::cust("(project_id IS NULL) <> (namespace_id IS NULL)"))
            .foreign_key(&mut reference(TABLE, "project_id", "projects", ForeignKeyAction::Cascade))
            .foreign_key(&mut reference(TABLE, "namespace_id", "namespaces", ForeignKeyAction::Cascade))
            .to_owned();
        manager.create_table(policies).await?;
        // Nulls differ from each other on both databases: each index concerns the policies of one kind of place.
        manager.create_index(unique(TABLE, &["project_id"])).await?;
        manager.create_index(unique(TABLE, &["namespace_id"])).await?;
        manager.create_index(index(TABLE, &["next_run_at"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &[TABLE]).await
    }
}
