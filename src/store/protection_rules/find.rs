//! Reading rules.

use domain::{NamespaceId, ProjectId, ProtectionRuleId};
use sea_orm::{
    ConnectionTrait, DbErr, FromQueryResult, QueryResult,
    sea_query::{Alias, Expr, ExprTrait, JoinType, Order, Query, SelectStatement, UnionType},
};

use super::{ProtectionRule, RuleRow};
use crate::{Result, Store, members::Place, rows};

/// Rules as `r`, with the path of their namespace, if any, as `n`.
fn select() -> SelectStatement {
    let mut select = Query::select();
    for column in [
        "id",
        "project_id",
        "namespace_id",
        "format",
        "pattern",
        "push_level",
        "delete_level",
        "created_at",
        "updated_at",
    ] {
        select.column(("r", column));
    }
    select
        .expr_as(Expr::col(("n", "full_path")), Alias::new("namespace_path"))
        .from_as("protection_rules", "r")
        .join_as(JoinType::LeftJoin, "namespaces", "n", Expr::col(("n", "id")).equals(("r", "namespace_id")));
    select
}

/// The rule with this id, if there is one.
pub async fn find(store: &Store, id: ProtectionRuleId) -> Result<Option<ProtectionRule>> {
    read(store.reader(), id).await
}

pub(super) async fn read(
    connection: &impl ConnectionTrait,
    id: ProtectionRuleId,
) -> Result<Option<ProtectionRule>> {
    let select = select().and_where(Expr::col(("r", "id")).eq(id.0)).take();
    rows::one::<RuleRow>(connection, &select).await?.map(ProtectionRule::try_from).transpose()
}

/// The rules of a place itself, newest first.
pub async fn list(store: &Store, place: Place) -> Result<Vec<ProtectionRule>> {
    let of_place = match place {
        Place::Project(id) => Expr::col(("r", "project_id")).eq(id.0),
        Place::Group(id) => Expr::col(("r", "namespace_id")).eq(id.0),
    };
    let select = select().and_where(of_place).order_by(("r", "id"), Order::Desc).take();
    let rows = rows::all::<RuleRow>(store.reader(), &select).await?;
    rows.into_iter().map(ProtectionRule::try_from).collect()
}

/// The rules of the namespaces above `namespace`, newest first.
pub async fn inherited_by_namespace(store: &Store, namespace: NamespaceId) -> Result<Vec<ProtectionRule>> {
    let above = Query::select()
        .column("ancestor_id")
        .from("namespace_ancestors")
        .and_where(Expr::col("descendant_id").eq(namespace.0))
        .and_where(Expr::col("ancestor_id").ne(namespace.0))
        .take();
    let select = select()
        .and_where(Expr::col(("r", "namespace_id")).in_subquery(above))
        .order_by(("r", "id"), Order::Desc)
        .take();
    let rows = rows::all::<RuleRow>(store.reader(), &select).await?;
    rows.into_iter().map(ProtectionRule::try_from).collect()
}

/// Every rule that holds in one of these projects: its own, and those of the namespaces above it. One statement.
pub async fn of_projects(store: &Store, projects: &[ProjectId]) -> Result<Vec<(ProjectId, ProtectionRule)>> {
    let ids = || projects.iter().map(|project| project.0);
    let own = select()
        .expr_as(Expr::col(("r", "project_id")), Alias::new("covered_id"))
        .and_where(Expr::col(("r", "project_id")).is_in(ids()))
        .take();
    let inherited = select()
        .expr_as(Expr::col(("p", "id")), Alias::new("covered_id"))
        .join_as(
            JoinType::InnerJoin,
            "namespace_ancestors",
            "a",
            Expr::col(("a", "ancestor_id")).equals(("r", "namespace_id")),
        )
        .join_as(
            JoinType::InnerJoin,
            "projects",
            "p",
            Expr::col(("p", "namespace_id")).equals(("a", "descendant_id")),
        )
        .and_where(Expr::col(("p", "id")).is_in(ids()))
        .take();
    let mut both = own;
    both.union(UnionType::All, inherited);
    let rows = rows::all::<CoveringRow>(store.reader(), &both).await?;
    rows.into_iter().map(|row| Ok((ProjectId(row.project), row.rule.try_into()?))).collect()
}

/// A rule with a project that it holds in.
struct CoveringRow {
    project: i64,
    rule: RuleRow,
}

impl FromQueryResult for CoveringRow {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            project: row.try_get(prefix, "covered_id")?,
            rule: RuleRow::from_query_result(row, prefix)?,
        })
    }
}
