//! Access tokens of projects and groups, and what tokens are limited to.

use sea_orm_migration::prelude::*;

use crate::columns::{big_null, drop_tables, index, instant, number, reference, text_null};

/// Tables of tokens, which get limits.
const TOKENS: [&str; 2] = ["access_tokens", "deploy_tokens"];

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for tokens in TOKENS {
            let column = Table::alter().table(tokens).add_column(text_null("limits")).to_owned();
            manager.alter_table(column).await?;
        }
        let mut user = ColumnDef::new("user_id");
        user.big_integer().not_null().primary_key();
        let bots = Table::create()
            .table("bots")
            .col(user)
            .col(big_null("project_id"))
            .col(big_null("namespace_id"))
            .col(number("access_level"))
            .col(instant("created_at"))
            .foreign_key(&mut reference("bots", "user_id", "users", ForeignKeyAction::Cascade))
            .foreign_key(&mut reference("bots", "project_id", "projects", ForeignKeyAction::Cascade))
            .foreign_key(&mut reference("bots", "namespace_id", "namespaces", ForeignKeyAction::Cascade))
            .check(Expr::cust("(namespace_id IS NULL) <> (project_id IS NULL)"))
            .to_owned();
        manager.create_table(bots).await?;
        manager.create_index(index("bots", &["project_id"])).await?;
        manager.create_index(index("bots", &["namespace_id"])).await
    }

    /// What is limited, or belongs to a bot, is revoked: the tables that are left know neither limits nor bots.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for sql in [
            "UPDATE access_tokens SET revoked_at = COALESCE(revoked_at, created_at) \
             WHERE limits IS NOT NULL OR user_id IN (SELECT user_id FROM bots)",
            "UPDATE deploy_tokens SET revoked_at = COALESCE(revoked_at, created_at) WHERE limits IS NOT NULL",
            "UPDATE users SET state = 1 WHERE id IN (SELECT user_id FROM bots)",
        ] {
            connection.execute_unprepared(sql).await?;
        }
        drop_tables(manager, &["bots"]).await?;
        for tokens in TOKENS {
            manager.alter_table(Table::alter().table(tokens).drop_column("limits").to_owned()).await?;
        }
        Ok(())
    }
}
