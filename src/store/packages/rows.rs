//! From columns to packages and files, and the conditions that every query of packages shares.

use domain::{
    Digests, NamespaceId, PackageFileId, PackageId, PackageNameId, PackageStatus, PipelineId, ProjectId,
    Sha256, UserId,
};
use entity::{blob, namespace, namespace_ancestor, package, package_file, project};
use sea_orm::{
    FromQueryResult,
    sea_query::{Alias, Condition, Expr, ExprTrait, IntoIden, Query, SelectStatement, SimpleExpr},
};
use serde_json::Value;
use time::OffsetDateTime;

use super::{Package, PackageFile, PackageScope, ProjectSummary};
use crate::{Result, StoreError, convert, reader::in_place, visible};

/// A row of [`select_packages`].
#[derive(FromQueryResult)]
pub(super) struct PackageRow {
    id: i64,
    name_id: i64,
    project_id: i64,
    format: i16,
    name: String,
    version: Option<String>,
    status: i16,
    status_message: Option<String>,
    metadata: Value,
    deprecation: Option<String>,
    creator_id: Option<i64>,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
    last_downloaded_at: Option<OffsetDateTime>,
    namespace_id: i64,
    project_path: String,
    project_full_path: String,
}

in_place!(PackageRow {
    id,
    name_id,
    project_id,
    format,
    name,
    version,
    status,
    status_message,
    metadata,
    deprecation,
    creator_id,
    created_at,
    updated_at,
    last_downloaded_at,
    namespace_id,
    project_path,
    project_full_path,
});

impl TryFrom<PackageRow> for Package {
    type Error = StoreError;

    fn try_from(row: PackageRow) -> Result<Self> {
        Ok(Self {
            id: PackageId(row.id),
            name_id: PackageNameId(row.name_id),
            format: convert::format(row.format)?,
            name: row.name,
            version: row.version,
            status: PackageStatus::from_number(row.status).ok_or_else(|| StoreError::Corrupt {
                column: "packages.status",
                value: row.status.to_string(),
            })?,
            status_message: row.status_message,
            metadata: row.metadata,
            deprecation: row.deprecation,
            creator: row.creator_id.map(UserId),
            created_at: row.created_at,
            updated_at: row.updated_at,
            last_downloaded_at: row.last_downloaded_at,
            project: ProjectSummary {
                id: ProjectId(row.project_id),
                namespace_id: NamespaceId(row.namespace_id),
                path: row.project_path,
                full_path: row.project_full_path,
            },
        })
    }
}

/// Packages with their projects, tombstones of either left out.
pub(super) fn select_packages() -> SelectStatement {
    let mut select = select_with_tombstones();
    select.and_where(Expr::col((package::Entity, package::Column::DeletedAt)).is_null());
    select
}

/// Packages with their projects, those that were deleted too, unless their project was.
pub(super) fn select_with_tombstones() -> SelectStatement {
    use package::Column as P;
    let mut select = Query::select();
    for column in [
        P::Id,
        P::NameId,
        P::ProjectId,
        P::Format,
        P::Name,
        P::Version,
        P::Status,
        P::StatusMessage,
        P::Metadata,
        P::Deprecation,
        P::CreatorId,
        P::CreatedAt,
        P::UpdatedAt,
        P::LastDownloadedAt,
    ] {
        select.column((package::Entity, column));
    }
    select
        .column((project::Entity, project::Column::NamespaceId))
        .expr_as(Expr::col((project::Entity, project::Column::Path)), Alias::new("project_path"))
        .expr_as(Expr::col((project::Entity, project::Column::FullPath)), Alias::new("project_full_path"))
        .from(package::Entity)
        .inner_join(
            project::Entity,
            Expr::col((project::Entity, project::Column::Id)).equals((package::Entity, P::ProjectId)),
        )
        .and_where(Expr::col((project::Entity, project::Column::DeletedAt)).is_null());
    select
}

/// A row of [`select_files`].
#[derive(FromQueryResult)]
pub(super) struct FileRow {
    id: i64,
    package_id: i64,
    project_id: i64,
    project_full_path: String,
    file_name: String,
    channel: Option<String>,
    size: i64,
    sha256: String,
    md5: Option<String>,
    sha1: Option<String>,
    sha512: Option<String>,
    properties: Value,
    pipeline_id: Option<i64>,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

in_place!(FileRow {
    id,
    package_id,
    project_id,
    project_full_path,
    file_name,
    channel,
    size,
    sha256,
    md5,
    sha1,
    sha512,
    properties,
    pipeline_id,
    created_at,
    updated_at,
});

/// Digests from their columns.
pub(super) fn digests(
    sha256: &str,
    md5: Option<&str>,
    sha1: Option<&str>,
    sha512: Option<&str>,
) -> Result<Digests> {
    fn raw<const N: usize>(column: &'static str, text: &str) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| StoreError::Corrupt { column, value: text.to_owned() })?;
        Ok(bytes)
    }
    Ok(Digests {
        sha256: Sha256(raw("blobs.sha256", sha256)?),
        md5: md5.map(|text| raw("blobs.md5", text)).transpose()?,
        sha1: sha1.map(|text| raw("blobs.sha1", text)).transpose()?,
        sha512: sha512.map(|text| raw("blobs.sha512", text).map(Box::new)).transpose()?,
    })
}

impl TryFrom<FileRow> for PackageFile {
    type Error = StoreError;

    fn try_from(row: FileRow) -> Result<Self> {
        Ok(Self {
            id: PackageFileId(row.id),
            package_id: PackageId(row.package_id),
            project_id: ProjectId(row.project_id),
            project_full_path: row.project_full_path,
            file_name: row.file_name,
            channel: row.channel,
            size: row.size.unsigned_abs(),
            digests: digests(&row.sha256, row.md5.as_deref(), row.sha1.as_deref(), row.sha512.as_deref())?,
            properties: row.properties,
            pipeline_id: row.pipeline_id.map(PipelineId),
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// Files with their content's digests and their projects, tombstones left out.
pub(super) fn select_files() -> SelectStatement {
    use package_file::Column as F;
    let mut select = Query::select();
    for column in [
        F::Id,
        F::PackageId,
        F::FileName,
        F::Channel,
        F::Properties,
        F::PipelineId,
        F::CreatedAt,
        F::UpdatedAt,
    ] {
        select.column((package_file::Entity, column));
    }
    for column in [
        blob::Column::Size,
        blob::Column::Sha256,
        blob::Column::Md5,
        blob::Column::Sha1,
        blob::Column::Sha512,
    ] {
        select.column((blob::Entity, column));
    }
    select
        .column((package::Entity, package::Column::ProjectId))
        .expr_as(Expr::col((project::Entity, project::Column::FullPath)), Alias::new("project_full_path"))
        .from(package_file::Entity)
        .inner_join(
            blob::Entity,
            Expr::col((blob::Entity, blob::Column::Id)).equals((package_file::Entity, F::BlobId)),
        )
        .inner_join(
            package::Entity,
            Expr::col((package::Entity, package::Column::Id)).equals((package_file::Entity, F::PackageId)),
        )
        .inner_join(
            project::Entity,
            Expr::col((project::Entity, project::Column::Id))
                .equals((package::Entity, package::Column::ProjectId)),
        )
        .and_where(Expr::col((package_file::Entity, F::DeletedAt)).is_null())
        .and_where(Expr::col((package::Entity, package::Column::DeletedAt)).is_null())
        .and_where(Expr::col((project::Entity, project::Column::DeletedAt)).is_null());
    select
}

/// Restricts a query that has `projects` in it to the one with this id.
pub(super) fn in_project(id: SimpleExpr) -> Condition {
    Condition::all().add(Expr::col((project::Entity, project::Column::Id)).eq(id))
}

/// Restricts a query that has `projects` in it to a scope.
pub(super) fn in_scope(scope: &PackageScope, now: OffsetDateTime) -> Condition {
    let namespace_id = || Expr::col((project::Entity, project::Column::NamespaceId));
    match scope {
        PackageScope::Project(project) => in_project(Expr::val(project.0)),
        PackageScope::Group { group, visible } => Condition::all()
            .add(namespace_id().in_subquery(below(Expr::val(group.0))))
            .add(visible::visible_projects(visible, "projects", now)),
        PackageScope::Instance { visible, root } => {
            let mut condition = Condition::all().add(visible::visible_projects(visible, "projects", now));
            if let Some(root) = root {
                let top = Query::select()
                    .column(namespace::Column::Id)
                    .from(namespace::Entity)
                    .and_where(Expr::col(namespace::Column::FullPathKey).eq(root.to_lowercase()))
                    .and_where(Expr::col(namespace::Column::ParentId).is_null())
                    .and_where(Expr::col(namespace::Column::DeletedAt).is_null())
                    .take();
                let mut descendants = Query::select();
                descendants
                    .column(namespace_ancestor::Column::DescendantId)
                    .from(namespace_ancestor::Entity)
                    .and_where(Expr::col(namespace_ancestor::Column::AncestorId).in_subquery(top));
                condition = condition.add(namespace_id().in_subquery(descendants));
            }
            condition
        }
    }
}

/// The ids of a namespace and everything below it.
fn below(ancestor: SimpleExpr) -> SelectStatement {
    Query::select()
        .column(namespace_ancestor::Column::DescendantId)
        .from(namespace_ancestor::Entity)
        .and_where(Expr::col(namespace_ancestor::Column::AncestorId).eq(ancestor))
        .take()
}

/// `status IN (…)` of packages.
pub(super) fn has_status(statuses: &[PackageStatus]) -> SimpleExpr {
    Expr::col((package::Entity, package::Column::Status)).is_in(statuses.iter().map(|status| status.number()))
}

/// A column of a table, for dynamic orders.
pub(super) fn column(table: impl IntoIden, column: impl IntoIden) -> SimpleExpr {
    Expr::col((table.into_iden(), column.into_iden()))
}
