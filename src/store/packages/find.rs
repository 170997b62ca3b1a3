//! Single packages and files.

use access::{Guarded, Viewer};
use domain::{PackageFileId, PackageFormat, PackageId, PackageStatus};
use entity::{package, package_file, package_name};
use sea_orm::sea_query::{Expr, ExprTrait, Order, SelectStatement};
use time::OffsetDateTime;

use super::{
    Package, PackageFile, PackageScope,
    rows::{FileRow, PackageRow, has_status, in_scope, select_files, select_packages},
};
use crate::{IdOrPath, Result, Store, projects, rows::one};

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
pub(super) fn named(select: &mut SelectStatement, format: PackageFormat, name_key: &str) {
    select
        .inner_join(
            package_name::Entity,
            Expr::col((package_name::Entity, package_name::Column::Id))
                .equals((package::Entity, package::Column::NameId)),
        )
        .and_where(Expr::col((package_name::Entity, package_name::Column::Format)).eq(format.number()))
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
    let Some(row) = one::<PackageRow>(store.reader(), &select).await? else { return Ok(None) };
    let package = Package::try_from(row)?;
    let project = projects::find(store, viewer, IdOrPath::Id(package.project.id.0), now).await?;
    Ok(project.map(|project| project.map(|_| package)))
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
    let Some(row) = one::<FileRow>(store.reader(), &select).await? else { return Ok(None) };
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
    named(&mut select, format, name_key);
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
    one::<PackageRow>(store.reader(), &select).await?.map(Package::try_from).transpose()
}

/// One file by its coordinates, if its package can be installed.
pub async fn find_file(
    store: &Store,
    scope: &PackageScope,
    coordinates: &FileCoordinates,
    now: OffsetDateTime,
) -> Result<Option<PackageFile>> {
    let mut select = select_files();
    named(&mut select, coordinates.format, &coordinates.name_key);
    if let Some(key) = &coordinates.version_key {
        select.and_where(Expr::col((package::Entity, package::Column::VersionKey)).eq(key.as_str()));
    }
    if let Some(channel) = &coordinates.channel {
        select
            .and_where(Expr::col((package_file::Entity, package_file::Column::Channel)).eq(channel.as_str()));
    }
    select
        .and_where(
            Expr::col((package_file::Entity, package_file::Column::FileName))
                .eq(coordinates.file_name.as_str()),
        )
        .and_where(has_status(PackageStatus::INSTALLABLE))
        .cond_where(in_scope(scope, now))
        .order_by((package_file::Entity, package_file::Column::Id), Order::Desc)
        .limit(1);
    one::<FileRow>(store.reader(), &select).await?.map(PackageFile::try_from).transpose()
}
