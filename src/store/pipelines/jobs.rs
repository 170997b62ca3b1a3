//! Jobs: what CI is given a token for, for as long as the job runs.

use std::sync::Arc;

use access::{Identity, Via, Viewer};
use domain::{CiJobId, EventKind, Failure, PipelineId, ProjectId, Scope, Scopes, Subject, UserId};
use entity::{ci_job, pipeline, project, user};
use sea_orm::{
    ActiveModelTrait, EntityTrait, FromQueryResult, IntoActiveModel, QueryFilter, QueryResult, QuerySelect,
    Set, Value,
};
use time::{Duration, OffsetDateTime};

use super::Pipeline;
use crate::{
    Result, Secret, Store, StoreError, TokenHash, Tx,
    audit_events::{self, Actor, Entity, Event, Target},
    convert::stored,
    refusals::lock_project,
    rows,
    usage::Token,
    users::User,
};

/// What a job token starts with.
const PREFIX: &str = "glcbt-";
/// Longest time that a job may take.
const MAX_TIMEOUT: Duration = Duration::days(1);
/// Longest branch, tag or name of a job, in characters (GitLab's column limit).
const MAX_TEXT: usize = 255;

/// A pipeline to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPipeline {
    /// The project whose code it runs.
    pub project: ProjectId,
    /// The branch or tag.
    pub reference: String,
    /// The commit, in hexadecimal.
    pub sha: String,
    /// What started it: `push`, `schedule`, `web` …
    pub source: String,
    /// Where it is on the web.
    pub web_url: Option<String>,
}

/// The pipeline that a job belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Run {
    /// A new one.
    New(NewPipeline),
    /// One that is there, of this project.
    There(PipelineId, ProjectId),
}

/// A job to make a token for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// Its pipeline.
    pub run: Run,
    /// The name people read.
    pub name: String,
    /// In whose name it runs.
    pub user_id: UserId,
    /// How long it may take.
    pub timeout: Duration,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The id.
    pub id: CiJobId,
    /// The pipeline it belongs to.
    pub pipeline_id: PipelineId,
    /// In whose name it runs.
    pub user_id: UserId,
    /// The name people read.
    pub name: String,
    /// From when on its token no longer counts, should nobody say that it has ended.
    pub expires_at: OffsetDateTime,
    /// When it ended.
    pub finished_at: Option<OffsetDateTime>,
    /// When it was created.
    pub created_at: OffsetDateTime,
}

impl From<ci_job::Model> for Job {
    fn from(row: ci_job::Model) -> Self {
        Self {
            id: CiJobId(row.id),
            pipeline_id: PipelineId(row.pipeline_id),
            user_id: UserId(row.user_id),
            name: row.name,
            expires_at: row.expires_at,
            finished_at: row.finished_at,
            created_at: row.created_at,
        }
    }
}

fn refuse_text(field: &'static str, text: &str) -> Result<()> {
    let fine =
        !text.trim().is_empty() && text.chars().count() <= MAX_TEXT && !text.chars().any(char::is_control);
    if fine {
        return Ok(());
    }
    Err(Failure::invalid(field, format!("{field} is one line of 1 to {MAX_TEXT} characters")).into())
}

fn check(new: &NewJob) -> Result<()> {
    refuse_text("name", &new.name)?;
    if !new.timeout.is_positive() || new.timeout > MAX_TIMEOUT {
        let most = MAX_TIMEOUT.whole_seconds();
        let message =
            format!("timeoutSeconds goes from 1 to {most}, {} is given", new.timeout.whole_seconds());
        return Err(Failure::invalid("timeoutSeconds", message).into());
    }
    let Run::New(pipeline) = &new.run else { return Ok(()) };
    refuse_text("ref", &pipeline.reference)?;
    refuse_text("source", &pipeline.source)?;
    let is_hex = pipeline.sha.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex || !matches!(pipeline.sha.len(), 40 | 64) {
        let message = format!("'{}' is not a commit: give its 40 or 64 hexadecimal digits", pipeline.sha);
        return Err(Failure::invalid("sha", message).into());
    }
    if let Some(address) = &pipeline.web_url {
        refuse_text("webUrl", address)?;
        if !address.starts_with("https://") && !address.starts_with("http://") {
            let message = format!("'{address}' is not an address of the web");
            return Err(Failure::invalid("webUrl", message).into());
        }
    }
    Ok(())
}

/// Writes down a job, with its pipeline where that is new, and makes its token. The secret is given here and never again.
pub async fn create(store: &Store, new: NewJob, now: OffsetDateTime) -> Result<(Job, Pipeline, Secret)> {
    check(&new)?;
    let secret = Secret::fresh(PREFIX)?;
    let (job, pipeline) = store
        .write((store.actor(), new, secret.hash(), now), |tx, (actor, new, hash, now)| {
            Box::pin(insert(tx, actor, new, hash, *now))
        })
        .await?;
    Ok((job, pipeline, secret))
}

async fn insert(
    tx: &Tx,
    actor: &Actor,
    new: &NewJob,
    hash: &TokenHash,
    now: OffsetDateTime,
) -> Result<(Job, Pipeline)> {
    let owner = user::Entity::find_by_id(new.user_id.0).one(tx).await?;
    let owner = owner.ok_or_else(|| StoreError::from(Failure::not_found(Subject::User)))?;
    let (row, project) = match &new.run {
        Run::New(pipeline) => {
            let project = lock_project(tx, pipeline.project.0).await?;
            (insert_pipeline(tx, pipeline, new.user_id, now).await?, project)
        }
        Run::There(id, project_id) => {
            let project = lock_project(tx, project_id.0).await?;
            let found = pipeline::Entity::find_by_id(id.0).filter(pipeline::COLUMN.project_id.eq(project.id));
            let missing =
                || StoreError::from(Failure::invalid("pipelineId", "The project has no such pipeline"));
            (found.one(tx).await?.ok_or_else(missing)?, project)
        }
    };
    let job = ci_job::ActiveModel {
        pipeline_id: Set(row.id),
        user_id: Set(new.user_id.0),
        name: Set(new.name.clone()),
        token_hash: Set(hash.as_text().to_owned()),
        expires_at: Set(stored(now + new.timeout)),
        created_at: Set(stored(now)),
        ..Default::default()
    };
    let job = Job::from(job.insert(tx).await?);
    let message = format!("Created job token for {} in the name of {}", new.name, owner.username);
    let target = Target::new("Ci::Build", job.id.0, &job.name);
    let event = Event::about(EventKind::JobTokenCreated, Entity::project(&project), message).on(target);
    audit_events::write(tx, actor, event, now).await?;
    Ok((job, shown(row, &project)))
}

/// The number of a project's next pipeline.
#[derive(FromQueryResult)]
struct Next {
    iid: i64,
}

async fn insert_pipeline(
    tx: &Tx,
    new: &NewPipeline,
    user_id: UserId,
    now: OffsetDateTime,
) -> Result<pipeline::Model> {
    // The project's row is locked: nobody else takes the number.
    let sql = "SELECT COALESCE(MAX(iid), 0) + 1 AS iid FROM pipelines WHERE project_id = $1";
    let next: Option<Next> = rows::one_sql(tx, sql, [Value::from(new.project.0)]).await?;
    let row = pipeline::ActiveModel {
        project_id: Set(new.project.0),
        iid: Set(next.ok_or_else(Failure::internal)?.iid),
        reference: Set(new.reference.clone()),
        sha: Set(new.sha.to_ascii_lowercase()),
        source: Set(new.source.clone()),
        web_url: Set(new.web_url.clone()),
        user_id: Set(Some(user_id.0)),
        created_at: Set(stored(now)),
        updated_at: Set(stored(now)),
        ..Default::default()
    };
    Ok(row.insert(tx).await?)
}

fn shown(row: pipeline::Model, project: &project::Model) -> Pipeline {
    Pipeline {
        id: PipelineId(row.id),
        iid: row.iid,
        project_id: ProjectId(project.id),
        project_full_path: project.full_path.clone(),
        reference: row.reference,
        sha: row.sha,
        source: row.source,
        web_url: row.web_url,
        user_id: row.user_id.map(UserId),
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

/// The job with this id and the project of its pipeline, if there is one.
pub async fn find_job(store: &Store, id: CiJobId) -> Result<Option<(Job, ProjectId)>> {
    let Some(job) = ci_job::Entity::find_by_id(id.0).one(store.reader()).await? else { return Ok(None) };
    let pipeline = pipeline::Entity::find_by_id(job.pipeline_id).one(store.reader()).await?;
    Ok(pipeline.map(|pipeline| (job.into(), ProjectId(pipeline.project_id))))
}

/// Ends a job: its token counts no more. One that has ended stays so.
pub async fn end(store: &Store, id: CiJobId, now: OffsetDateTime) -> Result<Job> {
    store
        .write((store.actor(), id, stored(now)), |tx, (actor, id, now)| {
            Box::pin(async move {
                let missing = || StoreError::from(Failure::not_found(Subject::Job));
                let row =
                    ci_job::Entity::find_by_id(id.0).lock_exclusive().one(tx).await?.ok_or_else(missing)?;
                if row.finished_at.is_some() {
                    return Ok(row.into());
                }
                let pipeline =
                    pipeline::Entity::find_by_id(row.pipeline_id).one(tx).await?.ok_or_else(missing)?;
                let mut row = row.into_active_model();
                row.finished_at = Set(Some(*now));
                let job = Job::from(row.update(tx).await?);
                if let Some(entity) = Entity::of_project(tx, ProjectId(pipeline.project_id)).await? {
                    let message = format!("Ended job {}, whose token counts no more", job.name);
                    let target = Target::new("Ci::Build", job.id.0, &job.name);
                    let event = Event::about(EventKind::JobEnded, entity, message).on(target);
                    audit_events::write(tx, actor, event, *now).await?;
                }
                Ok(job)
            })
        })
        .await
}

/// What a job token proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticated {
    /// In whose name the job runs.
    pub user: User,
    /// The job.
    pub job_id: CiJobId,
    /// Its pipeline.
    pub pipeline_id: PipelineId,
    /// The project of the pipeline, and those that let its jobs in.
    pub reach: Arc<[ProjectId]>,
}

impl Authenticated {
    /// The viewer that this makes: the user as far as packages go, never as an administrator.
    pub fn viewer(&self) -> Viewer {
        let scopes: Scopes = [Scope::ReadPackageRegistry, Scope::WritePackageRegistry].into_iter().collect();
        Viewer::new(Identity::User { id: self.user.id, admin: false }, scopes)
            .by_way_of(Via::Job(Arc::clone(&self.reach)))
    }
}

/// What authentication reads in one statement.
struct AuthenticatedRow {
    user: user::Model,
    job_id: i64,
    pipeline_id: i64,
    project_id: i64,
    last_used_at: Option<OffsetDateTime>,
}

impl FromQueryResult for AuthenticatedRow {
    fn from_query_result(row: &QueryResult, _: &str) -> Result<Self, sea_orm::DbErr> {
        Ok(Self {
            user: user::Model::from_query_result(row, "")?,
            job_id: row.try_get("", "job_id")?,
            pipeline_id: row.try_get("", "pipeline_id")?,
            project_id: row.try_get("", "project_id")?,
            last_used_at: row.try_get("", "last_used_at")?,
        })
    }
}

const AUTHENTICATE: &str = "SELECT u.id, u.username, u.username_key, u.name, u.email, u.admin, u.state, u.created_at, \
    u.updated_at, j.id AS job_id, j.pipeline_id, j.last_used_at, l.project_id \
    FROM ci_jobs j JOIN users u ON u.id = j.user_id JOIN pipelines l ON l.id = j.pipeline_id \
    JOIN projects p ON p.id = l.project_id \
    WHERE j.token_hash = $1 AND j.finished_at IS NULL AND j.expires_at > $2 AND u.state = 0 AND p.deleted_at IS NULL";

/// A project that lets jobs of another in.
#[derive(FromQueryResult)]
struct Allowing {
    project_id: i64,
}

/// What the secret with this hash proves: nothing, when there is no such token, or its job has ended or taken too long, or its
/// user is blocked, or the project is gone. Two statements; that it was used is written down later.
pub async fn authenticate(
    store: &Store,
    hash: &TokenHash,
    now: OffsetDateTime,
) -> Result<Option<Authenticated>> {
    let values = [hash.as_text().into(), stored(now).into()];
    let row: Option<AuthenticatedRow> = rows::one_sql(store.reader(), AUTHENTICATE, values).await?;
    let Some(row) = row else { return Ok(None) };
    let sql = "SELECT project_id FROM job_token_allowances WHERE source_project_id = $1 ORDER BY project_id";
    let allowing: Vec<Allowing> = rows::all_sql(store.reader(), sql, [Value::from(row.project_id)]).await?;
    store.usage().note(Token::Job(row.job_id), row.last_used_at, now);
    let reach =
        std::iter::once(row.project_id).chain(allowing.iter().map(|row| row.project_id)).map(ProjectId);
    Ok(Some(Authenticated {
        user: User::try_from(row.user)?,
        job_id: CiJobId(row.job_id),
        pipeline_id: PipelineId(row.pipeline_id),
        reach: reach.collect(),
    }))
}
