//! Running statements and reading what they give.

use std::sync::OnceLock;

use sea_orm::{
    ConnectionTrait, DbBackend, FromQueryResult, QueryResult, Statement, Value,
    sea_query::{
        Asterisk, Expr, Func, PostgresQueryBuilder, Query, SelectStatement, SimpleExpr, SqliteQueryBuilder,
    },
};

use crate::{Result, Store, reader::FromRow};

/// Every row that `select` gives.
pub(crate) async fn all<T: FromQueryResult>(
    connection: &impl ConnectionTrait,
    select: &SelectStatement,
) -> Result<Vec<T>> {
    decoded(&connection.query_all(select).await?)
}

fn decoded<T: FromQueryResult>(rows: &[QueryResult]) -> Result<Vec<T>> {
    Ok(rows.iter().map(|row| T::from_query_result(row, "")).collect::<Result<_, _>>()?)
}

/// The row that `select` gives, if any. No `LIMIT` is added: it is for statements that give one at most.
pub(crate) async fn one<T: FromQueryResult>(
    connection: &impl ConnectionTrait,
    select: &SelectStatement,
) -> Result<Option<T>> {
    let row = connection.query_one(select).await?;
    Ok(row.map(|row| T::from_query_result(&row, "")).transpose()?)
}

/// The row that `sql` gives, if any. Both databases take `$1`, `$2` … as parameters. A fixed text spares the hot paths from
/// building it anew each time.
pub(crate) async fn one_sql<T: FromQueryResult>(
    connection: &impl ConnectionTrait,
    sql: &'static str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Option<T>> {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    let row = connection.query_one_raw(statement).await?;
    Ok(row.map(|row| T::from_query_result(&row, "")).transpose()?)
}

/// Every row that `sql` gives.
pub(crate) async fn all_sql<T: FromQueryResult>(
    connection: &impl ConnectionTrait,
    sql: &'static str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<T>> {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    decoded(&connection.query_all_raw(statement).await?)
}

/// The text of a statement that is built once and run with other values each time: building it costs more than a lookup.
/// What differs stands in it as a [`parameter`], everything else as it is.
pub(crate) struct Text(OnceLock<String>);

impl Text {
    /// One that is not built yet.
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The text; `build` makes it the first time. A process has one kind of database.
    pub(crate) fn of(&'static self, store: &Store, build: impl FnOnce() -> SelectStatement) -> &'static str {
        self.0.get_or_init(|| match store.reader().get_database_backend() {
            DbBackend::Sqlite => build().to_string(SqliteQueryBuilder),
            _ => build().to_string(PostgresQueryBuilder),
        })
    }
}

/// The value with this number, from 1, of those that a [`Text`] is run with.
pub(crate) fn parameter(number: usize) -> SimpleExpr {
    Expr::cust(format!("${number}"))
}

/// The row that `select` gives, if any, for a lookup that many requests make: in place where the database can be read so.
pub(crate) async fn hot_one<T: FromQueryResult + FromRow>(
    store: &Store,
    select: &SelectStatement,
) -> Result<Option<T>> {
    hot_first(store, store.reader().get_database_backend().build(select)).await
}

/// The row that `sql` gives, if any, read as by [`hot_one`].
pub(crate) async fn hot_one_sql<T: FromQueryResult + FromRow>(
    store: &Store,
    sql: &'static str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Option<T>> {
    let backend = store.reader().get_database_backend();
    hot_first(store, Statement::from_sql_and_values(backend, sql, values)).await
}

async fn hot_first<T: FromQueryResult + FromRow>(store: &Store, statement: Statement) -> Result<Option<T>> {
    if let Some(row) = store.in_place().and_then(|reader| reader.one(&statement)) {
        return Ok(row);
    }
    let row = store.reader().query_one_raw(statement).await?;
    Ok(row.map(|row| T::from_query_result(&row, "")).transpose()?)
}

/// The few rows that `select` gives, read as by [`hot_one`].
pub(crate) async fn hot_all<T: FromQueryResult + FromRow>(
    store: &Store,
    select: &SelectStatement,
) -> Result<Vec<T>> {
    hot_rows(store, store.reader().get_database_backend().build(select)).await
}

async fn hot_rows<T: FromQueryResult + FromRow>(store: &Store, statement: Statement) -> Result<Vec<T>> {
    if let Some(rows) = store.in_place().and_then(|reader| reader.all(&statement)) {
        return Ok(rows);
    }
    decoded(&store.reader().query_all_raw(statement).await?)
}

/// The few rows that `sql` gives, read as by [`hot_one`].
pub(crate) async fn hot_all_sql<T: FromQueryResult + FromRow>(
    store: &Store,
    sql: &'static str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<T>> {
    let backend = store.reader().get_database_backend();
    hot_rows(store, Statement::from_sql_and_values(backend, sql, values)).await
}

/// The many rows that `select` gives: read at one go, not sent over one by one.
pub(crate) async fn many<T: FromQueryResult + FromRow + Send + 'static>(
    store: &Store,
    select: &SelectStatement,
) -> Result<Vec<T>> {
    let statement = store.reader().get_database_backend().build(select);
    if let Some(reader) = store.in_place()
        && let Some(rows) = reader.all_aside(statement.clone()).await
    {
        return Ok(rows);
    }
    decoded(&store.reader().query_all_raw(statement).await?)
}

/// The first column of the row that `select` gives, which must be a number: a count.
pub(crate) async fn number(connection: &impl ConnectionTrait, select: &SelectStatement) -> Result<u64> {
    let row = connection.query_one(select).await?;
    let number = row.map(|row| row.try_get_by_index::<i64>(0)).transpose()?;
    Ok(number.and_then(|number| u64::try_from(number).ok()).unwrap_or(0))
}

/// How many rows `select` gives.
pub(crate) async fn count(connection: &impl ConnectionTrait, select: SelectStatement) -> Result<u64> {
    let count =
        Query::select().expr(Func::count(Expr::col(Asterisk))).from_subquery(select, "counted").take();
    number(connection, &count).await
}

/// Runs `sql`, which changes rows, and gives their number.
pub(crate) async fn execute(
    connection: &impl ConnectionTrait,
    sql: &'static str,
    values: impl IntoIterator<Item = Value>,
) -> Result<u64> {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    Ok(connection.execute_raw(statement).await?.rows_affected())
}
