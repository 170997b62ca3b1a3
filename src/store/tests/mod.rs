//! The store against real databases: SQLite in a temporary file, or PostgreSQL when `ENTREPOT_TEST_POSTGRES_URL` names a
//! server on which databases may be created.

mod accounts;
mod audit_events;
mod blobs;
mod cleanup_policies;
mod jobs;
mod lists;
mod members;
mod packages;
mod pieces;
mod sign_in;
mod tokens;
mod visibility;
mod world;
mod writes;

use sea_orm::ConnectionTrait;
use time::{OffsetDateTime, macros::datetime};

use crate::{Settings, Store};

/// What time it is in tests.
pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

/// A migrated database of its own for each test, gone when dropped (SQLite) or left to the test server (PostgreSQL).
pub(crate) struct TestStore {
    store: Store,
    #[expect(dead_code, reason = "keeps the file while the test runs")]
    directory: tempfile::TempDir,
}

impl std::ops::Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

/// Opens a fresh database.
pub(crate) async fn test_store() -> TestStore {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let url = match std::env::var("ENTREPOT_TEST_POSTGRES_URL") {
        Ok(server) => postgres_database(&server).await,
        Err(_) => format!("sqlite://{}/test.sqlite?mode=rwc", directory.path().display()),
    };
    let settings = Settings { max_connections: 4, ..Settings::new(url) };
    let store = Store::connect(&settings).await.expect("a database");
    migration::migrate(store.migration_connection()).await.expect("migrations");
    TestStore { store, directory }
}

async fn postgres_database(server: &str) -> String {
    static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let name = format!("store_{}_{number}", std::process::id());
    let administrator = sea_orm::Database::connect(server).await.expect("the test server");
    administrator.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a new database");
    administrator.close().await.expect("closing");
    let (base, _) = server.rsplit_once('/').expect("a URL with a database name");
    format!("{base}/{name}")
}
