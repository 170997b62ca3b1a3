//! What nobody will publish any more.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_sdk_s3::primitives::DateTime;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{bucket::Bucket, error::answer, multipart::give_up};
use crate::{BlobError, Result};

/// Objects removed at the same time.
const REMOVALS: usize = 8;

/// Removes uploads and copies that nobody touched for this long.
pub(super) async fn sweep(bucket: &Arc<Bucket>, older_than: Duration) -> Result<usize> {
    let mut swept = sweep_objects(bucket, older_than).await?;
    swept.extend(sweep_parts(bucket, older_than).await?);
    Ok(swept.len())
}

/// An object is written once, so that its age is the time since it was touched. From the future: leave it.
fn is_old(since: Option<&DateTime>, older_than: Duration) -> bool {
    let since = since.and_then(|since| SystemTime::try_from(*since).ok());
    since.is_some_and(|since| since.elapsed().unwrap_or_default() >= older_than)
}

async fn sweep_objects(bucket: &Bucket, older_than: Duration) -> Result<HashSet<String>> {
    let mut swept = HashSet::new();
    let list = bucket.client.list_objects_v2().bucket(&bucket.name).prefix(bucket.staging());
    let mut pages = list.into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| BlobError::from(answer(error)))?;
        let objects = page.contents.unwrap_or_default().into_iter();
        let old = objects.filter(|object| is_old(object.last_modified.as_ref(), older_than));
        let keys: Vec<String> = old.filter_map(|object| object.key).collect();
        swept.extend(keys.iter().map(|key| upload_of(key).to_owned()));
        let removals = stream::iter(keys).map(async |key| bucket.delete(&key).await);
        removals.buffer_unordered(REMOVALS).try_collect::<()>().await?;
    }
    Ok(swept)
}

/// Multipart uploads that never became an object, those of copies included: they are listed nowhere else, and take room.
async fn sweep_parts(bucket: &Bucket, older_than: Duration) -> Result<HashSet<String>> {
    let mut swept = HashSet::new();
    let (mut key, mut upload) = (None, None);
    loop {
        let list = bucket.client.list_multipart_uploads().bucket(&bucket.name).prefix(bucket.prefix());
        let page = list.set_key_marker(key).set_upload_id_marker(upload).send().await;
        let page = page.map_err(|error| BlobError::from(answer(error)))?;
        for pending in page.uploads.unwrap_or_default() {
            if let (Some(key), Some(upload)) = (&pending.key, &pending.upload_id)
                && is_old(pending.initiated.as_ref(), older_than)
            {
                give_up(bucket, key, upload).await?;
                swept.insert(key.clone());
            }
        }
        (key, upload) = (page.next_key_marker, page.next_upload_id_marker);
        if !page.is_truncated.unwrap_or_default() || key.is_none() {
            return Ok(swept);
        }
    }
}

/// An upload and its manifest are one thing.
fn upload_of(key: &str) -> &str {
    key.strip_suffix(".json").unwrap_or(key)
}
