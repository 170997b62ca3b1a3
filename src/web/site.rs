//! Where the pages stand, as browsers see it.

use std::sync::Arc;

use gateway::Gateway;
use url::Url;

use crate::local_path::LocalPath;

/// What every link and every cookie depends on. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Site {
    /// What addresses of pages start with: the path of the external URL, without a slash at the end.
    base: Arc<str>,
    /// Whether browsers come over HTTPS.
    pub(crate) is_secure: bool,
}

impl Site {
    /// The site that `gateway` belongs to.
    pub(crate) fn of(gateway: &Gateway) -> Self {
        let base = Url::parse(gateway.external_url()).map(|url| url.path().trim_end_matches('/').to_owned());
        Self { base: base.unwrap_or_default().into(), is_secure: gateway.is_secure() }
    }

    /// What addresses of pages start with.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The address of a path of ours.
    pub(crate) fn address(&self, path: &LocalPath) -> String {
        format!("{}{}", self.base, path.as_str())
    }
}
