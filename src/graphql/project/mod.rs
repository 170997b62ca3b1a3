//! Projects.

mod change;
mod create;
mod inputs;
mod list;
mod query;
mod types;

pub(crate) use change::ChangeProjectMutation;
pub(crate) use create::CreateProjectMutation;
pub(crate) use inputs::VisibilityLevelsEnum;
pub(crate) use list::{ProjectSort, project_connection};
pub(crate) use query::ProjectQuery;
pub(crate) use types::Project;

use access::{Action, Guarded};
use async_graphql::Context;
use domain::{Failure, Subject};
use store::IdOrPath;

use crate::{context::ContextExt, gate};

/// The project that `address` names.
pub(crate) async fn find(
    ctx: &Context<'_>,
    address: &str,
) -> Result<Option<Guarded<store::projects::Project>>, Failure> {
    Ok(store::projects::find(ctx.store(), ctx.viewer(), IdOrPath::from(address), ctx.now()).await?)
}

/// The project that `address` names, opened for `action`.
pub(crate) async fn open(
    ctx: &Context<'_>,
    address: &str,
    action: Action,
) -> Result<store::projects::Project, Failure> {
    let found = find(ctx, address).await?;
    gate::authorize(ctx, found, Subject::Project, action)
}
