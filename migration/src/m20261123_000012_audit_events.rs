//! Who changed what, and who was refused. Rows are added and never changed or removed: the database refuses both.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::columns::{big_null, drop_tables, id, index, instant, json, key, number, text, text_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut format = ColumnDef::new("package_format");
        format.small_integer().null();
        // No references: what an event tells of may be gone, the event stays.
        let events = Table::create()
            .table("audit_events")
            .col(id())
            .col(key(manager, "name"))
            .col(number("entity_type"))
            .col(big_null("entity_id"))
            .col(text("entity_path"))
            .col(big_null("project_id"))
            .col(number("author_type"))
            .col(big_null("author_id"))
            .col(key(manager, "author_name"))
            .col(text("target_type"))
            .col(big_null("target_id"))
            .col(text("target_details"))
            .col(format)
            .col(text_null("package_name"))
            .col(text("message"))
            .col(json("details"))
            .col(instant("created_at"))
            .to_owned();
        manager.create_table(events).await?;
        manager.create_index(index("audit_events", &["entity_type", "entity_id", "id"])).await?;
        manager.create_index(index("audit_events", &["project_id", "id"])).await?;
        manager.create_index(index("audit_events", &["author_type", "author_id", "id"])).await?;
        append_only(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["audit_events"]).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            let sql = "DROP FUNCTION audit_events_append_only()";
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }
}

async fn append_only(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let statements: &[&str] = if manager.get_database_backend() == DbBackend::Postgres {
        &[
            "CREATE FUNCTION audit_events_append_only() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'audit events are append only'; END $$",
            "CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE ON audit_events \
             FOR EACH ROW EXECUTE FUNCTION audit_events_append_only()",
            "CREATE TRIGGER audit_events_no_truncate BEFORE TRUNCATE ON audit_events \
             FOR EACH STATEMENT EXECUTE FUNCTION audit_events_append_only()",
        ]
    } else {
        &[
            "CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events \
             BEGIN SELECT RAISE(ABORT, 'audit events are append only'); END",
            "CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events \
             BEGIN SELECT RAISE(ABORT, 'audit events are append only'); END",
        ]
    };
    for sql in statements {
        manager.get_connection().execute_unprepared(sql).await?;
    }
    Ok(())
}
