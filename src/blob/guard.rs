//! Uploads that are staged: what is known about them, and who cleans up after them.

use std::{io, ops::Deref, sync::Arc};

use bytes::Bytes;
use domain::{
    Digests, Sha256,
    rules::{Content, ReadSeek},
};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use crate::{BlobError, BlobKey, BlobStore, Result, StagingId};

/// A finished upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    /// What it is called until it is promoted.
    pub id: StagingId,
    /// Length in bytes.
    pub size: u64,
    /// Digests computed while it came in.
    pub digests: Digests,
}

/// A finished upload as another process finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedManifest {
    /// The upload.
    pub staged: Staged,
    /// Who uploaded it, in the caller's notation. Nobody else may publish it: comparing is the caller's duty.
    pub owner: String,
}

impl Staged {
    /// Where its content goes.
    pub fn key(&self) -> BlobKey {
        self.digests.sha256.into()
    }

    /// Keeps what is known about the upload in the store, for [`Self::load`].
    pub async fn save(&self, store: &dyn BlobStore, owner: &str) -> Result<()> {
        let manifest = ManifestFile {
            size: self.size,
            sha256: self.digests.sha256.to_string(),
            md5: self.digests.md5.map(hex::encode),
            sha1: self.digests.sha1.map(hex::encode),
            sha512: self.digests.sha512.as_deref().map(hex::encode),
            owner: owner.to_owned(),
        };
        let text = serde_json::to_vec(&manifest).expect("strings and a number make JSON");
        store.put_manifest(self.id, text.into()).await
    }

    /// What [`Self::save`] kept, whichever process did. It outlives the promotion: see [`BlobStore::promote`].
    pub async fn load(store: &dyn BlobStore, id: StagingId) -> Result<Option<StagedManifest>> {
        let Some(text) = store.get_manifest(id).await? else { return Ok(None) };
        parse_manifest(id, &text).map(Some).ok_or(BlobError::Corrupt("the manifest of an upload"))
    }

    /// The upload with the duty to remove it unless it is published. Needs a runtime around it.
    pub fn guard(self, store: Arc<dyn BlobStore>) -> StagedGuard {
        self.guard_on(store, Handle::current())
    }

    pub(crate) fn guard_on(self, store: Arc<dyn BlobStore>, runtime: Handle) -> StagedGuard {
        StagedGuard { staged: self, store: Some(store), runtime }
    }
}

fn parse_manifest(id: StagingId, text: &Bytes) -> Option<StagedManifest> {
    let manifest: ManifestFile = serde_json::from_slice(text).ok()?;
    let digests = Digests {
        sha256: Sha256(bytes(&manifest.sha256)?),
        md5: optional_bytes(manifest.md5.as_deref())?,
        sha1: optional_bytes(manifest.sha1.as_deref())?,
        sha512: optional_bytes(manifest.sha512.as_deref())?.map(Box::new),
    };
    Some(StagedManifest { staged: Staged { id, size: manifest.size, digests }, owner: manifest.owner })
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

#[expect(clippy::option_option, reason = "absent is fine, malformed is not")]
fn optional_bytes<const N: usize>(text: Option<&str>) -> Option<Option<[u8; N]>> {
    text.map_or(Some(None), |text| bytes(text).map(Some))
}

#[derive(Serialize, Deserialize)]
struct ManifestFile {
    size: u64,
    sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    md5: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha512: Option<String>,
    owner: String,
}

/// A finished upload that is removed when this is dropped, unless it was promoted or kept.
#[must_use = "dropping the guard removes the upload"]
pub struct StagedGuard {
    staged: Staged,
    /// None once there is nothing to remove.
    store: Option<Arc<dyn BlobStore>>,
    runtime: Handle,
}

impl StagedGuard {
    /// Moves the content to its address; see [`BlobStore::promote`]. If that fails, the upload is removed.
    pub async fn promote(self) -> Result<Staged> {
        if let Some(store) = &self.store {
            store.promote(self.staged.id, self.staged.key()).await?;
        }
        Ok(self.disarm())
    }

    /// Leaves the upload in the store for `owner` to publish later, perhaps through another process.
    pub async fn keep(self, owner: &str) -> Result<Staged> {
        if let Some(store) = &self.store {
            self.staged.save(&**store, owner).await?;
        }
        Ok(self.disarm())
    }

    /// Gives up the duty to remove the upload.
    pub fn disarm(mut self) -> Staged {
        self.store = None;
        self.staged.clone()
    }
}

impl Deref for StagedGuard {
    type Target = Staged;

    fn deref(&self) -> &Staged {
        &self.staged
    }
}

impl Drop for StagedGuard {
    fn drop(&mut self) {
        let Some(store) = self.store.take() else { return };
        let id = self.staged.id;
        self.runtime.spawn(async move {
            if let Err(error) = store.remove_staged(id).await {
                tracing::warn!(%error, upload.id = %id, "An abandoned upload stays until the next sweep");
            }
        });
    }
}

/// The bytes of a staged upload, as inspectors read them. Gone once the upload is promoted.
#[derive(Clone)]
pub struct StagedContent {
    /// Where it is staged.
    pub store: Arc<dyn BlobStore>,
    /// Under which id.
    pub id: StagingId,
}

impl Content for StagedContent {
    fn open(&self) -> io::Result<Box<dyn ReadSeek + '_>> {
        Ok(self.store.open_staged(self.id)?)
    }
}

/// The bytes of stored content, as inspectors read them.
#[derive(Clone)]
pub struct StoredContent {
    /// Where it is stored.
    pub store: Arc<dyn BlobStore>,
    /// Under which key.
    pub key: BlobKey,
}

impl Content for StoredContent {
    fn open(&self) -> io::Result<Box<dyn ReadSeek + '_>> {
        Ok(self.store.open_blob(self.key)?)
    }
}
