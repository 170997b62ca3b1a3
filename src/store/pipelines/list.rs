//! The pipelines that published a package, as far as the caller may know their projects.

use std::collections::HashMap;

use access::{Purpose, Viewer, Visible};
use domain::{PackageId, PipelineId, ProjectId, UserId};
use sea_orm::{
    FromQueryResult,
    sea_query::{Expr, ExprTrait, JoinType, Order, Query, SelectStatement},
};
use time::OffsetDateTime;

use super::Pipeline;
use crate::{Direction, Page, PageRequest, Result, Store, page::Keyset, rows, visible::visible_projects};

/// What a pipeline is read from.
#[derive(FromQueryResult)]
pub(super) struct Row {
    id: i64,
    iid: i64,
    project_id: i64,
    project_full_path: String,
    reference: String,
    sha: String,
    source: String,
    web_url: Option<String>,
    user_id: Option<i64>,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

impl From<Row> for Pipeline {
    fn from(row: Row) -> Self {
        Self {
            id: PipelineId(row.id),
            iid: row.iid,
            project_id: ProjectId(row.project_id),
            project_full_path: row.project_full_path,
            reference: row.reference,
            sha: row.sha,
            source: row.source,
            web_url: row.web_url,
            user_id: row.user_id.map(UserId),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

const COLUMNS: [&str; 9] =
    ["id", "iid", "project_id", "reference", "sha", "source", "web_url", "user_id", "created_at"];

/// Leaves out of pipelines as `l` those whose project, as `p`, the caller may not know.
async fn leave_out_unknown(
    select: &mut SelectStatement,
    store: &Store,
    viewer: &Viewer,
    now: OffsetDateTime,
) -> Result<()> {
    let visible = Visible::to(viewer, Purpose::Pipelines, store.instance_facts().await?);
    let project = Expr::col(("p", "id")).eq(Expr::col(("l", "project_id")));
    select
        .join_as(JoinType::InnerJoin, "projects", "p", project)
        .cond_where(visible_projects(&visible, "p", now));
    Ok(())
}

/// Pipelines as `l` joined with the packages they published as `k`, those left out whose project the caller may not know.
async fn select(store: &Store, viewer: &Viewer, now: OffsetDateTime) -> Result<SelectStatement> {
    let mut select = Query::select();
    select.from_as("package_pipelines", "k").join_as(
        JoinType::InnerJoin,
        "pipelines",
        "l",
        Expr::col(("l", "id")).eq(Expr::col(("k", "pipeline_id"))),
    );
    leave_out_unknown(&mut select, store, viewer, now).await?;
    Ok(select)
}

fn columns(select: &mut SelectStatement) {
    select
        .columns(COLUMNS.map(|column| ("l", column)))
        .column(("l", "updated_at"))
        .expr_as(Expr::col(("p", "full_path")), "project_full_path");
}

/// The pipelines with these ids, in no order; what the caller may not know is left out. One statement.
pub async fn find_many(
    store: &Store,
    viewer: &Viewer,
    ids: &[PipelineId],
    now: OffsetDateTime,
) -> Result<Vec<Pipeline>> {
    let mut select = Query::select();
    select.from_as("pipelines", "l").and_where(Expr::col(("l", "id")).is_in(ids.iter().map(|id| id.0)));
    leave_out_unknown(&mut select, store, viewer, now).await?;
    columns(&mut select);
    let rows: Vec<Row> = rows::all(store.reader(), &select).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The pipelines that published a package, newest first; counted from the end, oldest first, as in GitLab.
pub async fn of_package(
    store: &Store,
    viewer: &Viewer,
    package: PackageId,
    page: &PageRequest,
    now: OffsetDateTime,
) -> Result<Page<Pipeline>> {
    let mut select = select(store, viewer, now).await?;
    columns(&mut select);
    select.and_where(Expr::col(("k", "package_id")).eq(package.0));
    let keyset = Keyset { sort: None, id: Expr::col(("l", "id")), direction: Direction::Descending };
    keyset.apply(&mut select, page)?;
    let rows: Vec<Row> = rows::all(store.reader(), &select).await?;
    Ok(Keyset::page(rows, page).map(Into::into))
}

/// How many pipelines published a package.
pub async fn count_of_package(
    store: &Store,
    viewer: &Viewer,
    package: PackageId,
    limit: Option<u64>,
    now: OffsetDateTime,
) -> Result<u64> {
    let mut select = select(store, viewer, now).await?;
    select.column(("l", "id")).and_where(Expr::col(("k", "package_id")).eq(package.0));
    if let Some(limit) = limit {
        select.limit(limit.saturating_add(1));
    }
    rows::count(store.reader(), select).await
}

/// A pipeline of one of several packages.
struct OfPackage {
    package_id: i64,
    pipeline: Row,
}

impl FromQueryResult for OfPackage {
    fn from_query_result(row: &sea_orm::QueryResult, _: &str) -> Result<Self, sea_orm::DbErr> {
        Ok(Self { package_id: row.try_get("", "package_id")?, pipeline: Row::from_query_result(row, "")? })
    }
}

/// The `most` newest pipelines of each of these packages, newest first. One statement.
pub async fn newest_of_packages(
    store: &Store,
    viewer: &Viewer,
    packages: &[PackageId],
    most: u64,
    now: OffsetDateTime,
) -> Result<HashMap<PackageId, Vec<Pipeline>>> {
    let mut inner = select(store, viewer, now).await?;
    columns(&mut inner);
    inner
        .column(("k", "package_id"))
        .expr_as(Expr::cust("ROW_NUMBER() OVER (PARTITION BY k.package_id ORDER BY l.id DESC)"), "place")
        .and_where(Expr::col(("k", "package_id")).is_in(packages.iter().map(|id| id.0)));
    let mut select = Query::select();
    select
        .columns(COLUMNS.map(|column| ("r", column)))
        .columns([("r", "updated_at"), ("r", "project_full_path"), ("r", "package_id")])
        .from_subquery(inner, "r")
        .and_where(Expr::col(("r", "place")).lte(i64::try_from(most).unwrap_or(i64::MAX)))
        .order_by(("r", "id"), Order::Desc);
    let rows: Vec<OfPackage> = rows::all(store.reader(), &select).await?;
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for row in rows {
        found.entry(PackageId(row.package_id)).or_default().push(row.pipeline.into());
    }
    Ok(found)
}
