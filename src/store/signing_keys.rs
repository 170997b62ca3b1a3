//! Keys that seal what the server hands out and takes back, such as tickets for uploads and downloads. They live in the
//! database, so that what one replica sealed another can open.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use entity::signing_key;
use sea_orm::{EntityTrait, Set, sea_query::OnConflict};
use time::OffsetDateTime;

use crate::{Result, Store, StoreError, convert::stored, secret};

impl Store {
    /// The key for `purpose`, made on first use. Replicas that ask at the same moment get the same one.
    pub async fn signing_key(&self, purpose: &str, now: OffsetDateTime) -> Result<[u8; 32]> {
        if let Some(key) = find(self, purpose).await? {
            return Ok(key);
        }
        let fresh = STANDARD.encode(secret::random::<32>()?);
        let row = signing_key::ActiveModel {
            purpose: Set(purpose.to_owned()),
            secret: Set(fresh),
            created_at: Set(stored(now)),
        };
        self.write(row, |tx, row| {
            Box::pin(async move {
                // Whoever comes first wins; the others read what it wrote.
                let unless_there = OnConflict::column(signing_key::Column::Purpose).do_nothing().to_owned();
                signing_key::Entity::insert(row.clone())
                    .on_conflict(unless_there)
                    .exec_without_returning(tx)
                    .await?;
                Ok(())
            })
        })
        .await?;
        find(self, purpose).await?.ok_or(StoreError::GivenUp("the key just written is not there"))
    }
}

async fn find(store: &Store, purpose: &str) -> Result<Option<[u8; 32]>> {
    let Some(row) = signing_key::Entity::find_by_id(purpose).one(store.reader()).await? else {
        return Ok(None);
    };
    let key = STANDARD.decode(&row.secret).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    // The text is a secret: it must not get into the error.
    let corrupt = || StoreError::Corrupt { column: "signing_keys.secret", value: "no key".to_owned() };
    key.map(Some).ok_or_else(corrupt)
}
