//! Which stored bytes are about to be removed, and which are gone. Rows stay for as long as a deleted file remembers its digests.

use sea_orm_migration::prelude::*;

use crate::columns::{big, instant_null, partial_index};

const TABLE: &str = "blobs";

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [
            instant_null("condemned_at"),
            instant_null("removal_started_at"),
            instant_null("removed_at"),
            big("removals").default(0).to_owned(),
        ] {
            // SQLite adds one column at a time.
            manager.alter_table(Table::alter().table(TABLE).add_column(column).to_owned()).await?;
        }
        for column in ["condemned_at", "removal_started_at", "removed_at"] {
            let head = format!("INDEX ix_blobs_{column}");
            let on = format!("blobs ({column}, id)");
            partial_index(manager, &head, &on, &format!("{column} IS NOT NULL")).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["condemned_at", "removal_started_at", "removed_at"] {
            manager
                .drop_index(Index::drop().name(format!("ix_blobs_{column}")).table(TABLE).to_owned())
                .await?;
        }
        for column in ["condemned_at", "removal_started_at", "removed_at", "removals"] {
            manager.alter_table(Table::alter().table(TABLE).drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
