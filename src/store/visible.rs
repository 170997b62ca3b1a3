//! [`Visible`] as SQL: which projects and groups a list shows. `tests/visibility.rs` checks that a list shows exactly what
//! `access::decide` lets its caller see one by one.

use access::{Holder, Visible};
use domain::{RegistryAccessLevel, Role, Visibility};
use sea_orm::sea_query::{Condition, Expr, ExprTrait, JoinType, Query, SelectStatement, SimpleExpr};
use time::OffsetDateTime;

use crate::{
    convert::today,
    roles::{Standing, has_open_registry, switched_off},
};

/// The projects that `visible` lets through, among those whose row `projects` names. Deleted ones never.
pub(crate) fn visible_projects(visible: &Visible, projects: &'static str, now: OffsetDateTime) -> Condition {
    let column = |name: &'static str| Expr::col((projects, name));
    let mut all = Condition::all().add(column("deleted_at").is_null());
    if visible.nothing {
        return all.add(Expr::cust("1 = 0"));
    }
    if visible.for_packages {
        all = all
            .add(column("registry_access_level").ne(RegistryAccessLevel::Disabled.number()))
            .add(column("namespace_id").not_in_subquery(switched_off()));
    }
    if visible.everything {
        return all;
    }
    // A registry for members only is out of reach for everybody else, whatever the project's visibility.
    let to_strangers = |visibility: Visibility| {
        let seen = column("visibility").eq(visibility.number());
        if visible.for_packages {
            seen.and(column("registry_access_level").ne(RegistryAccessLevel::Private.number()))
        } else {
            seen
        }
    };
    let mut any = Condition::any();
    if visible.public {
        any = any.add(to_strangers(Visibility::Public));
    }
    if visible.internal {
        any = any.add(to_strangers(Visibility::Internal));
    }
    if visible.open_registries {
        any = any.add(column("registry_access_level").eq(RegistryAccessLevel::Public.number()));
    }
    if visible.member.is_some() {
        let standing = standing(visible, now);
        let member = |least| {
            let counts = visible.reach.as_ref().map(|reach| column("id").is_in(reach.iter().map(|id| id.0)));
            Condition::all().add_option(counts).add(is_member(&standing, projects, least))
        };
        any = any.add(member(visible.private_minimum));
        if visible.private_minimum > Role::Guest {
            let not_private = column("visibility").ne(Visibility::Private.number());
            any = any.add(member(Role::Guest).add(not_private));
        }
    }
    if visible.holder.is_some() {
        any = any.add(standing(visible, now).project_covered(projects));
    }
    all.add(any)
}

/// The groups that `visible` lets through, among those whose row `namespaces` names. Deleted ones never.
pub(crate) fn visible_namespaces(
    visible: &Visible,
    namespaces: &'static str,
    now: OffsetDateTime,
) -> Condition {
    let column = |name: &'static str| Expr::col((namespaces, name));
    let all = Condition::all().add(column("deleted_at").is_null());
    if visible.nothing {
        return all.add(Expr::cust("1 = 0"));
    }
    if visible.everything {
        return all;
    }
    let mut any = Condition::any();
    if visible.public {
        any = any.add(column("visibility").eq(Visibility::Public.number()));
    }
    if visible.internal {
        any = any.add(column("visibility").eq(Visibility::Internal.number()));
    }
    if visible.open_registries {
        any = any.add(has_open_registry(namespaces));
    }
    if visible.member.is_some() {
        let standing = standing(visible, now);
        let member = Condition::any()
            .add(column("id").in_subquery(namespaces_of(&standing, Role::Guest)))
            .add(Expr::exists(standing.memberships_below(namespaces)))
            .add(Expr::exists(standing.project_memberships_below(namespaces)));
        any = any.add(Condition::all().add_option(standing.reaches_below(namespaces)).add(member));
    }
    if visible.holder.is_some() {
        any = any.add(standing(visible, now).namespace_covered(column("id")));
    }
    all.add(any)
}

/// Whether the caller has at least `minimum` in the project that `projects` names: two lists of ids, each made once.
pub(crate) fn is_member(standing: &Standing, projects: &'static str, minimum: Role) -> SimpleExpr {
    let direct = standing
        .memberships()
        .column(("m", "project_id"))
        .and_where(Expr::col(("m", "project_id")).is_not_null())
        .and_where(Expr::col(("m", "access_level")).gte(minimum.number()))
        .to_owned();
    Expr::col((projects, "namespace_id"))
        .in_subquery(namespaces_of(standing, minimum))
        .or(Expr::col((projects, "id")).in_subquery(direct))
}

/// Ids of the namespaces in which the caller has at least `minimum`, inherited roles included.
pub(crate) fn namespaces_of(standing: &Standing, minimum: Role) -> SelectStatement {
    standing
        .memberships()
        .column(("d", "descendant_id"))
        .join_as(
            JoinType::InnerJoin,
            "namespace_ancestors",
            "d",
            Expr::col(("d", "ancestor_id")).eq(Expr::col(("m", "namespace_id"))),
        )
        .and_where(Expr::col(("m", "access_level")).gte(minimum.number()))
        .to_owned()
}

/// Ids of the namespace with this id and every one below it.
pub(crate) fn tree_of(namespace_id: i64) -> SelectStatement {
    Query::select()
        .column(("t", "descendant_id"))
        .from_as("namespace_ancestors", "t")
        .and_where(Expr::col(("t", "ancestor_id")).eq(namespace_id))
        .to_owned()
}

fn standing(visible: &Visible, now: OffsetDateTime) -> Standing {
    let (token_project, token_namespace) = match visible.holder {
        Some(Holder::Project(id)) => (id.0, 0),
        Some(Holder::Group(id)) => (0, id.0),
        None => (0, 0),
    };
    Standing {
        user: visible.member.map_or(0, |user| user.0),
        reach: visible.reach.clone(),
        token_project,
        token_namespace,
        today: today(now),
    }
}

/// Text for the ids of every namespace that has its top in common with one. The id of that, and a bracket, are to follow.
macro_rules! tenant_sql {
    () => {
        "SELECT t.descendant_id FROM namespace_ancestors t WHERE t.ancestor_id IN (SELECT top.id FROM namespaces top \
         JOIN namespace_ancestors a ON a.ancestor_id = top.id WHERE top.parent_id IS NULL AND a.descendant_id = "
    };
}

pub(crate) use tenant_sql;
