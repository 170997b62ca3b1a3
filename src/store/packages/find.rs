//! Single packages and files.

use access::{Guarded, Viewer};
use domain::{PackageFileId, PackageFormat, PackageId, PackageStatus, ProjectId};
use entity::{package, package_file, package_name};
use sea_orm::{
    Value,
    sea_query::{Condition, Expr, ExprTrait, Func, Order, Query, SelectStatement, SimpleExpr},
};
use time::OffsetDateTime;

use super::{
    Package, PackageFile, PackageScope,
    rows::{
        FileRow, PackageRow, has_status, in_project, in_scope, select_files, select_packages,
        select_with_tombstones,
    },
};
use crate::{
    IdOrPath, Result, Store, projects,
    rows::{self, Text, hot_one, hot_one_sql, parameter},
};

/// What names one file in a scope. Of several files that fit, the newest is meant.
#[derive(Clone, Debug)]
pub struct FileCoordinates {
    /// The format.
    pub format: PackageFormat,
    /// Key of the package name.
    pub name_key: String,
    /// Key of the version; none where the file name alone identifies the file.
    pub version_key: Option<String>,
    /// The shelf; none means any.
    pub channel: Option<String>,
    /// The file name, as it is stored.
    pub file_name: String,
}

/// Joins `package_names` to a query of packages and restricts it to one name.
pub(super) fn named(select: &mut SelectStatement, format: SimpleExpr, name_key: SimpleExpr) {
    select
        .inner_join(
            package_name::Entity,
            Expr::col((package_name::Entity, package_name::Column::Id))
                .equals((package::Entity, package::Column::NameId)),
        )
        .and_where(Expr::col((package_name::Entity, package_name::Column::Format)).eq(format))
        .and_where(Expr::col((package_name::Entity, package_name::Column::NameKey)).eq(name_key));
}

/// The package with this id, guarded by its project.
pub async fn find(
    store: &Store,
    viewer: &Viewer,
    id: PackageId,
    now: OffsetDateTime,
) -> Result<Option<Guarded<Package>>> {
    let mut select = select_packages();
    select.and_where(Expr::col((package::Entity, package::Column::Id)).eq(id.0));
    let Some(row) = hot_one::<PackageRow>(store, &select).await? else { return Ok(None) };
    let package = Package::try_from(row)?;
    let project = projects::find(store, viewer, IdOrPath::Id(package.project.id.0), now).await?;
    Ok(project.map(|project| project.map(|_| package)))
}

/// The packages with these ids, each guarded by its project, in no order: those that were deleted too, which say so by their
/// status. What never was is left out. Two statements.
pub async fn find_many(
    store: &Store,
    viewer: &Viewer,
    ids: &[PackageId],
    now: OffsetDateTime,
) -> Result<Vec<Guarded<Package>>> {
    let mut select = select_with_tombstones();
    select.and_where(Expr::col((package::Entity, package::Column::Id)).is_in(ids.iter().map(|id| id.0)));
    let rows: Vec<PackageRow> = rows::all(store.reader(), &select).await?;
    let packages: Vec<Package> = rows.into_iter().map(Package::try_from).collect::<Result<_>>()?;
    let mut ids: Vec<_> = packages.iter().map(|package| package.project.id).collect();
    ids.sort_unstable();
    ids.dedup();
    let projects = projects::find_many(store, viewer, &ids, now).await?;
    let guarded = packages.into_iter().filter_map(|package| {
        let project = projects.get(&package.project.id)?.clone();
        Some(project.map(|_| package))
    });
    Ok(guarded.collect())
}

/// Of the files with these ids those of a project that was opened, but for the deleted ones; and how many of the ids are of the
/// project at all. Two statements.
pub async fn files_of_project(
    store: &Store,
    project: ProjectId,
    ids: &[PackageFileId],
) -> Result<(Vec<PackageFile>, u64)> {
    let is_one = || {
        Expr::col((package_file::Entity, package_file::Column::Id))
            .is_in(ids.iter().map(|id| id.0))
            .and(Expr::col((package::Entity, package::Column::ProjectId)).eq(project.0))
    };
    let mut select = select_files();
    select.and_where(is_one()).order_by((package_file::Entity, package_file::Column::Id), Order::Asc);
    let files: Vec<FileRow> = rows::all(store.reader(), &select).await?;
    let known = Query::select()
        .expr(Func::count(Expr::col((package_file::Entity, package_file::Column::Id))))
        .from(package_file::Entity)
        .inner_join(
            package::Entity,
            Expr::col((package::Entity, package::Column::Id))
                .equals((package_file::Entity, package_file::Column::PackageId)),
        )
        .and_where(is_one())
        .take();
    let known = rows::number(store.reader(), &known).await?;
    Ok((files.into_iter().map(PackageFile::try_from).collect::<Result<_>>()?, known))
}

/// The file with this id, guarded by its project. Files of packages that cannot be installed are found too: deleting
/// them must be possible.
pub async fn find_file_by_id(
    store: &Store,
    viewer: &Viewer,
    id: PackageFileId,
    now: OffsetDateTime,
) -> Result<Option<Guarded<PackageFile>>> {
    let mut select = select_files();
    select.and_where(Expr::col((package_file::Entity, package_file::Column::Id)).eq(id.0));
    let Some(row) = hot_one::<FileRow>(store, &select).await? else { return Ok(None) };
    let file = PackageFile::try_from(row)?;
    let project = projects::find(store, viewer, IdOrPath::Id(file.project_id.0), now).await?;
    Ok(project.map(|project| project.map(|_| file)))
}

/// One version by its coordinates; the newest, where several projects of the scope have it.
pub async fn find_version(
    store: &Store,
    scope: &PackageScope,
    format: PackageFormat,
    name_key: &str,
    version_key: Option<&str>,
    now: OffsetDateTime,
) -> Result<Option<Package>> {
    let mut select = select_packages();
    named(&mut select, Expr::val(format.number()), Expr::val(name_key));
    let version = Expr::col((package::Entity, package::Column::VersionKey));
    select
        .and_where(match version_key {
            Some(key) => version.eq(key),
            None => version.is_null(),
        })
        .and_where(has_status(PackageStatus::INSTALLABLE))
        .cond_where(in_scope(scope, now))
        .order_by((package::Entity, package::Column::Id), Order::Desc)
        .limit(1);
    hot_one::<PackageRow>(store, &select).await?.map(Package::try_from).transpose()
}

/// One file by its coordinates, if its package can be installed.
pub async fn find_file(
    store: &Store,
    scope: &PackageScope,
    coordinates: &FileCoordinates,
    now: OffsetDateTime,
) -> Result<Option<PackageFile>> {
    // With a version or without, on a shelf or on any.
    static OF_PROJECT: [Text; 4] = [const { Text::new() }; 4];
    let FileCoordinates { format, name_key, version_key, channel, file_name } = coordinates;
    let row = match scope {
        PackageScope::Project(project) => {
            let mut values: Vec<Value> = vec![
                project.0.into(),
                format.number().into(),
                name_key.as_str().into(),
                file_name.as_str().into(),
            ];
            let mut more = |value: &Option<String>| {
                let value = value.as_deref()?;
                values.push(value.into());
                Some(parameter(values.len()))
            };
            let (version, shelf) = (more(version_key), more(channel));
            let text = &OF_PROJECT[usize::from(version.is_some()) + 2 * usize::from(shelf.is_some())];
            let sql = text.of(store, || {
                let wanted = Wanted {
                    format: parameter(2),
                    name_key: parameter(3),
                    file_name: parameter(4),
                    version_key: version,
                    channel: shelf,
                };
                wanted.select(in_project(parameter(1)))
            });
            hot_one_sql::<FileRow>(store, sql, values).await?
        }
        PackageScope::Group { .. } | PackageScope::Instance { .. } => {
            let wanted = Wanted {
                format: Expr::val(format.number()),
                name_key: Expr::val(name_key.as_str()),
                file_name: Expr::val(file_name.as_str()),
                version_key: version_key.as_deref().map(Expr::val),
                channel: channel.as_deref().map(Expr::val),
            };
            hot_one::<FileRow>(store, &wanted.select(in_scope(scope, now))).await?
        }
    };
    row.map(PackageFile::try_from).transpose()
}

/// What [`FileCoordinates`] say, as values or as parameters.
struct Wanted {
    format: SimpleExpr,
    name_key: SimpleExpr,
    file_name: SimpleExpr,
    version_key: Option<SimpleExpr>,
    channel: Option<SimpleExpr>,
}

impl Wanted {
    /// The newest file in a scope that fits and whose package can be installed.
    fn select(self, scope: Condition) -> SelectStatement {
        let mut select = select_files();
        named(&mut select, self.format, self.name_key);
        if let Some(key) = self.version_key {
            select.and_where(Expr::col((package::Entity, package::Column::VersionKey)).eq(key));
        }
        if let Some(channel) = self.channel {
            select.and_where(Expr::col((package_file::Entity, package_file::Column::Channel)).eq(channel));
        }
        select
            .and_where(Expr::col((package_file::Entity, package_file::Column::FileName)).eq(self.file_name))
            .and_where(has_status(PackageStatus::INSTALLABLE))
            .cond_where(scope)
            .order_by((package_file::Entity, package_file::Column::Id), Order::Desc)
            .limit(1);
        select
    }
}
