//! Retention policies: deciding which versions go, and seeing what that would be.

mod inputs;
mod preview;
mod types;
mod update;

pub(crate) use preview::RetentionQuery;
pub(crate) use types::{PackageRetentionPolicy, bytes};
pub(crate) use update::RetentionMutation;

use access::{Action, Guarded};
use async_graphql::{Context, ID};
use domain::{Failure, Subject};
use store::{IdOrPath, members::Place, retention};

use crate::{context::ContextExt, gate, group, project};

/// What a project or group has decided itself. None for callers who may not see it.
pub(crate) async fn retention_of(
    ctx: &Context<'_>,
    guard: Guarded<()>,
    place: Place,
) -> Result<Option<PackageRetentionPolicy>, Failure> {
    if gate::visible(ctx, Some(guard), Action::ViewPackageSettings).is_none() {
        return Ok(None);
    }
    Ok(retention::find(ctx.store(), place).await?.map(Into::into))
}

/// The project or group that is named, opened for `action`.
async fn open_place(
    ctx: &Context<'_>,
    (project_path, group_path): (Option<&ID>, Option<&ID>),
    action: Action,
) -> Result<Place, Failure> {
    match (project_path, group_path) {
        (Some(address), None) => Ok(Place::Project(project::open(ctx, address, action).await?.id)),
        (None, Some(address)) => {
            let found = group::find(ctx, IdOrPath::from(address.as_str())).await?;
            Ok(Place::Group(gate::authorize(ctx, found, Subject::Group, action)?.id))
        }
        (Some(_), Some(_)) | (None, None) => {
            Err(Failure::invalid("projectPath", "Give one of projectPath and groupPath"))
        }
    }
}
