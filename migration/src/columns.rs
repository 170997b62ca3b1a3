//! Column definitions that the steps share.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// The auto-incremented `id` of a table.
pub(crate) fn id() -> ColumnDef {
    let mut column = ColumnDef::new("id");
    column.big_integer().not_null().auto_increment().primary_key();
    column
}

/// Text for people.
pub(crate) fn text(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.text().not_null();
    column
}

/// Text for people, or nothing.
pub(crate) fn text_null(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.text().null();
    column
}

/// Text that is sorted or compared as a key: byte by byte on both databases.
pub(crate) fn key(manager: &SchemaManager<'_>, name: &'static str) -> ColumnDef {
    bytewise(manager, text(name))
}

/// Text that is sorted or compared as a key, or nothing.
pub(crate) fn key_null(manager: &SchemaManager<'_>, name: &'static str) -> ColumnDef {
    bytewise(manager, text_null(name))
}

fn bytewise(manager: &SchemaManager<'_>, mut column: ColumnDef) -> ColumnDef {
    if manager.get_database_backend() == DbBackend::Postgres {
        column.extra("COLLATE \"C\"");
    }
    column
}

/// The stored number of an enum.
pub(crate) fn number(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.small_integer().not_null();
    column
}

/// An id of another table, or a large number.
pub(crate) fn big(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.big_integer().not_null();
    column
}

/// An id of another table, or nothing.
pub(crate) fn big_null(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.big_integer().null();
    column
}

/// An instant.
pub(crate) fn instant(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.timestamp_with_time_zone().not_null();
    column
}

/// An instant, or nothing.
pub(crate) fn instant_null(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.timestamp_with_time_zone().null();
    column
}

/// A day, or nothing.
pub(crate) fn day_null(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.date().null();
    column
}

/// A JSON document.
pub(crate) fn json(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.json_binary().not_null();
    column
}

/// A reference from `column` of `table` to `id` of `target`.
pub(crate) fn reference(
    table: &'static str,
    column: &'static str,
    target: &'static str,
    on_delete: ForeignKeyAction,
) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("fk_{table}_{column}"))
        .from(table, column)
        .to(target, "id")
        .on_delete(on_delete)
        .to_owned()
}

/// An index called `ix_<table>_<columns>`.
pub(crate) fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(format!("ix_{table}_{}", columns.join("_"))).table(table);
    for column in columns {
        index.col(*column);
    }
    index.take()
}

/// A unique index called `ux_<table>_<columns>`.
pub(crate) fn unique(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = index(table, columns);
    index.name(format!("ux_{table}_{}", columns.join("_"))).unique();
    index.take()
}

/// Creates an index that the builder cannot say: one over the rows where `condition` holds. `head` is what stands before
/// `ON`, as in `UNIQUE INDEX ux_users_name`.
pub(crate) async fn partial_index(
    manager: &SchemaManager<'_>,
    head: &str,
    on: &str,
    condition: &str,
) -> Result<(), DbErr> {
    let sql = format!("CREATE {head} ON {on} WHERE {condition}");
    manager.get_connection().execute_unprepared(&sql).await.map(|_| ())
}

/// Drops `tables`, dependants first.
pub(crate) async fn drop_tables(manager: &SchemaManager<'_>, tables: &[&'static str]) -> Result<(), DbErr> {
    for table in tables {
        manager.drop_table(Table::drop().table(*table).to_owned()).await?;
    }
    Ok(())
}
