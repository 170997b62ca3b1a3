//! What runs beside the requests.

use std::{sync::Arc, time::Duration};

use futures::TryFutureExt as _;
use graphql::{Model, Worker};
use tokio::time::{self, MissedTickBehavior};

use crate::{config::Config, stop::Stop, telemetry};

/// How often a server looks for work. It goes on without a pause for as long as there is some.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How often what other servers changed of the limits is taken over.
const FOLLOW_EVERY: Duration = Duration::from_secs(2);

/// How often what the histograms have collected is summed up. Until then it takes memory.
const SUM_UP_EVERY: Duration = Duration::from_secs(5);

/// This server as one that does background work, under a name that nobody else has.
pub(crate) fn worker(config: &Config) -> Result<Worker, Stop> {
    let mut bytes = [0_u8; 8];
    getrandom::fill(&mut bytes)
        .map_err(|error| Stop::failed(format!("the system gives no random bytes: {error}")))?;
    let number = u64::from_be_bytes(bytes);
    let name = format!("{}-{number:016x}", std::process::id());
    Ok(Worker { name, keep_deleted: config.keep_deleted })
}

/// Runs all of it until it is aborted. A job that is under way then is taken over when its lease is over.
pub(crate) async fn run(model: Arc<Model>, worker: Worker) {
    tokio::join!(follow_limits(&model), work(Arc::clone(&model), worker), sum_up());
}

async fn follow_limits(model: &Model) {
    let mut ticks = time::interval(FOLLOW_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = model.follow_limits().await {
            tracing::warn!(%error, "the limits could not be read: those known so far stay in force");
        }
    }
}

async fn sum_up() {
    let mut ticks = time::interval(SUM_UP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        telemetry::metrics().run_upkeep();
    }
}

/// Does what is due. Every replica may do so.
async fn work(model: Arc<Model>, worker: Worker) {
    let mut ticks = time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_listed = false;
    loop {
        ticks.tick().await;
        if !is_listed {
            match model.ensure_jobs().and_then(|()| model.request_upload_sweep()).await {
                Ok(()) => is_listed = true,
                Err(error) => {
                    tracing::warn!(%error, "the regular jobs could not be put on the list");
                    continue;
                }
            }
        }
        loop {
            match model.run_next_job(&worker).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(%error, "no job could be taken or given back");
                    break;
                }
            }
        }
    }
}
