//! From staging to the content's address: the server copies, the bytes do not come by here.

use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    bucket::Bucket,
    error::{Answer, answer},
    multipart::{IfThere, Multipart, patient},
};
use crate::{BlobError, BlobKey, Result, StagingId};

/// Up to this many bytes one request copies; above, as many as there are such pieces, several at a time. S3 would copy
/// up to 5 GiB at once, and take minutes for it without an answer.
pub(super) const COPY_AT_ONCE: u64 = 256 * 1024 * 1024;

/// What stands unescaped in the header that names the source, which is read like the path of an address.
const SOURCE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Copies what is staged under `id` to `key`, unless it is there.
pub(super) async fn promote(bucket: &Arc<Bucket>, id: StagingId, key: BlobKey) -> Result<()> {
    copy(bucket, id, key, COPY_AT_ONCE).await?;
    // The content is where it belongs: what is left of the upload goes with the next sweep at the latest.
    if let Err(error) = bucket.delete(&bucket.staged(id)).await {
        tracing::warn!(%error, upload.id = %id, "A promoted upload stays until the next sweep");
    }
    Ok(())
}

pub(super) async fn copy(bucket: &Arc<Bucket>, id: StagingId, key: BlobKey, at_once: u64) -> Result<()> {
    let (staged, blob) = (bucket.staged(id), bucket.blob(key));
    let (found, stored) = futures::join!(bucket.head(&staged), bucket.head(&blob));
    if stored?.is_some() {
        return Ok(());
    }
    let outcome = match found? {
        Some(head) => {
            // Neither the bucket's name nor our own names hold anything to be escaped but what a prefix may hold.
            let source = format!("{}/{}", bucket.name, utf8_percent_encode(&staged, SOURCE));
            if head.size <= at_once {
                copy_whole(bucket, &source, &blob).await
            } else {
                copy_in_parts(bucket, &source, blob.clone(), head.size, at_once).await
            }
        }
        None => Err(BlobError::NotFound),
    };
    match outcome {
        // Promoted by another process since we looked.
        Err(BlobError::NotFound) if bucket.head(&blob).await?.is_some() => Ok(()),
        outcome => outcome,
    }
}

async fn copy_whole(bucket: &Bucket, source: &str, blob: &str) -> Result<()> {
    let request = bucket.client.copy_object().bucket(&bucket.name).key(blob).copy_source(source);
    match request.customize().config_override(patient()).send().await.map_err(answer) {
        // Two promotions of one content at a time: whoever is slower finds it there, if the server looks at all.
        Ok(_) | Err(Answer::Exists) => Ok(()),
        Err(other) => Err(other.into()),
    }
}

async fn copy_in_parts(
    bucket: &Arc<Bucket>,
    source: &str,
    blob: String,
    size: u64,
    at_once: u64,
) -> Result<()> {
    let mut copy = Multipart::begin(bucket, blob).await?;
    let mut start = 0;
    while start < size {
        let end = size.min(start + at_once);
        copy.copy(source, start..end).await?;
        start = end;
    }
    copy.complete(IfThere::Replace).await
}
