//! Deleting. Rows become tombstones: gone from every endpoint at once, remembered so that other bytes never take their place.

use domain::{
    Failure, FileStatus, PackageFileId, PackageId, PackageNameId, PackageStatus, Subject, rules::FormatRules,
};
use sea_orm::{FromQueryResult, Value};
use time::OffsetDateTime;

use super::{Package, PackageFile, fragments, publish::touch_name};
use crate::{Result, Store, Tx, convert::stored, rows};

async fn bury(tx: &Tx, package: i64, now: OffsetDateTime) -> Result<u64> {
    let buried = rows::execute(
        tx,
        "UPDATE packages SET status = $1, deleted_at = $2, updated_at = $2 WHERE id = $3 AND deleted_at IS NULL",
        [Value::from(PackageStatus::PendingDestruction.number()), stored(now).into(), package.into()],
    )
    .await?;
    rows::execute(
        tx,
        "UPDATE package_tags SET removed_at = $1, updated_at = $1 WHERE package_id = $2 AND removed_at IS NULL",
        [Value::from(stored(now)), package.into()],
    )
    .await?;
    rows::execute(tx, "DELETE FROM package_fragments WHERE package_id = $1", [Value::from(package)]).await?;
    Ok(buried)
}

/// Deletes a version that was opened for it. Fails when somebody else has just deleted it.
pub async fn destroy(store: &Store, package: &Package, now: OffsetDateTime) -> Result<()> {
    let input: (PackageNameId, PackageId) = (package.name_id, package.id);
    store
        .write(input, move |tx, (name, package)| {
            Box::pin(async move {
                touch_name(tx, name.0, now).await?;
                if bury(tx, package.0, now).await? == 0 {
                    return Err(Failure::not_found(Subject::Package).into());
                }
                Ok(())
            })
        })
        .await
}

/// Deletes every version under names that were opened for it, and answers how many there were.
pub async fn destroy_names(store: &Store, names: Vec<PackageNameId>, now: OffsetDateTime) -> Result<u64> {
    #[derive(FromQueryResult)]
    struct Id {
        id: i64,
    }
    store
        .write(names, move |tx, names| {
            Box::pin(async move {
                let mut buried = 0;
                for name in names {
                    touch_name(tx, name.0, now).await?;
                    while let Some(Id { id }) = rows::one_sql(
                        tx,
                        "SELECT id FROM packages WHERE name_id = $1 AND deleted_at IS NULL LIMIT 1",
                        [Value::from(name.0)],
                    )
                    .await?
                    {
                        buried += bury(tx, id, now).await?;
                    }
                }
                Ok(buried)
            })
        })
        .await
}

/// Deletes a file that was opened for it; its package stays, even without files.
pub async fn destroy_file(
    store: &Store,
    rules: Option<&'static dyn FormatRules>,
    file: &PackageFile,
    now: OffsetDateTime,
) -> Result<()> {
    #[derive(FromQueryResult)]
    struct Name {
        name_id: i64,
    }
    let input: (PackageFileId, PackageId) = (file.id, file.package_id);
    store
        .write(input, move |tx, (file, package)| {
            Box::pin(async move {
                let name: Option<Name> =
                    rows::one_sql(tx, "SELECT name_id FROM packages WHERE id = $1", [Value::from(package.0)])
                        .await?;
                touch_name(tx, name.ok_or_else(Failure::internal)?.name_id, now).await?;
                let buried = rows::execute(
                    tx,
                    "UPDATE package_files SET status = $1, deleted_at = $2, updated_at = $2 \
                     WHERE id = $3 AND deleted_at IS NULL",
                    [Value::from(FileStatus::PendingDestruction.number()), stored(now).into(), file.0.into()],
                )
                .await?;
                if buried == 0 {
                    return Err(Failure::not_found(Subject::PackageFile).into());
                }
                match rules {
                    Some(rules) => fragments::render(tx, rules, package.0).await,
                    None => Ok(()),
                }
            })
        })
        .await
}
