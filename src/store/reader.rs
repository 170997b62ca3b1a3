//! Reads in place: SQLite on the thread that asks.
//!
//! sqlx runs every statement of SQLite on a thread of its connection. The way there and back (channels, wake-ups, and a ping
//! before the connection is the next one's) costs many times what a lookup by a unique index does, so that the statements
//! which nearly every request runs are executed here, on connections of our own that only read. They are written as all
//! others are; only who executes them differs.
//!
//! Nothing is waited for on the asking thread but pages of the file. Where SQLite would wait for a lock, where a value is one
//! that this module does not know, or where anything else fails, nothing is answered, and the caller asks the pool, whose
//! error is then the one to tell.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rusqlite::{
    Connection, Error, OpenFlags, Result, Row, ToSql,
    types::{ToSqlOutput, Value as Owned, ValueRef},
};
use sea_orm::{Statement, Value};
use time::{Date, OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};
use tokio::{sync::Semaphore, task};

/// Statements that a connection keeps prepared.
const PREPARED: usize = 128;

/// A row that can be read in place. Made by [`in_place`].
pub(crate) trait FromRow: Sized {
    /// The row's values, by the names of their columns.
    fn from_row(row: &Row<'_>) -> Result<Self>;
}

/// A value that can be read in place, as the driver of the pool reads it.
pub(crate) trait Cell: Sized {
    /// The value; none when it is of another kind.
    fn read(value: ValueRef<'_>) -> Option<Self>;
}

/// Says that a struct whose fields are named as the columns can be read in place.
macro_rules! in_place {
    ($row:ty { $($column:ident),+ $(,)? }) => {
        impl $crate::reader::FromRow for $row {
            fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
                let mut next = 0;
                Ok(Self { $($column: $crate::reader::next_cell(row, stringify!($column), &mut next)?),+ })
            }
        }
    };
}
pub(crate) use in_place;

/// The value in a column, which is likely to be the `next` one: fields tend to stand in the order of the columns, and finding each
/// by its name takes longer than reading it.
pub(crate) fn next_cell<T: Cell>(row: &Row<'_>, column: &'static str, next: &mut usize) -> Result<T> {
    let is_next = row.as_ref().column_name(*next).is_ok_and(|name| name == column);
    if !is_next {
        *next = row.as_ref().column_index(column)?;
    }
    let value = row.get_ref(*next)?;
    *next += 1;
    T::read(value).ok_or_else(|| Error::InvalidColumnType(0, column.to_owned(), value.data_type()))
}

/// The value in a column.
pub(crate) fn cell<T: Cell>(row: &Row<'_>, column: &'static str) -> Result<T> {
    let value = row.get_ref(column)?;
    T::read(value).ok_or_else(|| Error::InvalidColumnType(0, column.to_owned(), value.data_type()))
}

/// Connections to a SQLite file that only read.
#[derive(Debug)]
pub(crate) struct Reader {
    path: PathBuf,
    /// Those that nobody uses; none once the store is closed.
    idle: Mutex<Option<Vec<Connection>>>,
    /// How many are kept.
    most: usize,
    /// For reads aside, which take longer.
    places: Semaphore,
    /// Counts what is executed.
    statements: Arc<AtomicU64>,
}

impl Reader {
    /// A reader of the file at `path`, which is opened when first needed. Keeps up to `most` connections.
    pub(crate) fn new(path: PathBuf, most: usize, statements: Arc<AtomicU64>) -> Self {
        let idle = Mutex::new(Some(Vec::new()));
        Self { path, idle, most, places: Semaphore::new(most), statements }
    }

    /// The first row that a short statement gives, if any. None when it has to be asked elsewhere.
    #[expect(clippy::option_option, reason = "whether it was answered, and whether there is a row")]
    pub(crate) fn one<T: FromRow>(&self, statement: &Statement) -> Option<Option<T>> {
        Some(self.read(statement, 1)?.pop())
    }

    /// Every row that a short statement gives. None when it has to be asked elsewhere.
    pub(crate) fn all<T: FromRow>(&self, statement: &Statement) -> Option<Vec<T>> {
        self.read(statement, usize::MAX)
    }

    /// Every row that a long statement gives, read on a thread that may block. None when it has to be asked elsewhere.
    pub(crate) async fn all_aside<T: FromRow + Send + 'static>(
        self: &Arc<Self>,
        statement: Statement,
    ) -> Option<Vec<T>> {
        let _place = self.places.acquire().await.ok()?;
        let reader = Arc::clone(self);
        task::spawn_blocking(move || reader.all(&statement)).await.ok()?
    }

    /// Closes the connections; from now on nothing is answered.
    pub(crate) fn close(&self) {
        self.idle().take();
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Option<Vec<Connection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T: FromRow>(&self, statement: &Statement, most: usize) -> Option<Vec<T>> {
        let idle = self.idle().as_mut()?.pop();
        let outcome = idle.map_or_else(|| self.open(), Ok).and_then(|connection| {
            let rows = collect(&connection, statement, most)?;
            Ok((connection, rows))
        });
        match outcome {
            Ok((connection, rows)) => {
                self.statements.fetch_add(1, Ordering::Relaxed);
                if let Some(idle) = self.idle().as_mut().filter(|idle| idle.len() < self.most) {
                    idle.push(connection);
                }
                Some(rows)
            }
            Err(error) => {
                tracing::debug!(%error, "a read in place is left to the pool");
                None
            }
        }
    }

    fn open(&self) -> Result<Connection> {
        // Each connection is one thread's at a time.
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(Duration::ZERO)?;
        connection.set_prepared_statement_cache_capacity(PREPARED);
        Ok(connection)
    }
}

fn collect<T: FromRow>(connection: &Connection, statement: &Statement, most: usize) -> Result<Vec<T>> {
    let mut prepared = connection.prepare_cached(&statement.sql)?;
    bind(&mut prepared, statement.values.as_ref().map_or(&[], |values| values.0.as_slice()))?;
    let mut rows = prepared.raw_query();
    let mut read = Vec::new();
    while read.len() < most
        && let Some(row) = rows.next()?
    {
        read.push(T::from_row(row)?);
    }
    Ok(read)
}

/// Binds `values` as the driver of the pool does: `$2` and `?2` are the second, each `?` the next.
fn bind(statement: &mut rusqlite::Statement<'_>, values: &[Value]) -> Result<()> {
    let mut next = 0;
    for place in 1..=statement.parameter_count() {
        let number = match statement.parameter_name(place) {
            None => {
                next += 1;
                next
            }
            Some(name) => name
                .get(1..)
                .and_then(|digits| digits.parse().ok())
                .ok_or_else(|| Error::InvalidParameterName(name.to_owned()))?,
        };
        let value = values.get(number - 1).ok_or(Error::InvalidParameterCount(values.len(), number))?;
        statement.raw_bind_parameter(place, Bound(value))?;
    }
    Ok(())
}

/// A parameter, written as the driver of the pool writes it.
struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        let refused = |reason: &dyn std::fmt::Display| {
            Error::ToSqlConversionFailure(format!("a parameter is not bound in place: {reason}").into())
        };
        let integer = |value: Option<i64>| value.map_or(Owned::Null, Owned::Integer);
        let text = |value: Option<String>| value.map_or(Owned::Null, Owned::Text);
        let owned = match self.0 {
            Value::String(Some(text)) => return Ok(ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))),
            Value::String(None) => Owned::Null,
            Value::Bool(value) => integer(value.map(i64::from)),
            Value::SmallInt(value) => integer(value.map(i64::from)),
            Value::Int(value) => integer(value.map(i64::from)),
            Value::BigInt(value) => integer(*value),
            Value::BigUnsigned(value) => {
                integer(value.map(i64::try_from).transpose().map_err(|error| refused(&error))?)
            }
            Value::TimeDate(value) => {
                let format = format_description!("[year]-[month]-[day]");
                text(value.map(|day| day.format(format)).transpose().map_err(|error| refused(&error))?)
            }
            Value::TimeDateTimeWithTimeZone(value) => {
                let written = value.map(|instant| instant.format(&Rfc3339));
                text(written.transpose().map_err(|error| refused(&error))?)
            }
            _ => return Err(refused(&"its type is not known here")),
        };
        Ok(ToSqlOutput::Owned(owned))
    }
}

impl<T: Cell> Cell for Option<T> {
    fn read(value: ValueRef<'_>) -> Option<Self> {
        match value {
            ValueRef::Null => Some(None),
            value => T::read(value).map(Some),
        }
    }
}

impl Cell for i64 {
    fn read(value: ValueRef<'_>) -> Option<Self> {
        value.as_i64().ok()
    }
}

impl Cell for i16 {
    fn read(value: ValueRef<'_>) -> Option<Self> {
        value.as_i64().ok()?.try_into().ok()
    }
}

impl Cell for bool {
    fn read(value: ValueRef<'_>) -> Option<Self> {
        value.as_i64().ok().map(|number| number != 0)
    }
}

impl Cell for String {
    fn read(value: ValueRef<'_>) -> Option<Self> {
        value.as_str().ok().map(str::to_owned)
    }
}

impl Cell for serde_json::Value {
    fn read(value: ValueRef<'_>) -> Option<Self> {
        serde_json::from_str(value.as_str().ok()?).ok()
    }
}

impl Cell for Date {
    fn read(value: ValueRef<'_>) -> Option<Self> {
        Self::parse(value.as_str().ok()?, format_description!("[year]-[month]-[day]")).ok()
    }
}

impl Cell for OffsetDateTime {
    fn read(value: ValueRef<'_>) -> Option<Self> {
        Self::parse(value.as_str().ok()?, &Rfc3339).ok()
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::DbBackend;
    use time::macros::{date, datetime};

    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Everything {
        number: i64,
        small: i16,
        flag: bool,
        word: String,
        absent: Option<String>,
        object: serde_json::Value,
        day: Date,
        instant: OffsetDateTime,
    }

    in_place!(Everything { number, small, flag, word, absent, object, day, instant });

    fn reader() -> (tempfile::TempDir, Reader) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("entrepot.db");
        Connection::open(&path).expect("a file").execute_batch("CREATE TABLE t (n)").expect("a table");
        (folder, Reader::new(path, 2, Arc::default()))
    }

    fn statement(sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
        Statement::from_sql_and_values(DbBackend::Sqlite, sql, values)
    }

    #[test]
    fn what_is_bound_comes_back_whatever_the_order_of_the_parameters() {
        let (_folder, reader) = reader();
        let instant = datetime!(2026-11-25 12:00:00.123456 UTC);
        let values = [
            Value::from(-7_i64),
            3_i16.into(),
            true.into(),
            "wört".into(),
            Value::String(None),
            r#"{"a":[1]}"#.into(),
            date!(2026 - 11 - 25).into(),
            instant.into(),
        ];
        let expected = Everything {
            number: -7,
            small: 3,
            flag: true,
            word: "wört".to_owned(),
            absent: None,
            object: serde_json::json!({ "a": [1] }),
            day: date!(2026 - 11 - 25),
            instant,
        };
        for sql in [
            "SELECT ? AS number, ? AS small, ? AS flag, ? AS word, ? AS absent, ? AS object, ? AS day, ? AS instant",
            "SELECT $8 AS instant, $1 AS number, $2 AS small, $3 AS flag, $4 AS word, $5 AS absent, $6 AS object, $7 AS day",
        ] {
            assert_eq!(reader.one(&statement(sql, values.clone())), Some(Some(expected.clone())), "{sql}");
        }
        assert_eq!(reader.statements.load(Ordering::Relaxed), 2);
    }

    struct Number {
        number: i64,
    }

    in_place!(Number { number });

    #[test]
    fn what_cannot_be_answered_here_is_left_to_the_pool() {
        let (_folder, reader) = reader();
        let asked = |sql: &str, values: Vec<Value>| reader.all::<Number>(&statement(sql, values)).is_some();
        assert!(asked("SELECT 1 AS number", vec![]));
        assert!(!asked("SELECT 'one' AS number", vec![]), "another kind of value");
        assert!(!asked("SELECT NULL AS number", vec![]), "no value where there must be one");
        assert!(!asked("SELECT 1 AS other", vec![]), "no such column");
        assert!(!asked("SELECT $2 AS number", vec![1_i64.into()]), "a parameter too few");
        assert!(!asked("SELECT ? AS number", vec![1.5_f64.into()]), "a type that is not known");
        assert!(!asked("SELECT", vec![]), "no SQL");
        assert!(!asked("INSERT INTO t VALUES (1) RETURNING n AS number", vec![]), "a write");
        assert!(asked("SELECT 1 AS number", vec![]), "and reading goes on");
        reader.close();
        assert!(!asked("SELECT 1 AS number", vec![]), "closed");
    }

    #[test]
    fn a_lock_is_not_waited_for_and_what_was_committed_is_there() {
        let (folder, reader) = reader();
        let writer = Connection::open(folder.path().join("entrepot.db")).expect("the file");
        let count = || {
            let rows = reader.all::<Number>(&statement("SELECT COUNT(*) AS number FROM t", []));
            rows.map(|rows| rows[0].number)
        };
        // Without the write-ahead log a writer keeps readers out.
        writer.execute_batch("BEGIN EXCLUSIVE; INSERT INTO t VALUES (1)").expect("a lock");
        assert_eq!(count(), None);
        writer.execute_batch("COMMIT; PRAGMA journal_mode = WAL").expect("a mode");
        writer.execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (2)").expect("a lock");
        assert_eq!(count(), Some(1));
        writer.execute_batch("COMMIT").expect("committed");
        assert_eq!(count(), Some(2));
    }
}
