//! Lists of packages, filtered, sorted and paged: one statement a page.

use domain::{PackageFormat, PackageStatus};
use entity::{package, project};
use sea_orm::sea_query::{Expr, ExprTrait, Func, Query, SelectStatement};
use time::OffsetDateTime;

use super::{
    Package, PackageScope,
    rows::{PackageRow, column, has_status, in_scope, select_packages},
};
use crate::{
    Result, Store,
    page::{Direction, Keyset, Page, PageRequest, SortKey, SortValue},
    rows, search,
};

/// What a list is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PackageSort {
    /// Time of publication.
    #[default]
    Created,
    /// Name.
    Name,
    /// Version, as a plain string.
    Version,
    /// The number of the format.
    Type,
    /// The project's own path segment.
    ProjectPath,
}

impl PackageSort {
    /// What a cursor to `package` holds in a list sorted like this.
    pub fn value(self, package: &Package) -> SortValue {
        match self {
            Self::Created => SortValue::Instant(package.created_at),
            Self::Name => SortValue::Text(package.name.clone()),
            Self::Version => SortValue::Text(package.version.clone().unwrap_or_default()),
            Self::Type => SortValue::Number(package.format.number().into()),
            Self::ProjectPath => SortValue::Text(package.project.path.clone()),
        }
    }
}

/// Which packages a list shows. The defaults are GitLab's.
#[derive(Clone, Debug, Default)]
pub struct PackageFilter {
    /// Part of the name, whatever the case.
    pub name: Option<String>,
    /// The whole name, by its key.
    pub exact_name: Option<String>,
    /// The format. Without it, Terraform modules are left out.
    pub format: Option<PackageFormat>,
    /// The version, exactly.
    pub version: Option<String>,
    /// The status. Without it, displayable ones.
    pub status: Option<PackageStatus>,
    /// Also packages without a version; loses against `version`.
    pub versionless: Versionless,
    /// Not this one.
    pub except: Option<domain::PackageId>,
    /// Only projects directly in the group of the scope.
    pub direct_only: Option<domain::NamespaceId>,
}

/// Whether packages without a version are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Versionless {
    /// They are left out.
    #[default]
    Excluded,
    /// They are shown.
    Included,
}

fn filtered(select: &mut SelectStatement, scope: &PackageScope, filter: &PackageFilter, now: OffsetDateTime) {
    let package = |field| Expr::col((package::Entity, field));
    select.cond_where(in_scope(scope, now));
    match filter.status {
        Some(status) => select.and_where(has_status(&[status])),
        None => select.and_where(has_status(PackageStatus::DISPLAYABLE)),
    };
    match filter.format {
        Some(format) => select.and_where(package(package::Column::Format).eq(format.number())),
        None => {
            select.and_where(package(package::Column::Format).ne(PackageFormat::TerraformModule.number()))
        }
    };
    if let Some(version) = &filter.version {
        select.and_where(package(package::Column::Version).eq(version.as_str()));
    } else if filter.versionless == Versionless::Excluded {
        select.and_where(package(package::Column::Version).is_not_null());
    }
    if let Some(name) = &filter.name {
        select.and_where(search::contains(package(package::Column::Name), name));
    }
    if let Some(name) = &filter.exact_name {
        select.and_where(package(package::Column::Name).eq(name.as_str()));
    }
    if let Some(except) = filter.except {
        select.and_where(package(package::Column::Id).ne(except.0));
    }
    if let Some(group) = filter.direct_only {
        select.and_where(Expr::col((project::Entity, project::Column::NamespaceId)).eq(group.0));
    }
}

/// One page of a list.
pub async fn list(
    store: &Store,
    scope: &PackageScope,
    filter: &PackageFilter,
    (sort, direction): (PackageSort, Direction),
    request: &PageRequest,
    now: OffsetDateTime,
) -> Result<Page<Package>> {
    let mut select = select_packages();
    filtered(&mut select, scope, filter, now);
    let package = |field: package::Column| column(package::Entity, field);
    let keyset = Keyset {
        sort: Some(match sort {
            PackageSort::Created => SortKey::instant(package(package::Column::CreatedAt)),
            PackageSort::Name => SortKey::text(package(package::Column::Name)),
            PackageSort::Version => {
                SortKey::text(Func::coalesce([package(package::Column::Version), Expr::val("")]))
            }
            PackageSort::Type => SortKey::number(package(package::Column::Format)),
            PackageSort::ProjectPath => SortKey::text(column(project::Entity, project::Column::Path)),
        }),
        id: package(package::Column::Id),
        direction,
    };
    keyset.apply(&mut select, request)?;
    let rows = rows::all::<PackageRow>(store.reader(), &select).await?;
    let packages = rows.into_iter().map(Package::try_from).collect::<Result<_>>()?;
    Ok(Keyset::page(packages, request))
}

/// How many packages a list has; counting stops at `limit` when there is one.
pub async fn count(
    store: &Store,
    scope: &PackageScope,
    filter: &PackageFilter,
    limit: Option<u64>,
    now: OffsetDateTime,
) -> Result<u64> {
    let mut inner = Query::select();
    inner.column((package::Entity, package::Column::Id)).from(package::Entity).inner_join(
        project::Entity,
        Expr::col((project::Entity, project::Column::Id))
            .equals((package::Entity, package::Column::ProjectId)),
    );
    inner
        .and_where(Expr::col((package::Entity, package::Column::DeletedAt)).is_null())
        .and_where(Expr::col((project::Entity, project::Column::DeletedAt)).is_null());
    filtered(&mut inner, scope, filter, now);
    if let Some(limit) = limit {
        inner.limit(limit);
    }
    rows::count(store.reader(), inner).await
}
