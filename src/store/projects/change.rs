//! Creating, changing and deleting projects.

use domain::{
    EventKind, NamespaceId, ProjectId, RegistryAccessLevel, UserId, Visibility,
    namespace::{MAX_DESCRIPTION, validate_description, validate_display_name, validate_segment},
};
use entity::project;
use sea_orm::{ActiveModelTrait, IntoActiveModel, Set};
use time::OffsetDateTime;

use super::Project;
use crate::{
    Result, Store, Tx,
    address::{deleted_key, path_key},
    audit_events::{self, Actor, Entity, Event},
    convert::{self, stored},
    refusals::{lock_namespace, lock_project, path_is_free, taken, within_parent},
};

/// A project to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProject {
    /// The group or user's namespace it is to stand in.
    pub namespace_id: NamespaceId,
    /// The last segment of its full path.
    pub path: String,
    /// The name people read.
    pub name: String,
    /// What people wrote about it.
    pub description: String,
    /// Who may know it.
    pub visibility: Visibility,
    /// Who may use its package registry.
    pub registry_access_level: RegistryAccessLevel,
    /// Who creates it.
    pub creator_id: Option<UserId>,
}

/// What to change of a project; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectChange {
    /// See [`Project::path`].
    pub path: Option<String>,
    /// See [`Project::name`].
    pub name: Option<String>,
    /// See [`Project::description`].
    pub description: Option<String>,
    /// See [`Project::visibility`].
    pub visibility: Option<Visibility>,
    /// See [`Project::registry_access_level`].
    pub registry_access_level: Option<RegistryAccessLevel>,
}

/// Creates a project.
pub async fn create(store: &Store, new: NewProject, now: OffsetDateTime) -> Result<Project> {
    validate_segment("path", &new.path)?;
    validate_display_name("name", &new.name)?;
    validate_description(&new.description, MAX_DESCRIPTION)?;
    store
        .write((store.actor(), new, stored(now)), |tx, (actor, new, now)| {
            Box::pin(insert(tx, actor, new, *now))
        })
        .await
}

async fn insert(tx: &Tx, actor: &Actor, new: &NewProject, now: OffsetDateTime) -> Result<Project> {
    let parent = lock_namespace(tx, new.namespace_id.0).await?;
    within_parent(new.visibility, &parent)?;
    let full_path = format!("{}/{}", parent.full_path, new.path);
    let full_path_key = path_key(&full_path);
    path_is_free(tx, &full_path_key, &new.path).await?;
    let row = project::ActiveModel {
        namespace_id: Set(parent.id),
        path: Set(new.path.clone()),
        name: Set(new.name.clone()),
        full_path: Set(full_path),
        full_path_key: Set(full_path_key),
        description: Set(new.description.clone()),
        visibility: Set(new.visibility.number()),
        registry_access_level: Set(new.registry_access_level.number()),
        creator_id: Set(new.creator_id.map(|id| id.0)),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    let inserted = row.insert(tx).await.map_err(crate::StoreError::from);
    let row = inserted.map_err(|error| error.unique_as(|| taken("path", "Path", &new.path)))?;
    let event = Event::about(EventKind::ProjectCreated, Entity::project(&row), "Added project");
    audit_events::write(tx, actor, event, now).await?;
    row.try_into()
}

/// Changes a project and gives it as it now is.
pub async fn update(
    store: &Store,
    id: ProjectId,
    change: ProjectChange,
    now: OffsetDateTime,
) -> Result<Project> {
    if let Some(path) = &change.path {
        validate_segment("path", path)?;
    }
    if let Some(name) = &change.name {
        validate_display_name("name", name)?;
    }
    if let Some(description) = &change.description {
        validate_description(description, MAX_DESCRIPTION)?;
    }
    store
        .write((store.actor(), id, change, stored(now)), |tx, (actor, id, change, now)| {
            Box::pin(apply(tx, actor, *id, change, *now))
        })
        .await
}

async fn apply(
    tx: &Tx,
    actor: &Actor,
    id: ProjectId,
    change: &ProjectChange,
    now: OffsetDateTime,
) -> Result<Project> {
    let old = lock_project(tx, id.0).await?;
    let mut row = old.clone().into_active_model();
    if change.path.is_some() || change.visibility.is_some() {
        let parent = lock_namespace(tx, old.namespace_id).await?;
        if let Some(visibility) = change.visibility {
            within_parent(visibility, &parent)?;
            row.visibility = Set(visibility.number());
        }
        if let Some(path) = change.path.as_ref().filter(|path| **path != old.path) {
            let full_path = format!("{}/{path}", parent.full_path);
            let full_path_key = path_key(&full_path);
            if full_path_key != old.full_path_key {
                path_is_free(tx, &full_path_key, path).await?;
            }
            row.path = Set(path.clone());
            row.full_path = Set(full_path);
            row.full_path_key = Set(full_path_key);
        }
    }
    if let Some(name) = &change.name {
        row.name = Set(name.clone());
    }
    if let Some(description) = &change.description {
        row.description = Set(description.clone());
    }
    if let Some(level) = change.registry_access_level {
        row.registry_access_level = Set(level.number());
    }
    row.updated_at = Set(now);
    let row = row.update(tx).await?;
    note_changes(tx, actor, &old, &row, now).await?;
    row.try_into()
}

/// Writes down each attribute that changed, as GitLab does.
async fn note_changes(
    tx: &Tx,
    actor: &Actor,
    old: &project::Model,
    new: &project::Model,
    now: OffsetDateTime,
) -> Result<()> {
    let visibility = |row: &project::Model| convert::visibility(row.visibility).map(Visibility::name);
    let level = |row: &project::Model| {
        convert::registry_access_level(row.registry_access_level).map(RegistryAccessLevel::name)
    };
    let attributes = [
        (EventKind::ProjectNameUpdated, "name", old.name.as_str(), new.name.as_str()),
        (EventKind::ProjectPathUpdated, "path", &old.full_path, &new.full_path),
        (EventKind::ProjectDescriptionUpdated, "description", &old.description, &new.description),
        (EventKind::ProjectVisibilityUpdated, "visibility", visibility(old)?, visibility(new)?),
        (EventKind::RegistryAccessLevelUpdated, "package_registry_access_level", level(old)?, level(new)?),
    ];
    audit_events::write_attributes(tx, actor, Entity::project(new), &attributes, now).await
}

/// Deletes a project. Its rows stay as tombstones; its path is free again.
pub async fn destroy(store: &Store, id: ProjectId, now: OffsetDateTime) -> Result<()> {
    store
        .write((store.actor(), id, stored(now)), |tx, (actor, id, now)| Box::pin(bury(tx, actor, *id, *now)))
        .await
}

async fn bury(tx: &Tx, actor: &Actor, id: ProjectId, now: OffsetDateTime) -> Result<()> {
    let old = lock_project(tx, id.0).await?;
    let event = Event::about(EventKind::ProjectDestroyed, Entity::project(&old), "Project destroyed");
    audit_events::write(tx, actor, event, now).await?;
    let full_path_key = deleted_key(&old.full_path_key, old.id);
    let mut row = old.into_active_model();
    row.full_path_key = Set(full_path_key);
    row.deleted_at = Set(Some(now));
    row.update(tx).await?;
    Ok(())
}
