//! One bucket: what our objects are called, how its server is spoken to, and the plain requests.

use std::{sync::Arc, time::Duration};

use aws_sdk_s3::{
    Client, Config,
    config::{
        BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
        StalledStreamProtectionConfig, retry::RetryConfig, timeout::TimeoutConfig,
    },
    primitives::ByteStream,
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use bytes::Bytes;
use tokio::{runtime::Handle, sync::Semaphore};

use super::{
    error::{Answer, answer},
    settings::S3Settings,
};
use crate::{BlobError, BlobKey, Result, StagingId};

/// Parts of uploads that are on their way at the same time, for all uploads together. With [`super::staging::PART`] it
/// bounds what many large uploads take.
const PARTS_ON_THEIR_WAY: usize = 16;

/// How long a server may take to take a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a request may take until its answer begins, the sending of one part included.
const ATTEMPT_TIMEOUT: Duration = Duration::from_mins(1);
/// The same for all attempts together.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(150);
/// How often a request is sent at most.
const ATTEMPTS: u32 = 4;

/// Names the one that wrote an object, so that it knows its own object again.
const MARK: &str = "entrepot-upload";

pub(super) struct Bucket {
    pub(super) client: Client,
    pub(super) name: String,
    pub(super) redirects: bool,
    /// Empty, or with a slash at its end.
    prefix: String,
    pub(super) runtime: Handle,
    pub(super) places: Arc<Semaphore>,
}

/// What a request without a body says about an object.
pub(super) struct Head {
    pub(super) size: u64,
    mark: Option<String>,
}

/// A random text that an object carries.
pub(super) struct Mark(String);

impl Mark {
    pub(super) fn random() -> Result<Self> {
        Ok(Self(StagingId::random()?.to_string()))
    }

    pub(super) fn metadata(&self) -> (&'static str, &str) {
        (MARK, &self.0)
    }
}

impl Bucket {
    pub(super) fn new(settings: S3Settings) -> Self {
        let prefix = match settings.prefix.as_str() {
            "" => String::new(),
            prefix => format!("{prefix}/"),
        };
        Self {
            client: Client::from_conf(configuration(&settings)),
            name: settings.bucket,
            redirects: settings.redirects,
            prefix,
            runtime: Handle::current(),
            places: Arc::new(Semaphore::new(PARTS_ON_THEIR_WAY)),
        }
    }

    pub(super) fn version(&self) -> String {
        format!("{}VERSION", self.prefix)
    }

    /// What the names of all uploads start with.
    pub(super) fn staging(&self) -> String {
        format!("{}staging/", self.prefix)
    }

    /// What the names of all objects start with.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(super) fn staged(&self, id: StagingId) -> String {
        format!("{}staging/{id}", self.prefix)
    }

    pub(super) fn manifest(&self, id: StagingId) -> String {
        format!("{}staging/{id}.json", self.prefix)
    }

    /// What the names of all content start with.
    pub(super) fn blobs(&self) -> String {
        format!("{}blobs/", self.prefix)
    }

    pub(super) fn blob(&self, key: BlobKey) -> String {
        format!("{}blobs/{}", self.prefix, key.path())
    }

    /// Waits on a thread that may block.
    pub(super) fn wait<T>(&self, request: impl Future<Output = T>) -> T {
        self.runtime.block_on(request)
    }

    pub(super) async fn head(&self, object: &str) -> Result<Option<Head>> {
        match self.client.head_object().bucket(&self.name).key(object).send().await {
            Ok(head) => Ok(Some(Head {
                size: head.content_length().and_then(|size| size.try_into().ok()).unwrap_or_default(),
                mark: head.metadata().and_then(|metadata| metadata.get(MARK)).cloned(),
            })),
            Err(error) => match answer(error) {
                Answer::Absent => Ok(None),
                other => Err(other.into()),
            },
        }
    }

    /// Writes an object, over one that may be there.
    pub(super) async fn put(&self, object: &str, content: Bytes) -> Result<()> {
        let put = self.client.put_object().bucket(&self.name).key(object).body(ByteStream::from(content));
        put.send().await.map_err(|error| answer(error).into()).map(drop)
    }

    /// Writes an object unless there is one; [`BlobError::AlreadyStaged`] then.
    pub(super) async fn put_new(&self, object: &str, content: Bytes) -> Result<()> {
        let mark = Mark::random()?;
        let (name, value) = mark.metadata();
        let put = self.client.put_object().bucket(&self.name).key(object).body(ByteStream::from(content));
        match put.metadata(name, value).if_none_match("*").send().await {
            Ok(_) => Ok(()),
            Err(error) => match answer(error) {
                Answer::Exists => self.is_ours(object, &mark).await,
                other => Err(other.into()),
            },
        }
    }

    /// Whether the object that kept us from writing is what we wrote: the answer to a first attempt may have been lost.
    pub(super) async fn is_ours(&self, object: &str, mark: &Mark) -> Result<()> {
        match self.head(object).await? {
            Some(head) if head.mark.as_deref() == Some(&mark.0) => Ok(()),
            _ => Err(BlobError::AlreadyStaged),
        }
    }

    /// Removes an object. Fine if there is none.
    pub(super) async fn delete(&self, object: &str) -> Result<()> {
        match self.client.delete_object().bucket(&self.name).key(object).send().await {
            Ok(_) => Ok(()),
            Err(error) => match answer(error) {
                Answer::Absent => Ok(()),
                other => Err(other.into()),
            },
        }
    }
}

fn configuration(settings: &S3Settings) -> Config {
    let credentials = &settings.credentials;
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT);
    let mut builder = Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .region(Region::new(settings.region.clone()))
        .credentials_provider(Credentials::new(
            &credentials.access_key_id,
            &credentials.secret_access_key,
            credentials.session_token.clone(),
            None,
            "entrepot",
        ))
        .timeout_config(timeouts.build())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        // The signature covers what we send. Servers of one's own do not all know the newer checksums.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        // A slow client makes a slow download; a server that stands still is noticed in `read`.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.endpoint_url(endpoint).force_path_style(true);
    }
    builder.build()
}
