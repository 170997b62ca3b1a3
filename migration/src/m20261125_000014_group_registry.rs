//! The package registry of a group, which can be switched off with everything below.

use sea_orm_migration::prelude::*;

use crate::columns::partial_index;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut enabled = ColumnDef::new("package_registry_enabled");
        enabled.boolean().not_null().default(true);
        manager.alter_table(Table::alter().table("namespaces").add_column(enabled).to_owned()).await?;
        // Nearly always empty, so that asking whether a group above is off costs nothing.
        let head = "INDEX ix_namespaces_registry_off";
        partial_index(manager, head, "namespaces (package_registry_enabled)", "NOT package_registry_enabled")
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP INDEX ix_namespaces_registry_off").await?;
        let table = Table::alter().table("namespaces").drop_column("package_registry_enabled").to_owned();
        manager.alter_table(table).await
    }
}
