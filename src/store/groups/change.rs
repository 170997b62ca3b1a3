//! Changing and deleting groups.

use domain::{
    EventKind, Failure, NamespaceId, Visibility,
    namespace::{
        MAX_DESCRIPTION, validate_description, validate_display_name, validate_segment, validate_top_level,
    },
};
use entity::namespace;
use sea_orm::{
    ActiveModelTrait, IntoActiveModel, Set,
    sea_query::{Expr, ExprTrait, Func, Query},
};
use time::OffsetDateTime;

use super::{Group, NamespaceKind};
use crate::{
    Result, Store, Tx,
    address::path_key,
    audit_events::{self, Actor, Entity, Event},
    convert::{self, stored},
    refusals::{lock_namespace, path_is_free, within_parent},
    rows,
    visible::tree_of,
};

/// What to change of a group; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupChange {
    /// See [`Group::path`]. The full paths of everything below follow.
    pub path: Option<String>,
    /// See [`Group::name`].
    pub name: Option<String>,
    /// See [`Group::description`].
    pub description: Option<String>,
    /// See [`Group::visibility`].
    pub visibility: Option<Visibility>,
    /// See [`Group::package_registry_enabled`].
    pub package_registry_enabled: Option<bool>,
}

/// Changes a group and gives it as it now is. A user's namespace follows its user and is refused.
pub async fn update(
    store: &Store,
    id: NamespaceId,
    change: GroupChange,
    now: OffsetDateTime,
) -> Result<Group> {
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
    id: NamespaceId,
    change: &GroupChange,
    now: OffsetDateTime,
) -> Result<Group> {
    let old = lock_group(tx, id).await?;
    let parent = match old.parent_id {
        Some(id) => Some(lock_namespace(tx, id).await?),
        None => None,
    };
    let mut row = old.clone().into_active_model();
    if let Some(visibility) = change.visibility.filter(|visibility| visibility.number() != old.visibility) {
        if let Some(parent) = &parent {
            within_parent(visibility, parent)?;
        }
        nothing_wider_below(tx, id, visibility).await?;
        row.visibility = Set(visibility.number());
    }
    if let Some(path) = change.path.as_ref().filter(|path| **path != old.path) {
        match &parent {
            Some(_) => validate_segment("path", path)?,
            None => validate_top_level("path", path)?,
        }
        let full_path =
            parent.as_ref().map_or_else(|| path.clone(), |parent| format!("{}/{path}", parent.full_path));
        if path_key(&full_path) != old.full_path_key {
            path_is_free(tx, &path_key(&full_path), path).await?;
        }
        move_below(tx, &old, &full_path).await?;
        row.path = Set(path.clone());
        row.full_path_key = Set(path_key(&full_path));
        row.full_path = Set(full_path);
    }
    if let Some(name) = &change.name {
        row.name = Set(name.clone());
    }
    if let Some(description) = &change.description {
        row.description = Set(description.clone());
    }
    if let Some(enabled) = change.package_registry_enabled {
        row.package_registry_enabled = Set(enabled);
    }
    row.updated_at = Set(now);
    let row = row.update(tx).await?;
    let visibility = |row: &namespace::Model| convert::visibility(row.visibility).map(Visibility::name);
    let registry = |row: &namespace::Model| if row.package_registry_enabled { "true" } else { "false" };
    let attributes = [
        (EventKind::GroupNameUpdated, "name", old.name.as_str(), row.name.as_str()),
        (EventKind::GroupPathUpdated, "path", &old.full_path, &row.full_path),
        (EventKind::GroupDescriptionUpdated, "description", &old.description, &row.description),
        (EventKind::GroupVisibilityUpdated, "visibility", visibility(&old)?, visibility(&row)?),
        (EventKind::GroupRegistryUpdated, "package_registry_enabled", registry(&old), registry(&row)),
    ];
    audit_events::write_attributes(tx, actor, Entity::namespace(&row), &attributes, now).await?;
    row.try_into()
}

async fn lock_group(tx: &Tx, id: NamespaceId) -> Result<namespace::Model> {
    let row = lock_namespace(tx, id.0).await?;
    if row.kind == NamespaceKind::Group.number() {
        return Ok(row);
    }
    let message = format!("'{}' is a user's namespace: it follows its user", row.full_path);
    Err(Failure::invalid("id", message).into())
}

/// Refuses a visibility narrower than that of something below (`GitLab`'s rule).
async fn nothing_wider_below(tx: &Tx, id: NamespaceId, visibility: Visibility) -> Result<()> {
    let mut widest = None;
    for (table, column) in [("projects", "namespace_id"), ("namespaces", "id")] {
        let select = Query::select()
            .expr(Func::coalesce([
                Expr::cust("CAST(MAX(w.visibility) AS bigint)"),
                Expr::val(i64::from(Visibility::Private.number())),
            ]))
            .from_as(table, "w")
            .and_where(Expr::col(("w", column)).in_subquery(tree_of(id.0)))
            .and_where(Expr::col(("w", "id")).ne(if table == "namespaces" { id.0 } else { 0 }))
            .and_where(Expr::col(("w", "deleted_at")).is_null())
            .to_owned();
        let number = rows::number(tx, &select).await?;
        widest = Ord::max(widest, i16::try_from(number).ok());
    }
    let widest = widest.map(convert::visibility).transpose()?.unwrap_or(Visibility::Private);
    if widest <= visibility {
        return Ok(());
    }
    let message = format!(
        "Visibility '{}' is not allowed, since something in the group is {}",
        visibility.name(),
        widest.name()
    );
    Err(Failure::invalid("visibility", message).into())
}

/// Gives everything below `group` full paths that start with `full_path`.
async fn move_below(tx: &Tx, group: &namespace::Model, full_path: &str) -> Result<()> {
    let rest = i32::try_from(group.full_path.chars().count() + 1).unwrap_or(i32::MAX);
    let key = path_key(full_path);
    for sql in [
        "UPDATE namespaces SET full_path = $1 || substr(full_path, $2), full_path_key = $3 || substr(full_path_key, $2) \
         WHERE id <> $4 AND id IN (SELECT descendant_id FROM namespace_ancestors WHERE ancestor_id = $4)",
        "UPDATE projects SET full_path = $1 || substr(full_path, $2), full_path_key = $3 || substr(full_path_key, $2) \
         WHERE namespace_id IN (SELECT descendant_id FROM namespace_ancestors WHERE ancestor_id = $4)",
    ] {
        let values = [full_path.into(), rest.into(), key.clone().into(), group.id.into()];
        rows::execute(tx, sql, values).await?;
    }
    Ok(())
}

/// Deletes a group with every group and project below. The rows stay as tombstones; the paths are free again.
pub async fn destroy(store: &Store, id: NamespaceId, now: OffsetDateTime) -> Result<()> {
    store
        .write((store.actor(), id, stored(now)), |tx, (actor, id, now)| Box::pin(bury(tx, actor, *id, *now)))
        .await
}

async fn bury(tx: &Tx, actor: &Actor, id: NamespaceId, now: OffsetDateTime) -> Result<()> {
    let group = lock_group(tx, id).await?;
    let event = Event::about(EventKind::GroupDestroyed, Entity::namespace(&group), "Group destroyed");
    audit_events::write(tx, actor, event, now).await?;
    for sql in [
        "UPDATE projects SET deleted_at = $1, full_path_key = full_path_key || '#deleted-' || id \
         WHERE deleted_at IS NULL \
         AND namespace_id IN (SELECT descendant_id FROM namespace_ancestors WHERE ancestor_id = $2)",
        "UPDATE namespaces SET deleted_at = $1, full_path_key = full_path_key || '#deleted-' || id \
         WHERE deleted_at IS NULL \
         AND id IN (SELECT descendant_id FROM namespace_ancestors WHERE ancestor_id = $2)",
    ] {
        rows::execute(tx, sql, [now.into(), id.0.into()]).await?;
    }
    // The tree is cut loose: what is above no longer sees what was below, nor the members it had.
    let cut = "DELETE FROM namespace_ancestors \
               WHERE descendant_id IN (SELECT descendant_id FROM namespace_ancestors WHERE ancestor_id = $1) \
               AND ancestor_id NOT IN (SELECT descendant_id FROM namespace_ancestors WHERE ancestor_id = $1)";
    rows::execute(tx, cut, [id.0.into()]).await?;
    Ok(())
}
