//! Removing stored bytes that nothing refers to any more. How a row goes from one state to the next stands in `store::blobs`.

use std::time::{Duration, Instant};

use blob::{BlobError, BlobKey, BlobStore, ListedBlob};
use domain::{BlobId, Clock, Failure, Sha256};
use futures::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{
    Store,
    blobs::{self, Amount, Collectable, Content},
};
use time::OffsetDateTime;

/// Rows looked at in one statement.
const STRETCH: u64 = 1000;
/// Contents listed, or removed, at once.
const BATCH: usize = 200;
/// Contents whose bytes are deleted at the same time.
const DELETIONS: usize = 8;
/// How long after a removal began its bytes may be deleted. What is not deleted by then is left to a later pass.
const PROMPTLY: Duration = Duration::from_secs(30);
/// After how long a removal did not come to its end. Longer than [`PROMPTLY`] and the slowest request to any storage together:
/// whoever began it deletes nothing any more.
const STALLED: time::Duration = time::Duration::minutes(10);
/// How long rows are kept whose bytes are gone. No publish takes that long.
const FORGOTTEN: time::Duration = time::Duration::days(2);

/// When bytes may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CollectionRules {
    /// How long after the last file with the bytes was deleted; and how long after they were written, where no row knows them.
    pub keep_deleted: time::Duration,
    /// How long after it was found that nothing refers to them. A publish of the same bytes that began before, and takes longer
    /// than this, is refused at its end and has to be repeated.
    pub grace: time::Duration,
}

/// Where a collection stands, so that it can go on from there.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Collection {
    step: Step,
    /// The last row, or the last content of the storage, that was looked at.
    row: i64,
    listed: Option<String>,
    pub(super) collected: Collected,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Step {
    /// Finishes what another pass began.
    #[default]
    Stalled,
    /// Looks through the rows for what nothing refers to.
    Condemn,
    /// Looks through the storage for what has no row.
    Adopt,
    /// Removes what was found long enough ago.
    Remove,
    /// Forgets rows.
    Purge,
    /// Nothing is left to do.
    End,
}

/// What became of stored bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collected {
    /// Contents that nothing refers to, found now.
    pub condemned: u64,
    /// Contents that no row knew, found now.
    pub unknown: u64,
    /// Contents removed.
    pub removed: u64,
    /// Their length together.
    pub removed_bytes: u64,
}

impl Collected {
    pub(super) fn told(self) -> Value {
        json!({
            "contents_condemned": self.condemned,
            "contents_unknown": self.unknown,
            "contents_removed": self.removed,
            "bytes_removed": self.removed_bytes,
        })
    }
}

/// Everything that a step works with.
pub(super) struct Collector<'a> {
    pub(super) store: &'a Store,
    pub(super) blobs: &'a dyn BlobStore,
    pub(super) clock: &'a dyn Clock,
    pub(super) rules: CollectionRules,
}

/// Removes what nothing refers to, from one end to the other.
pub async fn collect(
    store: &Store,
    blobs: &dyn BlobStore,
    clock: &dyn Clock,
    rules: CollectionRules,
) -> Result<Collected, Failure> {
    let collector = Collector { store, blobs, clock, rules };
    let mut collection = Collection::default();
    while !collection.is_over() {
        collector.go_on(&mut collection).await?;
    }
    Ok(collection.collected)
}

/// What nothing refers to, by the rows and beside them, and what a collection would thus remove at last. Changes nothing.
pub async fn collectable(
    store: &Store,
    blobs: &dyn BlobStore,
    clock: &dyn Clock,
    keep_deleted: time::Duration,
) -> Result<(Amount, Amount), Failure> {
    let unreferenced = blobs::unreferenced(store, clock.now() - keep_deleted).await?;
    let (mut unknown, mut after) = (Amount::default(), None);
    loop {
        let page = blobs.list(after, BATCH).await?;
        let Some(last) = page.last() else { return Ok((unreferenced, unknown)) };
        after = Some(last.key);
        for listed in strangers(store, &page, keep_deleted).await? {
            unknown.contents += 1;
            unknown.bytes += listed.size;
        }
    }
}

/// Of what was found in the storage, what no row knows and is old enough.
async fn strangers(
    store: &Store,
    page: &[ListedBlob],
    keep_deleted: time::Duration,
) -> Result<Vec<Content>, Failure> {
    let old: Vec<_> = page.iter().filter(|listed| listed.age >= keep_deleted.unsigned_abs()).collect();
    let digests: Vec<Sha256> = old.iter().map(|listed| listed.key.sha256()).collect();
    if digests.is_empty() {
        return Ok(Vec::new());
    }
    let unknown = blobs::unknown(store, &digests).await?;
    let contents = old.into_iter().map(|listed| Content { sha256: listed.key.sha256(), size: listed.size });
    Ok(contents.filter(|content| unknown.contains(&content.sha256)).collect())
}

impl Collection {
    pub(super) fn is_over(&self) -> bool {
        self.step == Step::End
    }
}

impl Collector<'_> {
    fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// Does the next piece of the work.
    pub(super) async fn go_on(&self, collection: &mut Collection) -> Result<(), Failure> {
        let now = self.now();
        let released_before = now - self.rules.keep_deleted;
        let collected = &mut collection.collected;
        match collection.step {
            Step::Stalled => {
                let stalled = blobs::stalled_removals(self.store, now - STALLED, BATCH as u64, now).await?;
                if stalled.is_empty() {
                    collection.step = Step::Condemn;
                } else {
                    self.delete(stalled, collected).await?;
                }
            }
            Step::Condemn => {
                let after = BlobId(collection.row);
                let (last, condemned) =
                    blobs::condemn(self.store, after, STRETCH, released_before, now).await?;
                collected.condemned += condemned;
                match last {
                    Some(last) => collection.row = last.0,
                    None => collection.step = Step::Adopt,
                }
            }
            Step::Adopt => {
                let after = collection.listed.as_deref().and_then(|digest| digest.parse::<Sha256>().ok());
                let page = self.blobs.list(after.map(BlobKey::from), BATCH).await?;
                match page.last() {
                    Some(last) => collection.listed = Some(last.key.to_string()),
                    None => collection.step = Step::Remove,
                }
                let found = strangers(self.store, &page, self.rules.keep_deleted).await?;
                if !found.is_empty() {
                    collected.unknown += blobs::adopt(self.store, found, now).await?;
                }
            }
            Step::Remove => {
                let condemned_before = now - self.rules.grace;
                let begun =
                    blobs::begin_removals(self.store, (released_before, condemned_before), BATCH as u64, now)
                        .await?;
                if begun.is_empty() {
                    collection.step = Step::Purge;
                } else {
                    self.delete(begun, collected).await?;
                }
            }
            Step::Purge => {
                if blobs::purge(self.store, now - FORGOTTEN, STRETCH).await? == 0 {
                    collection.step = Step::End;
                }
            }
            Step::End => {}
        }
        Ok(())
    }

    /// Deletes the bytes of removals that were begun just now, and says which are gone. What fails stays to be removed.
    async fn delete(&self, begun: Vec<Collectable>, collected: &mut Collected) -> Result<(), Failure> {
        let since = Instant::now();
        let outcomes: Vec<(Collectable, Result<(), BlobError>)> = stream::iter(begun)
            .map(async |collectable| {
                if since.elapsed() > PROMPTLY {
                    return (collectable, Err(BlobError::Unavailable("it took too long".into())));
                }
                (collectable, self.blobs.delete(collectable.content.sha256.into()).await)
            })
            .buffer_unordered(DELETIONS)
            .collect()
            .await;
        let (mut gone, mut failed) = (Vec::new(), None);
        for (collectable, outcome) in outcomes {
            match outcome {
                Ok(()) => gone.push(collectable),
                Err(error) => failed = Some(error),
            }
        }
        let (contents, bytes) =
            (gone.len() as u64, gone.iter().map(|collectable| collectable.content.size).sum::<u64>());
        blobs::finish_removals(self.store, gone, self.now()).await?;
        collected.removed += contents;
        collected.removed_bytes += bytes;
        failed.map_or(Ok(()), |error| Err(error.into()))
    }
}
