//! Files of packages.

use async_graphql::{Context, Json, Object};
use domain::DigestAlgorithm;
use store::packages;

use super::metadata::PackageFileMetadata;
use crate::{
    context::ContextExt,
    outcome::{OrError, Outcome},
    relay::global_id::{PackagesPackageFileID, PackagesPackageID},
    scalars::Time,
    upload::claim::ReadClaim,
};

/// A file of a package.
pub(crate) struct PackageFile(pub(crate) packages::PackageFile);

/// A file of a package.
#[Object]
impl PackageFile {
    async fn id(&self) -> PackagesPackageFileID {
        self.0.id.into()
    }
    /// The package it belongs to (ours).
    async fn package_id(&self) -> PackagesPackageID {
        self.0.package_id.into()
    }
    /// Name, with `/` where the format has directories.
    async fn file_name(&self) -> &str {
        &self.0.file_name
    }
    /// The shelf it stands on, in formats that have some (ours).
    async fn channel(&self) -> Option<&str> {
        self.0.channel.as_deref()
    }
    /// Length in bytes, as a string.
    async fn size(&self) -> String {
        self.0.size.to_string()
    }
    /// Path of the download on the web.
    async fn download_path(&self) -> String {
        format!("/{}/-/package_files/{}/download", self.0.project_full_path, self.0.id)
    }
    /// MD5 in hexadecimal, where the format shows it.
    async fn file_md5(&self) -> Option<String> {
        self.0.digests.hex(DigestAlgorithm::Md5)
    }
    /// SHA-1 in hexadecimal, where the format shows it.
    async fn file_sha1(&self) -> Option<String> {
        self.0.digests.hex(DigestAlgorithm::Sha1)
    }
    /// SHA-256 in hexadecimal.
    async fn file_sha256(&self) -> Option<String> {
        self.0.digests.hex(DigestAlgorithm::Sha256)
    }
    /// SHA-512 in hexadecimal, where the format shows it (ours).
    async fn file_sha512(&self) -> Option<String> {
        self.0.digests.hex(DigestAlgorithm::Sha512)
    }
    /// When it was published.
    async fn created_at(&self) -> Time {
        self.0.created_at.into()
    }
    /// When it was last changed.
    async fn updated_at(&self) -> Time {
        self.0.updated_at.into()
    }
    /// Metadata of the formats that keep some with the file.
    async fn file_metadata(&self) -> Option<PackageFileMetadata> {
        PackageFileMetadata::of(&self.0)
    }
    /// Named properties kept with the file (ours).
    async fn properties(&self) -> Json<&serde_json::Value> {
        Json(&self.0.properties)
    }
    /// A right to read the bytes for some minutes, at `/api/v4/package_downloads/<ticket>`, issued because the caller may pull
    /// the file (ours). With countDownload the package counts as downloaded now.
    async fn ticket(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = true)] count_download: bool,
    ) -> Outcome<String> {
        if count_download {
            packages::note_download(ctx.store(), self.0.package_id, ctx.now());
        }
        ReadClaim::new(self.0.digests.sha256, self.0.package_id).seal(ctx.state()).or_error()
    }
}
