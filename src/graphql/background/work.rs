//! Doing the work.

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{ErrorCode, Failure, JobKind};
use futures::{FutureExt as _, future::BoxFuture};
use serde_json::{Value, json};
use store::{
    jobs::{self, Ending, JobSubject, Lease, NewJob},
    sessions,
};
use tokio::time::{MissedTickBehavior, interval};

use super::{
    collect::{Collection, CollectionRules, Collector},
    policies,
};
use crate::{Model, context::State};

/// How old an upload is when nobody will publish it any more.
const ABANDONED_AFTER: Duration = Duration::from_hours(24);
/// How long bytes are kept after it was found that nothing refers to them. See [`CollectionRules::grace`].
const GRACE: time::Duration = time::Duration::HOUR;
/// How often a server says that it is still at a job: several times in each lease.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// How long one run may take before it pauses, so that other jobs get their turn (GitLab's deadline of a clean-up).
const TURN: Duration = Duration::from_secs(250);
/// How often progress is written down that is not written together with the work.
const SAVE_EVERY: Duration = Duration::from_secs(5);

/// A server that does background work.
#[derive(Clone, Debug)]
pub struct Worker {
    /// What it is called, unlike any other.
    pub name: String,
    /// How long bytes are kept after the last file with them was deleted.
    pub keep_deleted: time::Duration,
}

/// A run under way.
pub(super) struct Run<'a> {
    pub(super) state: &'a State,
    pub(super) lease: &'a Lease,
    worker: &'a Worker,
    began: Instant,
}

impl Run<'_> {
    /// Whether it is time to pause.
    pub(super) fn is_over(&self) -> bool {
        self.began.elapsed() >= TURN
    }
}

impl Model {
    /// Puts the work that every instance has on the list, unless it is there.
    pub async fn ensure_jobs(&self) -> Result<(), Failure> {
        let now = self.state.clock.now();
        for (kind, every) in [
            (JobKind::UploadSweep, time::Duration::HOUR),
            (JobKind::BlobCollection, time::Duration::HOUR),
            (JobKind::SessionSweep, time::Duration::HOUR),
            (JobKind::PolicySchedule, time::Duration::minutes(5)),
        ] {
            let job = NewJob { kind, subject: JobSubject::Instance, every: Some(every), run_at: now };
            jobs::ensure(&self.state.store, job, now).await?;
        }
        Ok(())
    }

    /// Asks for a look through the uploads: what a server left that died is known once another starts on the same storage.
    pub async fn request_upload_sweep(&self) -> Result<(), Failure> {
        let (kind, now) = (JobKind::UploadSweep, self.state.clock.now());
        let every = Some(time::Duration::HOUR);
        let job = NewJob { kind, subject: JobSubject::Instance, every, run_at: now };
        Ok(jobs::request(&self.state.store, job, now).await?)
    }

    /// Does the job that is due for longest. False when none is. A job that fails is no failure here: it is written down, and
    /// tried again later.
    pub fn run_next_job<'a>(&'a self, worker: &'a Worker) -> BoxFuture<'a, Result<bool, Failure>> {
        Box::pin(async move {
            let now = self.state.clock.now();
            let Some(lease) = jobs::claim(&self.state.store, &worker.name, now).await? else {
                return Ok(false);
            };
            let ending = match self.work(&lease, worker).await {
                Ok(ending) => ending,
                Err(failure) if failure.code == ErrorCode::Stale => {
                    tracing::warn!(job.kind = lease.kind.name(), job.id = %lease.job, "the job was taken over");
                    return Ok(true);
                }
                Err(failure) => Ending::Failed(failure.message.into_owned()),
            };
            match &ending {
                Ending::Done(result) | Ending::Paused { result, .. } => {
                    tracing::debug!(job.kind = lease.kind.name(), job.id = %lease.job, %result, "a job ran");
                }
                Ending::Failed(error) => {
                    tracing::warn!(job.kind = lease.kind.name(), job.id = %lease.job, %error, "a job failed");
                }
            }
            match jobs::finish(&self.state.store, &lease, ending, self.state.clock.now()).await {
                Ok(()) => Ok(true),
                Err(error) => match Failure::from(error) {
                    failure if failure.code == ErrorCode::Stale => Ok(true),
                    failure => Err(failure),
                },
            }
        })
    }

    /// Works, and says all the while that the server is at it. Ends early when the job was taken over.
    async fn work(&self, lease: &Lease, worker: &Worker) -> Result<Ending, Failure> {
        let state = Arc::clone(&self.state);
        let run = Run { state: &state, lease, worker, began: Instant::now() };
        let mut ticks = interval(HEARTBEAT);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        let mut work = std::pin::pin!(AssertUnwindSafe(carry_out(&run)).catch_unwind());
        loop {
            tokio::select! {
                outcome = &mut work => {
                    return outcome.unwrap_or_else(|_panic| Err(Failure::internal()));
                }
                _ = ticks.tick() => jobs::heartbeat(&state.store, lease, state.clock.now()).await?,
            }
        }
    }
}

async fn carry_out(run: &Run<'_>) -> Result<Ending, Failure> {
    match run.lease.kind {
        JobKind::UploadSweep => {
            let removed = run.state.blobs.sweep_staging(ABANDONED_AFTER).await?;
            if removed > 0 {
                tracing::info!(uploads.removed = removed, "abandoned uploads were removed");
            }
            Ok(Ending::Done(json!({ "uploads_removed": removed })))
        }
        JobKind::BlobCollection => collect_blobs(run).await,
        JobKind::SessionSweep => {
            let removed = sessions::remove_ended(&run.state.store, run.state.clock.now()).await?;
            Ok(Ending::Done(json!({ "sessions_removed": removed })))
        }
        JobKind::PolicySchedule => policies::schedule(run).await,
        JobKind::PackageCleanup => policies::clean_up(run).await,
        JobKind::PackageRetention => policies::retain(run).await,
    }
}

async fn collect_blobs(run: &Run<'_>) -> Result<Ending, Failure> {
    let state = run.state;
    let collector = Collector {
        store: &state.store,
        blobs: &*state.blobs,
        clock: &*state.clock,
        rules: CollectionRules { keep_deleted: run.worker.keep_deleted, grace: GRACE },
    };
    // What another release wrote down, and this one does not understand, is begun anew.
    let mut collection: Collection = serde_json::from_value(run.lease.progress.clone()).unwrap_or_default();
    let progress = |collection: &Collection| serde_json::to_value(collection).unwrap_or(Value::Null);
    let mut saved = Instant::now();
    while !collection.is_over() {
        collector.go_on(&mut collection).await?;
        if run.is_over() {
            let result = collection.collected.told();
            return Ok(Ending::Paused { progress: progress(&collection), result });
        }
        if saved.elapsed() >= SAVE_EVERY {
            jobs::save(&state.store, run.lease, progress(&collection), state.clock.now()).await?;
            saved = Instant::now();
        }
    }
    let collected = collection.collected;
    if collected.removed > 0 {
        tracing::info!(
            contents.removed = collected.removed,
            contents.bytes = collected.removed_bytes,
            "content that nothing refers to was removed"
        );
    }
    Ok(Ending::Done(collected.told()))
}
