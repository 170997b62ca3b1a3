//! What a publish has to know of the bytes that it is about to make durable, or that it takes as they are.

use std::{collections::HashMap, time::Duration};

use domain::{ErrorCode, Failure, Subject};
use entity::blob;
use sea_orm::{
    FromQueryResult, Value,
    sea_query::{Expr, ExprTrait, Query},
};
use time::OffsetDateTime;

use crate::{Result, Store, packages::NewPublication, rows};

/// How often a publish looks whether a removal is over, and the pause in between.
const LOOKS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

#[derive(FromQueryResult)]
struct State {
    sha256: String,
    condemned_at: Option<OffsetDateTime>,
    removal_started_at: Option<OffsetDateTime>,
    removed_at: Option<OffsetDateTime>,
    removals: i64,
}

/// Notes in `publication` what is known of the content of its files, before their bytes are made durable: see the module. One
/// statement, unless some of it is on its way out. Fails where bytes are to be taken as they are and are gone, and where the
/// removal of the same bytes does not come to its end.
pub async fn claim(store: &Store, publication: &mut NewPublication) -> Result<()> {
    for look in 0..LOOKS {
        let states = states(store, publication).await?;
        let is_being_removed =
            |state: &State| state.removal_started_at.is_some() && state.removed_at.is_none();
        if states.values().any(is_being_removed) {
            if look + 1 < LOOKS {
                tokio::time::sleep(PAUSE).await;
            }
            continue;
        }
        let condemned: Vec<_> = states
            .values()
            .filter(|state| state.condemned_at.is_some())
            .map(|state| state.sha256.clone())
            .collect();
        // Without the mark nobody sets out to remove the bytes before it was there again for a while. If somebody did so
        // just before, the next look finds that.
        if !condemned.is_empty() {
            spare(store, condemned).await?;
            continue;
        }
        for file in &mut publication.files {
            let state = states.get(&file.digests.sha256.to_string());
            if file.is_stored && state.is_none_or(|state| state.removed_at.is_some()) {
                return Err(Failure::not_found(Subject::PackageFile).into());
            }
            file.removals = state.map_or(0, |state| state.removals);
        }
        return Ok(());
    }
    Err(being_removed().into())
}

fn being_removed() -> Failure {
    Failure::new(
        ErrorCode::Unavailable,
        "Deleted content with the same bytes is being removed at this moment: publish again in some minutes",
    )
}

async fn states(store: &Store, publication: &NewPublication) -> Result<HashMap<String, State>> {
    if publication.files.is_empty() {
        return Ok(HashMap::new());
    }
    let digests = publication.files.iter().map(|file| file.digests.sha256.to_string());
    let select = Query::select()
        .columns([
            blob::Column::Sha256,
            blob::Column::CondemnedAt,
            blob::Column::RemovalStartedAt,
            blob::Column::RemovedAt,
            blob::Column::Removals,
        ])
        .from(blob::Entity)
        .and_where(Expr::col(blob::Column::Sha256).is_in(digests))
        .take();
    let states = rows::all::<State>(store.reader(), &select).await?;
    Ok(states.into_iter().map(|state| (state.sha256.clone(), state)).collect())
}

/// Takes the mark away.
async fn spare(store: &Store, digests: Vec<String>) -> Result<()> {
    store
        .write(digests, |tx, digests| {
            Box::pin(async move {
                for digest in digests {
                    rows::execute(
                        tx,
                        "UPDATE blobs SET condemned_at = NULL WHERE sha256 = $1 AND removal_started_at IS NULL",
                        [Value::from(digest.as_str())],
                    )
                    .await?;
                }
                Ok(())
            })
        })
        .await
}

/// Refuses a file whose bytes somebody set out to remove since `claim` was asked.
pub(crate) fn refuse_removed(file_name: &str, claimed: i64, found: i64) -> Result<()> {
    if claimed == found {
        return Ok(());
    }
    let message = format!("The bytes of {file_name} were removed while it was published: publish it again");
    Err(Failure::new(ErrorCode::Unavailable, message).into())
}
