//! How many duplicated files the packages of a project keep.

mod types;
mod update;

pub(crate) use types::PackagesCleanupPolicy;
pub(crate) use update::CleanupPolicyMutation;

use access::{Action, Guarded};
use async_graphql::Context;
use domain::{Failure, ProjectId};
use store::cleanup_policies;

use crate::{context::ContextExt, gate};

/// The policy of a project. None for callers who may not see it.
pub(crate) async fn policy_of(
    ctx: &Context<'_>,
    guard: Guarded<()>,
    project: ProjectId,
) -> Result<Option<PackagesCleanupPolicy>, Failure> {
    if gate::visible(ctx, Some(guard), Action::ViewPackageSettings).is_none() {
        return Ok(None);
    }
    Ok(Some(cleanup_policies::find(ctx.store(), project).await?.into()))
}
