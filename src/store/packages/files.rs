//! Files of packages.

use domain::PackageId;
use entity::package_file;
use sea_orm::sea_query::{Expr, ExprTrait};

use super::{
    PackageFile,
    rows::{FileRow, column, select_files},
};
use crate::{
    Result, Store,
    page::{Direction, Keyset, Page, PageRequest, SortKey, SortValue},
    rows,
};

/// What files are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileSort {
    /// Their id.
    #[default]
    Id,
    /// Time of publication.
    Created,
    /// Name.
    FileName,
}

impl FileSort {
    /// What a cursor to `file` holds in a list sorted like this.
    pub fn value(self, file: &PackageFile) -> Option<SortValue> {
        match self {
            Self::Id => None,
            Self::Created => Some(SortValue::Instant(file.created_at)),
            Self::FileName => Some(SortValue::Text(file.file_name.clone())),
        }
    }
}

/// Which files a list shows.
#[derive(Clone, Copy, Debug)]
pub struct FileFilter {
    /// Of this package, which was opened.
    pub package: PackageId,
}

/// One page of a package's files.
pub async fn list(
    store: &Store,
    filter: FileFilter,
    (sort, direction): (FileSort, Direction),
    request: &PageRequest,
) -> Result<Page<PackageFile>> {
    let mut select = select_files();
    select.and_where(Expr::col((package_file::Entity, package_file::Column::PackageId)).eq(filter.package.0));
    let keyset = Keyset {
        sort: match sort {
            FileSort::Id => None,
            FileSort::Created => {
                Some(SortKey::instant(column(package_file::Entity, package_file::Column::CreatedAt)))
            }
            FileSort::FileName => {
                Some(SortKey::text(column(package_file::Entity, package_file::Column::FileName)))
            }
        },
        id: column(package_file::Entity, package_file::Column::Id),
        direction,
    };
    keyset.apply(&mut select, request)?;
    let rows = rows::all::<FileRow>(store.reader(), &select).await?;
    let files = rows.into_iter().map(PackageFile::try_from).collect::<Result<_>>()?;
    Ok(Keyset::page(files, request))
}

/// How many files a package has.
pub async fn count(store: &Store, filter: FileFilter, limit: Option<u64>) -> Result<u64> {
    let mut select = select_files();
    select.and_where(Expr::col((package_file::Entity, package_file::Column::PackageId)).eq(filter.package.0));
    select.clear_selects().column((package_file::Entity, package_file::Column::Id));
    if let Some(limit) = limit {
        select.limit(limit);
    }
    rows::count(store.reader(), select).await
}
