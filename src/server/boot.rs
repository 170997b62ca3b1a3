//! From a configuration to a server that answers, and back.

use std::{
    fs::{DirBuilder, File, TryLockError},
    io::ErrorKind,
    net::{IpAddr, SocketAddr},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
    sync::Arc,
    time::Duration,
};

use blob::{BlobError, BlobStore, DiskStore, S3Store};
use domain::{Clock, SystemClock};
use gateway::Gateway;
use store::Store;
use tokio::{net::TcpListener, task::JoinHandle, time};

use crate::{
    config::{Config, Database, HttpLimits, Storage, TrustedProxies, reason},
    first_run::{self, FirstRun},
    http::{self, Drained, Services},
    jobs,
    stop::Stop,
};

/// What the name of the file ends with whose lock says that a server works on a SQLite file.
const LOCK: &str = ".lock";
/// How long the database may take to be closed: what still runs has been waited for already.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// A server whose socket is bound, and that does not answer yet.
pub(crate) struct Server {
    listener: TcpListener,
    address: SocketAddr,
    services: Arc<Services>,
    limits: HttpLimits,
    proxies: TrustedProxies,
    first_run: Option<FirstRun>,
    jobs: JoinHandle<()>,
    /// Held for as long as the server lives.
    _lock: Option<DataLock>,
}

impl Server {
    /// Opens everything, brings the database up to date, and binds the socket.
    pub(crate) async fn start(config: Config) -> Result<Self, Stop> {
        make_data_dir(&config.data_dir)?;
        let lock = DataLock::for_server(&config)?;
        let listener = listen(&config.listen).await?;
        let address = listener
            .local_addr()
            .map_err(|error| Stop::failed(format!("the socket has no address: {error}")))?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = open_database(&config).await?;
        migrate(&store).await?;
        let blobs = open_storage(&config.storage).await?;
        let first_run = first_run::prepare(&store, &config, clock.now()).await?;
        let external_url: Arc<str> = config.external_url.clone().unwrap_or_else(|| url_of(address)).into();
        let model = graphql::Model::new(graphql::Settings {
            store: store.clone(),
            blobs: Arc::clone(&blobs),
            rules: formats::rules(),
            clock,
            external_url: Arc::clone(&external_url),
            id_tokens: oidc::Verifier::new(&config.oidc_issuers).map_err(Stop::failed)?,
            sign_in: sign_in(&config)?,
        })
        .await
        .map_err(|failure| Stop::failed(failure.message))?;
        let gateway = Gateway::new(model.clone(), external_url);
        let jobs = tokio::spawn(jobs::run(Arc::clone(&model), jobs::worker(&config)?));
        let services = Arc::new(Services::new(store, blobs, model, gateway, config.telemetry.metrics));
        let (limits, proxies) = (config.http, config.trusted_proxies);
        Ok(Self { listener, address, services, limits, proxies, first_run, jobs, _lock: lock })
    }

    /// The address in use.
    #[cfg(test)]
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What generated links start with.
    pub(crate) fn external_url(&self) -> &str {
        self.services.gateway().external_url()
    }

    /// What the first start made, if this is one.
    pub(crate) const fn first_run(&self) -> Option<&FirstRun> {
        self.first_run.as_ref()
    }

    /// Answers until `shutdown` is over, then lets requests under way end, and closes everything.
    pub(crate) async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<(), Stop> {
        tracing::info!(address = %self.address, external_url = self.external_url(), "listening");
        let services = Arc::clone(&self.services);
        let drained = http::serve(self.listener, services, (self.limits, self.proxies), shutdown).await;
        self.jobs.abort();
        if drained == Drained::Abandoned {
            tracing::warn!("requests were still under way when the time for ending them was over");
        }
        match time::timeout(CLOSE_PATIENCE, self.services.store().close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the database was not closed cleanly"),
            Err(_) => tracing::warn!("the database was still in use when the time for closing it was over"),
        }
        tracing::info!("stopped");
        Ok(())
    }
}

/// How people sign in. Providers are asked when somebody comes.
fn sign_in(config: &Config) -> Result<graphql::SignIn, Stop> {
    let providers = config.sign_in.providers.iter().cloned().map(oidc::Provider::new);
    let providers = providers.collect::<Result<_, _>>().map_err(Stop::failed)?;
    Ok(graphql::SignIn { passwords: config.sign_in.passwords, providers })
}

/// Makes the data folder, for its owner alone. One that is there keeps its permissions.
pub(crate) fn make_data_dir(path: &Path) -> Result<(), Stop> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| {
        Stop::failed(format!("the data folder {} cannot be made: {}", path.display(), reason(&error)))
    })
}

/// The right to be the only server on a SQLite file. The system gives it back when the process ends, however it ends.
pub(crate) struct DataLock(#[expect(dead_code, reason = "held, not read")] File);

impl DataLock {
    /// The lock, where the configuration needs one: SQLite has one writer, and that is the process that holds it.
    pub(crate) fn for_server(config: &Config) -> Result<Option<Self>, Stop> {
        match &config.database {
            Database::Sqlite { file, .. } => Self::take(file).map(Some),
            Database::Postgres { .. } => Ok(None),
        }
    }

    fn take(database: &Path) -> Result<Self, Stop> {
        let mut path = database.as_os_str().to_owned();
        path.push(LOCK);
        let unusable = |error: &std::io::Error| {
            let place = database.display();
            Stop::failed(format!("the folder of {place} cannot be written: {}", reason(error)))
        };
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(|error| unusable(&error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(Stop::failed(format!(
                "another entrepot works on {}: SQLite takes one server at a time, PostgreSQL takes many",
                database.display()
            ))),
            Err(TryLockError::Error(error)) => Err(unusable(&error)),
        }
    }
}

/// Opens the database.
pub(crate) async fn open_database(config: &Config) -> Result<Store, Stop> {
    if let Database::Sqlite { file, .. } = &config.database {
        make_private(file)?;
    }
    let mut settings = store::Settings::new(config.database.url());
    settings.max_connections = config.database_connections;
    Store::connect(&settings).await.map_err(|error| {
        Stop::failed(format!("the database cannot be opened ({}): {error}", config.database))
    })
}

/// Makes an empty file for its owner alone, since SQLite would make one for everybody. One that is there stays as it is.
fn make_private(file: &Path) -> Result<(), Stop> {
    match File::options().write(true).create_new(true).mode(0o600).open(file) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            let place = file.display();
            Err(Stop::failed(format!("the database {place} cannot be made: {}", reason(&error))))
        }
        _ => Ok(()),
    }
}

/// Brings the database up to date.
pub(crate) async fn migrate(store: &Store) -> Result<(), Stop> {
    migration::migrate(store.migration_connection())
        .await
        .map_err(|error| Stop::failed(format!("the database cannot be brought up to date: {error}")))
}

/// Opens the store of bytes.
pub(crate) async fn open_storage(storage: &Storage) -> Result<Arc<dyn BlobStore>, Stop> {
    let unusable = |why: &str| Stop::failed(format!("the storage ({storage}) cannot be used: {why}"));
    match storage.clone() {
        Storage::Folder(folder) => match tokio::task::spawn_blocking(move || DiskStore::open(folder)).await {
            Ok(Ok(store)) => Ok(Arc::new(store)),
            Ok(Err(error)) => Err(unusable(&told(&error))),
            Err(error) => Err(unusable(&error.to_string())),
        },
        Storage::S3(settings) => match S3Store::open(settings).await {
            Ok(store) => Ok(Arc::new(store)),
            Err(error) => Err(unusable(&told(&error))),
        },
    }
}

/// Why the store of bytes fails, for the administrator, who may read causes.
pub(crate) fn told(error: &BlobError) -> String {
    match error {
        BlobError::Unavailable(cause) => match cause.downcast_ref::<std::io::Error>() {
            Some(error) => reason(error),
            None => cause.to_string(),
        },
        error => error.to_string(),
    }
}

async fn listen(address: &str) -> Result<TcpListener, Stop> {
    TcpListener::bind(address).await.map_err(|error| {
        let why = match error.kind() {
            ErrorKind::AddrInUse => "another program uses this address".to_owned(),
            ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
            ErrorKind::PermissionDenied => "the system does not permit it".to_owned(),
            _ => reason(&error),
        };
        Stop::failed(format!("cannot listen on {address}: {why}"))
    })
}

/// What links start with when nobody said: an address that works on this machine.
fn url_of(address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => format!("http://127.0.0.1:{}", address.port()),
        IpAddr::V6(ip) if ip.is_unspecified() => format!("http://[::1]:{}", address.port()),
        _ => format!("http://{address}"),
    }
}
