//! Index documents about many names.

use access::Action;
use async_graphql::{Context, Object};
use domain::{Failure, PackageFormat, ProjectId, Subject};
use store::packages::{self, IndexDocument};
use time::OffsetDateTime;

use super::{
    index::{Pieces, revision},
    inputs::{PackageScopeInput, PackageTypeEnum},
    scope::{Sought, missing, open_scope},
};
use crate::{
    context::ContextExt,
    outcome::{OrError, Outcome},
    scalars::Time,
};

/// Everything an index document about many package names is made of, as this caller sees it.
pub(crate) struct PackageDocument {
    format: PackageFormat,
    name: String,
    projects: Vec<ProjectId>,
    revision: String,
    updated_at: OffsetDateTime,
}

/// The document called `name` in a scope, opened for pulling.
pub(super) async fn open_document(
    ctx: &Context<'_>,
    scope: &PackageScopeInput,
    package_type: PackageTypeEnum,
    name: String,
) -> Result<PackageDocument, Failure> {
    let format = ctx.state().rules.get(package_type.into())?.format();
    let scope = open_scope(ctx, scope, Sought::Format(format), Action::PullPackages).await?;
    let documents = packages::document(ctx.store(), &scope, format, &name, ctx.now()).await?;
    if documents.is_empty() {
        return Err(missing(ctx, &scope, Subject::Package));
    }
    Ok(PackageDocument {
        format,
        name,
        projects: documents.iter().map(IndexDocument::project).collect(),
        revision: revision(documents.iter().map(|document| (document.project().0, document.revision))),
        updated_at: documents
            .iter()
            .map(|document| document.updated_at)
            .max()
            .unwrap_or(OffsetDateTime::UNIX_EPOCH),
    })
}

/// Everything an index document about many package names is made of, as this caller sees it (ours).
#[Object]
impl PackageDocument {
    /// The document, in the format's own words.
    async fn name(&self) -> &str {
        &self.name
    }
    /// Changes whenever the document changes for this caller: a cache key and an entity tag.
    async fn revision(&self) -> &str {
        &self.revision
    }
    /// When it last changed.
    async fn updated_at(&self) -> Time {
        self.updated_at.into()
    }
    /// Its pieces in the order of the package names, each name's as they were published.
    #[graphql(complexity = "20 + 10 * child_complexity")]
    async fn entries(&self, ctx: &Context<'_>) -> Outcome<Pieces> {
        let entries = packages::document_entries(ctx.store(), &self.projects, self.format, &self.name);
        Ok(entries.await.or_error()?.into())
    }
}
