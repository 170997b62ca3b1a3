//! The ready-made pieces that a version contributes to index documents, written in the transaction that changes it.

use domain::rules::{FormatRules, PublishedFile, PublishedVersion};
use entity::{package, package_file};
use sea_orm::{
    Value,
    sea_query::{Expr, ExprTrait, Order},
};

use super::{
    Package, PackageFile,
    rows::{FileRow, PackageRow, select_files, select_packages},
};
use crate::{Result, Tx, rows};

/// Makes the pieces of a version anew.
pub(super) async fn render(tx: &Tx, rules: &'static dyn FormatRules, package: i64) -> Result<()> {
    let mut select = select_packages();
    select.and_where(Expr::col((package::Entity, package::Column::Id)).eq(package));
    let Some(row) = rows::one::<PackageRow>(tx, &select).await? else { return Ok(()) };
    let version = Package::try_from(row)?;
    let mut select = select_files();
    select
        .and_where(Expr::col((package_file::Entity, package_file::Column::PackageId)).eq(package))
        .order_by((package_file::Entity, package_file::Column::Id), Order::Asc);
    let files = rows::all::<FileRow>(tx, &select)
        .await?
        .into_iter()
        .map(|row| {
            PackageFile::try_from(row).map(|file| PublishedFile {
                file_name: file.file_name,
                size: file.size,
                digests: file.digests,
                properties: file.properties,
                created_at: file.created_at,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let fragments = rules.fragments(&PublishedVersion {
        project: version.project.id,
        name: &version.name,
        version: version.version.as_deref(),
        status: version.status,
        metadata: &version.metadata,
        deprecation: version.deprecation.as_deref(),
        files: &files,
        created_at: version.created_at,
    });
    for fragment in fragments {
        rows::execute(
            tx,
            "INSERT INTO package_fragments (package_id, document, body) VALUES ($1, $2, $3) \
             ON CONFLICT (package_id, document) DO UPDATE SET body = excluded.body",
            [Value::from(package), fragment.document.into(), fragment.body.into()],
        )
        .await?;
    }
    Ok(())
}
