//! Passwords.

use access::Action;
use async_graphql::{Context, InputObject, Object, SimpleObject};
use domain::{Failure, Subject};
use store::{
    Secret,
    passwords::{self, Claimant, PasswordChange},
    sessions::Begun,
    users::{self, User},
};

use super::{lasting, replace, session::SignInPayload};
use crate::{
    context::ContextExt,
    gate,
    limits::{Once, once},
    outcome::{OrError, Outcome},
    user::UserCore,
};

/// Who signs in, and how that is proved.
#[derive(InputObject)]
pub(crate) struct SignInInput {
    /// The user name or the mail address.
    login: String,
    password: String,
    /// What the browser says it is, to be shown among the sessions.
    user_agent: Option<String>,
}

/// A new password for the caller.
#[derive(InputObject)]
pub(crate) struct ChangePasswordInput {
    /// The password so far. Needed where there is one.
    current_password: Option<String>,
    /// Its successor: 8 to 128 characters, and not the user name.
    new_password: String,
}

/// The outcome of changing a password.
#[derive(SimpleObject)]
pub(crate) struct ChangePasswordPayload {
    errors: Vec<String>,
}

/// A user's new password.
#[derive(InputObject)]
pub(crate) struct SetUserPasswordInput {
    username: String,
    /// 8 to 128 characters, and not the user name.
    password: String,
}

/// The user whose password was set.
#[derive(SimpleObject)]
pub(crate) struct SetUserPasswordPayload {
    user: Option<UserCore>,
    errors: Vec<String>,
}

/// Refuses what is about passwords where they are switched off.
fn switched_on(ctx: &Context<'_>) -> Result<(), Failure> {
    if ctx.state().sign_in.passwords {
        return Ok(());
    }
    Err(Failure::forbidden("Passwords are switched off here: sign in with one of the providers"))
}

async fn sign_in(ctx: &Context<'_>, input: SignInInput) -> Result<Begun, Failure> {
    once(ctx, Once::Password)?;
    switched_on(ctx)?;
    ctx.state().in_force.throttles.count_sign_in(ctx.caller().address)?;
    let SignInInput { login, password, user_agent } = input;
    let claimant = Claimant { login, password: Secret::given(password), user_agent };
    let begun = passwords::sign_in(ctx.store(), claimant, ctx.now()).await.inspect_err(|_| {
        let address = ctx.caller().address.map(|address| address.to_string());
        tracing::warn!(client.address = address, "a sign-in with a password was refused");
    })?;
    replace(ctx).await?;
    Ok(begun)
}

async fn change(ctx: &Context<'_>, input: ChangePasswordInput) -> Result<(), Failure> {
    let user = lasting(ctx).await?;
    once(ctx, Once::Password)?;
    switched_on(ctx)?;
    let change = PasswordChange {
        user,
        current: input.current_password.map(Secret::given),
        new: Secret::given(input.new_password),
        session: ctx.caller().session,
    };
    Ok(passwords::change(ctx.store(), change, ctx.now()).await?)
}

async fn set(ctx: &Context<'_>, input: SetUserPasswordInput) -> Result<User, Failure> {
    gate::authorize_instance(ctx, Action::Administer)?;
    let by = lasting(ctx).await?;
    switched_on(ctx)?;
    let user = users::find_by_username(ctx.store(), &input.username).await?;
    let user = user.ok_or_else(|| Failure::not_found(Subject::User))?;
    if user.id == by && ctx.caller().session.is_some() {
        let message = "Change your own password with changePassword, which asks for the one so far";
        return Err(Failure::invalid("username", message));
    }
    let password = Secret::given(input.password);
    Ok(passwords::set(ctx.store(), user.id, password, ctx.caller().session, ctx.now()).await?)
}

#[derive(Default)]
pub(crate) struct PasswordMutation;

#[Object]
impl PasswordMutation {
    /// Signs in with a password (ours). One password in a request.
    async fn sign_in(&self, ctx: &Context<'_>, input: SignInInput) -> Outcome<Option<SignInPayload>> {
        sign_in(ctx, input).await.map(|begun| Some(begun.into())).or_error()
    }

    /// Changes the caller's own password (ours), and ends all sessions but the one that asks.
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        input: ChangePasswordInput,
    ) -> Outcome<Option<ChangePasswordPayload>> {
        change(ctx, input).await.or_error()?;
        Ok(Some(ChangePasswordPayload { errors: Vec::new() }))
    }

    /// Gives a user a password (ours), and ends the user's sessions. For administrators.
    async fn set_user_password(
        &self,
        ctx: &Context<'_>,
        input: SetUserPasswordInput,
    ) -> Outcome<Option<SetUserPasswordPayload>> {
        let user = set(ctx, input).await.or_error()?;
        Ok(Some(SetUserPasswordPayload { user: Some(user.into()), errors: Vec::new() }))
    }
}
