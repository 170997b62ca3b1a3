//! Opening the database.

use std::{
    str::FromStr as _,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::Failure;
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr,
    sqlx::{
        self, Connection as _, PgConnection,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
    },
};
use tokio::time::{Instant, sleep, timeout_at};

use crate::{Result, reader::Reader, writer::Writer};

/// What a PostgreSQL server answers while it starts or stops (SQLSTATE `cannot_connect_now`).
const CANNOT_CONNECT_NOW: &str = "57P03";
/// The pause before a server that is not up yet is asked again.
const RETRY_AFTER: Duration = Duration::from_millis(250);

/// How to reach the database.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `sqlite://<file>?mode=rwc` or `postgres://…`. A SQLite database in memory is refused: its connections would each have
    /// one of their own.
    pub database_url: String,
    /// Connections for reading (SQLite, which has one more for writing), or in all (PostgreSQL; at least two).
    pub max_connections: u32,
    /// How long a statement waits for a free connection, or for another process's lock, before it fails.
    pub acquire_timeout: Duration,
}

impl Settings {
    /// The usual settings for `database_url`.
    pub fn new(database_url: impl Into<String>) -> Self {
        Self {
            database_url: database_url.into(),
            max_connections: 8,
            acquire_timeout: Duration::from_secs(10),
        }
    }
}

/// What was opened.
pub(crate) struct Connections {
    pub(crate) reader: DatabaseConnection,
    pub(crate) in_place: Option<Arc<Reader>>,
    pub(crate) main: DatabaseConnection,
    pub(crate) writer: Writer,
    pub(crate) statements: Arc<AtomicU64>,
}

/// Opens what `settings` name.
pub(crate) async fn open(settings: &Settings) -> Result<Connections> {
    let statements = Arc::new(AtomicU64::new(0));
    if settings.database_url.starts_with("sqlite:") {
        open_sqlite(settings, statements).await
    } else {
        open_postgres(settings, statements).await
    }
}

/// Whether the process may write through a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Read,
    Write,
}

async fn open_sqlite(settings: &Settings, statements: Arc<AtomicU64>) -> Result<Connections> {
    if settings.database_url.contains(":memory:") || settings.database_url.contains("mode=memory") {
        return Err(Failure::invalid("database_url", "A SQLite database needs a file").into());
    }
    let suspect = Arc::new(AtomicBool::new(false));
    let mut options = sqlite_options(settings, Mode::Write);
    options.max_connections(1).map_sqlx_sqlite_before_acquire({
        let suspect = suspect.clone();
        move |_, _| {
            let sound = !suspect.swap(false, Ordering::AcqRel);
            Box::pin(async move { Ok(sound) })
        }
    });
    // The writer comes first: it makes the file and turns the write-ahead log on.
    let main = counted(Database::connect(options).await?, &statements);
    let mut options = sqlite_options(settings, Mode::Read);
    let most = settings.max_connections.max(1);
    options.max_connections(most);
    let reader = counted(Database::connect(options).await?, &statements);
    let place = SqliteConnectOptions::from_str(&settings.database_url)
        .map_err(|error| DbErr::Conn(RuntimeErr::Internal(error.to_string())))?;
    let most = usize::try_from(most).unwrap_or(1);
    let in_place = Reader::new(place.get_filename().to_owned(), most, statements.clone());
    Ok(Connections {
        reader,
        in_place: Some(Arc::new(in_place)),
        writer: Writer::grouped(main.clone(), suspect),
        main,
        statements,
    })
}

fn sqlite_options(settings: &Settings, mode: Mode) -> ConnectOptions {
    let busy_timeout = settings.acquire_timeout;
    let mut options = common_options(settings);
    options.test_before_acquire(false).idle_timeout(None).max_lifetime(None).map_sqlx_sqlite_opts(
        move |sqlite: SqliteConnectOptions| {
            let sqlite = sqlite
                .foreign_keys(true)
                .busy_timeout(busy_timeout)
                .synchronous(SqliteSynchronous::Full)
                .statement_cache_capacity(256);
            match mode {
                Mode::Read => sqlite.pragma("query_only", "ON"),
                Mode::Write => sqlite
                    .journal_mode(SqliteJournalMode::Wal)
                    .pragma("journal_size_limit", "67108864")
                    .pragma("temp_store", "MEMORY"),
            }
        },
    );
    options
}

/// Connects once, outside the pool: a pool that cannot connect says only that time ran out, not why. A server that is not
/// up yet is waited for.
async fn reach_postgres(settings: &Settings) -> Result<()> {
    let until = Instant::now() + settings.acquire_timeout;
    loop {
        let error = match timeout_at(until, PgConnection::connect(&settings.database_url)).await {
            Ok(Ok(connection)) => {
                // Whether the server hears the farewell does not matter.
                let _ = connection.close().await;
                return Ok(());
            }
            Ok(Err(error)) => error,
            Err(_) => sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()),
        };
        let is_starting = match &error {
            sqlx::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
            sqlx::Error::Database(error) => error.code().as_deref() == Some(CANNOT_CONNECT_NOW),
            _ => false,
        };
        if !is_starting || Instant::now() + RETRY_AFTER >= until {
            return Err(DbErr::Conn(RuntimeErr::Internal(error.to_string())).into());
        }
        sleep(RETRY_AFTER).await;
    }
}

async fn open_postgres(settings: &Settings, statements: Arc<AtomicU64>) -> Result<Connections> {
    reach_postgres(settings).await?;
    let mut options = common_options(settings);
    options
        .max_connections(settings.max_connections.max(2))
        // A connection that a firewall dropped while nobody used it is found out before it is handed out; a busy one is
        // not asked.
        .test_before_acquire_if_idle_for(Duration::from_secs(30));
    let main = counted(Database::connect(options).await?, &statements);
    let writer = Writer::Pooled(main.clone());
    Ok(Connections { reader: main.clone(), in_place: None, writer, main, statements })
}

fn common_options(settings: &Settings) -> ConnectOptions {
    let mut options = ConnectOptions::new(settings.database_url.clone());
    options
        .acquire_timeout(settings.acquire_timeout)
        .connect_timeout(settings.acquire_timeout)
        .sqlx_logging(false)
        .record_stmt_in_spans(false);
    options
}

/// The connection, with every statement counted.
fn counted(mut connection: DatabaseConnection, statements: &Arc<AtomicU64>) -> DatabaseConnection {
    let statements = statements.clone();
    connection.set_metric_callback(move |_| {
        statements.fetch_add(1, Ordering::Relaxed);
    });
    connection
}
