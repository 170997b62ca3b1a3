//! How people sign in: passwords, accounts at providers, attempts that a provider has to answer, and the sessions that come of
//! it. Of passwords and other secrets only hashes are stored; what an attempt holds is worth nothing after ten minutes.

use sea_orm_migration::prelude::*;

use crate::columns::{
    big, big_null, drop_tables, id, index, instant, instant_null, key, number, reference, text, text_null,
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
        passwords(manager).await?;
        sessions(manager).await?;
        identities(manager).await?;
        attempts(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = ["sign_in_attempts", "user_identities", "user_sessions", "user_passwords"];
        drop_tables(manager, &tables).await
    }
}

async fn passwords(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = "user_passwords";
    let mut user = big("user_id");
    user.primary_key();
    let passwords = Table::create()
        .table(table)
        .col(user)
        .col(text("hash"))
        .col(number("failures"))
        .col(instant_null("locked_until"))
        .col(instant("changed_at"))
        .foreign_key(&mut reference(table, "user_id", "users", ForeignKeyAction::Cascade))
        .to_owned();
    manager.create_table(passwords).await
}

async fn sessions(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = "user_sessions";
    let sessions = Table::create()
        .table(table)
        .col(id())
        .col(big("user_id"))
        .col(key(manager, "token_hash"))
        .col(text_null("user_agent"))
        .col(instant_null("last_used_at"))
        .col(instant("expires_at"))
        .col(instant("created_at"))
        .foreign_key(&mut reference(table, "user_id", "users", ForeignKeyAction::Cascade))
        .to_owned();
    manager.create_table(sessions).await?;
    manager.create_index(unique(table, &["token_hash"])).await?;
    manager.create_index(index(table, &["user_id"])).await
}

async fn identities(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = "user_identities";
    let identities = Table::create()
        .table(table)
        .col(id())
        .col(big("user_id"))
        .col(key(manager, "provider"))
        .col(key(manager, "issuer"))
        .col(key(manager, "subject"))
        .col(instant("created_at"))
        .foreign_key(&mut reference(table, "user_id", "users", ForeignKeyAction::Cascade))
        .to_owned();
    manager.create_table(identities).await?;
    manager.create_index(unique(table, &["provider", "issuer", "subject"])).await?;
    manager.create_index(index(table, &["user_id"])).await
}

async fn attempts(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = "sign_in_attempts";
    let mut secret = key(manager, "secret_hash");
    secret.primary_key();
    let attempts = Table::create()
        .table(table)
        .col(secret)
        .col(text("provider"))
        .col(text("state"))
        .col(text("nonce"))
        .col(text("pkce_verifier"))
        .col(big_null("user_id"))
        .col(instant("expires_at"))
        .foreign_key(&mut reference(table, "user_id", "users", ForeignKeyAction::Cascade))
        .to_owned();
    manager.create_table(attempts).await?;
    manager.create_index(index(table, &["expires_at"])).await
}
