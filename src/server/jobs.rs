//! What runs beside the requests.

use std::{sync::Arc, time::Duration};

use blob::BlobStore;
use tokio::time::{self, MissedTickBehavior};

use crate::telemetry;

/// How often uploads are looked through.
const SWEEP_EVERY: Duration = Duration::from_hours(1);
/// How old an upload is when nobody will publish it any more.
const ABANDONED_AFTER: Duration = Duration::from_hours(24);

/// How often what the histograms have collected is summed up. Until then it takes memory.
const SUM_UP_EVERY: Duration = Duration::from_secs(5);

/// Runs all of it until it is aborted.
pub(crate) async fn run(blobs: Arc<dyn BlobStore>) {
    tokio::join!(sweep(blobs), sum_up());
}

async fn sum_up() {
    let mut ticks = time::interval(SUM_UP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        telemetry::metrics().run_upkeep();
    }
}

/// Removes abandoned uploads, now and then once an hour. Every replica may do so.
async fn sweep(blobs: Arc<dyn BlobStore>) {
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
