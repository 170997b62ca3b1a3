//! Groups and users' own namespaces.

mod change;
mod create;
mod list;
mod namespace;
mod query;
mod types;

pub(crate) use change::ChangeGroupMutation;
pub(crate) use create::CreateGroupMutation;
pub(crate) use namespace::Namespace;
pub(crate) use query::GroupQuery;
pub(crate) use types::Group;

use access::{Action, Guarded};
use async_graphql::Context;
use domain::{Failure, Subject};
use store::{IdOrPath, groups::NamespaceKind};

use crate::{context::ContextExt, gate};

/// The group or user's namespace that `address` names.
pub(crate) async fn find(
    ctx: &Context<'_>,
    address: IdOrPath<'_>,
) -> Result<Option<Guarded<store::groups::Group>>, Failure> {
    Ok(store::groups::find(ctx.store(), ctx.viewer(), address, ctx.now()).await?)
}

/// The group that `address` names, opened for `action`. A user's namespace is no group.
pub(crate) async fn open(
    ctx: &Context<'_>,
    address: &str,
    action: Action,
) -> Result<store::groups::Group, Failure> {
    let found = find(ctx, IdOrPath::from(address)).await?;
    let group = gate::authorize(ctx, found, Subject::Group, action)?;
    match group.kind {
        NamespaceKind::Group => Ok(group),
        NamespaceKind::User => Err(Failure::not_found(Subject::Group)),
    }
}
