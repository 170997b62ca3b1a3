//! Index documents about many names of a project: repository indexes, shelves.
//!
//! As documents of one name they cost two statements however many pieces they have: one for the revisions, one for the
//! pieces.

use domain::{PackageFormat, ProjectId};
use entity::{package, package_document, package_fragment, package_name, project};
use sea_orm::{
    FromQueryResult,
    sea_query::{Expr, ExprTrait, Order, Query},
};
use time::OffsetDateTime;

use super::{
    PackageScope,
    index::{IndexEntry, live_pieces},
    rows::in_scope,
};
use crate::{Result, Store, reader::in_place, rows};

/// A document of one project.
#[derive(Clone, Debug, FromQueryResult)]
pub struct IndexDocument {
    project_id: i64,
    /// Raised by every change of one of its pieces.
    pub revision: i64,
    /// When that was last.
    pub updated_at: OffsetDateTime,
}

in_place!(IndexDocument { project_id, revision, updated_at });

impl IndexDocument {
    /// The project it belongs to.
    pub fn project(&self) -> ProjectId {
        ProjectId(self.project_id)
    }
}

/// The documents of this name that a scope shows, oldest project first. Empty when there never was a piece of one.
pub async fn document(
    store: &Store,
    scope: &PackageScope,
    format: PackageFormat,
    document: &str,
    now: OffsetDateTime,
) -> Result<Vec<IndexDocument>> {
    use package_document::Column as D;
    let column = |column| (package_document::Entity, column);
    let select = Query::select()
        .column(column(D::ProjectId))
        .column(column(D::Revision))
        .column(column(D::UpdatedAt))
        .from(package_document::Entity)
        .inner_join(
            project::Entity,
            Expr::col((project::Entity, project::Column::Id)).equals(column(D::ProjectId)),
        )
        .and_where(Expr::col((project::Entity, project::Column::DeletedAt)).is_null())
        .and_where(Expr::col(column(D::Format)).eq(format.number()))
        .and_where(Expr::col(column(D::Document)).eq(document))
        .cond_where(in_scope(scope, now))
        .order_by(column(D::ProjectId), Order::Asc)
        .take();
    rows::hot_all(store, &select).await
}

/// The pieces of a document in these projects, in the order of the names' keys, then as they were published.
pub async fn document_entries(
    store: &Store,
    projects: &[ProjectId],
    format: PackageFormat,
    document: &str,
) -> Result<Vec<IndexEntry>> {
    let mut select = live_pieces(document);
    select
        .inner_join(
            package_name::Entity,
            Expr::col((package_name::Entity, package_name::Column::Id))
                .equals((package::Entity, package::Column::NameId)),
        )
        .and_where(
            Expr::col((package::Entity, package::Column::ProjectId))
                .is_in(projects.iter().map(|project| project.0)),
        )
        .and_where(Expr::col((package::Entity, package::Column::Format)).eq(format.number()))
        .and_where(Expr::col((package_fragment::Entity, package_fragment::Column::Scope)).eq(1))
        .order_by((package_name::Entity, package_name::Column::NameKey), Order::Asc)
        .order_by((package::Entity, package::Column::Id), Order::Asc)
        .order_by((package_fragment::Entity, package_fragment::Column::FileId), Order::Asc);
    super::index::entries(store, &select).await
}
