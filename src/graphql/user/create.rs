//! Creating users, and shutting them out.

use access::Action;
use async_graphql::{Context, InputObject, Object, SimpleObject};
use domain::{Failure, password::validate_password};
use store::{
    Secret, passwords,
    users::{self, NewUser, User},
};

use super::types::UserCore;
use crate::{
    context::ContextExt,
    gate,
    outcome::{OrError, Outcome},
    relay::global_id::UserID,
};

/// A user to create.
#[derive(InputObject)]
pub(crate) struct CreateUserInput {
    /// The name to sign in with; also the path of the user's own namespace.
    username: String,
    /// The name people read.
    name: String,
    email: Option<String>,
    /// Whether the user administers the instance.
    #[graphql(default)]
    admin: bool,
    /// What the user signs in with: 8 to 128 characters, and not the user name. Left unread where passwords are switched off.
    password: Option<String>,
}

/// The user that was created.
#[derive(SimpleObject)]
pub(crate) struct CreateUserPayload {
    user: Option<UserCore>,
    errors: Vec<String>,
}

/// Names a user to shut out or let in again.
#[derive(InputObject)]
pub(crate) struct SetUserBlockedInput {
    id: UserID,
    blocked: bool,
}

/// The user as it now is.
#[derive(SimpleObject)]
pub(crate) struct SetUserBlockedPayload {
    user: Option<UserCore>,
    errors: Vec<String>,
}

async fn create(ctx: &Context<'_>, input: CreateUserInput) -> Result<User, Failure> {
    let CreateUserInput { username, name, email, admin, password } = input;
    let password = password.filter(|_| ctx.state().sign_in.passwords);
    if let Some(password) = &password {
        validate_password("password", password, &username)?;
    }
    let new = NewUser { username, name, email, admin };
    let user = users::create(ctx.store(), new, ctx.now()).await?;
    match password {
        Some(password) => {
            Ok(passwords::set(ctx.store(), user.id, Secret::given(password), None, ctx.now()).await?)
        }
        None => Ok(user),
    }
}

#[derive(Default)]
pub(crate) struct UserMutation;

#[Object]
impl UserMutation {
    /// Creates a user with a namespace of its own (ours). For administrators.
    async fn create_user(
        &self,
        ctx: &Context<'_>,
        input: CreateUserInput,
    ) -> Outcome<Option<CreateUserPayload>> {
        gate::authorize_instance(ctx, Action::Administer).or_error()?;
        let user = create(ctx, input).await.or_error()?;
        Ok(Some(CreateUserPayload { user: Some(user.into()), errors: Vec::new() }))
    }

    /// Refuses every credential of a user from now on, or accepts them again (ours). For administrators.
    async fn set_user_blocked(
        &self,
        ctx: &Context<'_>,
        input: SetUserBlockedInput,
    ) -> Outcome<Option<SetUserBlockedPayload>> {
        gate::authorize_instance(ctx, Action::Administer).or_error()?;
        let UserID(id) = input.id;
        let user = if input.blocked {
            users::block(ctx.store(), id, ctx.now()).await
        } else {
            users::unblock(ctx.store(), id, ctx.now()).await
        };
        Ok(Some(SetUserBlockedPayload { user: Some(user.or_error()?.into()), errors: Vec::new() }))
    }
}
