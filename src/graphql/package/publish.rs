//! Publishing: claims are checked, the archive is inspected, the bytes are made durable, one transaction makes it visible.

use std::sync::Arc;

use access::{Action, Identity};
use async_graphql::{Context, InputObject, Json, Object, SimpleObject};
use blob::{Staged, StagedContent};
use domain::{
    DigestAlgorithm, ErrorCode, Failure, Subject,
    rules::{FormatRules, IncomingFile, Inspection, Publication},
};
use serde_json::Value;
use store::IdOrPath;
use store::packages::{self, Author, NewFile, NewPublication};

use super::{
    file::PackageFile,
    inputs::{PackageStatus, PackageTypeEnum},
    query::Coordinates,
    scope::open_project,
    tag::validate_tag,
    types::{Node, Package},
};
use crate::{
    context::{ContextExt, State},
    outcome::{OrError, Outcome},
    relay::global_id::PackagesUploadID,
    upload::claim::UploadClaim,
};

/// Most files in one publish.
const MAX_FILES: usize = 100;
/// Most tags set by one publish.
const MAX_TAGS: usize = 20;

/// A version to publish, or files to add to one.
#[derive(InputObject)]
pub(crate) struct PublishPackageInput {
    /// Full path or decimal id.
    project_path: async_graphql::ID,
    package_type: PackageTypeEnum,
    name: String,
    /// Left out for packages without versions.
    version: Option<String>,
    files: Vec<PublishFileInput>,
    /// What the client says about the version, in the format's own words (npm: the manifest of the version).
    metadata: Option<Json<Value>>,
    /// Tags to point at the version.
    tags: Option<Vec<String>>,
    /// DEFAULT or HIDDEN.
    status: Option<PackageStatus>,
}

/// A file to publish.
#[derive(Clone, InputObject)]
pub(crate) struct PublishFileInput {
    upload_id: PackagesUploadID,
    /// The name to publish under; the upload's own when left out.
    file_name: Option<String>,
    /// Expected MD5 in hexadecimal; a mismatch is refused, as with the other digests.
    md5: Option<String>,
    /// Expected SHA-1 in hexadecimal.
    sha1: Option<String>,
    /// Expected SHA-256 in hexadecimal.
    sha256: Option<String>,
    /// Expected SHA-512 in hexadecimal.
    sha512: Option<String>,
    /// The shelf it stands on, for formats that have some.
    channel: Option<String>,
    /// Named properties to keep with the file.
    properties: Option<Json<Value>>,
}

/// What was published.
#[derive(SimpleObject)]
pub(crate) struct PublishPackagePayload {
    package: Option<Package>,
    /// The files, in the order they were given.
    package_files: Option<Vec<PackageFile>>,
    errors: Vec<String>,
}

/// A file whose upload was found.
struct Arrived {
    file_name: String,
    channel: Option<String>,
    properties: Value,
    staged: Staged,
}

#[derive(Default)]
pub(crate) struct PublishMutation;

#[Object]
impl PublishMutation {
    /// Publishes a version, or adds files to one: one transaction, visible as a whole or not at all (ours).
    async fn publish_package(
        &self,
        ctx: &Context<'_>,
        input: PublishPackageInput,
    ) -> Outcome<Option<PublishPackagePayload>> {
        publish(ctx, input).await.map(Some).or_error()
    }
}

async fn publish(ctx: &Context<'_>, input: PublishPackageInput) -> Result<PublishPackagePayload, Failure> {
    let project =
        open_project(ctx, IdOrPath::from(input.project_path.as_str()), Action::PublishPackages).await?;
    let Coordinates { rules, name, version } =
        Coordinates::parse(ctx, input.package_type, &input.name, input.version.as_deref())?;
    check_shape(rules, &input)?;
    let tags = input.tags.unwrap_or_default();
    for tag in &tags {
        validate_tag(tag)?;
    }
    let mut arrived = Vec::with_capacity(input.files.len());
    for (index, file) in input.files.iter().enumerate() {
        let file = find_upload(ctx, file, index, project.id, rules).await?;
        rules.file_name(&name, version.as_ref(), &file.file_name)?;
        arrived.push(file);
    }
    let claimed = input.metadata.map_or(Value::Null, |metadata| metadata.0);
    refuse_nul("metadata", &claimed)?;
    let state = Arc::clone(ctx.data_unchecked::<Arc<State>>());
    let inspected = inspect(&state, rules, (name, version), arrived, claimed).await?;
    let staged: Vec<_> = inspected.files.iter().map(|file| file.staged.clone()).collect();
    let author = match ctx.viewer().identity() {
        Identity::User { id, .. } => Author { user: Some(id), deploy_token: None },
        Identity::DeployToken { id, .. } => Author { user: None, deploy_token: Some(id) },
        Identity::Anonymous => Author::default(),
    };
    let publication = NewPublication {
        project: project.id,
        rules,
        republish: rules.republish(),
        name: inspected.name,
        version: inspected.version,
        files: inspected.files.into_iter().map(new_file).collect(),
        metadata: inspected.found.metadata,
        dependencies: inspected.found.dependencies,
        tags,
        status: input.status.map(Into::into),
        author,
    };
    packages::check(&state.store, &publication).await?;
    for file in &staged {
        state.blobs.promote(file.id, file.key()).await?;
    }
    let published = packages::publish(&state.store, publication, ctx.now()).await?;
    for Staged { id, .. } in staged {
        // Published already: what is left of an upload's manifest goes with the next sweep at the latest.
        if let Err(error) = state.blobs.remove_staged(id).await {
            tracing::warn!(%error, upload.id = %id, "The rest of a published upload stays until the next sweep");
        }
    }
    answer(ctx, &published).await
}

async fn answer(
    ctx: &Context<'_>,
    published: &packages::Published,
) -> Result<PublishPackagePayload, Failure> {
    let package = packages::find(ctx.store(), ctx.viewer(), published.package, ctx.now()).await?;
    let package = crate::gate::authorize(ctx, package, Subject::Package, Action::PublishPackages)?;
    let mut files = Vec::new();
    if ctx.look_ahead().field("packageFiles").exists() {
        for id in &published.files {
            let file = packages::find_file_by_id(ctx.store(), ctx.viewer(), *id, ctx.now()).await?;
            files.push(PackageFile(crate::gate::authorize(
                ctx,
                file,
                Subject::PackageFile,
                Action::PublishPackages,
            )?));
        }
    }
    Ok(PublishPackagePayload {
        package: Some(Node::alone(package).into()),
        package_files: Some(files),
        errors: Vec::new(),
    })
}

fn check_shape(rules: &'static dyn FormatRules, input: &PublishPackageInput) -> Result<(), Failure> {
    if input.version.is_none() && !rules.allows_versionless() {
        return Err(Failure::invalid("version", "Version can't be blank"));
    }
    if input.files.is_empty() || input.files.len() > MAX_FILES {
        return Err(Failure::invalid("files", format!("From 1 to {MAX_FILES} files are published at once")));
    }
    if input.tags.as_ref().is_some_and(|tags| tags.len() > MAX_TAGS) {
        return Err(Failure::invalid("tags", format!("At most {MAX_TAGS} tags are set at once")));
    }
    match input.status {
        None | Some(PackageStatus::Default | PackageStatus::Hidden) => Ok(()),
        Some(_) => Err(Failure::invalid("status", "A package is published as DEFAULT or HIDDEN")),
    }
}

/// PostgreSQL cannot keep U+0000 in JSON, and no format means anything by it.
fn refuse_nul(field: &'static str, value: &Value) -> Result<(), Failure> {
    let refused = match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => return items.iter().try_for_each(|item| refuse_nul(field, item)),
        Value::Object(fields) => {
            if fields.keys().all(|key| !key.contains('\0')) {
                return fields.values().try_for_each(|value| refuse_nul(field, value));
            }
            true
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    };
    if refused { Err(Failure::invalid(field, "Text must not contain the character U+0000")) } else { Ok(()) }
}

/// The upload that a file names: it must have been made for this caller, project and format, and its bytes must be there.
async fn find_upload(
    ctx: &Context<'_>,
    file: &PublishFileInput,
    index: usize,
    project: domain::ProjectId,
    rules: &'static dyn FormatRules,
) -> Result<Arrived, Failure> {
    let state = ctx.state();
    let claim = UploadClaim::open(state, ctx.caller(), &file.upload_id.0)?;
    if claim.project != project || claim.format() != Some(rules.format()) {
        return Err(Failure::invalid(
            format!("files.{index}.uploadId"),
            "The upload was made for another project or package type",
        ));
    }
    let staged = match state.arrived.get(claim.staging()?) {
        Some(staged) => staged,
        None => {
            Staged::load(&*state.blobs, claim.staging()?)
                .await?
                .ok_or_else(|| {
                    Failure::new(
                        ErrorCode::NotFound,
                        "Nothing was uploaded, or the upload was published already",
                    )
                    .about(Subject::Upload)
                })?
                .staged
        }
    };
    check_digests(file, index, &staged)?;
    let properties =
        file.properties.clone().map_or_else(|| Value::Object(serde_json::Map::new()), |json| json.0);
    refuse_nul("properties", &properties)?;
    Ok(Arrived {
        file_name: file.file_name.clone().unwrap_or(claim.file_name),
        channel: file.channel.clone(),
        properties,
        staged,
    })
}

fn check_digests(file: &PublishFileInput, index: usize, staged: &Staged) -> Result<(), Failure> {
    for (name, expected, algorithm) in [
        ("md5", &file.md5, DigestAlgorithm::Md5),
        ("sha1", &file.sha1, DigestAlgorithm::Sha1),
        ("sha256", &file.sha256, DigestAlgorithm::Sha256),
        ("sha512", &file.sha512, DigestAlgorithm::Sha512),
    ] {
        let Some(expected) = expected else { continue };
        let field = || format!("files.{index}.{name}");
        let actual = staged.digests.hex(algorithm).ok_or_else(|| {
            Failure::invalid(field(), format!("{name} is not computed for packages of this type"))
        })?;
        if !actual.eq_ignore_ascii_case(expected) {
            let message =
                format!("The {name} of the uploaded file is {actual}, but {expected} was announced");
            return Err(Failure::invalid(field(), message));
        }
    }
    Ok(())
}

/// A publication whose archive was read.
struct Inspected {
    name: domain::PackageName,
    version: Option<domain::PackageVersion>,
    files: Vec<Arrived>,
    found: Inspection,
}

/// Lets the format read the archive, on a blocking thread.
async fn inspect(
    state: &Arc<State>,
    rules: &'static dyn FormatRules,
    (name, version): (domain::PackageName, Option<domain::PackageVersion>),
    mut files: Vec<Arrived>,
    claimed: Value,
) -> Result<Inspected, Failure> {
    let blobs = Arc::clone(&state.blobs);
    let task = tokio::task::spawn_blocking(move || {
        let contents: Vec<_> = files
            .iter()
            .map(|file| StagedContent { store: Arc::clone(&blobs), id: file.staged.id })
            .collect();
        let incoming = files
            .iter()
            .zip(&contents)
            .map(|(file, content)| IncomingFile {
                file_name: file.file_name.clone(),
                size: file.staged.size,
                digests: file.staged.digests.clone(),
                properties: file.properties.clone(),
                content,
            })
            .collect();
        let publication =
            Publication { name: &name, version: version.as_ref(), files: incoming, metadata: claimed };
        let mut found = rules.inspect(&publication)?;
        drop(publication);
        for (file, properties) in files.iter_mut().zip(std::mem::take(&mut found.file_properties)) {
            file.properties = properties;
        }
        refuse_nul("metadata", &found.metadata)?;
        Ok(Inspected { name, version, files, found })
    });
    task.await.map_err(|error| {
        tracing::error!(%error, package.format = rules.format().slug(), "an inspector panicked");
        Failure::internal()
    })?
}

fn new_file(file: Arrived) -> NewFile {
    NewFile {
        file_name: file.file_name,
        channel: file.channel,
        properties: file.properties,
        size: file.staged.size,
        digests: file.staged.digests,
    }
}
