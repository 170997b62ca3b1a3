//! The CI job that asks.

use async_graphql::{Context, Object};

use super::{Pipeline, job::CiJob, pipelines_with_ids};
use crate::{
    context::ContextExt,
    outcome::{OrError, Outcome},
};

#[derive(Default)]
pub(crate) struct CurrentJobQuery;

#[Object]
impl CurrentJobQuery {
    /// The CI job whose token is in use (ours). Null when the request came with something else.
    async fn current_job(&self, ctx: &Context<'_>) -> Outcome<Option<CiJob>> {
        let Some(id) = ctx.caller().job else { return Ok(None) };
        Ok(store::pipelines::find_job(ctx.store(), id).await.or_error()?.map(|(job, _)| job.into()))
    }

    /// The pipeline of the CI job whose token is in use (ours). Null when the request came with something else.
    async fn current_pipeline(&self, ctx: &Context<'_>) -> Outcome<Option<Pipeline>> {
        let Some(id) = ctx.caller().pipeline else { return Ok(None) };
        Ok(pipelines_with_ids(ctx, &[id]).await.or_error()?.remove(&id))
    }
}
