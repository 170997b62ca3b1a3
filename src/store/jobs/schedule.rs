//! Putting jobs on the list.

use domain::JobKind;
use sea_orm::Value;
use time::{Duration, OffsetDateTime};

use super::JobSubject;
use crate::{Result, Store, Tx, convert::stored, rows};

/// A job to put on the list. There is one of a kind for each subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// What kind of work it is.
    pub kind: JobKind,
    /// What it is about.
    pub subject: JobSubject,
    /// Time between the beginnings of two runs, in whole seconds; none to run it once.
    pub every: Option<Duration>,
    /// When it is due first.
    pub run_at: OffsetDateTime,
}

impl NewJob {
    fn name(&self) -> String {
        match self.subject {
            JobSubject::Instance => self.kind.name().to_owned(),
            JobSubject::Project(id) => format!("{}:project:{id}", self.kind.name()),
            JobSubject::Group(id) => format!("{}:group:{id}", self.kind.name()),
        }
    }

    fn values(&self, now: OffsetDateTime) -> [Value; 7] {
        let (project, namespace) = self.subject.ids();
        [
            self.name().into(),
            self.kind.name().into(),
            project.into(),
            namespace.into(),
            self.every.map(Duration::whole_seconds).into(),
            stored(self.run_at).into(),
            stored(now).into(),
        ]
    }
}

macro_rules! insert {
    ($update:literal) => {
        concat!(
            "INSERT INTO background_jobs (name, kind, project_id, namespace_id, every_seconds, run_at, progress, \
             claims, failures, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, 'null', 0, 0, $7, $7) \
             ON CONFLICT (name) DO UPDATE SET updated_at = excluded.updated_at, ",
            $update
        )
    };
}

const ENSURE: &str = insert!("every_seconds = excluded.every_seconds");
const REQUEST: &str = insert!(
    "run_at = CASE WHEN background_jobs.run_at < excluded.run_at THEN background_jobs.run_at ELSE excluded.run_at END"
);

/// Sees to it that a job is on the list. One that is there keeps its next time.
pub async fn ensure(store: &Store, job: NewJob, now: OffsetDateTime) -> Result<()> {
    store
        .write((job, now), |tx, (job, now)| {
            Box::pin(async move { rows::execute(tx, ENSURE, job.values(*now)).await.map(drop) })
        })
        .await
}

/// Asks for a run at the given time, or earlier if one is due earlier. A run that is under way does not count: there will be
/// another after it.
pub async fn request(store: &Store, job: NewJob, now: OffsetDateTime) -> Result<()> {
    store.write((job, now), |tx, (job, now)| Box::pin(request_in(tx, job, *now))).await
}

/// The same, within a transaction.
pub(crate) async fn request_in(tx: &Tx, job: &NewJob, now: OffsetDateTime) -> Result<()> {
    rows::execute(tx, REQUEST, job.values(now)).await.map(drop)
}
