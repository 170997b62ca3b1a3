//! The log is added to and never changed, and whoever is refused without end does not fill it.

use domain::{Subject, Visibility};
use sea_orm::{ConnectionTrait, DbBackend};
use time::{Duration, OffsetDateTime};

use super::{
    NOW, test_store,
    world::{group, project, user},
};
use crate::{
    Direction, PageRequest, Store,
    audit_events::{self, Actor, AuditEvent, AuditFilter, AuditScope, Refusal},
    members::Place,
};

/// Most refusals of one kind that are written down within a minute.
const MOST: usize = 10;

async fn log(store: &Store) -> Vec<AuditEvent> {
    let page = PageRequest::first(1_000);
    audit_events::list(store, AuditScope::Instance, &AuditFilter::default(), Direction::Ascending, &page)
        .await
        .expect("a page")
        .rows
}

#[tokio::test]
async fn the_database_refuses_to_change_or_remove_an_event() {
    let store = test_store().await;
    user(&store, "alice").await;
    group(&store, None, "acme", Visibility::Private).await;
    let before = log(&store).await;
    assert!(!before.is_empty(), "there is something to change");
    let connection = store.migration_connection();
    let mut attempts = vec![
        "UPDATE audit_events SET message = 'nothing'",
        "UPDATE audit_events SET author_id = NULL WHERE id = (SELECT MAX(id) FROM audit_events)",
        "DELETE FROM audit_events",
        "DELETE FROM audit_events WHERE id = (SELECT MAX(id) FROM audit_events)",
        "INSERT INTO audit_events SELECT * FROM audit_events WHERE true ON CONFLICT (id) DO UPDATE SET message = 'nothing'",
    ];
    attempts.push(match connection.get_database_backend() {
        DbBackend::Postgres => "TRUNCATE audit_events",
        _ => "REPLACE INTO audit_events SELECT * FROM audit_events",
    });
    for sql in attempts {
        let error = connection.execute_unprepared(sql).await.expect_err(sql).to_string();
        assert!(error.contains("audit events are append only"), "{sql}: {error}");
    }
    assert_eq!(log(&store).await, before);
}

#[tokio::test]
async fn who_knocks_without_end_is_written_down_now_and_then() {
    let store = test_store().await;
    let (alice, bob) = (user(&store, "alice").await, user(&store, "bob").await);
    let acme = group(&store, None, "acme", Visibility::Private).await;
    let (web, lib) = (
        project(&store, acme.id, "web", Visibility::Private).await,
        project(&store, acme.id, "lib", Visibility::Private).await,
    );
    let by = |id| store.on_behalf_of(Actor::of(access::Identity::User { id, admin: false }, "somebody"));
    let (alice, bob) = (by(alice.id), by(bob.id));
    let refusal = |place: Option<Place>, operation: &str, code: &'static str| Refusal {
        place,
        operation: operation.to_owned(),
        code,
        subject: Subject::Package,
        package: None,
    };
    let written = async |store: &Store, refusal: Refusal, now: OffsetDateTime| {
        let before = log(store).await.len();
        // One at a time, and several in one request.
        for _ in 0..15 {
            audit_events::refuse(store, vec![refusal.clone()], now).await.expect("a write");
        }
        audit_events::refuse(store, vec![refusal; 15], now).await.expect("a write");
        log(store).await.len() - before
    };
    let first = refusal(Some(Place::Project(web.id)), "publishPackage", "DUPLICATE");
    assert_eq!(written(&alice, first.clone(), NOW).await, MOST);
    assert_eq!(written(&alice, first.clone(), NOW + Duration::seconds(59)).await, 0, "nor within a minute");
    for (what, store, other) in [
        ("somebody else", &bob, first.clone()),
        ("another place", &alice, Refusal { place: Some(Place::Project(lib.id)), ..first.clone() }),
        ("the group", &alice, Refusal { place: Some(Place::Group(acme.id)), ..first.clone() }),
        ("the instance", &alice, Refusal { place: None, ..first.clone() }),
        ("something else", &alice, Refusal { operation: "destroyPackage".to_owned(), ..first.clone() }),
        ("another reason", &alice, Refusal { code: "INVALID", ..first.clone() }),
    ] {
        assert_eq!(written(store, other, NOW).await, MOST, "{what} is counted by itself");
    }
    assert_eq!(written(&alice, first, NOW + Duration::minutes(1)).await, MOST, "again after a minute");
}
