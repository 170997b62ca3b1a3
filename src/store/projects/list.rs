//! Lists of projects.

use access::{Guarded, Purpose, Viewer, Visible};
use domain::{NamespaceId, Role, Visibility};
use sea_orm::sea_query::{Expr, ExprTrait, Func, Query, SelectStatement};
use time::OffsetDateTime;

use super::{GuardedRow, Project};
use crate::{
    Depth, Direction, Page, PageRequest, Result, SortValue, Store,
    page::{Cursor, Keyset, SortKey},
    roles::{Standing, switched_off},
    rows,
    search::contains,
    visible::{is_member, tree_of, visible_projects},
};

/// Which projects a list shows, of those the caller may see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectFilter {
    /// Whose name or full path contains this.
    pub search: Option<String>,
    /// Which stand in this group.
    pub namespace: Option<(NamespaceId, Depth)>,
    /// Where the caller has at least this role: guest for "membership", owner for "owned".
    pub minimum_role: Option<Role>,
    /// With this visibility.
    pub visibility: Option<Visibility>,
}

/// What a list of projects is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProjectOrder {
    /// The id.
    #[default]
    Id,
    /// The name.
    Name,
    /// The path.
    Path,
    /// When it was created.
    CreatedAt,
    /// When it was last changed.
    UpdatedAt,
}

impl ProjectOrder {
    /// The place of `project` in a list sorted so.
    pub fn cursor(self, project: &Project) -> Cursor {
        let sort = match self {
            Self::Id => None,
            Self::Name => Some(SortValue::Text(project.name.clone())),
            Self::Path => Some(SortValue::Text(project.path.clone())),
            Self::CreatedAt => Some(SortValue::Instant(project.created_at)),
            Self::UpdatedAt => Some(SortValue::Instant(project.updated_at)),
        };
        Cursor { sort, id: project.id.0 }
    }

    fn keyset(self, direction: Direction) -> Keyset {
        let column = |name: &'static str| Expr::col(("p", name));
        let sort = match self {
            Self::Id => None,
            Self::Name => Some(SortKey::text(column("name"))),
            Self::Path => Some(SortKey::text(column("path"))),
            Self::CreatedAt => Some(SortKey::instant(column("created_at"))),
            Self::UpdatedAt => Some(SortKey::instant(column("updated_at"))),
        };
        Keyset { sort, id: column("id"), direction }
    }
}

/// A list of projects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectList {
    /// Which.
    pub filter: ProjectFilter,
    /// Sorted by what.
    pub order: ProjectOrder,
    /// Which way.
    pub direction: Direction,
    /// Which rows of it.
    pub page: PageRequest,
}

/// The projects of `list` that `viewer` may see. One statement.
pub async fn list(
    store: &Store,
    viewer: &Viewer,
    list: &ProjectList,
    now: OffsetDateTime,
) -> Result<Page<Guarded<Project>>> {
    let instance = store.instance_facts().await?;
    let standing = Standing::of(viewer, now);
    let visible = Visible::to(viewer, Purpose::Projects, instance);
    let mut select = select(&standing);
    select.cond_where(visible_projects(&visible, "p", now));
    restrict(&mut select, &list.filter, &standing);
    list.order.keyset(list.direction).apply(&mut select, &list.page)?;
    let rows: Vec<GuardedRow> = rows::all(store.reader(), &select).await?;
    Keyset::page(rows, &list.page).try_map(|row| row.guarded(instance))
}

/// How many projects that pass `filter` `viewer` may see. One statement.
pub async fn count(
    store: &Store,
    viewer: &Viewer,
    filter: &ProjectFilter,
    now: OffsetDateTime,
) -> Result<u64> {
    let visible = Visible::to(viewer, Purpose::Projects, store.instance_facts().await?);
    let mut select = Query::select();
    select
        .expr(Func::count(Expr::col(("p", "id"))))
        .from_as("projects", "p")
        .cond_where(visible_projects(&visible, "p", now));
    restrict(&mut select, filter, &Standing::of(viewer, now));
    rows::number(store.reader(), &select).await
}

/// Projects as `p` with the caller's standing in each.
pub(super) fn select(standing: &Standing) -> SelectStatement {
    let columns = [
        "id",
        "namespace_id",
        "path",
        "name",
        "full_path",
        "full_path_key",
        "description",
        "visibility",
        "registry_access_level",
        "creator_id",
        "created_at",
        "updated_at",
        "deleted_at",
    ];
    Query::select()
        .columns(columns.map(|column| ("p", column)))
        .expr_as(standing.project_role("p"), "role")
        .expr_as(standing.project_covered("p"), "covered")
        .expr_as(Expr::col(("p", "namespace_id")).in_subquery(switched_off()), "switched_off")
        .from_as("projects", "p")
        .to_owned()
}

fn restrict(select: &mut SelectStatement, filter: &ProjectFilter, standing: &Standing) {
    let column = |name: &'static str| Expr::col(("p", name));
    if let Some(text) = &filter.search {
        select.and_where(contains(column("name"), text).or(contains(column("full_path_key"), text)));
    }
    match filter.namespace {
        Some((id, Depth::Direct)) => {
            select.and_where(column("namespace_id").eq(id.0));
        }
        Some((id, Depth::Descendants)) => {
            select.and_where(column("namespace_id").in_subquery(tree_of(id.0)));
        }
        None => {}
    }
    if let Some(minimum) = filter.minimum_role {
        select.and_where(is_member(standing, "p", minimum));
    }
    if let Some(visibility) = filter.visibility {
        select.and_where(column("visibility").eq(visibility.number()));
    }
}
