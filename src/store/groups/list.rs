//! Lists of groups.

use access::{Guarded, Purpose, Viewer, Visible};
use domain::{NamespaceId, Role};
use sea_orm::sea_query::{Expr, ExprTrait, Func, Query, SelectStatement};
use time::OffsetDateTime;

use super::{Group, GuardedRow, NamespaceKind};
use crate::{
    Depth, Direction, Page, PageRequest, Result, SortValue, Store,
    page::{Cursor, Keyset, SortKey},
    roles::{Standing, has_open_registry, switched_off},
    rows,
    search::contains,
    visible::{namespaces_of, tree_of, visible_namespaces},
};

/// Where in the tree the groups of a list stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Within {
    /// Anywhere.
    #[default]
    Instance,
    /// At the top.
    TopLevel,
    /// In this group, which is not shown itself.
    Group(NamespaceId, Depth),
}

/// Which groups a list shows, of those the caller may see. Users' namespaces never.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupFilter {
    /// Whose name or full path contains this.
    pub search: Option<String>,
    /// Which stand here.
    pub within: Within,
    /// Where the caller has at least this role: owner for "owned".
    pub minimum_role: Option<Role>,
}

/// What a list of groups is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupOrder {
    /// The id.
    #[default]
    Id,
    /// The name.
    Name,
    /// The path.
    Path,
    /// When it was created.
    CreatedAt,
}

impl GroupOrder {
    /// The place of `group` in a list sorted so.
    pub fn cursor(self, group: &Group) -> Cursor {
        let sort = match self {
            Self::Id => None,
            Self::Name => Some(SortValue::Text(group.name.clone())),
            Self::Path => Some(SortValue::Text(group.path.clone())),
            Self::CreatedAt => Some(SortValue::Instant(group.created_at)),
        };
        Cursor { sort, id: group.id.0 }
    }

    fn keyset(self, direction: Direction) -> Keyset {
        let column = |name: &'static str| Expr::col(("n", name));
        let sort = match self {
            Self::Id => None,
            Self::Name => Some(SortKey::text(column("name"))),
            Self::Path => Some(SortKey::text(column("path"))),
            Self::CreatedAt => Some(SortKey::instant(column("created_at"))),
        };
        Keyset { sort, id: column("id"), direction }
    }
}

/// A list of groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupList {
    /// Which.
    pub filter: GroupFilter,
    /// Sorted by what.
    pub order: GroupOrder,
    /// Which way.
    pub direction: Direction,
    /// Which rows of it.
    pub page: PageRequest,
}

/// The groups of `list` that `viewer` may see. One statement.
pub async fn list(
    store: &Store,
    viewer: &Viewer,
    list: &GroupList,
    now: OffsetDateTime,
) -> Result<Page<Guarded<Group>>> {
    let instance = store.instance_facts().await?;
    let standing = Standing::of(viewer, now);
    let visible = Visible::to(viewer, Purpose::Projects, instance);
    let mut select = select(&standing);
    select.cond_where(visible_namespaces(&visible, "n", now));
    restrict(&mut select, &list.filter, &standing);
    list.order.keyset(list.direction).apply(&mut select, &list.page)?;
    let rows: Vec<GuardedRow> = rows::all(store.reader(), &select).await?;
    Keyset::page(rows, &list.page).try_map(|row| row.guarded(instance))
}

/// How many groups that pass `filter` `viewer` may see. One statement.
pub async fn count(store: &Store, viewer: &Viewer, filter: &GroupFilter, now: OffsetDateTime) -> Result<u64> {
    let visible = Visible::to(viewer, Purpose::Projects, store.instance_facts().await?);
    let mut select = Query::select();
    select
        .expr(Func::count(Expr::col(("n", "id"))))
        .from_as("namespaces", "n")
        .cond_where(visible_namespaces(&visible, "n", now));
    restrict(&mut select, filter, &Standing::of(viewer, now));
    rows::number(store.reader(), &select).await
}

/// Namespaces as `n` with the caller's standing in each.
pub(super) fn select(standing: &Standing) -> SelectStatement {
    let columns = [
        "id",
        "kind",
        "parent_id",
        "owner_id",
        "path",
        "name",
        "full_path",
        "full_path_key",
        "description",
        "visibility",
        "package_registry_enabled",
        "created_at",
        "updated_at",
        "deleted_at",
    ];
    Query::select()
        .columns(columns.map(|column| ("n", column)))
        .expr_as(standing.namespace_role("n"), "role")
        .expr_as(standing.namespace_covered(Expr::col(("n", "id"))), "covered")
        .expr_as(has_open_registry("n"), "open_registry")
        .expr_as(Expr::col(("n", "id")).in_subquery(switched_off()), "switched_off")
        .from_as("namespaces", "n")
        .to_owned()
}

fn restrict(select: &mut SelectStatement, filter: &GroupFilter, standing: &Standing) {
    let column = |name: &'static str| Expr::col(("n", name));
    select.and_where(column("kind").eq(NamespaceKind::Group.number()));
    if let Some(text) = &filter.search {
        select.and_where(contains(column("name"), text).or(contains(column("full_path_key"), text)));
    }
    match filter.within {
        Within::Instance => {}
        Within::TopLevel => {
            select.and_where(column("parent_id").is_null());
        }
        Within::Group(id, Depth::Direct) => {
            select.and_where(column("parent_id").eq(id.0));
        }
        Within::Group(id, Depth::Descendants) => {
            select.and_where(column("id").in_subquery(tree_of(id.0))).and_where(column("id").ne(id.0));
        }
    }
    if let Some(minimum) = filter.minimum_role {
        select.and_where(column("id").in_subquery(namespaces_of(standing, minimum)));
    }
}
