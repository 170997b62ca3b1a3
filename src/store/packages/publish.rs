//! Publishing: one transaction from the name's row to the ready pieces of its index documents.

use domain::{
    Digests, EventKind, Failure, PackageFileId, PackageFormat, PackageId, PackageName, PackageStatus,
    PackageVersion, PipelineId, ProjectId, Subject,
    rules::{DeclaredDependency, FormatRules, Republish},
};
use sea_orm::{ConnectionTrait, FromQueryResult, Value};
use time::OffsetDateTime;

use super::{
    Author, dependencies,
    destroy::{FILE_DELETED, bury_file},
    fragments::{self, Change, ChangedDocuments},
    republish::{refuse_repetition, refuse_republish, refuse_resurrection},
    tags,
};
use crate::{
    Result, Store, Tx,
    audit_events::{self, Actor, Done},
    blobs::refuse_removed,
    convert::stored,
    rows,
};

/// A file to publish. Its bytes are durable already.
#[derive(Clone)]
pub struct NewFile {
    /// Its name.
    pub file_name: String,
    /// The shelf it stands on.
    pub channel: Option<String>,
    /// Named properties.
    pub properties: serde_json::Value,
    /// Length in bytes.
    pub size: u64,
    /// Digests of its content.
    pub digests: Digests,
    /// A published file, opened for it, that this one takes the place of: gone in the same transaction.
    pub replaces: Option<ReplacedFile>,
    /// Whether the bytes are taken as they are stored, rather than made durable for this publish.
    pub is_stored: bool,
    /// How often somebody had set out to remove the same bytes, as [`crate::blobs::claim`] notes it; 0 without that.
    pub removals: i64,
}

/// A file that goes when another is published.
#[derive(Clone, Copy)]
pub struct ReplacedFile {
    /// The file.
    pub id: PackageFileId,
    /// The version it belongs to.
    pub package: PackageId,
    /// The rules of its format.
    pub rules: &'static dyn FormatRules,
}

/// What to publish, checked and inspected.
pub struct NewPublication {
    /// The project, opened for publishing.
    pub project: ProjectId,
    /// The rules of the format.
    pub rules: &'static dyn FormatRules,
    /// What a second publish of the version means here.
    pub republish: Republish,
    /// The name.
    pub name: PackageName,
    /// The version.
    pub version: Option<PackageVersion>,
    /// The files.
    pub files: Vec<NewFile>,
    /// Metadata of the version.
    pub metadata: serde_json::Value,
    /// What it depends on.
    pub dependencies: Vec<DeclaredDependency>,
    /// Tags to point at it.
    pub tags: Vec<String>,
    /// Its status, when the client gave one.
    pub status: Option<PackageStatus>,
    /// Who publishes.
    pub author: Author,
}

/// What became of a publication.
#[derive(Clone, Debug)]
pub struct Published {
    /// The version.
    pub package: PackageId,
    /// The files, in the order they were given.
    pub files: Vec<PackageFileId>,
    /// Whether the version is new, rather than grown.
    pub is_new: bool,
}

/// Publishes. Everything is visible when this answers, nothing before, and nothing ever when it fails.
pub async fn publish(store: &Store, publication: NewPublication, now: OffsetDateTime) -> Result<Published> {
    store
        .write((store.actor(), publication), move |tx, (actor, publication)| {
            Box::pin(async move {
                let published = write(tx, publication, now).await?;
                note(tx, actor, publication, &published, now).await?;
                Ok(published)
            })
        })
        .await
}

/// Writes down what was published, and what went for it.
async fn note(
    tx: &Tx,
    actor: &Actor,
    publication: &NewPublication,
    published: &Published,
    now: OffsetDateTime,
) -> Result<()> {
    let done = if published.is_new {
        Done::new(EventKind::PackagePublished, "published")
    } else {
        Done::new(EventKind::PackageFilesAdded, "files added")
    };
    audit_events::note(tx, actor, &done, published.package.0, now).await?;
    for replaced in publication.files.iter().filter_map(|file| file.replaces) {
        audit_events::note(tx, actor, &FILE_DELETED, replaced.package.0, now).await?;
    }
    Ok(())
}

/// A row of which only the id is wanted.
#[derive(FromQueryResult)]
pub(super) struct Id {
    pub(super) id: i64,
}

/// The id in the one row that an insert returns.
async fn returned_id(tx: &Tx, sql: &'static str, values: Vec<Value>) -> Result<i64> {
    let row: Option<Id> = rows::one_sql(tx, sql, values).await?;
    Ok(row.ok_or_else(Failure::internal)?.id)
}

async fn write(tx: &Tx, publication: &NewPublication, now: OffsetDateTime) -> Result<Published> {
    refuse_repetition(publication)?;
    let name_id = name_row(tx, publication, now).await?;
    let existing = live_version(tx, name_id, publication.version.as_ref()).await?;
    let package = match existing {
        Some(package) => {
            refuse_republish(tx, publication, package).await?;
            refuse_resurrection(tx, name_id, publication).await?;
            update_version(tx, package, publication, now).await?;
            package
        }
        None => {
            refuse_resurrection(tx, name_id, publication).await?;
            let package = insert_version(tx, name_id, publication, now).await?;
            dependencies::insert(tx, package, &publication.dependencies).await?;
            package
        }
    };
    let mut files = Vec::with_capacity(publication.files.len());
    for file in &publication.files {
        files.push(PackageFileId(insert_file(tx, package, (file, publication.author.pipeline), now).await?));
    }
    if let Some(pipeline) = publication.author.pipeline {
        rows::execute(
            tx,
            "INSERT INTO package_pipelines (package_id, pipeline_id, created_at) VALUES ($1, $2, $3) \
             ON CONFLICT (package_id, pipeline_id) DO NOTHING",
            [Value::from(package), pipeline.0.into(), stored(now).into()],
        )
        .await?;
    }
    tags::point(tx, name_id, package, &publication.tags, now).await?;
    let mut changed = ChangedDocuments::default();
    for ReplacedFile { id, package, rules } in publication.files.iter().filter_map(|file| file.replaces) {
        bury_file(tx, Some(rules), (id, package), now, &mut changed).await?;
    }
    let change = if existing.is_some() { Change::NewFiles(&files) } else { Change::NewVersion(&files) };
    fragments::render(tx, publication.rules, package, change, &mut changed).await?;
    changed.raise(tx, now).await?;
    Ok(Published { package: PackageId(package), files, is_new: existing.is_none() })
}

/// The row of the name, made if need be, with its revision raised. Holds off other publishers of the same name until the
/// transaction ends.
async fn name_row(tx: &Tx, publication: &NewPublication, now: OffsetDateTime) -> Result<i64> {
    let row: Option<Id> = rows::one_sql(
        tx,
        "INSERT INTO package_names (project_id, format, name, name_key, revision, created_at, updated_at) \
         SELECT p.id, $2, $3, $4, 1, $5, $5 FROM projects p WHERE p.id = $1 AND p.deleted_at IS NULL \
         ON CONFLICT (project_id, format, name_key) \
         DO UPDATE SET revision = package_names.revision + 1, updated_at = excluded.updated_at RETURNING id",
        [
            Value::from(publication.project.0),
            publication.rules.format().number().into(),
            publication.name.display.as_str().into(),
            publication.name.key.as_str().into(),
            stored(now).into(),
        ],
    )
    .await?;
    Ok(row.ok_or_else(|| Failure::not_found(Subject::Project))?.id)
}

/// Raises the revision of a name, so that every document of it is made anew.
pub(super) async fn touch_name(tx: &Tx, name_id: i64, now: OffsetDateTime) -> Result<()> {
    rows::execute(
        tx,
        "UPDATE package_names SET revision = revision + 1, updated_at = $1 WHERE id = $2",
        [Value::from(stored(now)), name_id.into()],
    )
    .await?;
    Ok(())
}

/// The version that is there, if it is.
pub(super) async fn live_version(
    connection: &impl ConnectionTrait,
    name_id: i64,
    version: Option<&PackageVersion>,
) -> Result<Option<i64>> {
    let key = version.map(|version| version.key.as_str());
    let row: Option<Id> = rows::one_sql(
        connection,
        "SELECT id FROM packages WHERE name_id = $1 AND deleted_at IS NULL \
         AND (version_key = $2 OR (version_key IS NULL AND CAST($2 AS TEXT) IS NULL))",
        [Value::from(name_id), key.into()],
    )
    .await?;
    Ok(row.map(|row| row.id))
}

async fn insert_version(
    tx: &Tx,
    name_id: i64,
    publication: &NewPublication,
    now: OffsetDateTime,
) -> Result<i64> {
    let version = publication.version.as_ref();
    returned_id(
        tx,
        "INSERT INTO packages (name_id, project_id, format, name, version, version_key, version_order, status, metadata, \
         creator_id, deploy_token_id, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12) RETURNING id",
        vec![
            name_id.into(),
            publication.project.0.into(),
            publication.rules.format().number().into(),
            publication.name.display.as_str().into(),
            version.map(|version| version.display.as_str()).into(),
            version.map(|version| version.key.as_str()).into(),
            version.map(|version| version.order.as_str()).into(),
            publication.status.unwrap_or(PackageStatus::Default).number().into(),
            publication.metadata.clone().into(),
            publication.author.user.map(|user| user.0).into(),
            publication.author.deploy_token.map(|token| token.0).into(),
            stored(now).into(),
        ],
    )
    .await
}

/// Writes what a further publish says of a version. Metadata of `null` says nothing.
async fn update_version(
    tx: &Tx,
    package: i64,
    publication: &NewPublication,
    now: OffsetDateTime,
) -> Result<()> {
    // GitLab's rule for generic packages. For all others hiding a version that is there takes the right to delete.
    let status = publication.status.filter(|_| publication.rules.format() == PackageFormat::Generic);
    let status = status.map(PackageStatus::number);
    if publication.metadata.is_null() {
        rows::execute(
            tx,
            "UPDATE packages SET status = COALESCE($1, status), updated_at = $2 WHERE id = $3",
            [Value::from(status), stored(now).into(), package.into()],
        )
        .await?;
        return Ok(());
    }
    rows::execute(
        tx,
        "UPDATE packages SET status = COALESCE($1, status), updated_at = $2, metadata = $4 WHERE id = $3",
        [Value::from(status), stored(now).into(), package.into(), publication.metadata.clone().into()],
    )
    .await?;
    dependencies::clear(tx, package).await?;
    dependencies::insert(tx, package, &publication.dependencies).await
}

async fn insert_file(
    tx: &Tx,
    package: i64,
    (file, pipeline): (&NewFile, Option<PipelineId>),
    now: OffsetDateTime,
) -> Result<i64> {
    let digest = |algorithm| Value::from(file.digests.hex(algorithm));
    #[derive(FromQueryResult)]
    struct Blob {
        id: i64,
        removals: i64,
    }
    // Whoever sets out to remove the bytes waits for this row, or is counted in `removals`.
    let blob: Option<Blob> = rows::one_sql(
        tx,
        "INSERT INTO blobs (sha256, size, md5, sha1, sha512, created_at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (sha256) DO UPDATE SET md5 = COALESCE(blobs.md5, excluded.md5), \
         sha1 = COALESCE(blobs.sha1, excluded.sha1), sha512 = COALESCE(blobs.sha512, excluded.sha512), \
         condemned_at = NULL, removed_at = NULL RETURNING id, removals",
        vec![
            file.digests.sha256.to_string().into(),
            i64::try_from(file.size).map_err(|_| Failure::internal())?.into(),
            digest(domain::DigestAlgorithm::Md5),
            digest(domain::DigestAlgorithm::Sha1),
            digest(domain::DigestAlgorithm::Sha512),
            stored(now).into(),
        ],
    )
    .await?;
    let Blob { id: blob, removals } = blob.ok_or_else(Failure::internal)?;
    refuse_removed(&file.file_name, file.removals, removals)?;
    returned_id(
        tx,
        "INSERT INTO package_files (package_id, blob_id, file_name, channel, properties, pipeline_id, status, created_at, \
         updated_at) VALUES ($1, $2, $3, $4, $5, $7, 0, $6, $6) RETURNING id",
        vec![
            package.into(),
            blob.into(),
            file.file_name.as_str().into(),
            file.channel.clone().into(),
            file.properties.clone().into(),
            stored(now).into(),
            pipeline.map(|pipeline| pipeline.0).into(),
        ],
    )
    .await
}
