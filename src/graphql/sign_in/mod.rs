//! How people sign in: with a password, or by way of a provider; and the sessions that come of it.

mod options;
mod password;
mod provider;
mod session;

pub(crate) use options::SignInQuery;
pub(crate) use password::PasswordMutation;
pub(crate) use provider::ProviderMutation;
pub(crate) use session::{SessionMutation, SignInFields};

use async_graphql::Context;
use domain::{Failure, UserId};
use oidc::Provider;
use store::sessions;

use crate::{context::ContextExt, gate, token::end_of_token_in_use};

/// How people may sign in.
pub struct SignIn {
    /// Whether with a password.
    pub passwords: bool,
    /// With whom else; no two have the same name.
    pub providers: Vec<Provider>,
}

impl SignIn {
    /// The provider called `name`, if there is one.
    fn provider(&self, name: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.name() == name)
    }
}

/// The user who asks, for what lasts: with a session, or with a token that has no end. What one with an end could set up, a password or
/// an account at a provider, would outlive it.
async fn lasting(ctx: &Context<'_>) -> Result<UserId, Failure> {
    let user = gate::signed_in(ctx)?;
    match end_of_token_in_use(ctx).await? {
        None => Ok(user),
        Some(end) => Err(Failure::forbidden(format!(
            "The token ends on {end}, and this would outlive it: sign in, or use a token without an end"
        ))),
    }
}

/// Ends the session of the browser that has signed in anew.
async fn replace(ctx: &Context<'_>) -> Result<(), Failure> {
    match (ctx.viewer().user(), ctx.caller().session) {
        (Some(user), Some(session)) => Ok(sessions::sign_out(ctx.store(), user, session, ctx.now()).await?),
        _ => Ok(()),
    }
}
