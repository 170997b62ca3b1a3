//! What runs beside the requests.

use std::{sync::Arc, time::Duration};

use blob::BlobStore;
use tokio::time::{self, MissedTickBehavior};

/// How often uploads are looked through.
const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);
/// How old an upload is when nobody will publish it any more.
const ABANDONED_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Removes abandoned uploads, now and then once an hour, until it is aborted. Every replica may do so.
pub(crate) async fn run(blobs: Arc<dyn BlobStore>) {
    let mut ticks = time::interval(SWEEP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match blobs.sweep_staging(ABANDONED_AFTER).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(uploads.removed = removed, "abandoned uploads were removed"),
            Err(error) => tracing::warn!(%error, "abandoned uploads could not be removed"),
        }
    }
}
