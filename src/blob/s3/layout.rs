//! Whether a bucket can be used, and whether it is ours.

use std::sync::Arc;

use bytes::Bytes;

use super::{bucket::Bucket, read};
use crate::{BlobError, Result, StagingId};

const VERSION: &str = "1";

/// Longest text of a version that is read.
const LONGEST_VERSION: u64 = 64;

/// Makes the bucket a store if it is new, refuses what is none, and a server that does not keep conditions.
pub(super) async fn establish(bucket: &Arc<Bucket>) -> Result<()> {
    let known = check_version(bucket).await?;
    let version = bucket.version();
    let write = || bucket.put_new(&version, Bytes::from_static(b"1\n"));
    match (known, write().await) {
        (false, Ok(())) => {}
        // Another replica was faster.
        (_, Err(BlobError::AlreadyStaged)) => return check_version(bucket).await.map(drop),
        (true, Ok(())) => return Err(ignores_conditions()),
        (_, Err(error)) => return Err(error),
    }
    match write().await {
        Err(BlobError::AlreadyStaged) => Ok(()),
        Ok(()) => Err(ignores_conditions()),
        Err(error) => Err(error),
    }
}

fn ignores_conditions() -> BlobError {
    BlobError::Unavailable(
        "the server ignores If-None-Match on PUT, without which replicas overwrite each other's uploads"
            .into(),
    )
}

/// Whether the bucket has a version, which has to be ours then.
async fn check_version(bucket: &Arc<Bucket>) -> Result<bool> {
    let found = match read::get(bucket, &bucket.version(), None).await {
        Ok(body) => body.collect(LONGEST_VERSION).await?,
        Err(BlobError::NotFound) => return Ok(false),
        Err(error) => return Err(error),
    };
    let found = String::from_utf8_lossy(&found);
    match found.trim() {
        VERSION => Ok(true),
        found => Err(BlobError::UnknownLayout { found: found.to_owned(), known: VERSION }),
    }
}

/// Does once what every upload does, and takes it back.
pub(super) async fn check(bucket: &Arc<Bucket>) -> Result<()> {
    check_version(bucket).await?;
    let probe = format!("{}check.{}", bucket.staging(), StagingId::random()?);
    bucket.put_new(&probe, Bytes::from_static(b"check")).await?;
    bucket.delete(&probe).await
}
