//! Jobs and their runs, as they are read.

use async_graphql::{Enum, Json, SimpleObject};
use domain::{JobKind, JobRunStatus};
use serde_json::Value;
use store::jobs::{Job, JobRun};

use crate::{
    relay::global_id::{BackgroundJobID, BackgroundJobRunID},
    scalars::Time,
};

/// What kind of work is done beside requests (ours).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::JobKind")]
pub(crate) enum BackgroundJobKind {
    /// Removes uploads that nobody published.
    UploadSweep,
    /// Removes stored bytes that nothing refers to any more.
    BlobCollection,
    /// Removes sessions that have ended.
    SessionSweep,
    /// Puts the policies of projects and groups on the list that are due.
    PolicySchedule,
    /// Deletes duplicated files of a project.
    PackageCleanup,
    /// Deletes versions that the retention policy of a project or group lets go.
    PackageRetention,
}

/// How one time that a job was done went (ours).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::JobRunStatus")]
pub(crate) enum BackgroundJobRunStatus {
    /// Some server is at it.
    Running,
    /// It came to its end.
    Succeeded,
    /// It failed; the job is tried again.
    Failed,
    /// The server that was at it no longer said so, and the job was given to another.
    Abandoned,
    /// It used up its time and goes on in the next run.
    Paused,
}

/// Work that servers do beside requests (ours).
#[derive(SimpleObject)]
pub(crate) struct BackgroundJob {
    id: BackgroundJobID,
    /// The kind and what it is about, such as `package_cleanup:project:7`.
    name: String,
    /// What kind of work it is. Null for a kind of a newer release.
    kind: Option<BackgroundJobKind>,
    /// Full path of the project or group it is about. Null for the instance.
    path: Option<String>,
    /// Seconds between the beginnings of two runs. Null for what is run when asked for.
    every_seconds: Option<i64>,
    /// When it is due. Null when nobody asked for it.
    run_at: Option<Time>,
    /// The server that is at it.
    worker: Option<String>,
    /// Until when that server has it, unless it says that it is still at it.
    locked_until: Option<Time>,
    /// How many runs have failed since one succeeded.
    failures: i64,
    /// Why the last run failed.
    last_error: Option<String>,
}

impl From<Job> for BackgroundJob {
    fn from(job: Job) -> Self {
        Self {
            id: job.id.into(),
            name: job.name,
            kind: job.kind.map(<BackgroundJobKind as From<JobKind>>::from),
            path: job.path,
            every_seconds: job.every.map(time::Duration::whole_seconds),
            run_at: job.run_at.map(Into::into),
            worker: job.worker,
            locked_until: job.locked_until.map(Into::into),
            failures: job.failures,
            last_error: job.last_error,
        }
    }
}

/// One time that a job was done (ours).
#[derive(SimpleObject)]
pub(crate) struct BackgroundJobRun {
    id: BackgroundJobRunID,
    /// Name of the job.
    job_name: String,
    /// What kind of work it was. Null for a kind of a newer release.
    kind: Option<BackgroundJobKind>,
    /// Full path of the project or group it was about. Null for the instance.
    path: Option<String>,
    /// How it went.
    status: BackgroundJobRunStatus,
    /// The server that did it.
    worker: String,
    /// What came of it: numbers, by what they count. Null when nothing did yet.
    result: Option<Json<Value>>,
    /// Why it failed.
    error: Option<String>,
    /// When it began.
    started_at: Time,
    /// When it ended.
    finished_at: Option<Time>,
}

impl From<JobRun> for BackgroundJobRun {
    fn from(run: JobRun) -> Self {
        Self {
            id: run.id.into(),
            job_name: run.name,
            kind: run.kind.map(<BackgroundJobKind as From<JobKind>>::from),
            path: run.path,
            status: <BackgroundJobRunStatus as From<JobRunStatus>>::from(run.status),
            worker: run.worker,
            result: Some(run.result).filter(|result| !result.is_null()).map(Json),
            error: run.error,
            started_at: run.started_at.into(),
            finished_at: run.finished_at.map(Into::into),
        }
    }
}
