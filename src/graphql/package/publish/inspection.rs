//! What the format's rules read in the files, on a blocking thread.

use std::sync::Arc;

use domain::{
    Failure, PackageName, PackageVersion,
    rules::{FormatRules, Identity, Inspection, Publication},
};
use serde_json::Value;

use super::arrival::Arrived;
use crate::{context::State, nul};

/// A publication whose archives were read.
pub(super) struct Inspected {
    pub(super) name: PackageName,
    pub(super) version: Option<PackageVersion>,
    pub(super) files: Vec<Arrived>,
    pub(super) found: Inspection,
}

/// What a publish claims to be.
pub(super) struct Claim {
    pub(super) name: PackageName,
    pub(super) version: Option<PackageVersion>,
    pub(super) metadata: Value,
}

async fn blocking<T: Send + 'static>(
    rules: &'static dyn FormatRules,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, package.format = rules.format().slug(), "an inspector panicked");
        Failure::internal()
    })?
}

/// Lets the format read from the first file where it belongs. Gives the files back.
pub(super) async fn identify(
    state: &Arc<State>,
    rules: &'static dyn FormatRules,
    files: Vec<Arrived>,
) -> Result<(Identity, Vec<Arrived>), Failure> {
    let blobs = Arc::clone(&state.blobs);
    blocking(rules, move || {
        let first = files.first().ok_or_else(Failure::internal)?;
        let content = first.content(&blobs);
        let identity = rules.identify(&first.incoming(&*content))?;
        drop(content);
        Ok((identity, files))
    })
    .await
}

/// Lets the format read the archives and judge the claim.
pub(super) async fn inspect(
    state: &Arc<State>,
    rules: &'static dyn FormatRules,
    claim: Claim,
    mut files: Vec<Arrived>,
) -> Result<Inspected, Failure> {
    let blobs = Arc::clone(&state.blobs);
    blocking(rules, move || {
        let contents: Vec<_> = files.iter().map(|file| file.content(&blobs)).collect();
        let incoming = files.iter().zip(&contents).map(|(file, content)| file.incoming(&**content)).collect();
        let Claim { name, version, metadata } = claim;
        let publication = Publication { name: &name, version: version.as_ref(), files: incoming, metadata };
        let mut found = rules.inspect(&publication)?;
        drop(publication);
        for (file, properties) in files.iter_mut().zip(std::mem::take(&mut found.file_properties)) {
            file.properties = properties;
        }
        nul::check_json("metadata", &found.metadata)?;
        Ok(Inspected { name, version, files, found })
    })
    .await
}
