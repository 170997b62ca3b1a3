//! Lists of members.

use domain::{MemberId, NamespaceId, ProjectId, UserId};
use entity::{member, user};
use sea_orm::{
    ConnectionTrait, FromQueryResult, QueryResult,
    sea_query::{Expr, ExprTrait, JoinType, Query, SelectStatement, SimpleExpr},
};
use time::OffsetDateTime;

use super::{Member, Membership, Place};
use crate::{
    Page, PageRequest, Result, Store,
    convert::{self, today},
    page::{Direction, Keyset},
    rows,
    search::contains,
    users::User,
};

/// Whether memberships given further up count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Inheritance {
    /// Only those given in the place itself.
    Direct,
    /// Those given above as well; of several of one user the one with the highest role, the nearest among equals.
    Inherited,
}

/// Which members a list shows. Expired memberships never.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberFilter {
    /// Members of this.
    pub place: Place,
    /// Whether those given further up count.
    pub inheritance: Inheritance,
    /// Whose name or user name contains this.
    pub search: Option<String>,
    /// Only this user.
    pub user_id: Option<UserId>,
}

/// A member's row with its user's.
struct MemberRow {
    member: member::Model,
    user: user::Model,
}

impl FromQueryResult for MemberRow {
    fn from_query_result(row: &QueryResult, _: &str) -> Result<Self, sea_orm::DbErr> {
        Ok(Self {
            member: member::Model::from_query_result(row, "m_")?,
            user: user::Model::from_query_result(row, "u_")?,
        })
    }
}

impl TryFrom<MemberRow> for Member {
    type Error = crate::StoreError;

    fn try_from(row: MemberRow) -> Result<Self> {
        let place = match (row.member.namespace_id, row.member.project_id) {
            (Some(id), _) => Place::Group(NamespaceId(id)),
            (None, id) => Place::Project(ProjectId(id.unwrap_or_default())),
        };
        Ok(Self {
            id: MemberId(row.member.id),
            place,
            user: User::try_from(row.user)?,
            role: convert::role(row.member.access_level)?,
            expires_at: row.member.expires_at,
            created_by_id: row.member.created_by_id.map(UserId),
            created_at: row.member.created_at,
            updated_at: row.member.updated_at.unwrap_or(row.member.created_at),
        })
    }
}

/// Members, sorted by user.
pub async fn list(
    store: &Store,
    filter: &MemberFilter,
    page: &PageRequest,
    now: OffsetDateTime,
) -> Result<Page<Member>> {
    let mut select = select(filter, now);
    let keyset = Keyset { sort: None, id: Expr::col(("u", "id")), direction: Direction::Ascending };
    keyset.apply(&mut select, page)?;
    let rows: Vec<MemberRow> = rows::all(store.reader(), &select).await?;
    Keyset::page(rows, page).try_map(Member::try_from)
}

/// How many members [`list`] would show in all.
pub async fn count(store: &Store, filter: &MemberFilter, now: OffsetDateTime) -> Result<u64> {
    rows::count(store.reader(), select(filter, now)).await
}

/// The membership of one user, if there is one that counts.
pub async fn find(
    store: &Store,
    membership: Membership,
    inheritance: Inheritance,
    now: OffsetDateTime,
) -> Result<Option<Member>> {
    find_in(store.reader(), &one(membership, inheritance), now).await
}

/// The filter for one user.
pub(super) const fn one(membership: Membership, inheritance: Inheritance) -> MemberFilter {
    MemberFilter { place: membership.place, inheritance, search: None, user_id: Some(membership.user_id) }
}

/// The one membership that `filter` lets through.
pub(super) async fn find_in(
    connection: &impl ConnectionTrait,
    filter: &MemberFilter,
    now: OffsetDateTime,
) -> Result<Option<Member>> {
    let row: Option<MemberRow> = rows::one(connection, &select(filter, now)).await?;
    row.map(Member::try_from).transpose()
}

/// Members as `m` with their users as `u`, one row for each user.
fn select(filter: &MemberFilter, now: OffsetDateTime) -> SelectStatement {
    let member_columns = [
        "id",
        "namespace_id",
        "project_id",
        "user_id",
        "access_level",
        "expires_at",
        "created_by_id",
        "created_at",
        "updated_at",
    ];
    let user_columns =
        ["id", "username", "username_key", "name", "email", "admin", "state", "created_at", "updated_at"];
    let mut select = Query::select();
    for column in member_columns {
        select.expr_as(Expr::col(("m", column)), format!("m_{column}"));
    }
    for column in user_columns {
        select.expr_as(Expr::col(("u", column)), format!("u_{column}"));
    }
    select.from_subquery(ranked(filter, now), "m").join_as(
        JoinType::InnerJoin,
        "users",
        "u",
        Expr::col(("u", "id")).eq(Expr::col(("m", "user_id"))),
    );
    select.and_where(Expr::col(("m", "rank")).eq(1));
    if let Some(text) = &filter.search {
        let column = |name: &'static str| contains(Expr::col(("u", name)), text);
        select.and_where(column("username_key").or(column("name")));
    }
    select
}

/// The memberships that count in the place, each user's best ranked 1.
fn ranked(filter: &MemberFilter, now: OffsetDateTime) -> SelectStatement {
    let column = |name: &'static str| Expr::col(("e", name));
    let mut select = Query::select();
    select
        .expr(Expr::cust("e.*"))
        .expr_as(
            // A project stands below every group, and a group's id is larger than that of the group it was created in.
            Expr::cust(
                "ROW_NUMBER() OVER (PARTITION BY e.user_id \
                 ORDER BY e.access_level DESC, COALESCE(e.project_id, 0) DESC, COALESCE(e.namespace_id, 0) DESC)",
            ),
            "rank",
        )
        .from_as("members", "e")
        .and_where(column("expires_at").is_null().or(column("expires_at").gt(today(now))))
        .and_where(in_place(filter));
    if let Some(user) = filter.user_id {
        select.and_where(column("user_id").eq(user.0));
    }
    select
}

fn in_place(filter: &MemberFilter) -> SimpleExpr {
    let column = |name: &'static str| Expr::col(("e", name));
    match (filter.place, filter.inheritance) {
        (Place::Group(id), Inheritance::Direct) => column("namespace_id").eq(id.0),
        (Place::Group(id), Inheritance::Inherited) => {
            column("namespace_id").in_subquery(above(Expr::val(id.0)))
        }
        (Place::Project(id), Inheritance::Direct) => column("project_id").eq(id.0),
        (Place::Project(id), Inheritance::Inherited) => {
            let namespace = Query::select()
                .column(("s", "namespace_id"))
                .from_as("projects", "s")
                .and_where(Expr::col(("s", "id")).eq(id.0))
                .to_owned();
            let namespace = crate::roles::scalar(namespace);
            column("project_id").eq(id.0).or(column("namespace_id").in_subquery(above(namespace)))
        }
    }
}

/// Ids of the namespace with this id and every one above it.
fn above(namespace_id: SimpleExpr) -> SelectStatement {
    Query::select()
        .column(("t", "ancestor_id"))
        .from_as("namespace_ancestors", "t")
        .and_where(Expr::col(("t", "descendant_id")).eq(namespace_id))
        .to_owned()
}
