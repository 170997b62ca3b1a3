//! Taking a job, saying that one is still at it, writing down how far one came, and giving it back.

use domain::{BackgroundJobId, BackgroundJobRunId, JobKind, JobRunStatus};
use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Value};
use serde_json::Value as Json;
use time::{Duration, OffsetDateTime};

use super::{Ending, FIRST_PAUSE, JobSubject, LEASE, LONGEST_PAUSE, Lease, REMEMBERED, lost};
use crate::{Result, Store, StoreError, Tx, convert::stored, rows};

/// Kinds that a newer release put on the list are left to it.
const IS_DUE: &str = "SELECT id FROM background_jobs WHERE ((locked_until IS NULL AND run_at <= $1) OR locked_until <= $1) \
                      AND $2 LIKE '%|' || kind || '|%' LIMIT 1";

macro_rules! claim_sql {
    ($locking:literal) => {
        concat!(
            "UPDATE background_jobs SET locked_by = $1, locked_until = $2, claims = claims + 1, updated_at = $3 \
             WHERE id = (SELECT id FROM background_jobs WHERE ((locked_until IS NULL AND run_at <= $3) \
             OR locked_until <= $3) AND $4 LIKE '%|' || kind || '|%' \
             ORDER BY COALESCE(run_at, locked_until), id LIMIT 1",
            $locking,
            ") RETURNING id, kind, project_id, namespace_id, every_seconds, progress, claims, failures"
        )
    };
}

/// SQLite has one writer at a time: nobody else is at the same row.
const CLAIM: &str = claim_sql!("");
/// PostgreSQL passes over rows that another server is just taking.
const CLAIM_POSTGRES: &str = claim_sql!(" FOR UPDATE SKIP LOCKED");

/// Every kind of work that this release can do, as the statements look for it.
fn known_kinds() -> String {
    JobKind::ALL.iter().fold("|".to_owned(), |known, kind| known + kind.name() + "|")
}

#[derive(FromQueryResult)]
struct Claimed {
    id: i64,
    kind: String,
    project_id: Option<i64>,
    namespace_id: Option<i64>,
    every_seconds: Option<i64>,
    progress: Json,
    claims: i64,
    failures: i64,
}

#[derive(FromQueryResult)]
struct Id {
    id: i64,
}

/// Takes the job that is due for longest, in the name of the server `worker`; none when there is nothing to do. What a server left
/// that has not been heard of is taken over.
///
/// Asks without writing first, so that servers with nothing to do do not disturb each other.
pub async fn claim(store: &Store, worker: &str, now: OffsetDateTime) -> Result<Option<Lease>> {
    let due: Option<Id> =
        rows::one_sql(store.reader(), IS_DUE, [Value::from(stored(now)), known_kinds().into()]).await?;
    if due.is_none() {
        return Ok(None);
    }
    store.write((worker.to_owned(), now), |tx, (worker, now)| Box::pin(take(tx, worker, *now))).await
}

async fn take(tx: &Tx, worker: &str, now: OffsetDateTime) -> Result<Option<Lease>> {
    let sql = match tx.get_database_backend() {
        DbBackend::Postgres => CLAIM_POSTGRES,
        _ => CLAIM,
    };
    let values = [Value::from(worker), stored(now + LEASE).into(), stored(now).into(), known_kinds().into()];
    let Some(row) = rows::one_sql::<Claimed>(tx, sql, values).await? else { return Ok(None) };
    // Whoever had it before and said nothing: it is over.
    rows::execute(
        tx,
        "UPDATE background_job_runs SET status = $1, finished_at = $2 WHERE job_id = $3 AND finished_at IS NULL",
        [Value::from(JobRunStatus::Abandoned.number()), stored(now).into(), row.id.into()],
    )
    .await?;
    let every = row.every_seconds.map(Duration::seconds);
    // The next time is set now, so that whoever asks for a run from here on gets one.
    let next = every.map(|every| stored(now + every));
    rows::execute(
        tx,
        "UPDATE background_jobs SET run_at = $1 WHERE id = $2 AND run_at <= $3",
        [Value::from(next), row.id.into(), stored(now).into()],
    )
    .await?;
    let run: Option<Id> = rows::one_sql(
        tx,
        "INSERT INTO background_job_runs (job_id, status, worker, result, started_at) \
         VALUES ($1, $2, $3, 'null', $4) RETURNING id",
        [Value::from(row.id), JobRunStatus::Running.number().into(), worker.into(), stored(now).into()],
    )
    .await?;
    let run = run.ok_or_else(domain::Failure::internal)?;
    let kind = JobKind::from_name(&row.kind)
        .ok_or(StoreError::Corrupt { column: "background_jobs.kind", value: row.kind })?;
    Ok(Some(Lease {
        job: BackgroundJobId(row.id),
        kind,
        subject: JobSubject::of(row.project_id, row.namespace_id),
        progress: row.progress,
        claim: row.claims,
        run: BackgroundJobRunId(run.id),
        every,
        failures: row.failures,
    }))
}

/// Says that the server is still at it. Fails when it is no longer its job.
pub async fn heartbeat(store: &Store, lease: &Lease, now: OffsetDateTime) -> Result<()> {
    store
        .write((lease.clone(), now), |tx, (lease, now)| {
            Box::pin(async move {
                let prolonged = rows::execute(
                    tx,
                    "UPDATE background_jobs SET locked_until = $1 WHERE id = $2 AND claims = $3 \
                     AND locked_by IS NOT NULL",
                    [Value::from(stored(*now + LEASE)), lease.job.0.into(), lease.claim.into()],
                )
                .await?;
                if prolonged == 0 { Err(lost()) } else { Ok(()) }
            })
        })
        .await
}

/// Writes down how far the work came, in the transaction of the work. Fails when it is no longer the server's job, and with it the
/// work of the transaction.
pub(crate) async fn advance(tx: &Tx, lease: &Lease, progress: &Json, now: OffsetDateTime) -> Result<()> {
    let advanced = rows::execute(
        tx,
        "UPDATE background_jobs SET progress = $1, locked_until = $2 WHERE id = $3 AND claims = $4 \
         AND locked_by IS NOT NULL",
        [Value::from(progress.clone()), stored(now + LEASE).into(), lease.job.0.into(), lease.claim.into()],
    )
    .await?;
    if advanced == 0 { Err(lost()) } else { Ok(()) }
}

/// The same in a transaction of its own, for work that is none of the database's.
pub async fn save(store: &Store, lease: &Lease, progress: Json, now: OffsetDateTime) -> Result<()> {
    store
        .write((lease.clone(), progress, now), |tx, (lease, progress, now)| {
            Box::pin(advance(tx, lease, progress, *now))
        })
        .await
}

/// Gives the job back. Fails when it is no longer the server's.
pub async fn finish(store: &Store, lease: &Lease, ending: Ending, now: OffsetDateTime) -> Result<()> {
    store
        .write((lease.clone(), ending, now), |tx, (lease, ending, now)| {
            Box::pin(give_back(tx, lease, ending, *now))
        })
        .await
}

/// The pause after so many failures in a row. What runs regularly is tried again at its next time at the latest.
fn pause(failures: i64, every: Option<Duration>) -> Duration {
    let doublings = u32::try_from(failures - 1).unwrap_or(0).min(16);
    let pause = (FIRST_PAUSE * f64::from(1_u32 << doublings)).min(LONGEST_PAUSE);
    every.map_or(pause, |every| pause.min(every))
}

async fn give_back(tx: &Tx, lease: &Lease, ending: &Ending, now: OffsetDateTime) -> Result<()> {
    let nothing = Json::Null;
    let (status, progress, result, error, failures) = match ending {
        Ending::Done(result) => (JobRunStatus::Succeeded, Some(&nothing), result, None, 0),
        Ending::Paused { progress, result } => (JobRunStatus::Paused, Some(progress), result, None, 0),
        Ending::Failed(error) => (JobRunStatus::Failed, None, &nothing, Some(error), lease.failures + 1),
    };
    // What is not at its end is due before its next time.
    let due = match ending {
        Ending::Done(_) => None,
        Ending::Paused { .. } => Some(now),
        Ending::Failed(_) => Some(now + pause(failures, lease.every)),
    };
    let returned = rows::execute(
        tx,
        "UPDATE background_jobs SET locked_by = NULL, locked_until = NULL, failures = $1, \
         last_error = $2, updated_at = $3, progress = COALESCE($4, progress) \
         WHERE id = $5 AND claims = $6 AND locked_by IS NOT NULL",
        [
            Value::from(failures),
            error.cloned().into(),
            stored(now).into(),
            progress.cloned().into(),
            lease.job.0.into(),
            lease.claim.into(),
        ],
    )
    .await?;
    if returned == 0 {
        return Err(lost());
    }
    if let Some(due) = due {
        rows::execute(
            tx,
            "UPDATE background_jobs SET run_at = $1 WHERE id = $2 AND (run_at IS NULL OR run_at > $1)",
            [Value::from(stored(due)), lease.job.0.into()],
        )
        .await?;
    }
    rows::execute(
        tx,
        "UPDATE background_job_runs SET status = $1, result = $2, error = $3, finished_at = $4 WHERE id = $5",
        [
            Value::from(status.number()),
            result.clone().into(),
            error.cloned().into(),
            stored(now).into(),
            lease.run.0.into(),
        ],
    )
    .await?;
    rows::execute(
        tx,
        "DELETE FROM background_job_runs WHERE job_id = $1 AND id NOT IN (SELECT id FROM background_job_runs \
         WHERE job_id = $1 ORDER BY id DESC LIMIT $2)",
        [Value::from(lease.job.0), i64::try_from(REMEMBERED).unwrap_or(i64::MAX).into()],
    )
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::pause;

    #[test]
    fn pauses_double_and_end() {
        assert_eq!(pause(1, None), Duration::seconds(30));
        assert_eq!(pause(3, None), Duration::minutes(2));
        assert_eq!(pause(100, None), Duration::hours(1));
        assert_eq!(pause(100, Some(Duration::minutes(10))), Duration::minutes(10));
    }
}
