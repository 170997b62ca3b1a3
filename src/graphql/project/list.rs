//! Lists of projects.

use std::sync::Arc;

use async_graphql::{Context, Enum};
use domain::Failure;
use store::{
    Direction,
    projects::{self, ProjectFilter, ProjectList, ProjectOrder},
};

use super::{Project, types::Namespaces};
use crate::{
    context::ContextExt,
    relay::connection::{Connection, Count, PageArguments, connect},
};

/// What projects are sorted by (ours).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum ProjectSort {
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
    /// Longest unchanged first.
    UpdatedAsc,
    /// Last changed first.
    UpdatedDesc,
}

impl ProjectSort {
    /// The column, the direction, and what cursors call that.
    const fn order(self) -> (ProjectOrder, Direction, &'static str) {
        match self {
            Self::IdAsc => (ProjectOrder::Id, Direction::Ascending, "id+"),
            Self::IdDesc => (ProjectOrder::Id, Direction::Descending, "id-"),
            Self::NameAsc => (ProjectOrder::Name, Direction::Ascending, "name+"),
            Self::NameDesc => (ProjectOrder::Name, Direction::Descending, "name-"),
            Self::PathAsc => (ProjectOrder::Path, Direction::Ascending, "path+"),
            Self::PathDesc => (ProjectOrder::Path, Direction::Descending, "path-"),
            Self::CreatedAsc => (ProjectOrder::CreatedAt, Direction::Ascending, "created+"),
            Self::CreatedDesc => (ProjectOrder::CreatedAt, Direction::Descending, "created-"),
            Self::UpdatedAsc => (ProjectOrder::UpdatedAt, Direction::Ascending, "updated+"),
            Self::UpdatedDesc => (ProjectOrder::UpdatedAt, Direction::Descending, "updated-"),
        }
    }
}

/// The projects that pass `filter` and that the caller may see, with their namespaces where the document selects them.
pub(crate) async fn project_connection(
    ctx: &Context<'_>,
    mut filter: ProjectFilter,
    sort: ProjectSort,
    arguments: &PageArguments,
) -> Result<Connection<Project, Count>, Failure> {
    filter.search = filter.search.filter(|text| !text.is_empty());
    let (order, direction, name) = sort.order();
    let page = arguments.request(ctx, name)?;
    let list = ProjectList { filter: filter.clone(), order, direction, page };
    let now = ctx.now();
    let page = projects::list(ctx.store(), ctx.viewer(), &list, now).await?;
    let mut rows: Vec<_> = page.rows.into_iter().filter_map(|project| Project::shown(ctx, project)).collect();
    if selects_namespaces(ctx) {
        let namespaces = Arc::new(Namespaces::load(ctx, &rows).await?);
        for project in &mut rows {
            project.prefetched(&namespaces);
        }
    }
    let page = store::Page { rows, has_next: page.has_next, has_previous: page.has_previous };
    let (viewer, filter) = (Arc::new(ctx.viewer().clone()), Arc::new(filter));
    let count = Count::new(move |state, _| {
        let (viewer, filter) = (Arc::clone(&viewer), Arc::clone(&filter));
        async move { projects::count(&state.store, &viewer, &filter, now).await }
    });
    Ok(connect(page, name, count, |project: &Project| order.cursor(&project.row), |project| project))
}

fn selects_namespaces(ctx: &Context<'_>) -> bool {
    let ahead = ctx.look_ahead();
    let nodes = [ahead.field("nodes"), ahead.field("edges").field("node")];
    nodes.iter().any(|node| node.field("namespace").exists() || node.field("group").exists())
}
