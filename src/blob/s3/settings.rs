//! What has to be known about a bucket.

use std::fmt;

/// Where a bucket is, and who we are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Settings {
    /// Its name.
    pub bucket: String,
    /// What the names of our objects start with, without slashes at its ends; empty for the bucket as a whole.
    pub prefix: String,
    /// Where the server is, `http:` or `https:`; none for AWS itself, in its region. With one, the bucket stands in the path
    /// of addresses: servers of one's own seldom have a name for every bucket.
    pub endpoint: Option<String>,
    /// The region to sign for.
    pub region: String,
    /// Who we are.
    pub credentials: S3Credentials,
    /// Whether downloads are sent on to addresses of the bucket.
    pub redirects: bool,
}

/// Who we are for a server that speaks S3.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Credentials {
    /// Name of the key.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: String,
    /// Comes with temporary keys.
    pub session_token: Option<String>,
}

/// Without the secrets.
impl fmt::Debug for S3Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("S3Credentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// As people write it.
impl fmt::Display for S3Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "s3://{}", self.bucket)?;
        if !self.prefix.is_empty() {
            write!(formatter, "/{}", self.prefix)?;
        }
        match &self.endpoint {
            Some(endpoint) => write!(formatter, " at {endpoint}"),
            None => write!(formatter, " in {}", self.region),
        }
    }
}
