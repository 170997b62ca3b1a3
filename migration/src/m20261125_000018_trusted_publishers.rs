//! Trusted publishing: whose ID tokens are exchanged for tokens, those tokens, and the ID tokens that were used.

use sea_orm_migration::prelude::*;

use crate::columns::{
    big, big_null, drop_tables, id, index, instant, instant_null, json, key, reference, text, text_null,
    unique,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = "trusted_publishers";
        let publishers = Table::create()
            .table(table)
            .col(id())
            .col(big("project_id"))
            .col(key(manager, "issuer"))
            .col(text("audience"))
            .col(json("claims"))
            .col(text_null("limits"))
            .col(big_null("creator_id"))
            .col(instant("created_at"))
            .col(instant_null("deleted_at"))
            .foreign_key(&mut reference(table, "project_id", "projects", ForeignKeyAction::Cascade))
            .foreign_key(&mut reference(table, "creator_id", "users", ForeignKeyAction::SetNull))
            .to_owned();
        manager.create_table(publishers).await?;
        manager.create_index(index(table, &["project_id"])).await?;
        manager.create_index(index(table, &["issuer"])).await?;
        let table = "trusted_tokens";
        let tokens = Table::create()
            .table(table)
            .col(id())
            .col(big("publisher_id"))
            .col(key(manager, "token_hash"))
            .col(instant("expires_at"))
            .col(instant("created_at"))
            .foreign_key(&mut reference(
                table,
                "publisher_id",
                "trusted_publishers",
                ForeignKeyAction::Cascade,
            ))
            .to_owned();
        manager.create_table(tokens).await?;
        manager.create_index(unique(table, &["token_hash"])).await?;
        manager.create_index(index(table, &["expires_at"])).await?;
        let mut fingerprint = key(manager, "fingerprint");
        fingerprint.primary_key();
        let used =
            Table::create().table("used_id_tokens").col(fingerprint).col(instant("dead_after")).to_owned();
        manager.create_table(used).await?;
        manager.create_index(index("used_id_tokens", &["dead_after"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["used_id_tokens", "trusted_tokens", "trusted_publishers"]).await
    }
}
