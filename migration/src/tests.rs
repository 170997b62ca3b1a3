//! Up, down, up again, on every database at hand.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectOptions, Database, DatabaseConnection},
};

use crate::{Migrator, migrate};

async fn up_down_up(connection: &DatabaseConnection) {
    migrate(connection).await.expect("up");
    Migrator::down(connection, None).await.expect("down");
    migrate(connection).await.expect("up again");
    migrate(connection).await.expect("nothing left to do");
    let manager = SchemaManager::new(connection);
    for table in ["users", "projects", "packages", "signing_keys"] {
        assert!(manager.has_table(table).await.expect("asking"), "{table}");
    }
}

#[tokio::test]
async fn sqlite() {
    let file = std::env::temp_dir().join(format!("entrepot-migration-{}.sqlite", std::process::id()));
    let url = format!("sqlite://{}?mode=rwc", file.display());
    let connection = Database::connect(ConnectOptions::new(url)).await.expect("a file");
    up_down_up(&connection).await;
    connection.close().await.expect("closing");
    std::fs::remove_file(file).expect("the file exists");
}

#[tokio::test]
async fn postgres() {
    let Ok(url) = std::env::var("ENTREPOT_TEST_POSTGRES_URL") else { return };
    let administrator = Database::connect(url.clone()).await.expect("the test server");
    let name = format!("migration_{}", std::process::id());
    administrator.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a new database");
    let (server, _) = url.rsplit_once('/').expect("a URL with a database name");
    let connection = Database::connect(format!("{server}/{name}")).await.expect("the new database");
    up_down_up(&connection).await;
    connection.close().await.expect("closing");
    administrator.execute_unprepared(&format!("DROP DATABASE {name}")).await.expect("dropping it");
}
