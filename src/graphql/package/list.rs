//! Lists of packages on a project or group.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, Enum, InputObject, OutputType};
use domain::{Failure, NamespaceId};
use store::{
    Cursor, Direction, Page,
    packages::{self, PackageFilter, PackageScope, PackageSort, Versionless},
};

use super::{
    inputs::{PackageStatus, PackageTypeEnum},
    types::{Node, Prefetched},
};
use crate::{
    context::ContextExt,
    outcome::{OrError, Outcome},
    pipeline::newest_of_packages,
    relay::connection::{Connection, Count, PageArguments, connect},
};

/// What the packages of a project are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "PackageSort")]
pub(crate) enum PackageSortArgument {
    /// Oldest first.
    CreatedAsc,
    /// Newest first.
    CreatedDesc,
    /// By name.
    NameAsc,
    /// By name, backwards.
    NameDesc,
    /// By the number of the format.
    TypeAsc,
    /// By the number of the format, backwards.
    TypeDesc,
    /// By version as a plain string.
    VersionAsc,
    /// By version as a plain string, backwards.
    VersionDesc,
}

/// What the packages of a group are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "PackageGroupSort")]
pub(crate) enum GroupPackageSort {
    /// Oldest first.
    CreatedAsc,
    /// Newest first.
    CreatedDesc,
    /// By name.
    NameAsc,
    /// By name, backwards.
    NameDesc,
    /// By the number of the format.
    TypeAsc,
    /// By the number of the format, backwards.
    TypeDesc,
    /// By version as a plain string.
    VersionAsc,
    /// By version as a plain string, backwards.
    VersionDesc,
    /// By the project's own path segment.
    ProjectPathAsc,
    /// By the project's own path segment, backwards.
    ProjectPathDesc,
}

/// What a list is sorted by, which way, and what its cursors call that.
#[derive(Clone, Copy)]
pub(crate) struct Order(PackageSort, Direction, &'static str);

impl From<PackageSortArgument> for Order {
    fn from(sort: PackageSortArgument) -> Self {
        match sort {
            PackageSortArgument::CreatedAsc => GroupPackageSort::CreatedAsc,
            PackageSortArgument::CreatedDesc => GroupPackageSort::CreatedDesc,
            PackageSortArgument::NameAsc => GroupPackageSort::NameAsc,
            PackageSortArgument::NameDesc => GroupPackageSort::NameDesc,
            PackageSortArgument::TypeAsc => GroupPackageSort::TypeAsc,
            PackageSortArgument::TypeDesc => GroupPackageSort::TypeDesc,
            PackageSortArgument::VersionAsc => GroupPackageSort::VersionAsc,
            PackageSortArgument::VersionDesc => GroupPackageSort::VersionDesc,
        }
        .into()
    }
}

impl From<GroupPackageSort> for Order {
    fn from(sort: GroupPackageSort) -> Self {
        use Direction::{Ascending, Descending};
        match sort {
            GroupPackageSort::CreatedAsc => Self(PackageSort::Created, Ascending, "created+"),
            GroupPackageSort::CreatedDesc => Self(PackageSort::Created, Descending, "created-"),
            GroupPackageSort::NameAsc => Self(PackageSort::Name, Ascending, "name+"),
            GroupPackageSort::NameDesc => Self(PackageSort::Name, Descending, "name-"),
            GroupPackageSort::TypeAsc => Self(PackageSort::Type, Ascending, "type+"),
            GroupPackageSort::TypeDesc => Self(PackageSort::Type, Descending, "type-"),
            GroupPackageSort::VersionAsc => Self(PackageSort::Version, Ascending, "version+"),
            GroupPackageSort::VersionDesc => Self(PackageSort::Version, Descending, "version-"),
            GroupPackageSort::ProjectPathAsc => Self(PackageSort::ProjectPath, Ascending, "path+"),
            GroupPackageSort::ProjectPathDesc => Self(PackageSort::ProjectPath, Descending, "path-"),
        }
    }
}

/// The arguments of `packages` but for the order.
#[derive(Default, InputObject)]
pub(crate) struct ListArguments {
    pub(crate) package_name: Option<String>,
    pub(crate) package_type: Option<PackageTypeEnum>,
    pub(crate) package_version: Option<String>,
    pub(crate) status: Option<PackageStatus>,
    pub(crate) include_versionless: bool,
    #[graphql(skip)]
    pub(crate) direct_only: Option<NamespaceId>,
    #[graphql(skip)]
    pub(crate) page: PageArguments,
}

/// The list, one statement for the page and one for each kind of thing selected beside it.
pub(crate) async fn list(
    ctx: &Context<'_>,
    scope: PackageScope,
    order: Order,
    arguments: ListArguments,
) -> Outcome<Connection<super::Package, Count>> {
    let Order(sort, direction, order) = order;
    let filter = PackageFilter {
        name: arguments.package_name.filter(|name| !name.is_empty()),
        format: arguments.package_type.map(Into::into),
        version: arguments.package_version.filter(|version| !version.is_empty()),
        status: arguments.status.map(Into::into),
        versionless: if arguments.include_versionless {
            Versionless::Included
        } else {
            Versionless::Excluded
        },
        direct_only: arguments.direct_only,
        ..PackageFilter::default()
    };
    let request = arguments.page.request(ctx, order).or_error()?;
    let page = packages::list(ctx.store(), &scope, &filter, (sort, direction), &request, ctx.now())
        .await
        .or_error()?;
    package_connection(ctx, page, scope, filter, sort, order).await
}

/// The connection that a page of packages makes, with what the document selects of them loaded for all at once.
pub(super) async fn package_connection<Type: From<Node> + OutputType>(
    ctx: &Context<'_>,
    page: Page<packages::Package>,
    scope: PackageScope,
    filter: PackageFilter,
    sort: PackageSort,
    order: &'static str,
) -> Outcome<Connection<Type, Count>> {
    let prefetched = Arc::new(prefetch(ctx, &page.rows).await.or_error()?);
    let (scope, filter) = (Arc::new(scope), Arc::new(filter));
    let now = ctx.now();
    let count = Count::new(move |state, limit| {
        let (scope, filter) = (Arc::clone(&scope), Arc::clone(&filter));
        async move { packages::count(&state.store, &scope, &filter, limit, now).await }
    });
    Ok(connect(
        page,
        order,
        count,
        |package| Cursor { sort: Some(sort.value(package)), id: package.id.0 },
        |package| Type::from(Node { package: Arc::new(package), prefetched: Arc::clone(&prefetched) }),
    ))
}

/// Loads what the document selects of the packages of a page.
async fn prefetch(ctx: &Context<'_>, rows: &[packages::Package]) -> Result<Prefetched, Failure> {
    let selects = |field: &str| {
        let ahead = ctx.look_ahead();
        ahead.field("nodes").field(field).exists() || ahead.field("edges").field("node").field(field).exists()
    };
    let mut prefetched = Prefetched::default();
    if rows.is_empty() {
        return Ok(prefetched);
    }
    if selects("tags") {
        let ids: Vec<_> = rows.iter().map(|package| package.id).collect();
        let mut by_package = HashMap::<_, Vec<_>>::new();
        for tag in packages::tags_of(ctx.store(), &ids).await? {
            by_package.entry(tag.package_id).or_default().push(tag);
        }
        prefetched.tags = Some(by_package);
    }
    if selects("pipelines") {
        let ids: Vec<_> = rows.iter().map(|package| package.id).collect();
        prefetched.pipelines = Some(newest_of_packages(ctx, &ids).await?);
    }
    let mut ids: Vec<_> = rows.iter().map(|package| package.project.id).collect();
    ids.sort_unstable();
    ids.dedup();
    if selects("protectionRuleExists") {
        let mut by_project = HashMap::<_, Vec<_>>::new();
        for (project, rule) in store::protection_rules::of_projects(ctx.store(), &ids).await? {
            by_project.entry(project).or_default().push(rule);
        }
        prefetched.rules = Some(by_project);
    }
    if selects("project") || selects("userPermissions") {
        let projects = store::projects::find_many(ctx.store(), ctx.viewer(), &ids, ctx.now()).await?;
        prefetched.projects = projects;
    }
    Ok(prefetched)
}
