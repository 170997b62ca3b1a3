//! Whose jobs a project lets in, in GitLab's words.

use access::{Action, Facts};
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::{Failure, ProjectId};
use store::{Cursor, job_token_scope};

use crate::{
    context::ContextExt,
    limits::connection_complexity,
    outcome::{OrError, Outcome, payload_errors},
    project::{self, Project},
    relay::connection::{Connection, Count, PageArguments, connect},
};

/// Whose jobs a project lets in.
pub(crate) struct CiJobTokenScope(pub(crate) ProjectId);

/// Whose jobs a project lets in.
#[Object(name = "CiJobTokenScopeType")]
impl CiJobTokenScope {
    /// Whether jobs of other projects need to be let in. They always do.
    async fn inbound_job_token_scope_enabled(&self) -> bool {
        true
    }
    /// The projects whose jobs are let in beside its own, as far as the caller may see them.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    async fn inbound_allowlist(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Outcome<Connection<Project, Count>> {
        let ids = job_token_scope::allowed(ctx.store(), self.0).await.or_error()?;
        let mut found =
            store::projects::find_many(ctx.store(), ctx.viewer(), &ids, ctx.now()).await.or_error()?;
        let shown =
            ids.iter().filter_map(|id| Some((*id, Project::shown(ctx, found.remove(id)?)?))).collect();
        let arguments = PageArguments { first, last, after, before, skip: None };
        let (page, count) = arguments.counted_slice(ctx, shown, "id+", |(id, _)| id.0).or_error()?;
        Ok(connect(page, "id+", count, |(id, _)| Cursor { sort: None, id: id.0 }, |(_, project)| project))
    }
    /// How many projects that are.
    async fn inbound_allowlist_count(&self, ctx: &Context<'_>) -> Outcome<i32> {
        let ids = job_token_scope::allowed(ctx.store(), self.0).await.or_error()?;
        Ok(i32::try_from(ids.len()).unwrap_or(i32::MAX))
    }
}

/// Names a project and one whose jobs it shall let in.
#[derive(InputObject)]
pub(crate) struct CiJobTokenScopeAddProjectInput {
    /// Full path or decimal id of the project that lets jobs in.
    project_path: ID,
    /// Full path or decimal id of the project whose jobs are let in.
    target_project_path: ID,
    /// Echoed.
    client_mutation_id: Option<String>,
}

/// Names a project and one whose jobs it shall let in no longer.
#[derive(InputObject)]
pub(crate) struct CiJobTokenScopeRemoveProjectInput {
    /// Full path or decimal id of the project that lets jobs in.
    project_path: ID,
    /// Full path or decimal id of the project whose jobs are no longer let in.
    target_project_path: ID,
    /// Echoed.
    client_mutation_id: Option<String>,
}

/// Whose jobs are let in now.
#[derive(SimpleObject)]
pub(crate) struct CiJobTokenScopeAddProjectPayload {
    ci_job_token_scope: Option<CiJobTokenScope>,
    client_mutation_id: Option<String>,
    errors: Vec<String>,
}

/// Whose jobs are let in now.
#[derive(SimpleObject)]
pub(crate) struct CiJobTokenScopeRemoveProjectPayload {
    ci_job_token_scope: Option<CiJobTokenScope>,
    client_mutation_id: Option<String>,
    errors: Vec<String>,
}

/// The project, opened for administering, and the other, which the caller has to see.
async fn open(ctx: &Context<'_>, project: &ID, other: &ID) -> Result<(ProjectId, ProjectId), Failure> {
    let project = project::open(ctx, project, Action::Administer).await?.id;
    Ok((project, project::open(ctx, other, Action::View).await?.id))
}

#[derive(Default)]
pub(crate) struct JobTokenScopeMutation;

#[Object]
impl JobTokenScopeMutation {
    /// Lets the jobs of a project in.
    async fn ci_job_token_scope_add_project(
        &self,
        ctx: &Context<'_>,
        input: CiJobTokenScopeAddProjectInput,
    ) -> Outcome<Option<CiJobTokenScopeAddProjectPayload>> {
        let (project, source) =
            open(ctx, &input.project_path, &input.target_project_path).await.or_error()?;
        let by = ctx.viewer().user();
        let done = job_token_scope::allow(ctx.store(), project, source, by, ctx.now()).await;
        Ok(Some(CiJobTokenScopeAddProjectPayload {
            errors: payload_errors(ctx, done.map_err(Into::into))?,
            ci_job_token_scope: Some(CiJobTokenScope(project)),
            client_mutation_id: input.client_mutation_id,
        }))
    }

    /// Lets the jobs of a project in no longer.
    async fn ci_job_token_scope_remove_project(
        &self,
        ctx: &Context<'_>,
        input: CiJobTokenScopeRemoveProjectInput,
    ) -> Outcome<Option<CiJobTokenScopeRemoveProjectPayload>> {
        let project = project::open(ctx, &input.project_path, Action::Administer).await.or_error()?.id;
        // Whoever lets jobs in no longer need not see their project any more.
        let found = project::find(ctx, &input.target_project_path).await.or_error()?;
        let source = match found.map(|found| found.facts()) {
            Some(Facts::Project(facts)) => facts.id,
            Some(Facts::Group(_)) | None => ProjectId(0), // which is never let in: told like any other that is not
        };
        let done = job_token_scope::disallow(ctx.store(), project, source, ctx.now()).await;
        Ok(Some(CiJobTokenScopeRemoveProjectPayload {
            errors: payload_errors(ctx, done.map_err(Into::into))?,
            ci_job_token_scope: Some(CiJobTokenScope(project)),
            client_mutation_id: input.client_mutation_id,
        }))
    }
}
