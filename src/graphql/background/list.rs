//! Lists of jobs and of their runs.

use access::{Action, Guarded};
use async_graphql::{Context, Object};
use domain::Failure;
use store::{
    Cursor,
    jobs::{self, JobFilter, JobRunFilter},
    members::Place,
};

use super::types::{BackgroundJob, BackgroundJobKind, BackgroundJobRun};
use crate::{
    context::ContextExt,
    gate,
    limits::connection_complexity,
    outcome::{OrError, Outcome},
    relay::connection::{Connection, Count, PageArguments, connect},
};

/// What was last done for the project or group that `guard` stands for. None for callers who may not see its package settings.
pub(crate) async fn runs_of_place(
    ctx: &Context<'_>,
    guard: Guarded<()>,
    page: &PageArguments,
) -> Result<Option<Connection<BackgroundJobRun, Count>>, Failure> {
    let place = gate::place(guard.facts());
    if gate::visible(ctx, Some(guard), Action::ViewPackageSettings).is_none()
        || gate::authorize_all_packages(ctx).is_err()
    {
        return Ok(None);
    }
    let filter = match place {
        Place::Project(project) => JobRunFilter { project: Some(project), ..JobRunFilter::default() },
        Place::Group(group) => JobRunFilter { group: Some(group), ..JobRunFilter::default() },
    };
    runs(ctx, filter, page).await.map(Some)
}

async fn runs(
    ctx: &Context<'_>,
    filter: JobRunFilter,
    page: &PageArguments,
) -> Result<Connection<BackgroundJobRun, Count>, Failure> {
    let request = page.request(ctx, "run-")?;
    let page = jobs::list_runs(ctx.store(), filter, &request).await?;
    let count =
        Count::new(move |state, limit| async move { jobs::count_runs(&state.store, filter, limit).await });
    Ok(connect(page, "run-", count, |run| Cursor { sort: None, id: run.id.0 }, Into::into))
}

async fn jobs_of(
    ctx: &Context<'_>,
    filter: JobFilter,
    page: &PageArguments,
) -> Result<Connection<BackgroundJob, Count>, Failure> {
    let request = page.request(ctx, "job+")?;
    let page = jobs::list(ctx.store(), filter, &request).await?;
    let count = Count::new(move |state, limit| async move { jobs::count(&state.store, filter, limit).await });
    Ok(connect(page, "job+", count, |job| Cursor { sort: None, id: job.id.0 }, Into::into))
}

#[derive(Default)]
pub(crate) struct BackgroundJobQuery;

#[Object]
impl BackgroundJobQuery {
    /// Work that servers do beside requests (ours). For administrators.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    async fn background_jobs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only of this kind.")] kind: Option<BackgroundJobKind>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Outcome<Connection<BackgroundJob, Count>> {
        gate::authorize_instance(ctx, Action::ViewPackageSettings).or_error()?;
        gate::authorize_all_packages(ctx).or_error()?;
        let page = PageArguments { first, last, after, before, skip: None };
        jobs_of(ctx, JobFilter { kind: kind.map(Into::into) }, &page).await.or_error()
    }

    /// The last times that such work was done, newest first (ours): twenty of each job are remembered. For administrators; who
    /// runs a project or group finds its own there.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    async fn background_job_runs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only of jobs of this kind.")] kind: Option<BackgroundJobKind>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Outcome<Connection<BackgroundJobRun, Count>> {
        gate::authorize_instance(ctx, Action::ViewPackageSettings).or_error()?;
        gate::authorize_all_packages(ctx).or_error()?;
        let page = PageArguments { first, last, after, before, skip: None };
        let filter = JobRunFilter { kind: kind.map(Into::into), ..JobRunFilter::default() };
        runs(ctx, filter, &page).await.or_error()
    }
}
