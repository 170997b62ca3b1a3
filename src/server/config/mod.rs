//! The configuration: read once, at the start, and checked as a whole.

mod address;
mod proxies;
mod settings;
mod sign_in;
mod storage;

#[cfg(test)]
mod tests;

use std::{
    env,
    path::{Path, PathBuf},
    time::Duration,
};

use store::Secret;

pub(crate) use address::Database;
pub(crate) use proxies::TrustedProxies;
pub(crate) use settings::{LogFormat, Settings, reason};
pub(crate) use sign_in::SignIn;
use storage::AwsVariables;
pub(crate) use storage::Storage;

use crate::stop::Stop;

/// Every key with its meaning, ready to be copied.
#[cfg(test)]
const TEMPLATE: &str = include_str!("config.template.toml");

/// Variable with the first administrator's token. There is no flag: other users of the machine can read flags.
const ADMIN_TOKEN: &str = "ENTREPOT_ADMIN_TOKEN";

/// The configuration in force.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Address to listen on, as `host:port`.
    pub(crate) listen: String,
    /// The data folder.
    pub(crate) data_dir: PathBuf,
    /// The database.
    pub(crate) database: Database,
    /// Connections to the database.
    pub(crate) database_connections: u32,
    /// The store of bytes.
    pub(crate) storage: Storage,
    /// How long bytes are kept after the last file with them was deleted.
    pub(crate) keep_deleted: time::Duration,
    /// What links start with, without a slash at the end; none is made from the address in use.
    pub(crate) external_url: Option<String>,
    /// Issuers of ID tokens that projects may trust.
    pub(crate) oidc_issuers: Vec<String>,
    /// Proxies whose word is taken for where a request comes from.
    pub(crate) trusted_proxies: TrustedProxies,
    /// How people sign in.
    pub(crate) sign_in: SignIn,
    /// The first administrator's token, when it was chosen.
    pub(crate) admin_token: Option<Secret>,
    /// What to log, and how.
    pub(crate) telemetry: Telemetry,
    /// What requests may take.
    pub(crate) http: HttpLimits,
}

/// What to log, and how.
#[derive(Clone, Debug)]
pub(crate) struct Telemetry {
    /// Which lines.
    pub(crate) filter: String,
    /// How they are written.
    pub(crate) format: LogFormat,
    /// Whether `/-/metrics` answers.
    pub(crate) metrics: bool,
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HttpLimits {
    /// Requests under way at the end.
    pub(crate) shutdown_grace: Duration,
    /// The head of a request, and the wait for it.
    pub(crate) header_timeout: Duration,
    /// An answer to a request without an upload, until it begins.
    pub(crate) request_timeout: Duration,
    /// A pause within a request's body, or of a client that is being answered.
    pub(crate) idle_timeout: Duration,
}

/// What only the environment says.
#[derive(Default)]
struct Environment {
    admin_token: Option<Secret>,
    rust_log: Option<String>,
    aws: AwsVariables,
}

impl Config {
    /// The configuration from `given` (flags over variables, as clap has put them together), over the file, over defaults.
    pub(crate) fn load(given: Settings, file: Option<&Path>) -> Result<Self, Stop> {
        let given = given.without_empty();
        let settings = match file {
            Some(path) => given.or(Settings::read(path)?.without_empty()),
            None => given,
        };
        let environment = Environment {
            admin_token: chosen_token(env::var(ADMIN_TOKEN))?,
            rust_log: env::var("RUST_LOG").ok(),
            aws: AwsVariables::read(),
        };
        Self::resolve(settings, environment)
    }

    /// Checks the settings and fills in the defaults.
    fn resolve(settings: Settings, environment: Environment) -> Result<Self, Stop> {
        let data_dir = settings.data_dir.clone().unwrap_or_else(|| PathBuf::from("./entrepot-data"));
        let storage = Storage::resolve(&settings, environment.aws, &data_dir)?;
        let filter =
            settings.log.or(environment.rust_log).unwrap_or_else(|| "info,sea_orm_migration=warn".to_owned());
        Ok(Self {
            listen: address::listen(settings.listen.as_deref().unwrap_or("127.0.0.1:8080"))?,
            database: Database::parse(settings.database_url.as_deref(), &data_dir)?,
            database_connections: match settings.database_connections {
                Some(0) => return Err(Stop::usage("database_connections must be at least 1")),
                given => given.unwrap_or(8),
            },
            storage,
            keep_deleted: time::Duration::hours(settings.keep_deleted_hours.unwrap_or(24).into()),
            external_url: settings.external_url.as_deref().map(address::external_url).transpose()?,
            oidc_issuers: issuers(settings.oidc_issuers)?,
            trusted_proxies: TrustedProxies::parse(settings.trusted_proxies)?,
            sign_in: SignIn::resolve(settings.sign_in.unwrap_or_default())?,
            admin_token: environment.admin_token,
            telemetry: Telemetry {
                filter,
                format: settings.log_format.unwrap_or(LogFormat::Text),
                metrics: settings.metrics.unwrap_or(true),
            },
            http: HttpLimits {
                shutdown_grace: Duration::from_secs(settings.shutdown_grace_seconds.unwrap_or(30)),
                header_timeout: timeout("header_timeout_seconds", settings.header_timeout_seconds)?,
                request_timeout: timeout("request_timeout_seconds", settings.request_timeout_seconds)?,
                idle_timeout: timeout("idle_timeout_seconds", settings.idle_timeout_seconds)?,
            },
            data_dir,
        })
    }
}

/// The issuers, each checked.
fn issuers(given: Option<Vec<String>>) -> Result<Vec<String>, Stop> {
    let issuers = given.unwrap_or_default();
    for issuer in &issuers {
        oidc::check_issuer(issuer).map_err(|why| Stop::usage(format!("oidc_issuers: {why}")))?;
    }
    Ok(issuers)
}

fn timeout(name: &str, seconds: Option<u64>) -> Result<Duration, Stop> {
    match seconds.unwrap_or(60) {
        0 => Err(Stop::usage(format!("{name} must be at least 1"))),
        seconds => Ok(Duration::from_secs(seconds.min(86_400))),
    }
}

/// The administrator's token that the environment gives, refused before anything is made with it.
fn chosen_token(given: Result<String, env::VarError>) -> Result<Option<Secret>, Stop> {
    match given {
        Ok(text) if !text.trim().is_empty() => {
            let secret = Secret::given(text.trim());
            store::access_tokens::check_given(&secret)
                .map_err(|failure| Stop::usage(format!("{ADMIN_TOKEN} is refused: {}", failure.message)))?;
            Ok(Some(secret))
        }
        Ok(_) | Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(Stop::usage(format!("{ADMIN_TOKEN} is not valid UTF-8"))),
    }
}
