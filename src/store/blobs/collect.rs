//! The steps of a removal.

use std::collections::HashSet;

use domain::{BlobId, Sha256};
use entity::blob;
use sea_orm::{
    FromQueryResult, Value,
    sea_query::{Expr, ExprTrait, Query},
};
use time::OffsetDateTime;

use super::{Content, ContentRow, is_kept_sql};
use crate::{Result, Store, convert::stored, rows};

/// Bytes that the caller, and nobody else, is to delete now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collectable {
    /// The row.
    pub(super) id: BlobId,
    /// Which removal of these bytes it is.
    pub(super) removal: i64,
    /// The bytes.
    pub content: Content,
}

/// Some rows of a walk over all of them.
#[derive(FromQueryResult)]
struct Stretch {
    last: Option<i64>,
}

/// Marks what nothing refers to, of the next `stretch` rows after `after`: nothing that is there, and nothing that was deleted
/// after `released_before`. Answers the last row looked at, none at the end, and how many were marked.
pub async fn condemn(
    store: &Store,
    after: BlobId,
    stretch: u64,
    released_before: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<(Option<BlobId>, u64)> {
    let sql =
        "SELECT MAX(id) AS last FROM (SELECT id FROM blobs WHERE id > $1 ORDER BY id LIMIT $2) AS stretch";
    let values = [Value::from(after.0), i64::try_from(stretch).unwrap_or(i64::MAX).into()];
    let Some(Stretch { last: Some(last) }) = rows::one_sql(store.reader(), sql, values).await? else {
        return Ok((None, 0));
    };
    let values = move || [Value::from(stored(released_before)), after.0.into(), last.into()].into_iter();
    const CANDIDATES: &str = concat!(
        "SELECT b.id, b.sha256, b.size, b.removals FROM blobs b WHERE b.id > $2 AND b.id <= $3 AND b.condemned_at IS NULL \
         AND b.removal_started_at IS NULL AND b.removed_at IS NULL AND b.created_at <= $1 AND NOT ",
        is_kept_sql!(),
        " LIMIT 1"
    );
    // Most stretches have none: those cost no write.
    if rows::one_sql::<ContentRow>(store.reader(), CANDIDATES, values()).await?.is_none() {
        return Ok((Some(BlobId(last)), 0));
    }
    let marked = store
        .write((), move |tx, ()| {
            Box::pin(async move {
                rows::execute(
                    tx,
                    concat!(
                        "UPDATE blobs AS b SET condemned_at = $4 WHERE b.id > $2 AND b.id <= $3 \
                         AND b.condemned_at IS NULL AND b.removal_started_at IS NULL AND b.removed_at IS NULL \
                         AND b.created_at <= $1 AND NOT ",
                        is_kept_sql!()
                    ),
                    values().chain([Value::from(stored(now))]),
                )
                .await
            })
        })
        .await?;
    Ok((Some(BlobId(last)), marked))
}

/// Of these digests, those under which no bytes are known.
pub async fn unknown(store: &Store, digests: &[Sha256]) -> Result<HashSet<Sha256>> {
    #[derive(FromQueryResult)]
    struct Known {
        sha256: String,
    }
    let select = Query::select()
        .column(blob::Column::Sha256)
        .from(blob::Entity)
        .and_where(Expr::col(blob::Column::Sha256).is_in(digests.iter().map(ToString::to_string)))
        .and_where(Expr::col(blob::Column::RemovedAt).is_null())
        .take();
    let known: HashSet<_> =
        rows::all::<Known>(store.reader(), &select).await?.into_iter().map(|row| row.sha256).collect();
    Ok(digests.iter().copied().filter(|digest| !known.contains(&digest.to_string())).collect())
}

/// Gives bytes that were found in the storage a row, condemned, unless they have one meanwhile. Answers how many got one.
pub async fn adopt(store: &Store, found: Vec<Content>, now: OffsetDateTime) -> Result<u64> {
    store
        .write(found, move |tx, found| {
            Box::pin(async move {
                let mut adopted = 0;
                for content in found {
                    adopted += rows::execute(
                        tx,
                        "INSERT INTO blobs (sha256, size, created_at, condemned_at, removals) VALUES ($1, $2, $3, $3, 0) \
                         ON CONFLICT (sha256) DO UPDATE SET condemned_at = excluded.condemned_at, removed_at = NULL \
                         WHERE blobs.removed_at IS NOT NULL",
                        [
                            Value::from(content.sha256.to_string()),
                            i64::try_from(content.size).unwrap_or(i64::MAX).into(),
                            stored(now).into(),
                        ],
                    )
                    .await?;
                }
                Ok(adopted)
            })
        })
        .await
}

const IS_CONDEMNED: &str = "SELECT id, sha256, size, removals FROM blobs WHERE condemned_at <= $1 AND removal_started_at IS NULL LIMIT 1";
const SPARE: &str = concat!(
    "UPDATE blobs AS b SET condemned_at = NULL WHERE b.condemned_at <= $2 AND b.removal_started_at IS NULL AND ",
    is_kept_sql!()
);
/// The conditions on the row itself stand outside as well: PostgreSQL, which waits for a publish that has the row, asks them again.
const BEGIN: &str = concat!(
    "UPDATE blobs AS b SET removal_started_at = $3, removals = removals + 1 WHERE b.id IN (SELECT id FROM blobs \
     WHERE condemned_at <= $2 AND removal_started_at IS NULL ORDER BY id LIMIT $4) \
     AND b.condemned_at <= $2 AND b.removal_started_at IS NULL AND NOT ",
    is_kept_sql!(),
    " RETURNING id, sha256, size, removals"
);

/// Sets out to remove at most `limit` contents that were condemned at `condemned_before` or earlier and that still nothing refers
/// to. The caller deletes their bytes, at once and nobody else, and says so with [`finish_removals`].
pub async fn begin_removals(
    store: &Store,
    (released_before, condemned_before): (OffsetDateTime, OffsetDateTime),
    limit: u64,
    now: OffsetDateTime,
) -> Result<Vec<Collectable>> {
    let condemned: Option<ContentRow> =
        rows::one_sql(store.reader(), IS_CONDEMNED, [Value::from(stored(condemned_before))]).await?;
    if condemned.is_none() {
        return Ok(Vec::new());
    }
    store
        .write((), move |tx, ()| {
            Box::pin(async move {
                let (released, condemned) =
                    (Value::from(stored(released_before)), Value::from(stored(condemned_before)));
                rows::execute(tx, SPARE, [released.clone(), condemned.clone()]).await?;
                let limit = Value::from(i64::try_from(limit).unwrap_or(i64::MAX));
                let values = [released, condemned, stored(now).into(), limit];
                let rows = rows::all_sql::<ContentRow>(tx, BEGIN, values).await?;
                rows.into_iter().map(Collectable::try_from).collect()
            })
        })
        .await
}

/// Takes over at most `limit` removals that began at `started_before` or earlier and did not come to their end. The caller deletes
/// the bytes as in [`begin_removals`].
pub async fn stalled_removals(
    store: &Store,
    started_before: OffsetDateTime,
    limit: u64,
    now: OffsetDateTime,
) -> Result<Vec<Collectable>> {
    const IS_STALLED: &str =
        "SELECT id, sha256, size, removals FROM blobs WHERE removal_started_at <= $1 LIMIT 1";
    let stalled: Option<ContentRow> =
        rows::one_sql(store.reader(), IS_STALLED, [Value::from(stored(started_before))]).await?;
    if stalled.is_none() {
        return Ok(Vec::new());
    }
    store
        .write((), move |tx, ()| {
            Box::pin(async move {
                let sql = "UPDATE blobs SET removal_started_at = $2, removals = removals + 1 WHERE id IN (SELECT id \
                           FROM blobs WHERE removal_started_at <= $1 ORDER BY id LIMIT $3) \
                           AND removal_started_at <= $1 RETURNING id, sha256, size, removals";
                let limit = i64::try_from(limit).unwrap_or(i64::MAX);
                let values = [Value::from(stored(started_before)), stored(now).into(), limit.into()];
                let rows = rows::all_sql::<ContentRow>(tx, sql, values).await?;
                rows.into_iter().map(Collectable::try_from).collect()
            })
        })
        .await
}

/// Says that the bytes are gone. Nothing of it holds for a removal that somebody took over: who did so may be deleting them.
pub async fn finish_removals(store: &Store, removed: Vec<Collectable>, now: OffsetDateTime) -> Result<()> {
    store
        .write(removed, move |tx, removed| {
            Box::pin(async move {
                for collectable in removed {
                    rows::execute(
                        tx,
                        "UPDATE blobs SET removed_at = $1, removal_started_at = NULL, condemned_at = NULL \
                         WHERE id = $2 AND removals = $3 AND removal_started_at IS NOT NULL",
                        [Value::from(stored(now)), collectable.id.0.into(), collectable.removal.into()],
                    )
                    .await?;
                }
                Ok(())
            })
        })
        .await
}

/// Forgets at most `limit` contents that were gone at `removed_before` and that no deleted file is remembered by either. It has
/// to be longer ago than any publish takes. Answers how many.
pub async fn purge(store: &Store, removed_before: OffsetDateTime, limit: u64) -> Result<u64> {
    const FORGOTTEN: &str = "SELECT id, sha256, size, removals FROM blobs b WHERE removed_at <= $1 \
        AND NOT EXISTS (SELECT 1 FROM package_files f WHERE f.blob_id = b.id) ORDER BY removed_at, id LIMIT 1";
    let forgotten: Option<ContentRow> =
        rows::one_sql(store.reader(), FORGOTTEN, [Value::from(stored(removed_before))]).await?;
    if forgotten.is_none() {
        return Ok(0);
    }
    store
        .write((), move |tx, ()| {
            Box::pin(async move {
                let sql = "DELETE FROM blobs WHERE id IN (SELECT b.id FROM blobs b WHERE b.removed_at <= $1 \
                           AND NOT EXISTS (SELECT 1 FROM package_files f WHERE f.blob_id = b.id) ORDER BY b.id LIMIT $2) \
                           AND removed_at <= $1";
                let limit = i64::try_from(limit).unwrap_or(i64::MAX);
                rows::execute(tx, sql, [Value::from(stored(removed_before)), limit.into()]).await
            })
        })
        .await
}
