//! Finding single groups.

use access::{Guarded, Viewer};
use domain::{NamespaceId, UserId};
use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use time::OffsetDateTime;

use super::{Group, GuardedRow, list};
use crate::{IdOrPath, Result, Store, address::path_key, roles::Standing, rows};

/// The group or user's namespace that `address` names, if there is one. One statement.
pub async fn find(
    store: &Store,
    viewer: &Viewer,
    address: IdOrPath<'_>,
    now: OffsetDateTime,
) -> Result<Option<Guarded<Group>>> {
    let column = |name: &'static str| Expr::col(("n", name));
    let condition = match address {
        IdOrPath::Id(id) => column("id").eq(id),
        IdOrPath::Path(path) => column("full_path_key").eq(path_key(path)),
    };
    Ok(matching(store, viewer, condition, now).await?.pop())
}

/// The groups with these ids, in no order; what does not exist is left out. One statement.
pub async fn find_many(
    store: &Store,
    viewer: &Viewer,
    ids: &[NamespaceId],
    now: OffsetDateTime,
) -> Result<Vec<Guarded<Group>>> {
    matching(store, viewer, Expr::col(("n", "id")).is_in(ids.iter().map(|id| id.0)), now).await
}

/// The own namespace of `user`. One statement.
pub async fn own_namespace(
    store: &Store,
    viewer: &Viewer,
    user: UserId,
    now: OffsetDateTime,
) -> Result<Option<Guarded<Group>>> {
    Ok(matching(store, viewer, Expr::col(("n", "owner_id")).eq(user.0), now).await?.pop())
}

async fn matching(
    store: &Store,
    viewer: &Viewer,
    condition: SimpleExpr,
    now: OffsetDateTime,
) -> Result<Vec<Guarded<Group>>> {
    let instance = store.instance_facts().await?;
    let mut select = list::select(&Standing::of(viewer, now));
    select.and_where(condition).and_where(Expr::col(("n", "deleted_at")).is_null());
    let rows: Vec<GuardedRow> = rows::all(store.reader(), &select).await?;
    rows.into_iter().map(|row| row.guarded(instance)).collect()
}
