//! Work that servers do beside requests, held in the database so that it survives a server and is done by one of several.
//!
//! A server [`claim`]s a job that is due: for [`LEASE`], which it prolongs with [`heartbeat`]. Each claim has a number, and whatever
//! is written in its name names it: a server that lost its claim, because it stood still for longer than the lease, is
//! refused from then on, even in the middle of its work. Work that is written together with its progress ([`advance`] in the same
//! transaction) is therefore done once, whatever happens to the servers.
//!
//! Instants come from the servers' clocks. A clock that is wrong by more than the lease may take a job from a server that is
//! still at it, which then is refused; it cannot make two of them write.

mod claim;
mod list;
mod schedule;

use domain::{
    BackgroundJobId, BackgroundJobRunId, ErrorCode, Failure, JobKind, JobRunStatus, NamespaceId, ProjectId,
};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

pub(crate) use claim::advance;
pub use claim::{claim, finish, heartbeat, save};
pub use list::{JobFilter, JobRunFilter, count, count_runs, list, list_runs};
pub(crate) use schedule::request_in;
pub use schedule::{NewJob, ensure, request};

use crate::StoreError;

/// How long a job belongs to the server that claimed it, unless the server prolongs that.
pub const LEASE: Duration = Duration::minutes(2);
/// The pause after the first failure. Each further one doubles it.
const FIRST_PAUSE: Duration = Duration::seconds(30);
/// The longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::hours(1);
/// How many runs of a job are remembered.
const REMEMBERED: u64 = 20;

/// What a job is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobSubject {
    /// The instance.
    Instance,
    /// A project.
    Project(ProjectId),
    /// A group.
    Group(NamespaceId),
}

impl JobSubject {
    const fn ids(self) -> (Option<i64>, Option<i64>) {
        match self {
            Self::Instance => (None, None),
            Self::Project(id) => (Some(id.0), None),
            Self::Group(id) => (None, Some(id.0)),
        }
    }

    fn of(project: Option<i64>, namespace: Option<i64>) -> Self {
        match (project, namespace) {
            (Some(id), _) => Self::Project(ProjectId(id)),
            (None, Some(id)) => Self::Group(NamespaceId(id)),
            (None, None) => Self::Instance,
        }
    }
}

/// The right to do a job, until it is over or somebody else has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: BackgroundJobId,
    /// What kind of work it is.
    pub kind: JobKind,
    /// What it is about.
    pub subject: JobSubject,
    /// How far an earlier run had come; null at the beginning.
    pub progress: Value,
    /// The number of the claim.
    claim: i64,
    run: BackgroundJobRunId,
    every: Option<Duration>,
    failures: i64,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// At the end of the work. What came of it is shown.
    Done(Value),
    /// Before the end, because it took long enough: it goes on where `progress` says, as soon as a server has time.
    Paused {
        /// How far it came.
        progress: Value,
        /// What came of it so far.
        result: Value,
    },
    /// With an error, which is shown. It is tried again after a pause, from the progress that was saved last.
    Failed(String),
}

/// A job, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The id.
    pub id: BackgroundJobId,
    /// What kind of work it is. A newer release may have kinds that this one does not know.
    pub kind: Option<JobKind>,
    /// The kind and what it is about.
    pub name: String,
    /// What it is about.
    pub subject: JobSubject,
    /// Full path of the project or group.
    pub path: Option<String>,
    /// Time between the beginnings of two runs; none for what is run when asked for.
    pub every: Option<Duration>,
    /// When it is due; none when nobody asked for it.
    pub run_at: Option<OffsetDateTime>,
    /// The server that is at it.
    pub worker: Option<String>,
    /// Until when that server has it.
    pub locked_until: Option<OffsetDateTime>,
    /// How many runs have failed since one succeeded.
    pub failures: i64,
    /// Why the last run failed.
    pub last_error: Option<String>,
}

/// One time that a job was done, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRun {
    /// The id.
    pub id: BackgroundJobRunId,
    /// What kind of work it was. A newer release may have kinds that this one does not know.
    pub kind: Option<JobKind>,
    /// Name of the job.
    pub name: String,
    /// Full path of the project or group it was about.
    pub path: Option<String>,
    /// How it went.
    pub status: JobRunStatus,
    /// The server that did it.
    pub worker: String,
    /// What came of it; null when nothing did yet.
    pub result: Value,
    /// Why it failed.
    pub error: Option<String>,
    /// When it began.
    pub started_at: OffsetDateTime,
    /// When it ended.
    pub finished_at: Option<OffsetDateTime>,
}

/// What a server is told that works on a job that is no longer its own.
fn lost() -> StoreError {
    Failure::new(ErrorCode::Stale, "The job was taken over by another server").into()
}
