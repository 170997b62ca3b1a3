//! Finding one project, which nearly every request does: one statement, its text fixed.

use std::collections::HashMap;

use access::{Guarded, Viewer};
use domain::ProjectId;
use entity::project;
use sea_orm::{
    EntityTrait, QueryFilter, Value,
    sea_query::{Expr, ExprTrait},
};
use time::OffsetDateTime;

use super::{GuardedRow, Project, list};
use crate::{
    IdOrPath, Result, Store,
    address::path_key,
    roles::{Standing, project_covered_sql, project_role_sql, switched_off_sql},
    rows,
};

macro_rules! find_sql {
    ($condition:literal) => {
        concat!(
            "SELECT p.id, p.namespace_id, p.path, p.name, p.full_path, p.full_path_key, p.description, p.visibility, \
             p.registry_access_level, p.creator_id, p.created_at, p.updated_at, p.deleted_at, ",
            project_role_sql!("$2", "$3"),
            " AS role, ",
            project_covered_sql!("$4", "$5"),
            " AS covered, ",
            switched_off_sql!(),
            " AS switched_off FROM projects p WHERE p.deleted_at IS NULL AND ",
            $condition
        )
    };
}

const BY_ID: &str = find_sql!("p.id = $1");
const BY_PATH: &str = find_sql!("p.full_path_key = $1");

/// The project that `address` names, if there is one.
pub async fn find(
    store: &Store,
    viewer: &Viewer,
    address: IdOrPath<'_>,
    now: OffsetDateTime,
) -> Result<Option<Guarded<Project>>> {
    let instance = store.instance_facts().await?;
    let standing = Standing::of(viewer, now);
    let (sql, key) = match address {
        IdOrPath::Id(id) => (BY_ID, Value::from(id)),
        IdOrPath::Path(path) => (BY_PATH, Value::from(path_key(path))),
    };
    let values = [
        key,
        standing.user.into(),
        standing.today.into(),
        standing.token_project.into(),
        standing.token_namespace.into(),
    ];
    let row: Option<GuardedRow> = rows::hot_one_sql(store, sql, values).await?;
    row.map(|row| row.guarded(instance)).transpose()
}

/// Those of these projects that are in the top-level group or user's namespace `root`, or below it. One statement.
pub async fn below_root(store: &Store, ids: &[ProjectId], root: &str) -> Result<Vec<ProjectId>> {
    let root = path_key(root);
    let found = project::Entity::find()
        .filter(project::COLUMN.id.is_in(ids.iter().map(|id| id.0)))
        .filter(project::COLUMN.full_path_key.gt(format!("{root}/")))
        .filter(project::COLUMN.full_path_key.lt(format!("{root}0")));
    Ok(found.all(store.reader()).await?.into_iter().map(|row| ProjectId(row.id)).collect())
}

/// The projects with these ids, by id; what does not exist is left out. One statement.
pub async fn find_many(
    store: &Store,
    viewer: &Viewer,
    ids: &[ProjectId],
    now: OffsetDateTime,
) -> Result<HashMap<ProjectId, Guarded<Project>>> {
    let instance = store.instance_facts().await?;
    let mut select = list::select(&Standing::of(viewer, now));
    select
        .and_where(Expr::col(("p", "id")).is_in(ids.iter().map(|id| id.0)))
        .and_where(Expr::col(("p", "deleted_at")).is_null());
    let rows: Vec<GuardedRow> = rows::all(store.reader(), &select).await?;
    rows.into_iter().map(|row| Ok((ProjectId(row.project.id), row.guarded(instance)?))).collect()
}
