//! Showing jobs and their runs.

use domain::{BackgroundJobId, BackgroundJobRunId, JobKind, JobRunStatus, NamespaceId, ProjectId};
use sea_orm::{
    FromQueryResult,
    sea_query::{Alias, Expr, ExprTrait, Func, Query, SelectStatement, SimpleExpr},
};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use super::{Job, JobRun, JobSubject};
use crate::{
    Page, PageRequest, Result, Store, StoreError,
    page::{Direction, Keyset},
    rows,
};

/// Which jobs are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Of this kind.
    pub kind: Option<JobKind>,
}

/// Which runs are shown, once it is decided that the caller may see them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobRunFilter {
    /// About this project.
    pub project: Option<ProjectId>,
    /// About this group.
    pub group: Option<NamespaceId>,
    /// Of jobs of this kind.
    pub kind: Option<JobKind>,
}

#[derive(FromQueryResult)]
struct JobRow {
    id: i64,
    name: String,
    kind: String,
    project_id: Option<i64>,
    namespace_id: Option<i64>,
    path: Option<String>,
    every_seconds: Option<i64>,
    run_at: Option<OffsetDateTime>,
    locked_by: Option<String>,
    locked_until: Option<OffsetDateTime>,
    failures: i64,
    last_error: Option<String>,
}

impl From<JobRow> for Job {
    fn from(row: JobRow) -> Self {
        Self {
            id: BackgroundJobId(row.id),
            kind: JobKind::from_name(&row.kind),
            name: row.name,
            subject: JobSubject::of(row.project_id, row.namespace_id),
            path: row.path,
            every: row.every_seconds.map(Duration::seconds),
            run_at: row.run_at,
            worker: row.locked_by,
            locked_until: row.locked_until,
            failures: row.failures,
            last_error: row.last_error,
        }
    }
}

#[derive(FromQueryResult)]
struct RunRow {
    id: i64,
    name: String,
    kind: String,
    path: Option<String>,
    status: i16,
    worker: String,
    result: Value,
    error: Option<String>,
    started_at: OffsetDateTime,
    finished_at: Option<OffsetDateTime>,
}

impl TryFrom<RunRow> for JobRun {
    type Error = StoreError;

    fn try_from(row: RunRow) -> Result<Self> {
        Ok(Self {
            id: BackgroundJobRunId(row.id),
            kind: JobKind::from_name(&row.kind),
            name: row.name,
            path: row.path,
            status: JobRunStatus::from_number(row.status).ok_or_else(|| StoreError::Corrupt {
                column: "background_job_runs.status",
                value: row.status.to_string(),
            })?,
            worker: row.worker,
            result: row.result,
            error: row.error,
            started_at: row.started_at,
            finished_at: row.finished_at,
        })
    }
}

fn job(column: &'static str) -> SimpleExpr {
    Expr::col(("j", column))
}

/// Full path of the project or group that a job is about.
fn path() -> SimpleExpr {
    let path_of = |table: &'static str, column: &'static str| {
        let found = Query::select()
            .column((table, "full_path"))
            .from(table)
            .and_where(Expr::col((table, "id")).eq(job(column)))
            .take();
        SimpleExpr::SubQuery(None, Box::new(found.into()))
    };
    Func::coalesce([path_of("projects", "project_id"), path_of("namespaces", "namespace_id")]).into()
}

fn jobs(filter: JobFilter) -> SelectStatement {
    let mut select = Query::select();
    select.from_as("background_jobs", "j");
    if let Some(kind) = filter.kind {
        select.and_where(job("kind").eq(kind.name()));
    }
    select
}

/// One page of the jobs, by id. One statement.
pub async fn list(store: &Store, filter: JobFilter, request: &PageRequest) -> Result<Page<Job>> {
    let mut select = jobs(filter);
    for column in [
        "id",
        "name",
        "kind",
        "project_id",
        "namespace_id",
        "every_seconds",
        "run_at",
        "locked_by",
        "locked_until",
        "failures",
        "last_error",
    ] {
        select.column(("j", column));
    }
    select.expr_as(path(), Alias::new("path"));
    let keyset = Keyset { sort: None, id: job("id"), direction: Direction::Ascending };
    keyset.apply(&mut select, request)?;
    let rows = rows::all::<JobRow>(store.reader(), &select).await?;
    Ok(Keyset::page(rows.into_iter().map(Job::from).collect(), request))
}

/// How many jobs there are; counting stops at `limit` when there is one.
pub async fn count(store: &Store, filter: JobFilter, limit: Option<u64>) -> Result<u64> {
    let mut select = jobs(filter);
    select.column(("j", "id"));
    if let Some(limit) = limit {
        select.limit(limit);
    }
    rows::count(store.reader(), select).await
}

fn runs(filter: JobRunFilter) -> SelectStatement {
    let mut select = Query::select();
    select.from_as("background_job_runs", "r").join_as(
        sea_orm::sea_query::JoinType::InnerJoin,
        "background_jobs",
        "j",
        job("id").eq(Expr::col(("r", "job_id"))),
    );
    if let Some(project) = filter.project {
        select.and_where(job("project_id").eq(project.0));
    }
    if let Some(group) = filter.group {
        select.and_where(job("namespace_id").eq(group.0));
    }
    if let Some(kind) = filter.kind {
        select.and_where(job("kind").eq(kind.name()));
    }
    select
}

/// One page of the runs that are remembered, newest first. One statement.
pub async fn list_runs(store: &Store, filter: JobRunFilter, request: &PageRequest) -> Result<Page<JobRun>> {
    let mut select = runs(filter);
    for column in ["id", "status", "worker", "result", "error", "started_at", "finished_at"] {
        select.column(("r", column));
    }
    select.column(("j", "name")).column(("j", "kind")).expr_as(path(), Alias::new("path"));
    let keyset = Keyset { sort: None, id: Expr::col(("r", "id")), direction: Direction::Descending };
    keyset.apply(&mut select, request)?;
    let rows = rows::all::<RunRow>(store.reader(), &select).await?;
    let runs = rows.into_iter().map(JobRun::try_from).collect::<Result<_>>()?;
    Ok(Keyset::page(runs, request))
}

/// How many runs are remembered; counting stops at `limit` when there is one.
pub async fn count_runs(store: &Store, filter: JobRunFilter, limit: Option<u64>) -> Result<u64> {
    let mut select = runs(filter);
    select.column(("r", "id"));
    if let Some(limit) = limit {
        select.limit(limit);
    }
    rows::count(store.reader(), select).await
}
