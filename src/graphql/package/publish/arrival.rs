//! The files of a publish: uploads that were made for it, and published files that are published once more.

use std::sync::Arc;

use access::Action;
use async_graphql::Context;
use blob::{BlobStore, Staged, StagedContent, StoredContent};
use domain::{
    Digests, ErrorCode, Failure, PackageFileId, ProjectId, Subject,
    rules::{Content, FormatRules, IncomingFile},
};
use serde_json::Value;
use store::packages::{self, NewFile, ReplacedFile};

use super::{
    super::query::open_file,
    input::{PublishFileInput, check_digests},
};
use crate::{context::ContextExt, gate, protection_rule::authorize_package, upload::claim::UploadClaim};

/// A file whose bytes were found.
pub(super) struct Arrived {
    pub(super) file_name: String,
    pub(super) channel: Option<String>,
    pub(super) properties: Value,
    pub(super) origin: Origin,
}

/// Where the bytes of a file are.
pub(super) enum Origin {
    /// In an upload, not durable yet.
    Upload(Staged),
    /// Stored already, for another file.
    Stored { size: u64, digests: Digests, replaces: Option<ReplacedFile> },
}

impl Arrived {
    /// Its length and digests.
    pub(super) const fn size_and_digests(&self) -> (u64, &Digests) {
        match &self.origin {
            Origin::Upload(staged) => (staged.size, &staged.digests),
            Origin::Stored { size, digests, .. } => (*size, digests),
        }
    }

    /// The upload it is in, which is to be made durable.
    pub(super) const fn upload(&self) -> Option<&Staged> {
        match &self.origin {
            Origin::Upload(staged) => Some(staged),
            Origin::Stored { .. } => None,
        }
    }

    /// Its bytes, for an inspector.
    pub(super) fn content(&self, blobs: &Arc<dyn BlobStore>) -> Box<dyn Content> {
        let store = Arc::clone(blobs);
        match &self.origin {
            Origin::Upload(staged) => Box::new(StagedContent { store, id: staged.id }),
            Origin::Stored { digests, .. } => Box::new(StoredContent { store, key: digests.sha256.into() }),
        }
    }

    /// The file as the format's rules see it.
    pub(super) fn incoming<'a>(&self, content: &'a dyn Content) -> IncomingFile<'a> {
        let (size, digests) = self.size_and_digests();
        IncomingFile {
            file_name: self.file_name.clone(),
            channel: self.channel.clone(),
            size,
            digests: digests.clone(),
            properties: self.properties.clone(),
            content,
        }
    }
}

impl From<Arrived> for NewFile {
    fn from(file: Arrived) -> Self {
        let (size, digests, replaces, is_stored) = match file.origin {
            Origin::Upload(staged) => (staged.size, staged.digests, None, false),
            Origin::Stored { size, digests, replaces } => (size, digests, replaces, true),
        };
        Self {
            file_name: file.file_name,
            channel: file.channel,
            properties: file.properties,
            size,
            digests,
            replaces,
            is_stored,
            removals: 0,
        }
    }
}

/// The file that `file` describes, its bytes found and its digests compared.
pub(super) async fn find(
    ctx: &Context<'_>,
    file: &PublishFileInput,
    index: usize,
    project: ProjectId,
    rules: &'static dyn FormatRules,
) -> Result<Arrived, Failure> {
    let properties =
        file.properties.clone().map_or_else(|| Value::Object(serde_json::Map::new()), |json| json.0);
    let (known_name, origin) = match (&file.upload_id, &file.source_file_id) {
        (Some(upload), None) => find_upload(ctx, &upload.0, index, project, rules).await?,
        (None, Some(source)) => find_source(ctx, source.0, file.remove_source, project, rules).await?,
        (Some(_), Some(_)) | (None, None) => {
            let message = "A file is published from an upload or from a source file: give one of the two";
            return Err(Failure::invalid(format!("files.{index}"), message));
        }
    };
    let arrived = Arrived {
        file_name: file.file_name.clone().unwrap_or(known_name),
        channel: file.channel.clone(),
        properties,
        origin,
    };
    check_digests(file, index, arrived.size_and_digests().1)?;
    Ok(arrived)
}

/// The upload that a file names: it must have been made for this caller, project and format, and its bytes must be there.
async fn find_upload(
    ctx: &Context<'_>,
    upload: &str,
    index: usize,
    project: ProjectId,
    rules: &'static dyn FormatRules,
) -> Result<(String, Origin), Failure> {
    let state = ctx.state();
    let claim = UploadClaim::open(state, ctx.caller(), upload)?;
    if claim.project != project || claim.format() != Some(rules.format()) {
        return Err(Failure::invalid(
            format!("files.{index}.uploadId"),
            "The upload was made for another project or package type",
        ));
    }
    let staged = match state.arrived.get(claim.staging()?) {
        Some(staged) => staged,
        None => {
            let found = Staged::load(&*state.blobs, claim.staging()?).await?;
            let missing = "Nothing was uploaded, or the upload was published already";
            found.ok_or_else(|| Failure::new(ErrorCode::NotFound, missing).about(Subject::Upload))?.staged
        }
    };
    Ok((claim.file_name, Origin::Upload(staged)))
}

/// A published file that the caller may pull, and may take away if it is to go.
async fn find_source(
    ctx: &Context<'_>,
    source: PackageFileId,
    remove: bool,
    project: ProjectId,
    rules: &'static dyn FormatRules,
) -> Result<(String, Origin), Failure> {
    let file = open_file(ctx, source, Action::PullPackages).await?;
    let mut replaces = None;
    if remove {
        let package = packages::find(ctx.store(), ctx.viewer(), file.package_id, ctx.now()).await?;
        let guarded = package.clone();
        let package = gate::authorize_package(ctx, package, Action::ViewPackages)?;
        // What waits in a package without version waits for whoever may publish here.
        let waits =
            file.project_id == project && package.format == rules.format() && package.version.is_none();
        if !waits {
            authorize_package(ctx, guarded, Action::DestroyPackages).await?;
        }
        let rules = ctx.state().rules.get(package.format)?;
        replaces = Some(ReplacedFile { id: file.id, package: file.package_id, rules });
    }
    Ok((file.file_name, Origin::Stored { size: file.size, digests: file.digests, replaces }))
}
