//! People and machine accounts.

use sea_orm_migration::prelude::*;

use crate::columns::{drop_tables, id, instant, key, key_null, number, text, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let users = Table::create()
            .table("users")
            .col(id())
            .col(key(manager, "username"))
            .col(key(manager, "username_key"))
            .col(text("name"))
            .col(key_null(manager, "email"))
            .col(ColumnDef::new("admin").boolean().not_null())
            .col(number("state"))
            .col(instant("created_at"))
            .col(instant("updated_at"))
            .to_owned();
        manager.create_table(users).await?;
        manager.create_index(unique("users", &["username_key"])).await?;
        manager.create_index(unique("users", &["email"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["users"]).await
    }
}
