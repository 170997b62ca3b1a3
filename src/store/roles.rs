//! What a caller is, where: roles and coverage by a deploy token, as SQL expressions.
//!
//! One rule, said three times: as expressions for lists (here), as text for the hot single reads (the macros below), and as
//! conditions (`visible.rs`). A member's role holds in the namespace or project itself and in everything below; the highest
//! counts; a membership no longer counts on the day it expires. `tests/visibility.rs` compares all of them with `access`.

use std::sync::Arc;

use access::{Holder, Identity, Via, Viewer};
use domain::ProjectId;
use sea_orm::sea_query::{
    Alias, Expr, ExprTrait, Func, JoinType, Query, SelectStatement, SimpleExpr, UnionType,
};
use time::{Date, OffsetDateTime};

use crate::convert::today;

/// Whose standing a statement is about. Ids are 0 where there is none: no row has that id.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    /// The user.
    pub(crate) user: i64,
    /// The projects that the caller's CI job reaches. In a group the user's role counts when one of them is below it.
    pub(crate) reach: Option<Arc<[ProjectId]>>,
    /// The project that the caller's deploy token was made for.
    pub(crate) token_project: i64,
    /// The group that the caller's deploy token was made for.
    pub(crate) token_namespace: i64,
    /// The day, for memberships that expire.
    pub(crate) today: Date,
}

impl Standing {
    /// The standing of `viewer`.
    pub(crate) fn of(viewer: &Viewer, now: OffsetDateTime) -> Self {
        let nobody = Self { user: 0, reach: None, token_project: 0, token_namespace: 0, today: today(now) };
        match viewer.identity() {
            Identity::Anonymous => nobody,
            Identity::User { id, .. } => {
                let reach = match viewer.via() {
                    Via::Person | Via::Bot => None,
                    Via::Job(projects) => Some(Arc::clone(projects)),
                };
                Self { user: id.0, reach, ..nobody }
            }
            Identity::DeployToken { holder: Holder::Project(id), .. } => {
                Self { token_project: id.0, ..nobody }
            }
            Identity::TrustedPublisher { project, .. } => Self { token_project: project.0, ..nobody },
            Identity::DeployToken { holder: Holder::Group(id), .. } => {
                Self { token_namespace: id.0, ..nobody }
            }
        }
    }

    /// The caller's memberships that count today: a `SELECT` without columns from `members` as `m`.
    pub(crate) fn memberships(&self) -> SelectStatement {
        let mut select = Query::select();
        select.from_as("members", "m").and_where(self.counts());
        select
    }

    /// Whether `m` is a membership of the caller that counts today.
    fn counts(&self) -> SimpleExpr {
        let expires_at = || Expr::col(("m", "expires_at"));
        Expr::col(("m", "user_id")).eq(self.user).and(expires_at().is_null().or(expires_at().gt(self.today)))
    }

    /// The caller's highest role in the project that `projects` names, or null.
    pub(crate) fn project_role(&self, projects: &'static str) -> SimpleExpr {
        let own = self
            .memberships()
            .column(("m", "access_level"))
            .and_where(Expr::col(("m", "project_id")).eq(Expr::col((projects, "id"))))
            .to_owned();
        let inherited = self.above(Expr::col((projects, "namespace_id")));
        highest(own, inherited)
    }

    /// The caller's highest role in the namespace that `namespaces` names, inherited ones included; guest where there is only
    /// a role in something below; or null.
    pub(crate) fn namespace_role(&self, namespaces: &'static str) -> SimpleExpr {
        let above = scalar(
            Query::select()
                .expr(Func::max(Expr::col(("r", "access_level"))))
                .from_subquery(self.above(Expr::col((namespaces, "id"))), "r")
                .to_owned(),
        );
        let below = Expr::exists(self.memberships_below(namespaces))
            .or(Expr::exists(self.project_memberships_below(namespaces)));
        let guest = Expr::case(below, Expr::val(domain::Role::Guest.number()));
        let role = Func::coalesce([above, guest.into()]);
        match self.reaches_below(namespaces) {
            Some(reached) => Expr::case(reached, role).into(),
            None => role.into(),
        }
    }

    /// Whether the caller's CI job reaches a project below the namespace that `namespaces` names; none when no job asks.
    pub(crate) fn reaches_below(&self, namespaces: &'static str) -> Option<SimpleExpr> {
        let reach = self.reach.as_ref()?;
        let reached = Query::select()
            .expr(Expr::val(1))
            .from_as("projects", "rp")
            .join_as(
                JoinType::InnerJoin,
                "namespace_ancestors",
                "ra",
                Expr::col(("ra", "descendant_id")).eq(Expr::col(("rp", "namespace_id"))),
            )
            .and_where(Expr::col(("rp", "id")).is_in(reach.iter().map(|project| project.0)))
            .and_where(Expr::col(("ra", "ancestor_id")).eq(Expr::col((namespaces, "id"))))
            .to_owned();
        Some(Expr::exists(reached))
    }

    /// Whether the caller's deploy token was made for the project that `projects` names, or a group above it.
    pub(crate) fn project_covered(&self, projects: &'static str) -> SimpleExpr {
        Expr::col((projects, "id"))
            .eq(self.token_project)
            .or(self.namespace_covered(Expr::col((projects, "namespace_id"))))
    }

    /// Whether the caller's deploy token was made for the namespace with this id, or one above it.
    pub(crate) fn namespace_covered(&self, id: SimpleExpr) -> SimpleExpr {
        Expr::exists(
            Query::select()
                .expr(Expr::val(1))
                .from_as("namespace_ancestors", "c")
                .and_where(Expr::col(("c", "ancestor_id")).eq(self.token_namespace))
                .and_where(Expr::col(("c", "descendant_id")).eq(id))
                .to_owned(),
        )
    }

    /// The caller's levels in the namespace with this id and those above it. `CROSS JOIN` makes SQLite begin with the few
    /// namespaces above, not with all that somebody is a member of.
    fn above(&self, namespace_id: SimpleExpr) -> SelectStatement {
        let joined = Expr::col(("m", "namespace_id")).eq(Expr::col(("a", "ancestor_id")));
        Query::select()
            .column(("m", "access_level"))
            .from_as("namespace_ancestors", "a")
            .join_as(JoinType::CrossJoin, "members", "m", joined.clone())
            .and_where(joined)
            .and_where(Expr::col(("a", "descendant_id")).eq(namespace_id))
            .and_where(self.counts())
            .to_owned()
    }

    /// The caller's memberships in namespaces below the one that `namespaces` names.
    pub(crate) fn memberships_below(&self, namespaces: &'static str) -> SelectStatement {
        self.memberships()
            .expr(Expr::val(1))
            .join_as(
                JoinType::InnerJoin,
                "namespace_ancestors",
                "a",
                Expr::col(("a", "descendant_id")).eq(Expr::col(("m", "namespace_id"))),
            )
            .and_where(Expr::col(("a", "ancestor_id")).eq(Expr::col((namespaces, "id"))))
            .to_owned()
    }

    /// The caller's memberships in projects below the namespace that `namespaces` names.
    pub(crate) fn project_memberships_below(&self, namespaces: &'static str) -> SelectStatement {
        self.memberships()
            .expr(Expr::val(1))
            .join_as(
                JoinType::InnerJoin,
                "projects",
                "mp",
                Expr::col(("mp", "id")).eq(Expr::col(("m", "project_id"))),
            )
            .join_as(
                JoinType::InnerJoin,
                "namespace_ancestors",
                "a",
                Expr::col(("a", "descendant_id")).eq(Expr::col(("mp", "namespace_id"))),
            )
            .and_where(Expr::col(("mp", "deleted_at")).is_null())
            .and_where(Expr::col(("a", "ancestor_id")).eq(Expr::col((namespaces, "id"))))
            .to_owned()
    }
}

/// Whether some project below the namespace that `namespaces` names has opened its registry to everyone.
pub(crate) fn has_open_registry(namespaces: &'static str) -> SimpleExpr {
    Expr::exists(
        Query::select()
            .expr(Expr::val(1))
            .from_as("namespace_ancestors", "o")
            .join_as(
                JoinType::InnerJoin,
                "projects",
                "op",
                Expr::col(("op", "namespace_id")).eq(Expr::col(("o", "descendant_id"))),
            )
            .and_where(Expr::col(("o", "ancestor_id")).eq(Expr::col((namespaces, "id"))))
            // Written as a number, not bound: so that the partial index is used.
            .and_where(Expr::cust("op.registry_access_level = 30"))
            .and_where(Expr::col(("op", "deleted_at")).is_null())
            .and_where(Expr::col(("op", "namespace_id")).not_in_subquery(switched_off()))
            .to_owned(),
    )
}

/// Ids of the namespaces whose registry is off: in themselves, or in one above. Begins with those that are off, which are few.
pub(crate) fn switched_off() -> SelectStatement {
    Query::select()
        .column(("ot", "descendant_id"))
        .from_as("namespaces", "closed")
        .join_as(
            JoinType::InnerJoin,
            "namespace_ancestors",
            "ot",
            Expr::col(("ot", "ancestor_id")).eq(Expr::col(("closed", "id"))),
        )
        // As the partial index says it.
        .and_where(Expr::cust("NOT closed.package_registry_enabled"))
        .to_owned()
}

fn highest(own: SelectStatement, inherited: SelectStatement) -> SimpleExpr {
    let both = { own }.union(UnionType::All, inherited).to_owned();
    scalar(
        Query::select()
            .expr(Func::max(Expr::col(("r", "access_level"))))
            .from_subquery(both, Alias::new("r"))
            .to_owned(),
    )
}

/// A `SELECT` of one row and column as a value.
pub(crate) fn scalar(select: SelectStatement) -> SimpleExpr {
    SimpleExpr::SubQuery(None, Box::new(select.into()))
}

/// Text for the highest role of user `$user` in the project whose row is `p`, today being `$today`.
macro_rules! project_role_sql {
    ($user:literal, $today:literal) => {
        concat!(
            "(SELECT MAX(r.access_level) FROM (",
            "SELECT m.access_level FROM members m WHERE m.project_id = p.id AND m.user_id = ",
            $user,
            " AND (m.expires_at IS NULL OR m.expires_at > ",
            $today,
            ") UNION ALL SELECT m.access_level FROM namespace_ancestors a ",
            "CROSS JOIN members m ",
            "WHERE m.namespace_id = a.ancestor_id AND a.descendant_id = p.namespace_id AND m.user_id = ",
            $user,
            " AND (m.expires_at IS NULL OR m.expires_at > ",
            $today,
            ")) r)"
        )
    };
}

/// Text for whether a deploy token made for project `$project` or group `$namespace` covers the project whose row is `p`.
macro_rules! project_covered_sql {
    ($project:literal, $namespace:literal) => {
        concat!(
            "(p.id = ",
            $project,
            " OR EXISTS (SELECT 1 FROM namespace_ancestors c WHERE c.ancestor_id = ",
            $namespace,
            " AND c.descendant_id = p.namespace_id))"
        )
    };
}

/// Text for whether the registry is off in a namespace above the project whose row is `p`. `CROSS JOIN` makes SQLite begin with
/// those that are off, which are few.
macro_rules! switched_off_sql {
    () => {
        "EXISTS (SELECT 1 FROM namespaces o CROSS JOIN namespace_ancestors ot \
         WHERE NOT o.package_registry_enabled AND ot.ancestor_id = o.id AND ot.descendant_id = p.namespace_id)"
    };
}

pub(crate) use {project_covered_sql, project_role_sql, switched_off_sql};
