//! Settings of the instance.

use sea_orm_migration::prelude::*;

use crate::columns::{drop_tables, instant, json};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let settings = Table::create()
            .table("instance_settings")
            .col(ColumnDef::new("key").text().not_null().primary_key())
            .col(json("value"))
            .col(instant("updated_at"))
            .to_owned();
        manager.create_table(settings).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["instance_settings"]).await
    }
}
