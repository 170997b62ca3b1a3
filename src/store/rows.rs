//! Running statements and reading what they give.

use sea_orm::{
    ConnectionTrait, FromQueryResult, Statement, Value,
    sea_query::{Asterisk, Expr, Func, Query, SelectStatement},
};

use crate::Result;

/// Every row that `select` gives.
pub(crate) async fn all<T: FromQueryResult>(
    connection: &impl ConnectionTrait,
    select: &SelectStatement,
) -> Result<Vec<T>> {
    let rows = connection.query_all(select).await?;
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
    let rows = connection.query_all_raw(statement).await?;
    Ok(rows.iter().map(|row| T::from_query_result(row, "")).collect::<Result<_, _>>()?)
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
