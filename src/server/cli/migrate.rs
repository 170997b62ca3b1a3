//! `entrepot migrate`.

use clap::Args;

use super::print;
use crate::{
    boot::{self, DataLock},
    config::Config,
    stop::Stop,
};

/// What to do.
#[derive(Args)]
pub(super) struct Arguments {
    /// Take this many steps back, with what they hold
    #[arg(long, value_name = "STEPS")]
    down: Option<u32>,
}

/// Brings the database up to date, or back.
pub(super) async fn run(config: Config, arguments: Arguments) -> Result<(), Stop> {
    boot::make_data_dir(&config.data_dir)?;
    let _lock = DataLock::for_server(&config)?;
    let store = boot::open_database(&config).await?;
    let connection = store.migration_connection();
    let outcome = match arguments.down {
        Some(steps) => migration::revert(connection, steps)
            .await
            .map(|()| format!("{steps} steps were taken back"))
            .map_err(|error| Stop::failed(format!("the steps cannot be taken back: {error}"))),
        None => {
            boot::migrate(&store).await.map(|()| format!("the database is up to date: {}", config.database))
        }
    };
    if let Err(error) = store.close().await {
        tracing::warn!(%error, "the database was not closed cleanly");
    }
    print(&outcome?)
}
