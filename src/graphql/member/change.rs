//! Adding, changing and removing members.

use access::Action;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::{Failure, Subject};
use store::members::{self, MemberChange, Membership, NewMember};

use super::types::{AccessLevelEnum, MemberInterface};
use crate::{
    context::ContextExt,
    gate,
    outcome::{OrError, Outcome},
    place,
    relay::global_id::UserID,
    scalars::Date,
};

/// Adds a member to a project or a group.
#[derive(InputObject)]
pub(crate) struct AddMemberInput {
    /// Full path or decimal id of the project; either this or groupPath.
    project_path: Option<ID>,
    /// Full path or decimal id of the group; either this or projectPath.
    group_path: Option<ID>,
    /// Who; either this or username.
    user_id: Option<UserID>,
    /// Who; either this or userId.
    username: Option<String>,
    access_level: AccessLevelEnum,
    /// The first day on which it no longer counts.
    expires_at: Option<Date>,
}

/// The member that was added.
#[derive(SimpleObject)]
pub(crate) struct AddMemberPayload {
    member: Option<MemberInterface>,
    errors: Vec<String>,
}

/// Changes a membership given in a project or a group itself.
#[derive(InputObject)]
pub(crate) struct UpdateMemberInput {
    /// Full path or decimal id of the project; either this or groupPath.
    project_path: Option<ID>,
    /// Full path or decimal id of the group; either this or projectPath.
    group_path: Option<ID>,
    user_id: UserID,
    access_level: Option<AccessLevelEnum>,
    /// The first day on which it no longer counts; null makes it last.
    expires_at: async_graphql::MaybeUndefined<Date>,
}

/// The member as it now is.
#[derive(SimpleObject)]
pub(crate) struct UpdateMemberPayload {
    member: Option<MemberInterface>,
    errors: Vec<String>,
}

/// Removes a membership given in a project or a group itself.
#[derive(InputObject)]
pub(crate) struct RemoveMemberInput {
    /// Full path or decimal id of the project; either this or groupPath.
    project_path: Option<ID>,
    /// Full path or decimal id of the group; either this or projectPath.
    group_path: Option<ID>,
    user_id: UserID,
}

/// The outcome of removing a member.
#[derive(SimpleObject)]
pub(crate) struct RemoveMemberPayload {
    errors: Vec<String>,
}

async fn add(ctx: &Context<'_>, input: AddMemberInput) -> Result<members::Member, Failure> {
    let paths = (input.project_path.as_ref(), input.group_path.as_ref());
    let (place, caller) = place::open(ctx, paths, Action::ManageMembers).await?;
    let user_id = match (input.user_id, input.username) {
        (Some(UserID(id)), None) => id,
        (None, Some(username)) => {
            let user = store::users::find_by_username(ctx.store(), &username).await?;
            user.ok_or_else(|| Failure::not_found(Subject::User))?.id
        }
        (Some(_), Some(_)) | (None, None) => {
            return Err(Failure::invalid("userId", "Give either userId or username"));
        }
    };
    let new = NewMember {
        membership: Membership { place, user_id },
        role: input.access_level.into(),
        expires_at: input.expires_at.map(|Date(day)| day),
    };
    Ok(members::add(ctx.store(), new, caller, ctx.now()).await?)
}

async fn update(ctx: &Context<'_>, input: UpdateMemberInput) -> Result<members::Member, Failure> {
    let paths = (input.project_path.as_ref(), input.group_path.as_ref());
    let (place, caller) = place::open(ctx, paths, Action::ManageMembers).await?;
    let UserID(user_id) = input.user_id;
    let change = MemberChange {
        membership: Membership { place, user_id },
        role: input.access_level.map(Into::into),
        expires_at: input.expires_at.as_opt_ref().map(|day| day.map(|Date(day)| *day)),
    };
    Ok(members::update(ctx.store(), change, caller, ctx.now()).await?)
}

async fn remove(ctx: &Context<'_>, input: RemoveMemberInput) -> Result<(), Failure> {
    let paths = (input.project_path.as_ref(), input.group_path.as_ref());
    let UserID(user_id) = input.user_id;
    let leaves = ctx.viewer().user() == Some(user_id);
    let action = if leaves {
        // Everybody may leave what they can see; only the token must let changes through.
        gate::signed_in(ctx)?;
        Action::View
    } else {
        Action::ManageMembers
    };
    let (place, caller) = place::open(ctx, paths, action).await?;
    Ok(members::remove(ctx.store(), Membership { place, user_id }, caller, ctx.now()).await?)
}

#[derive(Default)]
pub(crate) struct MemberMutation;

#[Object]
impl MemberMutation {
    /// Adds a member to a project or a group (ours). Nobody gives more than they have.
    async fn add_member(
        &self,
        ctx: &Context<'_>,
        input: AddMemberInput,
    ) -> Outcome<Option<AddMemberPayload>> {
        let member = add(ctx, input).await.or_error()?;
        Ok(Some(AddMemberPayload { member: Some(member.into()), errors: Vec::new() }))
    }

    /// Changes a membership given in the project or group itself (ours).
    async fn update_member(
        &self,
        ctx: &Context<'_>,
        input: UpdateMemberInput,
    ) -> Outcome<Option<UpdateMemberPayload>> {
        let member = update(ctx, input).await.or_error()?;
        Ok(Some(UpdateMemberPayload { member: Some(member.into()), errors: Vec::new() }))
    }

    /// Removes a membership given in the project or group itself (ours). Everybody may remove themselves.
    async fn remove_member(
        &self,
        ctx: &Context<'_>,
        input: RemoveMemberInput,
    ) -> Outcome<Option<RemoveMemberPayload>> {
        remove(ctx, input).await.or_error()?;
        Ok(Some(RemoveMemberPayload { errors: Vec::new() }))
    }
}
