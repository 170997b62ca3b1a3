//! What index documents are made of.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use access::Action;
use async_graphql::{
    Context, ContextSelectionSet, Object, OutputType, Positioned, ServerResult, SimpleObject, Value,
    parser::types::Field, registry::Registry,
};
use domain::{Failure, PackageFormat, PackageNameId, Subject};
use sha2::{Digest, Sha256};
use store::packages::{self, IndexName};
use time::OffsetDateTime;

use super::{
    inputs::{PackageScopeInput, PackageStatus, PackageTypeEnum},
    query::Coordinates,
    scope::{Sought, missing, open_scope},
    types::{Node, Package},
};
use crate::{
    context::ContextExt,
    outcome::{OrError, Outcome},
    relay::global_id::PackagesPackageFileID,
    scalars::Time,
};

/// A tag and the version it points at.
#[derive(SimpleObject)]
pub(crate) struct PackageIndexTag {
    name: String,
    version: String,
}

/// A version's or a file's piece of a document.
#[derive(SimpleObject)]
pub(crate) struct PackageIndexEntry {
    version: Option<String>,
    created_at: Time,
    status: PackageStatus,
    /// The file it is of; null when it is of the version as a whole.
    file_id: Option<PackagesPackageFileID>,
    /// The piece; the character U+0001 stands for the external URL.
    fragment: String,
}

impl From<packages::IndexEntry> for PackageIndexEntry {
    fn from(entry: packages::IndexEntry) -> Self {
        Self {
            version: entry.version,
            created_at: entry.created_at.into(),
            status: entry.status.into(),
            file_id: entry.file.map(Into::into),
            fragment: entry.fragment,
        }
    }
}

/// The pieces of a document, a list of [`PackageIndexEntry`] that holds each piece once: they are taken out one by one and gone
/// as soon as they stand in the answer. A list of async-graphql's own keeps all of them, and a future for each, to the end.
pub(super) struct Pieces(Mutex<Vec<packages::IndexEntry>>);

impl From<Vec<packages::IndexEntry>> for Pieces {
    fn from(entries: Vec<packages::IndexEntry>) -> Self {
        Self(Mutex::new(entries))
    }
}

impl OutputType for Pieces {
    fn type_name() -> Cow<'static, str> {
        <Vec<PackageIndexEntry> as OutputType>::type_name()
    }

    fn qualified_type_name() -> String {
        <Vec<PackageIndexEntry> as OutputType>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Vec<PackageIndexEntry> as OutputType>::create_type_info(registry)
    }

    /// A resolver makes the list for one field, which resolves it once.
    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let entries = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut values = Vec::with_capacity(entries.len());
        for (position, entry) in entries.into_iter().enumerate() {
            let ctx = ctx.with_index(position);
            values.push(PackageIndexEntry::from(entry).resolve(&ctx, field).await?);
        }
        Ok(Value::List(values))
    }
}

/// The latest version of a name.
enum Latest {
    /// Nobody asked yet.
    Unknown,
    /// Loaded for a whole list at once; a name may have none.
    Loaded(Option<Arc<packages::Package>>),
}

/// Everything an index document of one package name is made of, as this caller sees it.
pub(crate) struct PackageIndex {
    format: PackageFormat,
    name: String,
    names: Vec<PackageNameId>,
    revision: String,
    updated_at: OffsetDateTime,
    latest: Latest,
}

/// The index of a name in a scope, opened for `action`.
pub(super) async fn open_index(
    ctx: &Context<'_>,
    scope: &PackageScopeInput,
    package_type: PackageTypeEnum,
    name: &str,
    action: Action,
) -> Result<PackageIndex, Failure> {
    let Coordinates { rules, name, .. } = Coordinates::parse(ctx, package_type, name, None)?;
    let scope = open_scope(ctx, scope, Sought::Named(rules, &name), action).await?;
    let names = packages::index_names(ctx.store(), &scope, rules.format(), &name.key, ctx.now()).await?;
    if names.is_empty() {
        return Err(missing(ctx, &scope, Subject::Package));
    }
    Ok(PackageIndex::of(rules.format(), &names))
}

impl PackageIndex {
    fn of(format: PackageFormat, names: &[IndexName]) -> Self {
        Self {
            format,
            name: names.first().map(|name| name.name.clone()).unwrap_or_default(),
            names: names.iter().map(|name| name.id).collect(),
            revision: revision(names.iter().map(|name| (name.id.0, name.revision))),
            updated_at: names.iter().map(|name| name.updated_at).max().unwrap_or(OffsetDateTime::UNIX_EPOCH),
            latest: Latest::Unknown,
        }
    }

    pub(super) fn of_name(
        format: PackageFormat,
        name: IndexName,
        latest: &HashMap<PackageNameId, Arc<packages::Package>>,
    ) -> Self {
        let latest = latest.get(&name.id).cloned();
        Self { latest: Latest::Loaded(latest), ..Self::of(format, &[name]) }
    }

    /// The latest versions of all these names, when the document selects them.
    pub(super) async fn latest_of(
        ctx: &Context<'_>,
        names: &[IndexName],
    ) -> Result<HashMap<PackageNameId, Arc<packages::Package>>, Failure> {
        let ahead = ctx.look_ahead();
        let selected = ahead.field("nodes").field("latest").exists()
            || ahead.field("edges").field("node").field("latest").exists();
        if !selected || names.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<_> = names.iter().map(|name| name.id).collect();
        let latest = packages::latest_versions(ctx.store(), &ids).await?;
        Ok(latest.into_iter().map(|package| (package.name_id, Arc::new(package))).collect())
    }
}

/// One text for the visible set and its revisions, given as ids with revisions: it changes when either does, and tells nothing
/// else.
pub(super) fn revision(visible: impl Iterator<Item = (i64, i64)>) -> String {
    let text = visible.map(|(id, revision)| format!("{id}.{revision}")).collect::<Vec<_>>().join("-");
    if text.len() <= 40 { text } else { hex::encode(&Sha256::digest(text.as_bytes())[..16]) }
}

/// Everything an index document of one package name is made of, as this caller sees it (ours).
#[Object]
impl PackageIndex {
    async fn name(&self) -> &str {
        &self.name
    }
    async fn package_type(&self) -> PackageTypeEnum {
        self.format.into()
    }
    /// Changes whenever any document of the name changes for this caller: a cache key and an entity tag.
    async fn revision(&self) -> &str {
        &self.revision
    }
    /// When it last changed.
    async fn updated_at(&self) -> Time {
        self.updated_at.into()
    }
    /// Tags with the versions they point at, by name.
    async fn tags(&self, ctx: &Context<'_>) -> Outcome<Vec<PackageIndexTag>> {
        let tags = packages::index_tags(ctx.store(), &self.names).await.or_error()?;
        Ok(tags.into_iter().map(|(name, version)| PackageIndexTag { name, version }).collect())
    }
    /// The ready pieces of the document called by name: oldest version first, within one its own piece before those of its
    /// files, oldest first.
    #[graphql(complexity = "20 + 10 * child_complexity")]
    async fn entries(&self, ctx: &Context<'_>, document: String) -> Outcome<Pieces> {
        Ok(packages::index_entries(ctx.store(), &self.names, &document).await.or_error()?.into())
    }
    /// The highest version in the format's own order.
    async fn latest(&self, ctx: &Context<'_>) -> Outcome<Option<Package>> {
        let latest = match &self.latest {
            Latest::Loaded(latest) => latest.clone(),
            Latest::Unknown => packages::latest_versions(ctx.store(), &self.names)
                .await
                .or_error()?
                .into_iter()
                .last()
                .map(Arc::new),
        };
        Ok(latest.map(|package| Node { package, prefetched: Arc::default() }.into()))
    }
}
