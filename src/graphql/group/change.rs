//! Changing and deleting groups.

use access::Action;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::Failure;
use store::{
    IdOrPath,
    groups::{self, GroupChange},
};

use super::Group;
use crate::{
    context::ContextExt,
    outcome::{OrError, Outcome},
    project::VisibilityLevelsEnum,
};

/// What to change of a group; what is left out stays.
#[derive(InputObject)]
pub(crate) struct UpdateGroupInput {
    /// Full path or decimal id.
    full_path: ID,
    /// The last segment of the full path. The full paths of everything below follow.
    path: Option<String>,
    /// The name people read.
    name: Option<String>,
    description: Option<String>,
    visibility: Option<VisibilityLevelsEnum>,
    /// Whether the package registry is on. Off, it is off in everything below, whatever is said there.
    package_registry_enabled: Option<bool>,
}

/// The group as it now is.
#[derive(SimpleObject)]
pub(crate) struct UpdateGroupPayload {
    group: Option<Group>,
    errors: Vec<String>,
}

/// Names the group to delete.
#[derive(InputObject)]
pub(crate) struct DestroyGroupInput {
    /// Full path or decimal id.
    full_path: ID,
}

/// The outcome of deleting a group.
#[derive(SimpleObject)]
pub(crate) struct DestroyGroupPayload {
    errors: Vec<String>,
}

async fn update(ctx: &Context<'_>, input: UpdateGroupInput) -> Result<Option<Group>, Failure> {
    let group = super::open(ctx, &input.full_path, Action::Administer).await?;
    let change = GroupChange {
        path: input.path,
        name: input.name,
        description: input.description,
        visibility: input.visibility.map(Into::into),
        package_registry_enabled: input.package_registry_enabled,
    };
    let group = groups::update(ctx.store(), group.id, change, ctx.now()).await?;
    // Read again: what the caller may do there may have changed with it.
    let found = super::find(ctx, IdOrPath::Id(group.id.0)).await?;
    Ok(found.and_then(|group| Group::shown(ctx, group)))
}

async fn destroy(ctx: &Context<'_>, input: DestroyGroupInput) -> Result<(), Failure> {
    let group = super::open(ctx, &input.full_path, Action::Destroy).await?;
    Ok(groups::destroy(ctx.store(), group.id, ctx.now()).await?)
}

#[derive(Default)]
pub(crate) struct ChangeGroupMutation;

#[Object]
impl ChangeGroupMutation {
    /// Changes a group (ours).
    async fn update_group(
        &self,
        ctx: &Context<'_>,
        input: UpdateGroupInput,
    ) -> Outcome<Option<UpdateGroupPayload>> {
        let group = update(ctx, input).await.or_error()?;
        Ok(Some(UpdateGroupPayload { group, errors: Vec::new() }))
    }

    /// Deletes a group with every group and project below (ours). Tombstones stay.
    async fn destroy_group(
        &self,
        ctx: &Context<'_>,
        input: DestroyGroupInput,
    ) -> Outcome<Option<DestroyGroupPayload>> {
        destroy(ctx, input).await.or_error()?;
        Ok(Some(DestroyGroupPayload { errors: Vec::new() }))
    }
}
