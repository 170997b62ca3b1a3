//! What is stored, by its keys.

use std::{sync::Arc, time::SystemTime};

use super::{bucket::Bucket, error::answer};
use crate::{BlobError, BlobKey, ListedBlob, Result};

/// Most objects that a server lists at once.
const MOST: usize = 1000;

/// See [`crate::BlobStore::list`]. A server lists in the order of names, which is that of the keys.
pub(super) async fn list(
    bucket: &Arc<Bucket>,
    after: Option<BlobKey>,
    limit: usize,
) -> Result<Vec<ListedBlob>> {
    let mut start = after.map(|key| bucket.blob(key));
    loop {
        let request = bucket.client.list_objects_v2().bucket(&bucket.name).prefix(bucket.blobs());
        let request = request.max_keys(i32::try_from(limit.min(MOST)).unwrap_or(i32::MAX));
        let page = request.set_start_after(start).send().await;
        let page = page.map_err(|error| BlobError::from(answer(error)))?;
        let objects = page.contents.unwrap_or_default();
        let last = objects.last().and_then(|object| object.key.clone());
        let listed: Vec<_> = objects
            .into_iter()
            .filter_map(|object| {
                let name = object.key.as_deref()?;
                let key = name.rsplit('/').next().and_then(BlobKey::of_name)?;
                // Something else that ends like one of ours, elsewhere, would send the listing back.
                if bucket.blob(key) != name {
                    return None;
                }
                let since = object.last_modified.and_then(|since| SystemTime::try_from(since).ok());
                Some(ListedBlob {
                    key,
                    size: object.size.and_then(|size| size.try_into().ok()).unwrap_or_default(),
                    // Of unknown age, or from the future: as young as can be.
                    age: since.and_then(|since| since.elapsed().ok()).unwrap_or_default(),
                })
            })
            .collect();
        // What is no content of ours is passed over: an empty answer means the end.
        if !listed.is_empty() || last.is_none() {
            return Ok(listed);
        }
        start = last;
    }
}
