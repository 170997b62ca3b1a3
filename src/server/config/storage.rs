//! Where the bytes of packages are.

use std::{
    env, fmt,
    path::{Path, PathBuf},
};

use blob::{S3Credentials, S3Settings};
use url::Url;

use super::{Settings, address::scheme};
use crate::stop::Stop;

/// The region to sign for where a server of one's own is named, and no region.
const ANY_REGION: &str = "us-east-1";

/// Where the bytes of packages are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    /// A folder.
    Folder(PathBuf),
    /// A bucket.
    S3(S3Settings),
}

/// The variables that programs for S3 share. No settings of ours: they name secrets, and the region of other buckets too.
#[derive(Clone, Default)]
pub(crate) struct AwsVariables {
    pub(crate) access_key_id: Option<String>,
    pub(crate) secret_access_key: Option<String>,
    pub(crate) session_token: Option<String>,
    pub(crate) region: Option<String>,
}

impl AwsVariables {
    pub(crate) fn read() -> Self {
        let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            access_key_id: variable("AWS_ACCESS_KEY_ID"),
            secret_access_key: variable("AWS_SECRET_ACCESS_KEY"),
            session_token: variable("AWS_SESSION_TOKEN"),
            region: variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")),
        }
    }
}

impl Storage {
    /// Reads the settings; without an address it is a folder in the data folder.
    pub(crate) fn resolve(settings: &Settings, aws: AwsVariables, data_dir: &Path) -> Result<Self, Stop> {
        let Some(url) = &settings.storage_url else {
            return Ok(Self::Folder(data_dir.join("blobs")));
        };
        match url.split_once(':') {
            Some(("file", path)) => {
                let path = path.strip_prefix("//").unwrap_or(path);
                if path.is_empty() {
                    return Err(Stop::usage("the storage URL names no folder: file:<folder>"));
                }
                Ok(Self::Folder(PathBuf::from(path)))
            }
            Some(("s3", place)) => bucket(place, settings, aws).map(Self::S3),
            _ => Err(Stop::usage(format!(
                "the storage URL has to start with file: or s3:, and {} does not",
                scheme(url)
            ))),
        }
    }
}

/// As people read it.
impl fmt::Display for Storage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(formatter, "folder {}", folder.display()),
            Self::S3(settings) => settings.fmt(formatter),
        }
    }
}

fn bucket(place: &str, settings: &Settings, aws: AwsVariables) -> Result<S3Settings, Stop> {
    let refuse = |why: &str| Err(Stop::usage(format!("the storage URL cannot be used: {why}")));
    let Some(place) = place.strip_prefix("//") else {
        return refuse("it has to be s3://<bucket> or s3://<bucket>/<prefix>");
    };
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    if place.contains(['@', '?', '#']) {
        return refuse(
            "it names a bucket and nothing else; keys are given in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        );
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if bucket.len() < 3 || !bucket.chars().all(is_name) {
        return refuse(&format!("'{bucket}' is no name of a bucket"));
    }
    let prefix = prefix.trim_matches('/');
    if prefix.split('/').any(|segment| matches!(segment, "." | "..")) || prefix.len() > 512 {
        return refuse("its prefix has to be at most 512 bytes long, without '.' and '..' as segments");
    }
    let endpoint = settings.s3_endpoint.as_deref().map(endpoint).transpose()?;
    let region = match (aws.region, &endpoint) {
        (Some(region), _) => region,
        (None, Some(_)) => ANY_REGION.to_owned(),
        (None, None) => {
            return Err(Stop::usage(
                "storage in S3 needs AWS_REGION, or ENTREPOT_S3_ENDPOINT for a server of one's own",
            ));
        }
    };
    let needed = |value: Option<String>, name: &str| {
        value.ok_or_else(|| Stop::usage(format!("storage in S3 needs {name}, which is not set")))
    };
    Ok(S3Settings {
        bucket: bucket.to_owned(),
        prefix: prefix.to_owned(),
        endpoint,
        region,
        credentials: S3Credentials {
            access_key_id: needed(aws.access_key_id, "AWS_ACCESS_KEY_ID")?,
            secret_access_key: needed(aws.secret_access_key, "AWS_SECRET_ACCESS_KEY")?,
            session_token: aws.session_token,
        },
        redirects: settings.storage_redirects.unwrap_or(false),
    })
}

/// Checks the address of a server.
fn endpoint(text: &str) -> Result<String, Stop> {
    let refuse = |why: &str| Err(Stop::usage(format!("the S3 endpoint cannot be used: {why}")));
    match Url::parse(text) {
        Err(error) => refuse(&error.to_string()),
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            refuse("it has to start with http: or https:")
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            refuse("it holds a user name; keys are given in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        }
        Ok(url) if url.query().is_some() || url.fragment().is_some() => {
            refuse("it has a query or a fragment")
        }
        Ok(url) => Ok(url.as_str().trim_end_matches('/').to_owned()),
    }
}
