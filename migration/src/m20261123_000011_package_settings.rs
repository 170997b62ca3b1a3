//! What owners of a namespace decide about its packages.

use sea_orm_migration::prelude::*;

use crate::columns::{big, drop_tables, instant, number, reference, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

fn boolean(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.boolean().not_null();
    column
}

fn boolean_null(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.boolean().null();
    column
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut namespace = ColumnDef::new("namespace_id");
        namespace.big_integer().not_null().primary_key();
        let settings = Table::create()
            .table("package_settings")
            .col(namespace)
            .col(boolean("audit_events_enabled"))
            .col(boolean("nuget_symbol_server_enabled"))
            .col(instant("updated_at"))
            .foreign_key(&mut reference(
                "package_settings",
                "namespace_id",
                "namespaces",
                ForeignKeyAction::Cascade,
            ))
            .to_owned();
        manager.create_table(settings).await?;
        // A null says that the namespace leaves it to those above.
        let formats = Table::create()
            .table("format_settings")
            .col(big("namespace_id"))
            .col(number("format"))
            .col(boolean_null("duplicates_allowed"))
            .col(text("duplicate_exception"))
            .col(boolean_null("forwarding"))
            .col(boolean("forwarding_locked"))
            .primary_key(Index::create().col("namespace_id").col("format"))
            .foreign_key(&mut reference(
                "format_settings",
                "namespace_id",
                "namespaces",
                ForeignKeyAction::Cascade,
            ))
            .to_owned();
        manager.create_table(formats).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["format_settings", "package_settings"]).await
    }
}
