//! What index documents are made of: the names of a scope, their revisions, tags and ready pieces.
//!
//! A document of one name costs two statements however many versions it has: one for the names with their revisions, one
//! for the pieces.

use std::collections::BTreeMap;

use domain::{PackageFileId, PackageFormat, PackageId, PackageNameId, PackageStatus, ProjectId};
use entity::{package, package_fragment, package_name, package_tag, project};
use sea_orm::{
    FromQueryResult,
    sea_query::{Condition, Expr, ExprTrait, Order, Query, SelectStatement, SimpleExpr},
};
use time::OffsetDateTime;

use super::{
    Package, PackageScope,
    rows::{PackageRow, column, has_status, in_project, in_scope, select_packages},
};
use crate::{
    Result, Store, StoreError,
    page::{Direction, Keyset, Page, PageRequest, SortKey, SortValue},
    reader::in_place,
    rows::{self, Text, parameter},
    search,
};

/// Statuses whose versions stand in an index: what lists show and can be installed.
const INDEXED: &[PackageStatus] = PackageStatus::DETAILED;

/// A package name in one project.
#[derive(Clone, Debug)]
pub struct IndexName {
    /// Its id.
    pub id: PackageNameId,
    /// The project.
    pub project: ProjectId,
    /// The name, as first published.
    pub name: String,
    /// Its key.
    pub key: String,
    /// Raised by every change that an index could show.
    pub revision: i64,
    /// When that was last.
    pub updated_at: OffsetDateTime,
}

/// A version's or a file's piece of a document.
#[derive(Clone, Debug)]
pub struct IndexEntry {
    /// The package.
    pub id: PackageId,
    /// Its version, as published.
    pub version: Option<String>,
    /// Its status.
    pub status: PackageStatus,
    /// When it was published.
    pub created_at: OffsetDateTime,
    /// The file it is of; none when it is of the version as a whole.
    pub file: Option<PackageFileId>,
    /// The piece.
    pub fragment: String,
}

/// Which names a list of names shows.
#[derive(Clone, Debug)]
pub struct NameFilter {
    /// Of this format.
    pub format: PackageFormat,
    /// With this in the name, whatever the case.
    pub search: Option<String>,
}

#[derive(FromQueryResult)]
struct NameRow {
    id: i64,
    project_id: i64,
    name: String,
    name_key: String,
    revision: i64,
    updated_at: OffsetDateTime,
}

in_place!(NameRow { id, project_id, name, name_key, revision, updated_at });

impl From<NameRow> for IndexName {
    fn from(row: NameRow) -> Self {
        Self {
            id: PackageNameId(row.id),
            project: ProjectId(row.project_id),
            name: row.name,
            key: row.name_key,
            revision: row.revision,
            updated_at: row.updated_at,
        }
    }
}

/// Names that have at least one version in an index.
fn select_names(scope: Condition, format: SimpleExpr) -> SelectStatement {
    use package_name::Column as N;
    let mut select = Query::select();
    for field in [N::Id, N::ProjectId, N::Name, N::NameKey, N::Revision, N::UpdatedAt] {
        select.column((package_name::Entity, field));
    }
    let published = Query::select()
        .expr(Expr::val(1))
        .from(package::Entity)
        .and_where(
            Expr::col((package::Entity, package::Column::NameId)).equals((package_name::Entity, N::Id)),
        )
        .and_where(Expr::col((package::Entity, package::Column::DeletedAt)).is_null())
        .and_where(has_status(INDEXED))
        .take();
    select
        .from(package_name::Entity)
        .inner_join(
            project::Entity,
            Expr::col((project::Entity, project::Column::Id)).equals((package_name::Entity, N::ProjectId)),
        )
        .and_where(Expr::col((project::Entity, project::Column::DeletedAt)).is_null())
        .and_where(Expr::col((package_name::Entity, N::Format)).eq(format))
        .and_where(Expr::exists(published))
        .cond_where(scope);
    select
}

/// Those of [`select_names`] with one key, oldest project first.
fn select_name(scope: Condition, format: SimpleExpr, name_key: SimpleExpr) -> SelectStatement {
    let mut select = select_names(scope, format);
    select
        .and_where(Expr::col((package_name::Entity, package_name::Column::NameKey)).eq(name_key))
        .order_by((package_name::Entity, package_name::Column::ProjectId), Order::Asc);
    select
}

/// The names with one key that a scope shows, oldest project first. Empty when there is nothing to show.
pub async fn index_names(
    store: &Store,
    scope: &PackageScope,
    format: PackageFormat,
    name_key: &str,
    now: OffsetDateTime,
) -> Result<Vec<IndexName>> {
    static OF_PROJECT: Text = Text::new();
    let names = match scope {
        PackageScope::Project(project) => {
            let build = || select_name(in_project(parameter(1)), parameter(2), parameter(3));
            let values = [project.0.into(), format.number().into(), name_key.into()];
            rows::hot_all_sql::<NameRow>(store, OF_PROJECT.of(store, build), values).await?
        }
        PackageScope::Group { .. } | PackageScope::Instance { .. } => {
            let (format, name_key) = (Expr::val(format.number()), Expr::val(name_key));
            let select = select_name(in_scope(scope, now), format, name_key);
            rows::hot_all::<NameRow>(store, &select).await?
        }
    };
    Ok(names.into_iter().map(Into::into).collect())
}

/// One page of the names that a scope shows, sorted by key. A name that stands in several projects appears once for each.
pub async fn list_names(
    store: &Store,
    scope: &PackageScope,
    filter: &NameFilter,
    request: &PageRequest,
    now: OffsetDateTime,
) -> Result<Page<IndexName>> {
    let mut select = searched_names(scope, filter, now);
    let keyset = Keyset {
        sort: Some(SortKey::text(column(package_name::Entity, package_name::Column::NameKey))),
        id: column(package_name::Entity, package_name::Column::Id),
        direction: Direction::Ascending,
    };
    keyset.apply(&mut select, request)?;
    let names = rows::all::<NameRow>(store.reader(), &select).await?.into_iter().map(Into::into).collect();
    Ok(Keyset::page(names, request))
}

/// How many names a scope shows.
pub async fn count_names(
    store: &Store,
    scope: &PackageScope,
    filter: &NameFilter,
    limit: Option<u64>,
    now: OffsetDateTime,
) -> Result<u64> {
    let mut select = searched_names(scope, filter, now);
    if let Some(limit) = limit {
        select.limit(limit);
    }
    rows::count(store.reader(), select).await
}

fn searched_names(scope: &PackageScope, filter: &NameFilter, now: OffsetDateTime) -> SelectStatement {
    let mut select = select_names(in_scope(scope, now), Expr::val(filter.format.number()));
    if let Some(text) = &filter.search {
        select.and_where(search::contains(column(package_name::Entity, package_name::Column::Name), text));
    }
    select
}

impl IndexName {
    /// What a cursor to this name holds.
    pub fn sort_value(&self) -> SortValue {
        SortValue::Text(self.key.clone())
    }
}

fn ids(names: &[PackageNameId]) -> impl Iterator<Item = i64> {
    names.iter().map(|name| name.0)
}

/// The pieces of `document` that stand in an index, without an order.
pub(super) fn live_pieces(document: &str) -> SelectStatement {
    use package::Column as P;
    let mut select = Query::select();
    for field in [P::Id, P::Version, P::Status, P::CreatedAt] {
        select.column((package::Entity, field));
    }
    for field in [package_fragment::Column::FileId, package_fragment::Column::Body] {
        select.column((package_fragment::Entity, field));
    }
    select
        .from(package::Entity)
        .inner_join(
            package_fragment::Entity,
            Expr::col((package_fragment::Entity, package_fragment::Column::PackageId))
                .equals((package::Entity, P::Id)),
        )
        .and_where(Expr::col((package::Entity, P::DeletedAt)).is_null())
        .and_where(has_status(INDEXED))
        .and_where(Expr::col((package_fragment::Entity, package_fragment::Column::Document)).eq(document));
    select
}

/// The pieces that `select`, made of [`live_pieces`], gives.
pub(super) async fn entries(store: &Store, select: &SelectStatement) -> Result<Vec<IndexEntry>> {
    #[derive(FromQueryResult)]
    struct Row {
        id: i64,
        version: Option<String>,
        status: i16,
        created_at: OffsetDateTime,
        file_id: i64,
        body: String,
    }
    in_place!(Row { id, version, status, created_at, file_id, body });
    rows::many::<Row>(store, select)
        .await?
        .into_iter()
        .map(|row| {
            Ok(IndexEntry {
                id: PackageId(row.id),
                version: row.version,
                status: PackageStatus::from_number(row.status).ok_or_else(|| StoreError::Corrupt {
                    column: "packages.status",
                    value: row.status.to_string(),
                })?,
                created_at: row.created_at,
                file: (row.file_id > 0).then_some(PackageFileId(row.file_id)),
                fragment: row.body,
            })
        })
        .collect()
}

/// The pieces that the versions under these names, and their files, contribute to `document`: oldest version first, within
/// one its own piece before those of its files, oldest first.
pub async fn index_entries(
    store: &Store,
    names: &[PackageNameId],
    document: &str,
) -> Result<Vec<IndexEntry>> {
    let mut select = live_pieces(document);
    select
        .and_where(Expr::col((package::Entity, package::Column::NameId)).is_in(ids(names)))
        .order_by((package::Entity, package::Column::Id), Order::Asc)
        .order_by((package_fragment::Entity, package_fragment::Column::FileId), Order::Asc);
    entries(store, &select).await
}

/// The tags under these names with the versions they point at, by name of the tag. Of two projects that have a tag of one
/// name, the newer package wins, as it does for versions.
pub async fn index_tags(store: &Store, names: &[PackageNameId]) -> Result<BTreeMap<String, String>> {
    #[derive(FromQueryResult)]
    struct Row {
        tag: String,
        version: Option<String>,
    }
    in_place!(Row { tag, version });
    static OF_NAME: Text = Text::new();
    let name_id = || Expr::col((package_tag::Entity, package_tag::Column::NameId));
    let rows = match names {
        [name] => {
            let build = || select_tags(name_id().eq(parameter(1)));
            rows::hot_all_sql::<Row>(store, OF_NAME.of(store, build), [name.0.into()]).await?
        }
        names => rows::hot_all::<Row>(store, &select_tags(name_id().is_in(ids(names)))).await?,
    };
    Ok(rows.into_iter().filter_map(|row| Some((row.tag, row.version?))).collect())
}

/// The tags under some names, those of older packages first.
fn select_tags(of_names: SimpleExpr) -> SelectStatement {
    Query::select()
        .expr_as(Expr::col((package_tag::Entity, package_tag::Column::Name)), "tag")
        .column((package::Entity, package::Column::Version))
        .from(package_tag::Entity)
        .inner_join(
            package::Entity,
            Expr::col((package::Entity, package::Column::Id))
                .equals((package_tag::Entity, package_tag::Column::PackageId)),
        )
        .and_where(of_names)
        .and_where(Expr::col((package_tag::Entity, package_tag::Column::RemovedAt)).is_null())
        .and_where(Expr::col((package::Entity, package::Column::DeletedAt)).is_null())
        .and_where(has_status(INDEXED))
        .order_by((package::Entity, package::Column::Id), Order::Asc)
        .take()
}

/// The highest indexed version under each of these names, in the format's own order.
pub async fn latest_versions(store: &Store, names: &[PackageNameId]) -> Result<Vec<Package>> {
    let mut select = select_packages();
    let order = || Expr::col((package::Entity, package::Column::VersionOrder));
    let higher = Query::select()
        .expr(Expr::val(1))
        .from_as(package::Entity, "higher")
        .and_where(
            Expr::col(("higher", package::Column::NameId)).equals((package::Entity, package::Column::NameId)),
        )
        .and_where(Expr::col(("higher", package::Column::DeletedAt)).is_null())
        .and_where(
            Expr::col(("higher", package::Column::Status))
                .is_in(INDEXED.iter().map(|status| status.number())),
        )
        .and_where(Expr::col(("higher", package::Column::VersionOrder)).gt(order()))
        .take();
    select
        .and_where(Expr::col((package::Entity, package::Column::NameId)).is_in(ids(names)))
        .and_where(has_status(INDEXED))
        .and_where(order().is_not_null())
        .and_where(Expr::exists(higher).not())
        .order_by((package::Entity, package::Column::Id), Order::Asc);
    rows::all::<PackageRow>(store.reader(), &select).await?.into_iter().map(Package::try_from).collect()
}
