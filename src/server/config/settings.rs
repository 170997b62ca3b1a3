//! What can be set: on the command line, in the environment, in a file. One name in three spellings.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Deserialize;

use super::sign_in::SignInSettings;
use crate::stop::Stop;

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// One layer of settings: what a flag or a variable said, or what the file says.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Address to listen on [default: 127.0.0.1:8080]
    #[arg(long, global = true, env = "ENTREPOT_LISTEN", value_name = "HOST:PORT")]
    pub(crate) listen: Option<String>,
    /// Folder of the SQLite file, the packages and the keys [default: ./entrepot-data]
    #[arg(long, global = true, env = "ENTREPOT_DATA_DIR", value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Database: postgres://… to scale [default: SQLite in the data folder]
    #[arg(long, global = true, env = "ENTREPOT_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,
    /// Where packages lie: file:<folder> or s3://<bucket>/<prefix> [default: file: in the data folder]
    #[arg(long, global = true, env = "ENTREPOT_STORAGE_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) storage_url: Option<String>,
    /// Address of the server that speaks S3 [default: AWS]
    #[arg(long, global = true, env = "ENTREPOT_S3_ENDPOINT", value_name = "URL", hide_env_values = true)]
    pub(crate) s3_endpoint: Option<String>,
    /// Whether downloads of 1 MiB and more are sent on to addresses of the S3 server [default: false]
    #[arg(long, global = true, env = "ENTREPOT_STORAGE_REDIRECTS", value_name = "BOOL")]
    pub(crate) storage_redirects: Option<bool>,
    /// How long bytes are kept after the last file with them was deleted [default: 24]
    #[arg(long, global = true, env = "ENTREPOT_KEEP_DELETED_HOURS", value_name = "HOURS")]
    pub(crate) keep_deleted_hours: Option<u32>,
    /// What generated links start with [default: from the listen address]
    #[arg(long, global = true, env = "ENTREPOT_EXTERNAL_URL", value_name = "URL")]
    pub(crate) external_url: Option<String>,
    /// Issuers of ID tokens that projects may trust, separated by commas [default: none]
    #[arg(long, global = true, env = "ENTREPOT_OIDC_ISSUERS", value_name = "URLS", value_delimiter = ',')]
    pub(crate) oidc_issuers: Option<Vec<String>>,
    /// Networks of proxies whose X-Forwarded-For is believed, separated by commas [default: none]
    #[arg(
        long,
        global = true,
        env = "ENTREPOT_TRUSTED_PROXIES",
        value_name = "NETWORKS",
        value_delimiter = ','
    )]
    pub(crate) trusted_proxies: Option<Vec<String>>,
    /// Connections to the database [default: 8]
    #[arg(long, global = true, env = "ENTREPOT_DATABASE_CONNECTIONS", value_name = "NUMBER")]
    pub(crate) database_connections: Option<u32>,
    /// Which log lines are written, like info or store=debug,info [default: info,sea_orm_migration=warn]
    #[arg(long, global = true, env = "ENTREPOT_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// How log lines are written [default: text]
    #[arg(long, global = true, env = "ENTREPOT_LOG_FORMAT", value_enum, value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
    /// Whether /-/metrics answers [default: true]
    #[arg(long, global = true, env = "ENTREPOT_METRICS", value_name = "BOOL")]
    pub(crate) metrics: Option<bool>,
    /// How long requests may take to end after SIGTERM [default: 30]
    #[arg(long, global = true, env = "ENTREPOT_SHUTDOWN_GRACE_SECONDS", value_name = "SECONDS")]
    pub(crate) shutdown_grace_seconds: Option<u64>,
    /// How long the headers of a request may take, and a connection may wait for the next [default: 60]
    #[arg(long, global = true, env = "ENTREPOT_HEADER_TIMEOUT_SECONDS", value_name = "SECONDS")]
    pub(crate) header_timeout_seconds: Option<u64>,
    /// How long an answer to a request without an upload may take to begin [default: 60]
    #[arg(long, global = true, env = "ENTREPOT_REQUEST_TIMEOUT_SECONDS", value_name = "SECONDS")]
    pub(crate) request_timeout_seconds: Option<u64>,
    /// How long an upload may pause, and a client may take nothing of its answer [default: 60]
    #[arg(long, global = true, env = "ENTREPOT_IDLE_TIMEOUT_SECONDS", value_name = "SECONDS")]
    pub(crate) idle_timeout_seconds: Option<u64>,
    /// How people sign in: in the file alone, which can have a table of providers
    #[arg(skip)]
    pub(crate) sign_in: Option<SignInSettings>,
}

impl Settings {
    /// Reads a file. What it does not know it refuses.
    pub(crate) fn read(path: &Path) -> Result<Self, Stop> {
        let place = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Stop::usage(format!("the configuration file {place} cannot be read: {}", reason(&error)))
        })?;
        toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            let message = error.message().replace('\n', " ");
            Stop::usage(format!("the configuration file {place} is wrong in line {line}: {message}"))
        })
    }

    /// The same, where an empty text says nothing: container tools pass variables on that are not set.
    #[must_use]
    pub(crate) fn without_empty(mut self) -> Self {
        for text in [
            &mut self.listen,
            &mut self.database_url,
            &mut self.storage_url,
            &mut self.s3_endpoint,
            &mut self.external_url,
            &mut self.log,
        ] {
            if text.as_ref().is_some_and(String::is_empty) {
                *text = None;
            }
        }
        for list in [&mut self.oidc_issuers, &mut self.trusted_proxies] {
            if list.as_ref().is_some_and(|items| items.iter().all(String::is_empty)) {
                *list = None;
            }
        }
        self
    }

    /// These settings, and those of `lower` where these say nothing.
    #[must_use]
    pub(crate) fn or(self, lower: Self) -> Self {
        Self {
            listen: self.listen.or(lower.listen),
            data_dir: self.data_dir.or(lower.data_dir),
            database_url: self.database_url.or(lower.database_url),
            storage_url: self.storage_url.or(lower.storage_url),
            s3_endpoint: self.s3_endpoint.or(lower.s3_endpoint),
            storage_redirects: self.storage_redirects.or(lower.storage_redirects),
            keep_deleted_hours: self.keep_deleted_hours.or(lower.keep_deleted_hours),
            external_url: self.external_url.or(lower.external_url),
            oidc_issuers: self.oidc_issuers.or(lower.oidc_issuers),
            trusted_proxies: self.trusted_proxies.or(lower.trusted_proxies),
            database_connections: self.database_connections.or(lower.database_connections),
            log: self.log.or(lower.log),
            log_format: self.log_format.or(lower.log_format),
            metrics: self.metrics.or(lower.metrics),
            shutdown_grace_seconds: self.shutdown_grace_seconds.or(lower.shutdown_grace_seconds),
            header_timeout_seconds: self.header_timeout_seconds.or(lower.header_timeout_seconds),
            request_timeout_seconds: self.request_timeout_seconds.or(lower.request_timeout_seconds),
            idle_timeout_seconds: self.idle_timeout_seconds.or(lower.idle_timeout_seconds),
            sign_in: self.sign_in.or(lower.sign_in),
        }
    }
}

/// What the system says, without the number that people cannot use.
pub(crate) fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((reason, _)) => reason.to_lowercase(),
        None => text,
    }
}
