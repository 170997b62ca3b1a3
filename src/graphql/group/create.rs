//! Creating groups.

use access::Action;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::Failure;
use store::{
    IdOrPath,
    groups::{self, NewGroup},
};

use super::Group;
use crate::{
    context::ContextExt,
    gate,
    outcome::{OrError, Outcome},
    project::VisibilityLevelsEnum,
};

/// A group to create.
#[derive(InputObject)]
pub(crate) struct CreateGroupInput {
    /// The group above, by full path or decimal id; a group at the top when left out.
    parent_path: Option<ID>,
    /// The last segment of the full path.
    path: String,
    /// The name people read.
    name: String,
    description: Option<String>,
    /// Private when left out.
    visibility: Option<VisibilityLevelsEnum>,
}

/// The group that was created.
#[derive(SimpleObject)]
pub(crate) struct CreateGroupPayload {
    group: Option<Group>,
    errors: Vec<String>,
}

async fn create(ctx: &Context<'_>, input: CreateGroupInput) -> Result<Option<Group>, Failure> {
    let parent_id = match &input.parent_path {
        Some(parent) => Some(super::open(ctx, parent, Action::CreateGroup).await?.id),
        None => {
            gate::authorize_instance(ctx, Action::CreateGroup)?;
            None
        }
    };
    let new = NewGroup {
        parent_id,
        path: input.path,
        name: input.name,
        description: input.description.unwrap_or_default(),
        visibility: input.visibility.map_or(domain::Visibility::Private, Into::into),
        creator_id: ctx.viewer().user(),
    };
    let created = groups::create(ctx.store(), new, ctx.now()).await?;
    let found = super::find(ctx, IdOrPath::Id(created.id.0)).await?;
    Ok(found.and_then(|group| Group::shown(ctx, group)))
}

#[derive(Default)]
pub(crate) struct CreateGroupMutation;

#[Object]
impl CreateGroupMutation {
    /// Creates a group, of which the caller becomes an owner (ours).
    async fn create_group(
        &self,
        ctx: &Context<'_>,
        input: CreateGroupInput,
    ) -> Outcome<Option<CreateGroupPayload>> {
        let group = create(ctx, input).await.or_error()?;
        Ok(Some(CreateGroupPayload { group, errors: Vec::new() }))
    }
}
