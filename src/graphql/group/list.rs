//! Lists of groups.

use std::sync::Arc;

use async_graphql::{Context, Enum};
use domain::Failure;
use store::{
    Direction,
    groups::{self, GroupFilter, GroupList, GroupOrder},
};

use super::Group;
use crate::{
    context::ContextExt,
    relay::connection::{Connection, Count, PageArguments, connect},
};

/// What groups are sorted by (ours).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum GroupSort {
    /// Oldest id first.
    IdAsc,
    /// Newest id first.
    IdDesc,
    /// By name.
    NameAsc,
    /// By name, backwards.
    NameDesc,
    /// By path.
    PathAsc,
    /// By path, backwards.
    PathDesc,
    /// Oldest first.
    CreatedAsc,
    /// Newest first.
    CreatedDesc,
}

impl GroupSort {
    /// The column, the direction, and what cursors call that.
    const fn order(self) -> (GroupOrder, Direction, &'static str) {
        match self {
            Self::IdAsc => (GroupOrder::Id, Direction::Ascending, "id+"),
            Self::IdDesc => (GroupOrder::Id, Direction::Descending, "id-"),
            Self::NameAsc => (GroupOrder::Name, Direction::Ascending, "name+"),
            Self::NameDesc => (GroupOrder::Name, Direction::Descending, "name-"),
            Self::PathAsc => (GroupOrder::Path, Direction::Ascending, "path+"),
            Self::PathDesc => (GroupOrder::Path, Direction::Descending, "path-"),
            Self::CreatedAsc => (GroupOrder::CreatedAt, Direction::Ascending, "created+"),
            Self::CreatedDesc => (GroupOrder::CreatedAt, Direction::Descending, "created-"),
        }
    }
}

/// The groups that pass `filter` and that the caller may see.
pub(super) async fn group_connection(
    ctx: &Context<'_>,
    mut filter: GroupFilter,
    sort: GroupSort,
    arguments: &PageArguments,
) -> Result<Connection<Group, Count>, Failure> {
    filter.search = filter.search.filter(|text| !text.is_empty());
    let (order, direction, name) = sort.order();
    let list = GroupList { filter: filter.clone(), order, direction, page: arguments.request(ctx, name)? };
    let now = ctx.now();
    let page = groups::list(ctx.store(), ctx.viewer(), &list, now).await?;
    let page = store::Page {
        rows: page.rows.into_iter().filter_map(|group| Group::shown(ctx, group)).collect(),
        has_next: page.has_next,
        has_previous: page.has_previous,
    };
    let (viewer, filter) = (Arc::new(ctx.viewer().clone()), Arc::new(filter));
    let count = Count::new(move |state, _| {
        let (viewer, filter) = (Arc::clone(&viewer), Arc::clone(&filter));
        async move { groups::count(&state.store, &viewer, &filter, now).await }
    });
    Ok(connect(page, name, count, |group: &Group| order.cursor(&group.row), |group| group))
}
