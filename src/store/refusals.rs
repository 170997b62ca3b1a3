//! Refusals that several verbs share, and the checks behind them.

use domain::{ErrorCode, Failure, Subject, Visibility};
use entity::{namespace, project};
use sea_orm::{EntityTrait, QueryFilter, QuerySelect};

use crate::{Result, Tx, convert};

/// `value` of `field` stands for something else already.
pub(crate) fn taken(field: &'static str, title: &str, value: &str) -> Failure {
    Failure {
        field: Some(field.into()),
        ..Failure::new(ErrorCode::Duplicate, format!("{title} '{value}' has already been taken"))
    }
}

/// Refuses a visibility wider than that of the group above (`GitLab`'s rule).
pub(crate) fn within_parent(visibility: Visibility, parent: &namespace::Model) -> Result<()> {
    let most = convert::visibility(parent.visibility)?;
    if visibility <= most {
        return Ok(());
    }
    let message = format!(
        "Visibility '{}' is not allowed, since the group '{}' above is {}",
        visibility.name(),
        parent.full_path,
        most.name()
    );
    Err(Failure::invalid("visibility", message).into())
}

/// Refuses a path under which a group, a user or a project stands already. Groups and projects share their paths, so no
/// index can tell; the parent's row is locked, so nobody else adds to it meanwhile.
pub(crate) async fn path_is_free(tx: &Tx, full_path_key: &str, path: &str) -> Result<()> {
    let namespace = namespace::Entity::find()
        .filter(namespace::COLUMN.full_path_key.eq(full_path_key))
        .one(tx)
        .await?
        .is_some();
    let taken_by = namespace
        || project::Entity::find()
            .filter(project::COLUMN.full_path_key.eq(full_path_key))
            .one(tx)
            .await?
            .is_some();
    if taken_by { Err(taken("path", "Path", path).into()) } else { Ok(()) }
}

/// The namespace with this id, its row locked until the end of the transaction; a refusal when there is none.
pub(crate) async fn lock_namespace(tx: &Tx, id: i64) -> Result<namespace::Model> {
    let row = namespace::Entity::find_by_id(id)
        .filter(namespace::COLUMN.deleted_at.is_null())
        .lock_exclusive()
        .one(tx)
        .await?;
    row.ok_or_else(|| Failure::not_found(Subject::Group).into())
}

/// The project with this id, its row locked until the end of the transaction; a refusal when there is none.
pub(crate) async fn lock_project(tx: &Tx, id: i64) -> Result<project::Model> {
    let row = project::Entity::find_by_id(id)
        .filter(project::COLUMN.deleted_at.is_null())
        .lock_exclusive()
        .one(tx)
        .await?;
    row.ok_or_else(|| Failure::not_found(Subject::Project).into())
}
