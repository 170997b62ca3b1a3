//! A migrated database with the cast in it, for each world its own: a copy of a template that is made once per process.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use sea_orm::{ConnectionTrait, Database, DbBackend, Statement, TransactionTrait};
use store::{Settings, Store};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::People;

/// Names a PostgreSQL server, as a role that may create databases: `postgres://user@host:port/postgres`.
const SERVER: &str = "ENTREPOT_TEST_POSTGRES_URL";

/// A migrated database with people, and how to copy it.
struct Template {
    people: Arc<People>,
    kind: Kind,
}

enum Kind {
    /// The bytes of the file.
    Sqlite(Vec<u8>),
    /// A database on the server. Left there: a process has no last moment to drop it in.
    Postgres { server: String, name: String },
}

static TEMPLATE: OnceCell<Template> = OnceCell::const_new();

/// One world's database. Gone when dropped.
pub(crate) struct TestDatabase {
    pub(crate) url: String,
    /// Files of the world: the SQLite database, blobs on disk.
    pub(crate) directory: TempDir,
    postgres: Option<(String, String)>,
}

impl TestDatabase {
    /// A fresh copy, with the people in it.
    pub(crate) async fn new() -> (Self, Arc<People>) {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let template = TEMPLATE.get_or_init(Template::make).await;
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (url, postgres) = match &template.kind {
            Kind::Sqlite(bytes) => {
                let file = directory.path().join("entrepot.sqlite");
                fs::write(&file, bytes).expect("a copy of the template");
                (sqlite_url(&file), None)
            }
            Kind::Postgres { server, name } => {
                let number = NUMBER.fetch_add(1, Ordering::Relaxed);
                let copy = format!("testkit_{}_{number}", std::process::id());
                on_server(server, &format!("CREATE DATABASE {copy} TEMPLATE {name}")).await;
                (database_url(server, &copy), Some((server.clone(), copy)))
            }
        };
        (Self { url, directory, postgres }, Arc::clone(&template.people))
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Some((server, name)) = self.postgres.take() {
            drop_database(server, &name);
        }
    }
}

/// An empty database on the PostgreSQL server that tests use, for a server process. Gone when dropped.
pub struct PostgresDatabase {
    server: String,
    name: String,
}

impl PostgresDatabase {
    /// A new one; none when no server is named. Blocks.
    pub fn create() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server = std::env::var(SERVER).ok()?;
        let name = format!("server_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        on_server_blocking(server.clone(), format!("CREATE DATABASE {name}"));
        Some(Self { server, name })
    }

    /// Its address.
    pub fn url(&self) -> String {
        database_url(&self.server, &self.name)
    }

    /// Runs a statement beside the servers. Blocks.
    pub fn run(&self, sql: impl Into<String>) {
        let (url, sql) = (self.url(), sql.into());
        blocking(async move { on_server(&url, &sql).await }).expect("a statement that runs");
    }

    /// The number that a query gives. Blocks.
    pub fn number(&self, sql: impl Into<String>) -> i64 {
        let (url, sql) = (self.url(), sql.into());
        let ask = async move {
            let connection = Database::connect(&url).await.expect("the test server");
            let row = connection.query_one_raw(Statement::from_string(DbBackend::Postgres, &sql)).await;
            let row = row.expect(&sql).expect("a row");
            connection.close().await.expect("closing");
            row.try_get_by_index(0).expect("a number")
        };
        blocking(ask).expect("an answer")
    }

    /// Runs a statement in a transaction, and keeps the transaction, with what it locks, until the value is dropped. Blocks.
    pub fn hold(&self, sql: &'static str) -> HeldTransaction {
        let url = self.url();
        let (held, is_held) = std::sync::mpsc::sync_channel(1);
        let (release, released) = tokio::sync::oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            on_runtime(async move {
                let connection = Database::connect(&url).await.expect("the test server");
                let transaction = connection.begin().await.expect("a transaction");
                transaction.execute_unprepared(sql).await.expect(sql);
                held.send(()).expect("the test waits");
                let _ = released.await; // an end without a word is an end
                transaction.rollback().await.expect("an end");
                connection.close().await.expect("closing");
            });
        });
        is_held.recv().expect("a lock");
        HeldTransaction { release: Some(release), thread: Some(thread) }
    }
}

/// A transaction that is open. Over when dropped.
pub struct HeldTransaction {
    release: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for HeldTransaction {
    fn drop(&mut self) {
        drop(self.release.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        drop_database(self.server.clone(), &self.name);
    }
}

fn drop_database(server: String, name: &str) {
    on_server_blocking(server, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
}

fn on_server_blocking(server: String, sql: String) {
    // A database that stays because its server is gone is nobody's failure.
    let _ = blocking(async move { on_server(&server, &sql).await });
}

/// What comes of `work`, in a thread with a runtime of its own: the test's may be ending, or not be there.
fn blocking<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> std::thread::Result<T> {
    std::thread::spawn(|| on_runtime(work)).join()
}

fn on_runtime<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(work)
}

impl Template {
    async fn make() -> Self {
        match std::env::var(SERVER) {
            Ok(server) => {
                let name = format!("testkit_template_{}", std::process::id());
                on_server(&server, &format!("CREATE DATABASE {name}")).await;
                let people = Arc::new(fill(&database_url(&server, &name)).await);
                Self { people, kind: Kind::Postgres { server, name } }
            }
            Err(_) => {
                let directory = tempfile::tempdir().expect("a temporary directory");
                let file = directory.path().join("template.sqlite");
                let people = Arc::new(fill(&sqlite_url(&file)).await);
                let wal = file.with_extension("sqlite-wal");
                assert!(!wal.exists(), "closing the last connection empties the log into the file");
                Self { people, kind: Kind::Sqlite(fs::read(&file).expect("the template")) }
            }
        }
    }
}

/// Migrates the database at `url`, puts people into it and closes it.
async fn fill(url: &str) -> People {
    let store = Store::connect(&Settings::new(url)).await.expect("a database");
    migration::migrate(store.migration_connection()).await.expect("migrations");
    let people = People::create(&store).await;
    store.close().await.expect("closing");
    people
}

fn sqlite_url(file: &std::path::Path) -> String {
    format!("sqlite://{}?mode=rwc", file.display())
}

/// The server's address with another database.
fn database_url(server: &str, database: &str) -> String {
    let (base, _) = server.rsplit_once('/').expect("an address with a database name");
    format!("{base}/{database}")
}

async fn on_server(server: &str, sql: &str) {
    let connection = Database::connect(server).await.expect("the test server");
    connection.execute_unprepared(sql).await.expect("a command of the test server");
    connection.close().await.expect("closing");
}
