//! Personal access tokens and deploy tokens. Only hashes of secrets are stored.

use sea_orm_migration::prelude::*;

use crate::columns::{
    big, big_null, day_null, drop_tables, id, index, instant, instant_null, key, reference, text, unique,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let access_tokens = Table::create()
            .table("access_tokens")
            .col(id())
            .col(big("user_id"))
            .col(key(manager, "name"))
            .col(text("description"))
            .col(key(manager, "token_hash"))
            .col(text("scopes"))
            .col(day_null("expires_at"))
            .col(instant_null("revoked_at"))
            .col(instant_null("last_used_at"))
            .col(instant("created_at"))
            .foreign_key(&mut reference("access_tokens", "user_id", "users", ForeignKeyAction::Cascade))
            .to_owned();
        manager.create_table(access_tokens).await?;
        manager.create_index(unique("access_tokens", &["token_hash"])).await?;
        manager.create_index(index("access_tokens", &["user_id"])).await?;
        deploy_tokens(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["deploy_tokens", "access_tokens"]).await
    }
}

async fn deploy_tokens(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let deploy_tokens = Table::create()
        .table("deploy_tokens")
        .col(id())
        .col(big_null("project_id"))
        .col(big_null("namespace_id"))
        .col(key(manager, "name"))
        .col(key(manager, "username"))
        .col(key(manager, "token_hash"))
        .col(text("scopes"))
        .col(instant_null("expires_at"))
        .col(instant_null("revoked_at"))
        .col(instant_null("last_used_at"))
        .col(big_null("creator_id"))
        .col(instant("created_at"))
        .foreign_key(&mut reference("deploy_tokens", "project_id", "projects", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("deploy_tokens", "namespace_id", "namespaces", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("deploy_tokens", "creator_id", "users", ForeignKeyAction::SetNull))
        .check(Expr::cust("(namespace_id IS NULL) <> (project_id IS NULL)"))
        .to_owned();
    manager.create_table(deploy_tokens).await?;
    manager.create_index(unique("deploy_tokens", &["token_hash"])).await?;
    manager.create_index(index("deploy_tokens", &["project_id"])).await?;
    manager.create_index(index("deploy_tokens", &["namespace_id"])).await
}
