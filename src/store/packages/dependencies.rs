//! What versions depend on.

use std::collections::BTreeMap;

use domain::{
    DependencyId, DependencyLinkId, PackageId,
    rules::{DeclaredDependency, DependencyType},
};
use entity::{dependency, dependency_link};
use sea_orm::{
    ConnectionTrait, FromQueryResult,
    sea_query::{Expr, ExprTrait, OnConflict, Query},
};

use crate::{
    Result, Store, StoreError, Tx,
    page::{Cursor, Direction, Keyset, Page, PageRequest},
    rows,
};

/// Dependencies written in one statement: PostgreSQL and SQLite both limit the parameters of one.
const BATCH: usize = 500;

/// A version's dependency.
#[derive(Clone, Debug)]
pub struct DependencyLink {
    /// Its id.
    pub id: DependencyLinkId,
    /// The name and pattern depended on.
    pub dependency_id: DependencyId,
    /// The name depended on.
    pub name: String,
    /// The accepted versions.
    pub version_pattern: String,
    /// In which way.
    pub kind: DependencyType,
    /// Where it holds; empty for everywhere.
    pub scope: String,
}

#[derive(FromQueryResult)]
struct LinkRow {
    id: i64,
    dependency_id: i64,
    dependency_type: i16,
    scope: String,
    name: String,
    version_pattern: String,
}

/// Takes back what a version declared, for a new declaration.
pub(super) async fn clear(tx: &Tx, package: i64) -> Result<()> {
    rows::execute(tx, "DELETE FROM dependency_links WHERE package_id = $1", [package.into()]).await?;
    Ok(())
}

/// Writes the dependencies of a version that has none.
pub(super) async fn insert(tx: &Tx, package: i64, declared: &[DeclaredDependency]) -> Result<()> {
    for batch in declared.chunks(BATCH) {
        let mut upsert = Query::insert();
        upsert
            .into_table(dependency::Entity)
            .columns([dependency::Column::Name, dependency::Column::VersionPattern])
            .on_conflict(
                OnConflict::columns([dependency::Column::Name, dependency::Column::VersionPattern])
                    .do_nothing()
                    .to_owned(),
            );
        let mut pairs: Vec<_> =
            batch.iter().map(|dependency| (&dependency.name, &dependency.version_pattern)).collect();
        pairs.sort_unstable(); // one order for all writers, so that PostgreSQL finds no deadlock
        pairs.dedup();
        for (name, pattern) in pairs {
            upsert.values_panic([Expr::val(name.as_str()), Expr::val(pattern.as_str())]);
        }
        tx.execute(&upsert).await?;
        // One statement for each kind and scope: a declaration of one name under two scopes is two links.
        let mut groups: BTreeMap<(DependencyType, &str), Vec<_>> = BTreeMap::new();
        for dependency in batch {
            let pair = (dependency.name.clone(), dependency.version_pattern.clone());
            groups.entry((dependency.kind, dependency.scope.as_str())).or_default().push(pair);
        }
        for ((kind, scope), pairs) in groups {
            let select = Query::select()
                .expr(Expr::val(package))
                .column(dependency::Column::Id)
                .expr(Expr::val(kind.number()))
                .expr(Expr::val(scope))
                .from(dependency::Entity)
                .and_where(
                    Expr::tuple([
                        Expr::col(dependency::Column::Name),
                        Expr::col(dependency::Column::VersionPattern),
                    ])
                    .in_tuples(pairs),
                )
                .take();
            let mut link = Query::insert();
            link.into_table(dependency_link::Entity)
                .columns([
                    dependency_link::Column::PackageId,
                    dependency_link::Column::DependencyId,
                    dependency_link::Column::DependencyType,
                    dependency_link::Column::Scope,
                ])
                .select_from(select)
                .map_err(|_| StoreError::GivenUp("four columns, four expressions"))?;
            tx.execute(&link).await?;
        }
    }
    Ok(())
}

/// One page of what a version depends on, in the order of declaration. The package was opened.
pub async fn list(store: &Store, package: PackageId, request: &PageRequest) -> Result<Page<DependencyLink>> {
    let link = |field| Expr::col((dependency_link::Entity, field));
    let mut select = Query::select();
    select
        .column((dependency_link::Entity, dependency_link::Column::Id))
        .column((dependency_link::Entity, dependency_link::Column::DependencyId))
        .column((dependency_link::Entity, dependency_link::Column::DependencyType))
        .column((dependency_link::Entity, dependency_link::Column::Scope))
        .column((dependency::Entity, dependency::Column::Name))
        .column((dependency::Entity, dependency::Column::VersionPattern))
        .from(dependency_link::Entity)
        .inner_join(
            dependency::Entity,
            Expr::col((dependency::Entity, dependency::Column::Id))
                .equals((dependency_link::Entity, dependency_link::Column::DependencyId)),
        )
        .and_where(link(dependency_link::Column::PackageId).eq(package.0));
    let keyset =
        Keyset { sort: None, id: link(dependency_link::Column::Id), direction: Direction::Ascending };
    keyset.apply(&mut select, request)?;
    let links = rows::all::<LinkRow>(store.reader(), &select)
        .await?
        .into_iter()
        .map(|row| {
            Ok(DependencyLink {
                id: DependencyLinkId(row.id),
                dependency_id: DependencyId(row.dependency_id),
                name: row.name,
                version_pattern: row.version_pattern,
                scope: row.scope,
                kind: DependencyType::from_number(row.dependency_type).ok_or_else(|| {
                    StoreError::Corrupt {
                        column: "dependency_links.dependency_type",
                        value: row.dependency_type.to_string(),
                    }
                })?,
            })
        })
        .collect::<Result<_>>()?;
    Ok(Keyset::page(links, request))
}

impl DependencyLink {
    /// A cursor to this row.
    pub fn cursor(&self) -> Cursor {
        Cursor { sort: None, id: self.id.0 }
    }
}
