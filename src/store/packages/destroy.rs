//! Deleting. Rows become tombstones: gone from every endpoint at once, remembered so that other bytes never take their place.

use std::collections::BTreeSet;

use domain::{
    EventKind, Failure, FileStatus, PackageFileId, PackageId, PackageNameId, PackageStatus, Subject,
    rules::FormatRules,
};
use sea_orm::{FromQueryResult, Value};
use time::OffsetDateTime;

use super::{
    Package, PackageFile,
    fragments::{self, Change, ChangedDocuments},
    publish::touch_name,
};
use crate::{
    Result, Store, Tx,
    audit_events::{self, Actor, Done},
    convert::stored,
    rows,
};

/// What the audit log says of a deleted version.
const DELETED: Done = Done::new(EventKind::PackageDeleted, "deleted");
/// What it says of a deleted file.
pub(super) const FILE_DELETED: Done = Done::new(EventKind::PackageFileDeleted, "file deleted");

/// Makes a version a tombstone. False when it is one already.
async fn bury(tx: &Tx, package: i64, now: OffsetDateTime, changed: &mut ChangedDocuments) -> Result<bool> {
    #[derive(FromQueryResult)]
    struct Place {
        project_id: i64,
        format: i16,
    }
    let buried: Option<Place> = rows::one_sql(
        tx,
        "UPDATE packages SET status = $1, deleted_at = $2, updated_at = $2 WHERE id = $3 AND deleted_at IS NULL \
         RETURNING project_id, format",
        [Value::from(PackageStatus::PendingDestruction.number()), stored(now).into(), package.into()],
    )
    .await?;
    let Some(Place { project_id, format }) = buried else { return Ok(false) };
    rows::execute(
        tx,
        "UPDATE package_tags SET removed_at = $1, updated_at = $1 WHERE package_id = $2 AND removed_at IS NULL",
        [Value::from(stored(now)), package.into()],
    )
    .await?;
    fragments::remove(tx, package, None, (project_id, format), changed).await?;
    Ok(true)
}

/// Deletes a version that was opened for it. Fails when somebody else has just deleted it.
pub async fn destroy(store: &Store, package: &Package, now: OffsetDateTime) -> Result<()> {
    let input = (store.actor(), package.name_id, package.id);
    store
        .write(input, move |tx, (actor, name, package)| {
            Box::pin(async move {
                touch_name(tx, name.0, now).await?;
                let mut changed = ChangedDocuments::default();
                if !bury(tx, package.0, now, &mut changed).await? {
                    return Err(Failure::not_found(Subject::Package).into());
                }
                audit_events::note(tx, actor, &DELETED, package.0, now).await?;
                changed.raise(tx, now).await
            })
        })
        .await
}

/// Deletes versions that were opened for it, in one transaction, and answers how many there were. What somebody else has just
/// deleted is passed over.
pub async fn destroy_many(store: &Store, packages: &[Package], now: OffsetDateTime) -> Result<u64> {
    let mut doomed: Vec<_> = packages.iter().map(|package| (package.name_id, package.id)).collect();
    // In one order everywhere, so that two who delete the same do not wait for each other.
    doomed.sort_unstable();
    store
        .write((store.actor(), doomed), move |tx, (actor, doomed)| {
            Box::pin(async move {
                let (mut buried, mut changed, mut touched) = (0, ChangedDocuments::default(), None);
                for (name, package) in doomed {
                    if touched.replace(*name) != Some(*name) {
                        touch_name(tx, name.0, now).await?;
                    }
                    if bury(tx, package.0, now, &mut changed).await? {
                        audit_events::note(tx, actor, &DELETED, package.0, now).await?;
                        buried += 1;
                    }
                }
                changed.raise(tx, now).await?;
                Ok(buried)
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
        .write((store.actor(), names), move |tx, (actor, names)| {
            Box::pin(async move {
                for name in names {
                    touch_name(tx, name.0, now).await?;
                }
                let (mut buried, mut changed) = (0, ChangedDocuments::default());
                for name in names {
                    while let Some(Id { id }) = rows::one_sql(
                        tx,
                        "SELECT id FROM packages WHERE name_id = $1 AND deleted_at IS NULL LIMIT 1",
                        [Value::from(name.0)],
                    )
                    .await?
                    {
                        if bury(tx, id, now, &mut changed).await? {
                            audit_events::note(tx, actor, &DELETED, id, now).await?;
                            buried += 1;
                        }
                    }
                }
                changed.raise(tx, now).await?;
                Ok(buried)
            })
        })
        .await
}

/// Keeps publishes to the names of these versions out until the end of the transaction. What was published before is seen from
/// then on.
pub(crate) async fn lock_names_of(tx: &Tx, versions: &[i64], now: OffsetDateTime) -> Result<()> {
    #[derive(FromQueryResult)]
    struct Name {
        name_id: i64,
    }
    let mut names = BTreeSet::new();
    for version in versions {
        let name: Option<Name> =
            rows::one_sql(tx, "SELECT name_id FROM packages WHERE id = $1", [Value::from(*version)]).await?;
        names.extend(name.map(|name| name.name_id));
    }
    for name in names {
        touch_name(tx, name, now).await?;
    }
    Ok(())
}

/// Deletes these versions within a transaction that has locked their names, and answers how many there were.
pub(crate) async fn bury_versions(
    tx: &Tx,
    actor: &Actor,
    versions: &[i64],
    now: OffsetDateTime,
) -> Result<u64> {
    let (mut buried, mut changed) = (0, ChangedDocuments::default());
    for version in versions {
        if bury(tx, *version, now, &mut changed).await? {
            audit_events::note(tx, actor, &DELETED, *version, now).await?;
            buried += 1;
        }
    }
    changed.raise(tx, now).await?;
    Ok(buried)
}

/// Deletes a file that was opened for it; its package stays, even without files.
pub async fn destroy_file(
    store: &Store,
    rules: Option<&'static dyn FormatRules>,
    file: &PackageFile,
    now: OffsetDateTime,
) -> Result<()> {
    let input = (store.actor(), file.id, file.package_id, file.file_name.clone());
    store
        .write(input, move |tx, (actor, file, package, file_name)| {
            Box::pin(async move {
                let mut changed = ChangedDocuments::default();
                bury_file(tx, rules, (*file, *package), now, &mut changed).await?;
                let done = FILE_DELETED.with("file_name", file_name);
                audit_events::note(tx, actor, &done, package.0, now).await?;
                changed.raise(tx, now).await
            })
        })
        .await
}

/// A file to delete, with the rules of its format.
#[derive(Clone)]
pub struct DoomedFile {
    /// The file.
    pub file: PackageFile,
    /// What makes the index anew without it.
    pub rules: Option<&'static dyn FormatRules>,
}

/// Deletes files that were opened for it, in one transaction, and answers how many there were; their packages stay. What somebody
/// else has just deleted is passed over.
pub async fn destroy_files(store: &Store, mut doomed: Vec<DoomedFile>, now: OffsetDateTime) -> Result<u64> {
    doomed.sort_unstable_by_key(|doomed| (doomed.file.package_id, doomed.file.id));
    store
        .write((store.actor(), doomed), move |tx, (actor, doomed)| {
            Box::pin(async move {
                let (mut buried, mut changed) = (0, ChangedDocuments::default());
                for DoomedFile { file, rules } in doomed {
                    let ids = (file.id, file.package_id);
                    if try_bury_file(tx, *rules, ids, now, &mut changed).await? {
                        let done = FILE_DELETED.with("file_name", &file.file_name);
                        audit_events::note(tx, actor, &done, file.package_id.0, now).await?;
                        buried += 1;
                    }
                }
                changed.raise(tx, now).await?;
                Ok(buried)
            })
        })
        .await
}

/// Makes a file a tombstone, within a transaction. Fails when it is one already.
pub(super) async fn bury_file(
    tx: &Tx,
    rules: Option<&'static dyn FormatRules>,
    ids: (PackageFileId, PackageId),
    now: OffsetDateTime,
    changed: &mut ChangedDocuments,
) -> Result<()> {
    if try_bury_file(tx, rules, ids, now, changed).await? {
        return Ok(());
    }
    Err(Failure::not_found(Subject::PackageFile).into())
}

/// Makes a file a tombstone, within a transaction. False when it is one already.
pub(super) async fn try_bury_file(
    tx: &Tx,
    rules: Option<&'static dyn FormatRules>,
    (file, package): (PackageFileId, PackageId),
    now: OffsetDateTime,
    changed: &mut ChangedDocuments,
) -> Result<bool> {
    #[derive(FromQueryResult)]
    struct Name {
        name_id: i64,
    }
    let name: Option<Name> =
        rows::one_sql(tx, "SELECT name_id FROM packages WHERE id = $1", [Value::from(package.0)]).await?;
    touch_name(tx, name.ok_or_else(Failure::internal)?.name_id, now).await?;
    let buried = rows::execute(
        tx,
        "UPDATE package_files SET status = $1, deleted_at = $2, updated_at = $2 WHERE id = $3 AND deleted_at IS NULL",
        [Value::from(FileStatus::PendingDestruction.number()), stored(now).into(), file.0.into()],
    )
    .await?;
    if buried == 0 {
        return Ok(false);
    }
    if let Some(rules) = rules {
        fragments::render(tx, rules, package.0, Change::FileGone(file), changed).await?;
    }
    Ok(true)
}
