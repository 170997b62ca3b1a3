//! How much there is.

use sea_orm::{FromQueryResult, Value};
use time::OffsetDateTime;

use super::{Amount, is_kept_sql};
use crate::{Result, Store, convert::stored, rows};

/// What nothing refers to, be it condemned or not: nothing that is there, and nothing that was deleted after `released_before`.
pub async fn unreferenced(store: &Store, released_before: OffsetDateTime) -> Result<Amount> {
    #[derive(FromQueryResult)]
    struct Row {
        contents: i64,
        bytes: i64,
    }
    const SQL: &str = concat!(
        "SELECT COUNT(*) AS contents, CAST(COALESCE(SUM(b.size), 0) AS BIGINT) AS bytes FROM blobs b \
         WHERE b.removed_at IS NULL AND b.created_at <= $1 AND NOT ",
        is_kept_sql!()
    );
    let row: Option<Row> = rows::one_sql(store.reader(), SQL, [Value::from(stored(released_before))]).await?;
    Ok(row.map_or_else(Amount::default, |row| Amount {
        contents: row.contents.unsigned_abs(),
        bytes: row.bytes.unsigned_abs(),
    }))
}
