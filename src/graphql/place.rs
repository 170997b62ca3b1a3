//! Projects and groups, where a mutation takes either.

use access::{Action, Guarded};
use async_graphql::{Context, ID};
use domain::{Failure, Role, Subject};
use store::{
    IdOrPath,
    groups::NamespaceKind,
    members::{Caller, Place},
};

use crate::{context::ContextExt, gate, group, project};

/// The project or group that one of two addresses names, opened for `action`, and the caller's standing there. A user's namespace is
/// no group.
pub(crate) async fn open(
    ctx: &Context<'_>,
    (project, group): (Option<&ID>, Option<&ID>),
    action: Action,
) -> Result<(Place, Caller), Failure> {
    let (place, facts) = match (project, group) {
        (Some(address), None) => {
            let found = project::find(ctx, address).await?;
            let facts = found.as_ref().map(Guarded::facts);
            (Place::Project(gate::authorize(ctx, found, Subject::Project, action)?.id), facts)
        }
        (None, Some(address)) => {
            let found = group::find(ctx, IdOrPath::from(address.as_str())).await?;
            let facts = found.as_ref().map(Guarded::facts);
            let group = gate::authorize(ctx, found, Subject::Group, action)?;
            if group.kind != NamespaceKind::Group {
                return Err(Failure::not_found(Subject::Group));
            }
            (Place::Group(group.id), facts)
        }
        (Some(_), Some(_)) | (None, None) => {
            return Err(Failure::invalid("projectPath", "Give either projectPath or groupPath"));
        }
    };
    // Who has no role could still leave; nobody gets here otherwise.
    let role = facts.and_then(|facts| gate::role(ctx, facts)).unwrap_or(Role::Guest);
    Ok((place, Caller { user_id: ctx.viewer().user(), role }))
}
