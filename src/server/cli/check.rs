//! `entrepot check`: what would go wrong, before it does.

use std::sync::Arc;

use blob::{BlobStore, S3Store};

use super::print;
use crate::{
    boot::{self, told},
    config::{Config, Database, Storage},
    stop::Stop,
};

/// Looks at everything, changes nothing, and says all of what it finds.
pub(super) async fn run(config: Config) -> Result<(), Stop> {
    let mut wrong = 0_u32;
    let mut lines = vec!["configuration: can be used".to_owned()];
    for (what, outcome) in [
        ("data folder", data_dir(&config)),
        ("database", database(&config).await),
        ("storage", storage(&config.storage).await),
        ("address", address(&config).await),
    ] {
        match outcome {
            Ok(text) => lines.push(format!("{what}: {text}")),
            Err(text) => {
                wrong += 1;
                lines.push(format!("{what}: WRONG: {text}"));
            }
        }
    }
    print(&lines.join("\n"))?;
    match wrong {
        0 => Ok(()),
        1 => Err(Stop::failed("one check failed")),
        more => Err(Stop::failed(format!("{more} checks failed"))),
    }
}

fn data_dir(config: &Config) -> Result<String, String> {
    let place = config.data_dir.display();
    match std::fs::metadata(&config.data_dir) {
        Ok(data) if !data.is_dir() => Err(format!("{place} is not a folder")),
        Ok(data) if data.permissions().readonly() => Err(format!("{place} cannot be written")),
        Ok(_) => Ok(format!("{place} is there")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok(format!("{place} is not there yet; serve makes it"))
        }
        Err(error) => Err(format!("{place} cannot be read: {}", crate::config::reason(&error))),
    }
}

async fn database(config: &Config) -> Result<String, String> {
    if let Database::Sqlite { file, .. } = &config.database
        && !file.exists()
    {
        return Ok(format!("{} is not there yet; serve makes it", file.display()));
    }
    let store = boot::open_database(config).await.map_err(|stop| stop.to_string())?;
    let pending = migration::pending(store.migration_connection()).await;
    if let Err(error) = store.close().await {
        tracing::warn!(%error, "the database was not closed cleanly");
    }
    let pending = pending.map_err(|error| format!("{} does not answer: {error}", config.database))?;
    if pending.is_empty() {
        return Ok(format!("{}, up to date", config.database));
    }
    let steps = pending.join(", ");
    Err(format!("{} lacks {} steps ({steps}): run entrepot migrate", config.database, pending.len()))
}

async fn storage(storage: &Storage) -> Result<String, String> {
    let store: Arc<dyn BlobStore> = match storage {
        Storage::Folder(folder) if !folder.exists() => {
            return Ok(format!("{} is not there yet; serve makes it", folder.display()));
        }
        Storage::Folder(_) => boot::open_storage(storage).await.map_err(|stop| stop.to_string())?,
        // Not opened, which would make it ours.
        Storage::S3(settings) => Arc::new(S3Store::new(settings.clone())),
    };
    match store.check().await {
        Ok(()) => Ok(format!("{storage} can be written")),
        Err(error) => Err(format!("{storage} cannot be used: {}", told(&error))),
    }
}

/// Whether the name in the address is known. Whether the port is free is no question of configuration: a running server
/// holds it.
async fn address(config: &Config) -> Result<String, String> {
    match tokio::net::lookup_host(&config.listen).await.map(Iterator::count) {
        Ok(1..) => Ok(format!("{} can be resolved", config.listen)),
        Ok(_) => Err(format!("{} has no address", config.listen)),
        Err(error) => Err(format!("{} cannot be resolved: {}", config.listen, crate::config::reason(&error))),
    }
}
