//! Files of packages.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, Json, Object};
use domain::{DigestAlgorithm, Failure, PipelineId};
use store::{
    Cursor, Page,
    packages::{self, FileSort},
};

use super::metadata::PackageFileMetadata;
use crate::{
    context::ContextExt,
    outcome::{OrError, Outcome},
    pipeline::{Pipeline, pipelines_with_ids},
    relay::global_id::{PackagesPackageFileID, PackagesPackageID},
    scalars::Time,
    upload::claim::ReadClaim,
};

/// A file of a package.
pub(crate) struct PackageFile {
    row: packages::PackageFile,
    /// Those of the whole list, where it loaded them.
    pipelines: Option<Arc<HashMap<PipelineId, Pipeline>>>,
}

impl PackageFile {
    /// The files of a list, with their pipelines if those are asked for: three statements more.
    pub(super) async fn of_page(
        ctx: &Context<'_>,
        page: Page<packages::PackageFile>,
    ) -> Result<Page<Self>, Failure> {
        let nodes = [ctx.look_ahead().field("nodes"), ctx.look_ahead().field("edges").field("node")];
        let mut pipelines = None;
        if nodes.iter().any(|node| node.field("pipeline").exists()) {
            let mut ids: Vec<_> = page.rows.iter().filter_map(|file| file.pipeline_id).collect();
            ids.sort_unstable();
            ids.dedup();
            pipelines = Some(Arc::new(pipelines_with_ids(ctx, &ids).await?));
        }
        Ok(page.map(|row| Self { row, pipelines: pipelines.clone() }))
    }

    /// What a cursor to it holds in a list sorted like this.
    pub(super) fn cursor(&self, sort: FileSort) -> Cursor {
        Cursor { sort: sort.value(&self.row), id: self.row.id.0 }
    }
}

impl From<packages::PackageFile> for PackageFile {
    fn from(row: packages::PackageFile) -> Self {
        Self { row, pipelines: None }
    }
}

/// A file of a package.
#[Object]
impl PackageFile {
    async fn id(&self) -> PackagesPackageFileID {
        self.row.id.into()
    }
    /// The package it belongs to (ours).
    async fn package_id(&self) -> PackagesPackageID {
        self.row.package_id.into()
    }
    /// Name, with `/` where the format has directories.
    async fn file_name(&self) -> &str {
        &self.row.file_name
    }
    /// The shelf it stands on, in formats that have some (ours).
    async fn channel(&self) -> Option<&str> {
        self.row.channel.as_deref()
    }
    /// Length in bytes, as a string.
    async fn size(&self) -> String {
        self.row.size.to_string()
    }
    /// Path of the download on the web.
    async fn download_path(&self) -> String {
        format!("/{}/-/package_files/{}/download", self.row.project_full_path, self.row.id)
    }
    /// MD5 in hexadecimal, where the format shows it.
    async fn file_md5(&self) -> Option<String> {
        self.row.digests.hex(DigestAlgorithm::Md5)
    }
    /// SHA-1 in hexadecimal, where the format shows it.
    async fn file_sha1(&self) -> Option<String> {
        self.row.digests.hex(DigestAlgorithm::Sha1)
    }
    /// SHA-256 in hexadecimal.
    async fn file_sha256(&self) -> Option<String> {
        self.row.digests.hex(DigestAlgorithm::Sha256)
    }
    /// SHA-512 in hexadecimal, where the format shows it (ours).
    async fn file_sha512(&self) -> Option<String> {
        self.row.digests.hex(DigestAlgorithm::Sha512)
    }
    /// When it was published.
    async fn created_at(&self) -> Time {
        self.row.created_at.into()
    }
    /// When it was last changed.
    async fn updated_at(&self) -> Time {
        self.row.updated_at.into()
    }
    /// The pipeline whose job published it (ours). Null where none did, or the caller may not know its project.
    async fn pipeline(&self, ctx: &Context<'_>) -> Outcome<Option<Pipeline>> {
        let Some(id) = self.row.pipeline_id else { return Ok(None) };
        match &self.pipelines {
            Some(pipelines) => Ok(pipelines.get(&id).cloned()),
            None => Ok(pipelines_with_ids(ctx, &[id]).await.or_error()?.remove(&id)),
        }
    }
    /// Metadata of the formats that keep some with the file.
    async fn file_metadata(&self) -> Option<PackageFileMetadata> {
        PackageFileMetadata::of(&self.row)
    }
    /// Named properties kept with the file (ours).
    async fn properties(&self) -> Json<&serde_json::Value> {
        Json(&self.row.properties)
    }
    /// A right to read the bytes for some minutes, at `/api/v4/package_downloads/<ticket>`, issued because the caller may pull
    /// the file (ours). With countDownload the package counts as downloaded now.
    async fn ticket(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = true)] count_download: bool,
    ) -> Outcome<String> {
        if count_download {
            packages::note_download(ctx.store(), self.row.package_id, ctx.now());
        }
        ReadClaim::new(self.row.digests.sha256, self.row.package_id).seal(ctx.state()).or_error()
    }
}
