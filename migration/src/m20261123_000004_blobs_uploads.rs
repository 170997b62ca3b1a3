//! Stored bytes, by content.

use sea_orm_migration::prelude::*;

use crate::columns::{big, drop_tables, id, instant, key, key_null, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let blobs = Table::create()
            .table("blobs")
            .col(id())
            .col(key(manager, "sha256"))
            .col(big("size"))
            .col(key_null(manager, "md5"))
            .col(key_null(manager, "sha1"))
            .col(key_null(manager, "sha512"))
            .col(instant("created_at"))
            .to_owned();
        manager.create_table(blobs).await?;
        manager.create_index(unique("blobs", &["sha256"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["blobs"]).await
    }
}
