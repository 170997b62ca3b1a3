//! Adding, changing and removing members.

use access::{Action, Facts};
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::{Failure, Subject};
use store::{
    IdOrPath,
    groups::NamespaceKind,
    members::{self, Caller, MemberChange, Membership, NewMember, Place},
};

use super::types::{AccessLevelEnum, MemberInterface};
use crate::{
    context::ContextExt,
    gate, group,
    outcome::{OrError, Outcome},
    project,
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

/// A project or group by address.
struct Address<'a> {
    project: Option<&'a ID>,
    group: Option<&'a ID>,
}

impl Address<'_> {
    /// The place, opened for `action`, and the caller's standing in it.
    async fn open(&self, ctx: &Context<'_>, action: Action) -> Result<(Place, Caller), Failure> {
        match (self.project, self.group) {
            (Some(address), None) => {
                let found = project::find(ctx, address).await?;
                let facts = found.as_ref().map(access::Guarded::facts);
                let project = gate::authorize(ctx, found, Subject::Project, action)?;
                Ok((Place::Project(project.id), caller(ctx, facts)))
            }
            (None, Some(address)) => {
                let found = group::find(ctx, IdOrPath::from(address.as_str())).await?;
                let facts = found.as_ref().map(access::Guarded::facts);
                let group = gate::authorize(ctx, found, Subject::Group, action)?;
                if group.kind != NamespaceKind::Group {
                    return Err(Failure::not_found(Subject::Group));
                }
                Ok((Place::Group(group.id), caller(ctx, facts)))
            }
            (Some(_), Some(_)) | (None, None) => {
                Err(Failure::invalid("projectPath", "Give either projectPath or groupPath"))
            }
        }
    }
}

fn caller(ctx: &Context<'_>, facts: Option<Facts>) -> Caller {
    let role = facts.and_then(|facts| gate::role(ctx, facts));
    // Who has no role could still leave; nobody gets here otherwise.
    Caller { user_id: ctx.viewer().user(), role: role.unwrap_or(domain::Role::Guest) }
}

async fn add(ctx: &Context<'_>, input: AddMemberInput) -> Result<members::Member, Failure> {
    let address = Address { project: input.project_path.as_ref(), group: input.group_path.as_ref() };
    let (place, caller) = address.open(ctx, Action::ManageMembers).await?;
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
    let address = Address { project: input.project_path.as_ref(), group: input.group_path.as_ref() };
    let (place, caller) = address.open(ctx, Action::ManageMembers).await?;
    let UserID(user_id) = input.user_id;
    let change = MemberChange {
        membership: Membership { place, user_id },
        role: input.access_level.map(Into::into),
        expires_at: input.expires_at.as_opt_ref().map(|day| day.map(|Date(day)| *day)),
    };
    Ok(members::update(ctx.store(), change, caller, ctx.now()).await?)
}

async fn remove(ctx: &Context<'_>, input: RemoveMemberInput) -> Result<(), Failure> {
    let address = Address { project: input.project_path.as_ref(), group: input.group_path.as_ref() };
    let UserID(user_id) = input.user_id;
    let leaves = ctx.viewer().user() == Some(user_id);
    let action = if leaves {
        // Everybody may leave what they can see; only the token must let changes through.
        gate::signed_in(ctx)?;
        Action::View
    } else {
        Action::ManageMembers
    };
    let (place, caller) = address.open(ctx, action).await?;
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
