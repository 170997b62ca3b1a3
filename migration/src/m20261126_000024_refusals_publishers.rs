//! * How often somebody was refused the same lately is counted where it is written down, so that servers on one database count
//!   together.
//! * On SQLite an event is not replaced either: `REPLACE` deletes without asking the triggers for `DELETE`
//!   (<https://www.sqlite.org/lang_conflict.html>).
//! * A trusted publisher is found by the claim that tells most of whom it trusts. Before, an exchange without a project read every
//!   publisher of its issuer.
//! * A file remembers the pipeline that published it, which until now its package did alone; a membership when it was changed.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::columns::{big_null, index, instant_null, partial_index};

const REFUSALS: &str = "ix_audit_events_refusals";
const TRIGGER: &str = "audit_events_no_replace";
const PUBLISHERS: &str = "trusted_publishers";
const CLAIM: &str = "telling_claim";

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The instance has no id, and nulls equal nothing.
        let columns =
            "audit_events (author_type, author_id, entity_type, COALESCE(entity_id, 0), message, created_at)";
        let condition = "name = 'package_registry_write_refused'";
        partial_index(manager, &format!("INDEX {REFUSALS}"), columns, condition).await?;
        if manager.get_database_backend() == DbBackend::Sqlite {
            // An id that is not given yet is -1 here.
            let sql = format!(
                "CREATE TRIGGER {TRIGGER} BEFORE INSERT ON audit_events \
                 WHEN NEW.id > 0 AND EXISTS (SELECT 1 FROM audit_events WHERE id = NEW.id) \
                 BEGIN SELECT RAISE(ABORT, 'audit events are append only'); END"
            );
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        for (table, column) in added() {
            manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await?;
        }
        telling_claims(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_index(
                Index::drop().name("ix_trusted_publishers_issuer_telling_claim").table(PUBLISHERS).to_owned(),
            )
            .await?;
        let table = Table::alter().table(PUBLISHERS).drop_column(CLAIM).to_owned();
        manager.alter_table(table).await?;
        manager.create_index(index(PUBLISHERS, &["issuer"])).await?;
        for (table, column) in added() {
            manager
                .alter_table(Table::alter().table(table).drop_column(column.get_column_name()).to_owned())
                .await?;
        }
        if manager.get_database_backend() == DbBackend::Sqlite {
            manager.get_connection().execute_unprepared(&format!("DROP TRIGGER {TRIGGER}")).await?;
        }
        manager.drop_index(Index::drop().name(REFUSALS).table("audit_events").to_owned()).await
    }
}

/// Columns that may be empty. The pipeline is no reference: SQLite drops no column that is one.
fn added() -> [(&'static str, ColumnDef); 2] {
    [("package_files", big_null("pipeline_id")), ("members", instant_null("updated_at"))]
}

/// Gives each publisher the longest of its claims, as `name=value`.
async fn telling_claims(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut claim = ColumnDef::new(CLAIM);
    claim.text().not_null().default("");
    let each = if manager.get_database_backend() == DbBackend::Postgres {
        claim.extra("COLLATE \"C\"");
        "jsonb_each_text(claims)"
    } else {
        "json_each(claims)"
    };
    manager.alter_table(Table::alter().table(PUBLISHERS).add_column(claim).to_owned()).await?;
    let sql = format!(
        "UPDATE {PUBLISHERS} SET {CLAIM} = COALESCE((SELECT c.key || '=' || c.value FROM {each} AS c \
         ORDER BY LENGTH(c.value) DESC, c.key LIMIT 1), '')"
    );
    manager.get_connection().execute_unprepared(&sql).await?;
    manager
        .drop_index(Index::drop().name("ix_trusted_publishers_issuer").table(PUBLISHERS).to_owned())
        .await?;
    manager.create_index(index(PUBLISHERS, &["issuer", CLAIM])).await
}
