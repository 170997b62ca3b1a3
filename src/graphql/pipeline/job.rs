//! Tokens of CI jobs: made by whoever runs CI, dead with the job.

use access::Action;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::{CiJobId, ErrorCode, Failure, Subject};
use store::{
    Secret,
    pipelines::{self, Job, NewJob, NewPipeline, Run},
};
use time::Duration;

use super::Pipeline;
use crate::{
    context::ContextExt,
    gate,
    outcome::{OrError, Outcome},
    project,
    relay::global_id::{CiJobID, CiPipelineID, UserID},
    scalars::Time,
};

/// How long a job may take when nobody says.
const TIMEOUT: i32 = 3600;

/// A job of a pipeline (ours). Its token is shown once.
#[derive(SimpleObject)]
pub(crate) struct CiJob {
    id: CiJobID,
    /// The name people read.
    name: String,
    /// In whose name it runs.
    user_id: UserID,
    /// From when on its token no longer counts, should nobody say that the job has ended.
    expires_at: Time,
    /// When it ended. Null while it runs.
    finished_at: Option<Time>,
    created_at: Time,
}

impl From<Job> for CiJob {
    fn from(job: Job) -> Self {
        Self {
            id: job.id.into(),
            name: job.name,
            user_id: job.user_id.into(),
            expires_at: job.expires_at.into(),
            finished_at: job.finished_at.map(Into::into),
            created_at: job.created_at.into(),
        }
    }
}

/// A job to make a token for: of a new pipeline, with its branch and commit, or of one that is there.
#[derive(InputObject)]
pub(crate) struct CreateJobTokenInput {
    /// Full path or decimal id of the project whose code the job runs.
    project_path: ID,
    /// The pipeline, when it is there already: then ref, sha, source and webUrl are left out.
    pipeline_id: Option<CiPipelineID>,
    /// The branch or tag.
    #[graphql(name = "ref")]
    reference: Option<String>,
    /// The commit: 40 or 64 hexadecimal digits.
    sha: Option<String>,
    /// What started the pipeline: `push`, `schedule`, `web` … `push` when left out.
    source: Option<String>,
    /// Where the pipeline is on the web.
    web_url: Option<String>,
    /// The name people read; `job` when left out.
    name: Option<String>,
    /// In whose name it runs, for administrators; the caller's own when left out.
    user_id: Option<UserID>,
    /// How long it may take, a day at most; an hour when left out.
    timeout_seconds: Option<i32>,
}

/// The job and its token.
#[derive(SimpleObject)]
pub(crate) struct CreateJobTokenPayload {
    job: Option<CiJob>,
    pipeline: Option<Pipeline>,
    /// The secret. Shown here and never again.
    token: Option<String>,
    errors: Vec<String>,
}

/// Names the job that has ended.
#[derive(InputObject)]
pub(crate) struct EndJobInput {
    id: CiJobID,
}

/// The job that has ended.
#[derive(SimpleObject)]
pub(crate) struct EndJobPayload {
    job: Option<CiJob>,
    errors: Vec<String>,
}

/// A token carries its user's rights into every project that lets the jobs in. So whoever manages CI of a project, a maintainer,
/// makes tokens in the own name only; a runner's integration, which starts jobs in anybody's name, needs an administrator's token.
async fn create(
    ctx: &Context<'_>,
    input: CreateJobTokenInput,
) -> Result<(Job, pipelines::Pipeline, Secret), Failure> {
    let project = project::open(ctx, &input.project_path, Action::ManageJobs).await?;
    let caller = ctx.viewer().user().ok_or_else(Failure::unauthenticated)?;
    let user_id = match input.user_id {
        Some(UserID(user)) if user != caller => {
            gate::authorize_instance(ctx, Action::Administer)?;
            user
        }
        Some(_) | None => caller,
    };
    let run = match input.pipeline_id {
        Some(CiPipelineID(id)) => {
            if input.reference.is_some() || input.sha.is_some() {
                let message = "Give either pipelineId, or ref and sha of a new pipeline";
                return Err(Failure::invalid("pipelineId", message));
            }
            Run::There(id, project.id)
        }
        None => {
            let needed = |field: &'static str, text: Option<String>| {
                text.ok_or_else(|| {
                    Failure::invalid(field, format!("{field} is missing: a pipeline runs a commit"))
                })
            };
            Run::New(NewPipeline {
                project: project.id,
                reference: needed("ref", input.reference)?,
                sha: needed("sha", input.sha)?,
                source: input.source.unwrap_or_else(|| "push".to_owned()),
                web_url: input.web_url.filter(|address| !address.is_empty()),
            })
        }
    };
    let new = NewJob {
        run,
        name: input.name.unwrap_or_else(|| "job".to_owned()),
        user_id,
        timeout: Duration::seconds(input.timeout_seconds.unwrap_or(TIMEOUT).into()),
    };
    Ok(pipelines::create(ctx.store(), new, ctx.now()).await?)
}

/// A job of a project whose jobs the caller manages. Any other is not found.
async fn end(ctx: &Context<'_>, id: CiJobId) -> Result<Job, Failure> {
    gate::authorize_instance(ctx, Action::View)?;
    let missing = || Failure::not_found(Subject::Job);
    let (_, project) = pipelines::find_job(ctx.store(), id).await?.ok_or_else(missing)?;
    let opened = project::open(ctx, &project.to_string(), Action::ManageJobs).await;
    opened.map_err(|failure| match failure.code {
        ErrorCode::Forbidden | ErrorCode::NotFound => missing(),
        _ => failure,
    })?;
    Ok(pipelines::end(ctx.store(), id, ctx.now()).await?)
}

#[derive(Default)]
pub(crate) struct JobMutation;

#[Object]
impl JobMutation {
    /// Makes a token for a CI job (ours): for maintainers of the project in their own name, for administrators in anybody's.
    async fn create_job_token(
        &self,
        ctx: &Context<'_>,
        input: CreateJobTokenInput,
    ) -> Outcome<Option<CreateJobTokenPayload>> {
        let (job, pipeline, secret) = create(ctx, input).await.or_error()?;
        let pipeline = Pipeline::load(ctx, vec![pipeline]).await.or_error()?.pop();
        Ok(Some(CreateJobTokenPayload {
            job: Some(job.into()),
            pipeline,
            token: Some(secret.expose().to_owned()),
            errors: Vec::new(),
        }))
    }

    /// Ends a CI job (ours): its token counts no more, at once and everywhere.
    async fn end_job(&self, ctx: &Context<'_>, input: EndJobInput) -> Outcome<Option<EndJobPayload>> {
        let job = end(ctx, input.id.0).await.or_error()?;
        Ok(Some(EndJobPayload { job: Some(job.into()), errors: Vec::new() }))
    }
}
