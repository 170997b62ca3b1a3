//! Jobs: who gets one, for how long, and what is refused to whoever lost it.

use std::collections::BTreeMap;

use domain::{ErrorCode, JobKind, JobRunStatus, NamespaceId, ProjectId};
use futures::future;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::{NOW, test_store};
use crate::{
    PageRequest, Store, StoreError,
    jobs::{self, Ending, JobFilter, JobRun, JobRunFilter, JobSubject, LEASE, Lease, NewJob},
};

fn job(subject: JobSubject, every: Option<Duration>, run_at: OffsetDateTime) -> NewJob {
    NewJob { kind: JobKind::UploadSweep, subject, every, run_at }
}

fn regular() -> NewJob {
    job(JobSubject::Instance, Some(Duration::HOUR), NOW)
}

async fn claim(store: &Store, worker: &str, now: OffsetDateTime) -> Option<Lease> {
    jobs::claim(store, worker, now).await.expect("the database answers")
}

async fn done(store: &Store, lease: &Lease, now: OffsetDateTime) {
    jobs::finish(store, lease, Ending::Done(json!({ "done": 1 })), now).await.expect("its own job");
}

async fn runs(store: &Store) -> Vec<JobRun> {
    let page = jobs::list_runs(store, JobRunFilter::default(), &PageRequest::first(100)).await;
    page.expect("a page").rows
}

fn is_lost<T: std::fmt::Debug>(outcome: crate::Result<T>) {
    match outcome {
        Err(StoreError::Failure(failure)) if failure.code == ErrorCode::Stale => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_regular_job_has_its_times() {
    let store = test_store().await;
    assert_eq!(claim(&store, "a", NOW).await, None, "nothing is on the list");
    jobs::ensure(&store, regular(), NOW).await.expect("listed");
    assert_eq!(claim(&store, "a", NOW - Duration::SECOND).await, None, "not due yet");
    let lease = claim(&store, "a", NOW).await.expect("due");
    assert_eq!((lease.kind, lease.subject), (JobKind::UploadSweep, JobSubject::Instance));
    assert_eq!(lease.progress, Value::Null);
    assert_eq!(claim(&store, "b", NOW).await, None, "taken");
    done(&store, &lease, NOW + Duration::MINUTE).await;
    jobs::ensure(&store, regular(), NOW + Duration::MINUTE).await.expect("listed");
    assert_eq!(claim(&store, "b", NOW + Duration::minutes(59)).await, None, "it keeps its next time");
    let lease = claim(&store, "b", NOW + Duration::HOUR).await.expect("due again");
    done(&store, &lease, NOW + Duration::HOUR).await;
    let runs = runs(&store).await;
    assert_eq!(runs.iter().map(|run| run.worker.as_str()).collect::<Vec<_>>(), ["b", "a"]);
    assert!(
        runs.iter().all(|run| run.status == JobRunStatus::Succeeded && run.result == json!({ "done": 1 }))
    );
}

#[tokio::test]
async fn a_job_that_is_asked_for_runs_once_and_again_when_asked_meanwhile() {
    let store = test_store().await;
    let asked = job(JobSubject::Instance, None, NOW);
    jobs::request(&store, asked, NOW).await.expect("listed");
    jobs::request(&store, NewJob { run_at: NOW + Duration::HOUR, ..asked }, NOW).await.expect("listed");
    let lease = claim(&store, "a", NOW).await.expect("due: the earlier time holds");
    assert_eq!(claim(&store, "b", NOW).await, None);
    jobs::request(&store, asked, NOW).await.expect("listed");
    assert_eq!(claim(&store, "b", NOW).await, None, "one at a time");
    done(&store, &lease, NOW).await;
    let lease = claim(&store, "b", NOW).await.expect("asked for while it ran");
    done(&store, &lease, NOW).await;
    assert_eq!(claim(&store, "b", NOW + Duration::DAY).await, None, "nobody asked any more");
}

#[tokio::test]
async fn whoever_is_silent_loses_the_job_and_may_write_nothing_more() {
    let store = test_store().await;
    jobs::ensure(&store, regular(), NOW).await.expect("listed");
    let silent = claim(&store, "silent", NOW).await.expect("due");
    jobs::save(&store, &silent, json!({ "at": 7 }), NOW).await.expect("its own job");
    let later = NOW + LEASE;
    jobs::heartbeat(&store, &silent, NOW + Duration::MINUTE).await.expect("its own job");
    assert_eq!(claim(&store, "other", later).await, None, "the heartbeat counts");
    let later = later + Duration::MINUTE;
    let other = claim(&store, "other", later).await.expect("taken over");
    assert_eq!(other.progress, json!({ "at": 7 }), "it goes on where the other was");
    is_lost(jobs::heartbeat(&store, &silent, later).await);
    is_lost(jobs::save(&store, &silent, json!({ "at": 8 }), later).await);
    is_lost(jobs::finish(&store, &silent, Ending::Done(Value::Null), later).await);
    done(&store, &other, later).await;
    is_lost(jobs::heartbeat(&store, &other, later).await);
    let runs = runs(&store).await;
    assert_eq!(
        runs.iter().map(|run| (run.worker.as_str(), run.status)).collect::<Vec<_>>(),
        [("other", JobRunStatus::Succeeded), ("silent", JobRunStatus::Abandoned)]
    );
}

#[tokio::test]
async fn failures_make_pauses_and_keep_the_progress() {
    let store = test_store().await;
    jobs::request(&store, job(JobSubject::Instance, None, NOW), NOW).await.expect("listed");
    let mut now = NOW;
    for (failures, pause) in [(1, 30), (2, 60), (3, 120)] {
        let lease = claim(&store, "a", now).await.expect("due");
        jobs::save(&store, &lease, json!(failures), now).await.expect("its own job");
        let ending = Ending::Failed("the disk is full".to_owned());
        jobs::finish(&store, &lease, ending, now).await.expect("its own job");
        let page = jobs::list(&store, JobFilter::default(), &PageRequest::first(1)).await.expect("a page");
        assert_eq!(page.rows[0].failures, failures);
        assert_eq!(page.rows[0].last_error.as_deref(), Some("the disk is full"));
        assert_eq!(claim(&store, "a", now + Duration::seconds(pause - 1)).await, None, "{failures}");
        now += Duration::seconds(pause);
    }
    let lease = claim(&store, "a", now).await.expect("due");
    assert_eq!(lease.progress, json!(3));
    let ending = Ending::Paused { progress: json!("half"), result: json!({ "removed": 2 }) };
    jobs::finish(&store, &lease, ending, now).await.expect("its own job");
    let lease = claim(&store, "b", now).await.expect("a pause is no failure");
    assert_eq!(lease.progress, json!("half"));
    done(&store, &lease, now).await;
    let page = jobs::list(&store, JobFilter::default(), &PageRequest::first(1)).await.expect("a page");
    assert_eq!((page.rows[0].failures, page.rows[0].last_error.clone()), (0, None));
}

#[tokio::test]
async fn kinds_of_a_newer_release_are_left_to_it() {
    let store = test_store().await;
    jobs::ensure(&store, regular(), NOW).await.expect("listed");
    store
        .write((), |tx, ()| {
            Box::pin(async move {
                crate::rows::execute(tx, "UPDATE background_jobs SET kind = 'of_tomorrow'", []).await
            })
        })
        .await
        .expect("changed");
    assert_eq!(claim(&store, "a", NOW).await, None);
    let page = jobs::list(&store, JobFilter::default(), &PageRequest::first(1)).await.expect("a page");
    assert_eq!(page.rows[0].kind, None);
}

/// Many workers at once: every job is done once, and every piece of work in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_two_workers_do_the_same() {
    const JOBS: i64 = 12;
    const PIECES: i64 = 5;
    let store = test_store().await;
    let group = super::world::group(&store, None, "acme", domain::Visibility::Private).await;
    let mut subjects = vec![JobSubject::Instance, JobSubject::Group(NamespaceId(group.id.0))];
    for number in 0..JOBS - 2 {
        let path = format!("p{number}");
        let project = super::world::project(&store, group.id, &path, domain::Visibility::Private).await;
        subjects.push(JobSubject::Project(ProjectId(project.id.0)));
    }
    for subject in &subjects {
        jobs::request(&store, job(*subject, None, NOW), NOW).await.expect("listed");
    }
    let workers = (0..8).map(|number| {
        let store = Store::clone(&store);
        tokio::spawn(async move {
            let mut taken = Vec::new();
            let name = format!("worker {number}");
            while let Some(lease) = claim(&store, &name, NOW).await {
                let from = lease.progress.as_i64().unwrap_or(0);
                for piece in from..PIECES {
                    jobs::save(&store, &lease, json!(piece + 1), NOW).await.expect("its own job");
                    taken.push((lease.job, piece));
                    // Half of the jobs change hands on the way.
                    if piece == 2 && lease.job.0 % 2 == 0 {
                        break;
                    }
                }
                let reached = taken.last().map_or(0, |(_, piece)| piece + 1);
                let ending = if reached == PIECES {
                    Ending::Done(Value::Null)
                } else {
                    Ending::Paused { progress: json!(reached), result: Value::Null }
                };
                jobs::finish(&store, &lease, ending, NOW).await.expect("its own job");
            }
            taken
        })
    });
    let mut times = BTreeMap::new();
    for taken in future::join_all(workers).await {
        for piece in taken.expect("no panic") {
            *times.entry(piece).or_insert(0) += 1;
        }
    }
    assert_eq!(times.len(), usize::try_from(JOBS * PIECES).expect("small"));
    assert!(times.values().all(|times| *times == 1), "{times:?}");
}
