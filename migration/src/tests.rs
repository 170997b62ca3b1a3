//! Up, down, up again, on every database at hand.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectOptions, Database, DatabaseConnection, Statement},
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

/// Publishers that were there before get the claim by which they are found.
async fn publishers_are_found_by_their_longest_claim(connection: &DatabaseConnection) {
    let steps = Migrator::migrations();
    let later =
        steps.iter().rev().take_while(|step| step.name() != "m20261126_000024_refusals_publishers").count();
    let steps: u32 = (later + 1).try_into().expect("few");
    Migrator::down(connection, Some(steps)).await.expect("down");
    for sql in [
        "INSERT INTO namespaces (id, kind, path, name, full_path, full_path_key, description, visibility, created_at, updated_at) \
         VALUES (1, 1, 'a', 'a', 'a', 'a', '', 0, '2026-11-26 00:00:00+00:00', '2026-11-26 00:00:00+00:00')",
        "INSERT INTO projects (id, namespace_id, path, name, full_path, full_path_key, description, visibility, \
         registry_access_level, created_at, updated_at) \
         VALUES (1, 1, 'p', 'p', 'a/p', 'a/p', '', 0, 20, '2026-11-26 00:00:00+00:00', '2026-11-26 00:00:00+00:00')",
        "INSERT INTO trusted_publishers (id, project_id, issuer, audience, claims, created_at) \
         VALUES (1, 1, 'i', 'a', '{\"b\": \"short\", \"sub\": \"the löngest\", \"zub\": \"the longest\"}', '2026-11-26 00:00:00+00:00')",
    ] {
        connection.execute_unprepared(sql).await.expect(sql);
    }
    migrate(connection).await.expect("up");
    let sql = "SELECT telling_claim FROM trusted_publishers";
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection.query_one_raw(statement).await.expect("an answer").expect("a row");
    assert_eq!(row.try_get_by_index::<String>(0).expect("a text"), "sub=the löngest");
}

#[tokio::test]
async fn sqlite() {
    let file = std::env::temp_dir().join(format!("entrepot-migration-{}.sqlite", std::process::id()));
    let url = format!("sqlite://{}?mode=rwc", file.display());
    let connection = Database::connect(ConnectOptions::new(url)).await.expect("a file");
    up_down_up(&connection).await;
    publishers_are_found_by_their_longest_claim(&connection).await;
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
    publishers_are_found_by_their_longest_claim(&connection).await;
    connection.close().await.expect("closing");
    administrator.execute_unprepared(&format!("DROP DATABASE {name}")).await.expect("dropping it");
}
