//! Whose jobs a project lets in, beside its own.

use domain::{ErrorCode, EventKind, Failure, ProjectId, UserId};
use entity::{job_token_allowance, project};
use sea_orm::{ActiveModelTrait, EntityTrait, ModelTrait, PaginatorTrait, QueryFilter, QueryOrder, Set};
use time::OffsetDateTime;

use crate::{
    Result, Store, Tx,
    audit_events::{self, Actor, Entity, Event, Target},
    convert::stored,
    refusals::lock_project,
};

/// Most projects that one lets in (GitLab's limit).
pub const MAX_ALLOWED: u64 = 200;

/// Lets the jobs of `source` into `project`.
pub async fn allow(
    store: &Store,
    project: ProjectId,
    source: ProjectId,
    by: Option<UserId>,
    now: OffsetDateTime,
) -> Result<()> {
    store
        .write((store.actor(), project, source, by, now), |tx, (actor, project, source, by, now)| {
            Box::pin(async move {
                let target = lock_project(tx, project.0).await?;
                let of_project = job_token_allowance::Entity::find()
                    .filter(job_token_allowance::COLUMN.project_id.eq(project.0));
                if project == source || row(tx, *project, *source).await?.is_some() {
                    let message = "Target project is already in the job token scope";
                    let failure = Failure::new(ErrorCode::Duplicate, message);
                    return Err(Failure { field: Some("targetProjectPath".into()), ..failure }.into());
                }
                if of_project.count(tx).await? >= MAX_ALLOWED {
                    let message = format!("A project lets the jobs of at most {MAX_ALLOWED} projects in");
                    return Err(Failure::new(ErrorCode::Quota, message).into());
                }
                let added = job_token_allowance::ActiveModel {
                    project_id: Set(project.0),
                    source_project_id: Set(source.0),
                    added_by_id: Set(by.map(|id| id.0)),
                    created_at: Set(stored(*now)),
                    ..Default::default()
                };
                added.insert(tx).await?;
                note(tx, actor, (EventKind::JobTokenProjectAdded, "Let in"), &target, *source, *now).await
            })
        })
        .await
}

/// Lets the jobs of `source` into `project` no longer.
pub async fn disallow(
    store: &Store,
    project: ProjectId,
    source: ProjectId,
    now: OffsetDateTime,
) -> Result<()> {
    store
        .write((store.actor(), project, source, now), |tx, (actor, project, source, now)| {
            Box::pin(async move {
                let target = lock_project(tx, project.0).await?;
                let Some(found) = row(tx, *project, *source).await? else {
                    let message = "Target project is not in the job token scope";
                    return Err(Failure::invalid("targetProjectPath", message).into());
                };
                found.delete(tx).await?;
                note(
                    tx,
                    actor,
                    (EventKind::JobTokenProjectRemoved, "No longer let in"),
                    &target,
                    *source,
                    *now,
                )
                .await
            })
        })
        .await
}

async fn row(tx: &Tx, project: ProjectId, source: ProjectId) -> Result<Option<job_token_allowance::Model>> {
    Ok(job_token_allowance::Entity::find()
        .filter(job_token_allowance::COLUMN.project_id.eq(project.0))
        .filter(job_token_allowance::COLUMN.source_project_id.eq(source.0))
        .one(tx)
        .await?)
}

async fn note(
    tx: &Tx,
    actor: &Actor,
    (kind, what): (EventKind, &str),
    project: &project::Model,
    source: ProjectId,
    now: OffsetDateTime,
) -> Result<()> {
    let of = project::Entity::find_by_id(source.0).one(tx).await?;
    let path = of.map(|source| source.full_path).unwrap_or_default();
    let target = Target::new("Project", source.0, &path);
    let event = Event::about(kind, Entity::project(project), format!("{what}: jobs of {path}")).on(target);
    audit_events::write(tx, actor, event, now).await
}

/// The projects whose jobs `project` lets in beside its own, in the order they were added.
pub async fn allowed(store: &Store, project: ProjectId) -> Result<Vec<ProjectId>> {
    let rows = job_token_allowance::Entity::find()
        .filter(job_token_allowance::COLUMN.project_id.eq(project.0))
        .order_by_asc(job_token_allowance::COLUMN.id);
    Ok(rows.all(store.reader()).await?.into_iter().map(|row| ProjectId(row.source_project_id)).collect())
}
