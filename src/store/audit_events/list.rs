//! Reading the log.

use domain::{
    AuditEventId, AuthorType, EntityType, EventKind, NamespaceId, PackageFormat, ProjectId, UserId,
};
use entity::audit_event::{self, Column};
use sea_orm::{
    Iterable,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
};
use time::OffsetDateTime;

use super::AuditEvent;
use crate::{
    Page, PageRequest, Result, Store,
    convert::stored,
    page::{Direction, Keyset},
    rows,
};

/// Whose log is read, once it is decided that the caller may read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditScope {
    /// Everything.
    Instance,
    /// What belongs to a user.
    User(UserId),
    /// What belongs to a group: not what belongs to the groups and projects below.
    Group(NamespaceId),
    /// What is about a project, be it that the project's group may read it as well.
    Project(ProjectId),
}

/// Which events a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only this one.
    pub id: Option<AuditEventId>,
    /// Of one of these kinds; of any when empty.
    pub kinds: Vec<EventKind>,
    /// By this user or deploy token.
    pub author: Option<(AuthorType, i64)>,
    /// By whoever was called this.
    pub author_name: Option<String>,
    /// About packages of this format.
    pub format: Option<PackageFormat>,
    /// About the package with this name.
    pub package_name: Option<String>,
    /// Not before.
    pub created_after: Option<OffsetDateTime>,
    /// Not after.
    pub created_before: Option<OffsetDateTime>,
    /// Of entities of this type.
    pub entity_type: Option<EntityType>,
    /// Of the entity with this id.
    pub entity_id: Option<i64>,
}

fn column(column: Column) -> Expr {
    Expr::col((audit_event::Entity, column))
}

fn restrict(select: &mut SelectStatement, scope: AuditScope, filter: &AuditFilter) {
    select.from(audit_event::Entity);
    let of_entity = |select: &mut SelectStatement, kind: EntityType, id: i64| {
        select
            .and_where(column(Column::EntityType).eq(kind.number()))
            .and_where(column(Column::EntityId).eq(id));
    };
    match scope {
        AuditScope::Instance => {}
        AuditScope::User(id) => of_entity(select, EntityType::User, id.0),
        AuditScope::Group(id) => of_entity(select, EntityType::Group, id.0),
        AuditScope::Project(id) => {
            select.and_where(column(Column::ProjectId).eq(id.0));
        }
    }
    if let Some(id) = filter.id {
        select.and_where(column(Column::Id).eq(id.0));
    }
    if !filter.kinds.is_empty() {
        select.and_where(column(Column::Name).is_in(filter.kinds.iter().map(|kind| kind.name())));
    }
    if let Some((author, id)) = filter.author {
        select
            .and_where(column(Column::AuthorType).eq(author.number()))
            .and_where(column(Column::AuthorId).eq(id));
    }
    if let Some(name) = &filter.author_name {
        select.and_where(column(Column::AuthorName).eq(name.as_str()));
    }
    if let Some(format) = filter.format {
        select.and_where(column(Column::PackageFormat).eq(format.number()));
    }
    if let Some(name) = &filter.package_name {
        select.and_where(column(Column::PackageName).eq(name.as_str()));
    }
    if let Some(after) = filter.created_after {
        select.and_where(column(Column::CreatedAt).gte(stored(after)));
    }
    if let Some(before) = filter.created_before {
        select.and_where(column(Column::CreatedAt).lte(stored(before)));
    }
    if let Some(kind) = filter.entity_type {
        select.and_where(column(Column::EntityType).eq(kind.number()));
    }
    if let Some(id) = filter.entity_id {
        select.and_where(column(Column::EntityId).eq(id));
    }
}

fn select_events(scope: AuditScope, filter: &AuditFilter) -> SelectStatement {
    let mut select = Query::select();
    select.columns(Column::iter().map(|column| (audit_event::Entity, column)));
    restrict(&mut select, scope, filter);
    select
}

/// One page of a log, by id: that is the order in which events were written. One statement.
pub async fn list(
    store: &Store,
    scope: AuditScope,
    filter: &AuditFilter,
    direction: Direction,
    request: &PageRequest,
) -> Result<Page<AuditEvent>> {
    let mut select = select_events(scope, filter);
    let keyset = Keyset { sort: None, id: column(Column::Id), direction };
    keyset.apply(&mut select, request)?;
    let rows = rows::all::<audit_event::Model>(store.reader(), &select).await?;
    let events = rows.into_iter().map(AuditEvent::try_from).collect::<Result<_>>()?;
    Ok(Keyset::page(events, request))
}

/// How many events a log has; counting stops at `limit` when there is one.
pub async fn count(
    store: &Store,
    scope: AuditScope,
    filter: &AuditFilter,
    limit: Option<u64>,
) -> Result<u64> {
    let mut inner = Query::select();
    inner.column((audit_event::Entity, Column::Id));
    restrict(&mut inner, scope, filter);
    if let Some(limit) = limit {
        inner.limit(limit);
    }
    rows::count(store.reader(), inner).await
}
