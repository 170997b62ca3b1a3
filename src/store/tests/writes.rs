//! The way every write takes: groups, savepoints, panics, callers that go away.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use domain::{ErrorCode, Failure};
use entity::instance_setting;
use futures::future::join_all;
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, Set, Statement};
use time::{Duration, OffsetDateTime, macros::datetime};

use super::{NOW, test_store};
use crate::{
    Result, Settings, Store, StoreError, Tx,
    convert::stored,
    instance_settings::{self, InstanceSettingsChange},
};

async fn put(tx: &Tx, key: &str) -> Result<()> {
    let row = instance_setting::ActiveModel {
        key: Set(key.to_owned()),
        value: Set(true.into()),
        updated_at: Set(stored(NOW)),
    };
    row.insert(tx).await?;
    Ok(())
}

async fn count(store: &Store) -> u64 {
    instance_setting::Entity::find().count(store.reader()).await.expect("counting")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_write_leaves_nothing_and_its_neighbours_alone() {
    let store = test_store().await;
    let writes = (0..200_u32).map(|number| {
        store.write(number, |tx, number| {
            Box::pin(async move {
                let key = format!("key-{number}");
                put(tx, &key).await?;
                match number % 4 {
                    1 => Err(Failure::invalid("key", "refused").into()),
                    // The unique index refuses: on PostgreSQL that ends the transaction, on SQLite the statement.
                    2 => put(tx, &key).await,
                    3 => panic!("a write that panics"),
                    _ => Ok(()),
                }
            })
        })
    });
    for (number, outcome) in join_all(writes).await.into_iter().enumerate() {
        match (number % 4, outcome) {
            (0, Ok(())) | (3, Err(StoreError::GivenUp(_))) => {}
            (1, Err(StoreError::Failure(failure))) => assert_eq!(failure.code, ErrorCode::Invalid),
            (2, Err(error)) => assert!(error.is_unique_violation(), "{error}"),
            (_, outcome) => panic!("{number}: {outcome:?}"),
        }
    }
    assert_eq!(count(&store).await, 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_poisons_nothing() {
    let store = test_store().await;
    let runs = Arc::new(AtomicU32::new(0));
    let mut tasks = Vec::new();
    for number in 0..100 {
        let (store, runs) = (store.clone(), runs.clone());
        tasks.push(tokio::spawn(async move {
            let write = store.write((format!("key-{number}"), runs), |tx, (key, runs)| {
                Box::pin(async move {
                    runs.fetch_add(1, Ordering::Relaxed);
                    put(tx, key).await
                })
            });
            if number % 2 == 0 {
                write.await.map(|()| true)
            } else {
                drop(write);
                Ok(false)
            }
        }));
    }
    for (number, task) in tasks.into_iter().enumerate() {
        if number % 10 == 0 {
            task.abort();
        } else {
            task.await.expect("no panic").expect("no error");
        }
    }
    store.write((), |tx, ()| Box::pin(put(tx, "afterwards"))).await.expect("the writer is alive");
    assert!((41..=51).contains(&count(&store).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_writers_lose_no_update() {
    let store = test_store().await;
    let change = InstanceSettingsChange { package_registry_enabled: Some(true), ..Default::default() };
    instance_settings::update(&store, change, NOW).await.expect("a row");
    let raises = (0..100).map(|_| {
        store.write((), |tx, ()| {
            Box::pin(async move {
                let key = "package_registry_enabled";
                let row = instance_setting::Entity::find_by_id(key);
                let row = sea_orm::QuerySelect::lock_exclusive(row).one(tx).await?.expect("the row");
                let number = row.value.as_i64().unwrap_or(0) + 1;
                let row = instance_setting::ActiveModel {
                    key: Set(key.to_owned()),
                    value: Set(number.into()),
                    updated_at: Set(row.updated_at),
                };
                row.update(tx).await?;
                Ok(())
            })
        })
    });
    for outcome in join_all(raises).await {
        outcome.expect("no write fails");
    }
    let row = instance_setting::Entity::find_by_id("package_registry_enabled").one(store.reader()).await;
    assert_eq!(row.expect("reading").expect("the row").value, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_is_tried_again() {
    async fn lock(tx: &Tx, key: &str) -> Result<()> {
        let row = instance_setting::Entity::find_by_id(key);
        sea_orm::QuerySelect::lock_exclusive(row).one(tx).await?.expect("the row");
        Ok(())
    }
    let store = test_store().await;
    for key in ["a", "b"] {
        store.write((), move |tx, ()| Box::pin(put(tx, key))).await.expect("a row");
    }
    let cross = |first: &'static str, second: &'static str| {
        store.write((), move |tx, ()| {
            Box::pin(async move {
                lock(tx, first).await?;
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                lock(tx, second).await
            })
        })
    };
    let (one, other) = tokio::join!(cross("a", "b"), cross("b", "a"));
    one.expect("it gets its turn");
    other.expect("so does the other");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_fails_fails_everyone_and_the_next_one_works() {
    let store = test_store().await;
    if store.reader().get_database_backend() != DbBackend::Sqlite {
        return;
    }
    // A foreign key that is checked at the commit only: the write succeeds, the commit does not.
    let spoil = |store: &Store| {
        let store = store.clone();
        async move {
            store
                .write((), |tx, ()| {
                    Box::pin(async move {
                        tx.execute_unprepared("PRAGMA defer_foreign_keys = ON").await?;
                        let sql = "INSERT INTO access_tokens (user_id, name, description, token_hash, scopes, created_at) \
                                   VALUES (999, '', '', '', '', '')";
                        tx.execute_unprepared(sql).await?;
                        Ok(())
                    })
                })
                .await
        }
    };
    let (good, bad, also_good) = tokio::join!(
        store.write((), |tx, ()| Box::pin(put(tx, "before"))),
        spoil(&store),
        store.write((), |tx, ()| Box::pin(put(tx, "after"))),
    );
    assert!(matches!(bad, Err(StoreError::Database(_))), "{bad:?}");
    let written = u64::from(good.is_ok()) + u64::from(also_good.is_ok());
    assert_eq!(count(&store).await, written, "whoever was told yes finds the row, and nobody else");
    store.write((), |tx, ()| Box::pin(put(tx, "later"))).await.expect("the writer goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_lost_its_transaction_is_replaced() {
    let store = test_store().await;
    if store.reader().get_database_backend() != DbBackend::Sqlite {
        return;
    }
    let mark = "CREATE TEMP TABLE mark (of_this_connection)";
    store.migration_connection().execute_unprepared(mark).await.expect("a mark on the connection");
    // What SQLite does of itself when the disk is full: the transaction ends under the driver, which goes on counting it.
    let lose = store.write((), |tx, ()| {
        Box::pin(async move {
            tx.execute_unprepared("ROLLBACK").await?;
            Ok(())
        })
    });
    lose.await.expect_err("nothing is committed");
    store.write((), |tx, ()| Box::pin(put(tx, "later"))).await.expect("the writer goes on");
    assert_eq!(count(&store).await, 1);
    let marked = store.migration_connection().execute_unprepared("DELETE FROM mark").await;
    marked.expect_err("it is another connection");
}

#[tokio::test]
async fn sqlite_is_built_and_opened_as_measured() {
    let store = test_store().await;
    let connection = store.reader();
    if connection.get_database_backend() != DbBackend::Sqlite {
        return;
    }
    let ask = |connection: &sea_orm::DatabaseConnection, sql: &'static str| {
        let connection = connection.clone();
        async move {
            let statement = Statement::from_string(DbBackend::Sqlite, sql);
            connection.query_all_raw(statement).await.expect("a pragma")
        }
    };
    let options = ask(connection, "PRAGMA compile_options").await;
    let options: Vec<String> =
        options.iter().map(|row| row.try_get_by_index(0).expect("an option")).collect();
    assert!(
        options.iter().any(|option| option == "ENABLE_QPSG"),
        "build with .cargo/config.toml's LIBSQLITE3_FLAGS: {options:?}"
    );
    let number =
        async |connection, sql| ask(connection, sql).await[0].try_get_by_index::<i64>(0).expect("a number");
    let main = store.migration_connection();
    assert_eq!(number(main, "PRAGMA synchronous").await, 2, "FULL");
    assert_eq!(number(main, "PRAGMA foreign_keys").await, 1);
    assert_eq!(number(connection, "PRAGMA query_only").await, 1);
    let mode: String = ask(main, "PRAGMA journal_mode").await[0].try_get_by_index(0).expect("a mode");
    assert_eq!(mode, "wal");
    connection.execute_unprepared("DELETE FROM users").await.expect_err("the reading pool only reads");
    let memory = Store::connect(&Settings::new("sqlite::memory:")).await;
    assert!(matches!(memory, Err(StoreError::Failure(_))));
}

#[tokio::test]
async fn instants_sort_as_text() {
    let whole = datetime!(2026-01-01 00:00 UTC);
    let later = whole + Duration::milliseconds(500);
    let text = |instant: OffsetDateTime| {
        stored(instant).format(&time::format_description::well_known::Rfc3339).expect("a year of four digits")
    };
    assert!(text(whole) < text(later), "{} {}", text(whole), text(later));
    assert!(text(later) < text(later + Duration::microseconds(17)));
    assert_eq!(text(whole).len(), text(later + Duration::nanoseconds(1_234)).len());
}

#[tokio::test]
async fn switches_are_cached_and_change_at_once_here() {
    let store = test_store().await;
    assert_eq!(store.instance_facts().await.expect("defaults"), access::InstanceFacts::default());
    let before = store.statements();
    store.instance_facts().await.expect("cached");
    assert_eq!(store.statements(), before);
    let change = InstanceSettingsChange { package_registry_enabled: Some(false), ..Default::default() };
    let settings = instance_settings::update(&store, change, NOW).await.expect("an update");
    assert!(!settings.package_registry_enabled && settings.package_registry_allow_anyone_to_pull_option);
    assert!(!store.instance_facts().await.expect("reading").registry_enabled);
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_agree_on_a_signing_key() {
    let store = test_store().await;
    let keys = join_all((0..8).map(|_| store.signing_key("tickets", NOW))).await;
    let keys: Vec<_> = keys.into_iter().map(|key| key.expect("a key")).collect();
    assert!(keys.iter().all(|key| *key == keys[0] && *key != [0; 32]));
    assert_ne!(store.signing_key("other", NOW).await.expect("a key"), keys[0]);
}
