//! Sessions, and what else is the user's own business of signing in.

use access::Action;
use async_graphql::{Context, InputObject, Object, SimpleObject};
use domain::{Failure, Subject, UserId};
use store::{
    identities, passwords,
    sessions::{self, Begun},
};

use crate::{
    context::ContextExt,
    gate,
    outcome::{OrError, Outcome},
    relay::global_id::{UserIdentityID, UserSessionID},
    scalars::Time,
    user::CurrentUser,
};

/// Somewhere a user is signed in.
#[derive(SimpleObject)]
pub(crate) struct UserSession {
    id: UserSessionID,
    /// What the browser said it is.
    user_agent: Option<String>,
    /// Whether it is the one that asks.
    current: bool,
    /// When it was begun.
    created_at: Time,
    /// When it was last used, to ten minutes.
    last_used_at: Option<Time>,
    /// When it ends at the latest. One that is not used for a week ends before.
    expires_at: Time,
}

/// An account at a provider that signs in as a user.
#[derive(SimpleObject)]
pub(crate) struct UserIdentity {
    id: UserIdentityID,
    /// The name of the provider.
    provider: String,
    /// What people read of the provider; its name once it is not configured any more.
    label: String,
    /// When it was linked.
    created_at: Time,
}

/// The session that was begun.
#[derive(SimpleObject)]
pub(crate) struct SignInPayload {
    /// The secret that carries the session. Shown here and never again.
    session: String,
    /// When it ends at the latest.
    expires_at: Time,
    /// Whose it is.
    user: CurrentUser,
    errors: Vec<String>,
}

impl From<Begun> for SignInPayload {
    fn from(begun: Begun) -> Self {
        Self {
            session: begun.secret.expose().to_owned(),
            expires_at: begun.session.expires_at.into(),
            user: begun.user.into(),
            errors: Vec::new(),
        }
    }
}

/// What the user who asks reads of their own ways to sign in.
pub(crate) struct SignInFields(pub(crate) UserId);

impl SignInFields {
    fn is_open(&self, ctx: &Context<'_>) -> bool {
        ctx.viewer().user() == Some(self.0) && gate::authorize_instance(ctx, Action::View).is_ok()
    }
}

#[Object]
impl SignInFields {
    /// Whether the user has a password (ours). Null for all but the user.
    async fn password_set(&self, ctx: &Context<'_>) -> Outcome<Option<bool>> {
        if !self.is_open(ctx) {
            return Ok(None);
        }
        passwords::is_set(ctx.store(), self.0).await.map(Some).or_error()
    }

    /// Where the user is signed in (ours), newest first. Null for all but the user.
    async fn sessions(&self, ctx: &Context<'_>) -> Outcome<Option<Vec<UserSession>>> {
        if !self.is_open(ctx) {
            return Ok(None);
        }
        let sessions = sessions::list(ctx.store(), self.0, ctx.now()).await.or_error()?;
        let shown = sessions.into_iter().map(|session| UserSession {
            id: session.id.into(),
            current: ctx.caller().session == Some(session.id),
            user_agent: session.user_agent,
            created_at: session.created_at.into(),
            last_used_at: session.last_used_at.map(Into::into),
            expires_at: session.expires_at.into(),
        });
        Ok(Some(shown.collect()))
    }

    /// The accounts at providers that sign in as the user (ours), oldest first. Null for all but the user.
    async fn identities(&self, ctx: &Context<'_>) -> Outcome<Option<Vec<UserIdentity>>> {
        if !self.is_open(ctx) {
            return Ok(None);
        }
        let identities = identities::list(ctx.store(), self.0).await.or_error()?;
        let shown = identities.into_iter().map(|identity| UserIdentity {
            id: identity.id.into(),
            label: match ctx.state().sign_in.provider(&identity.provider) {
                Some(provider) => provider.label().to_owned(),
                None => identity.provider.clone(),
            },
            provider: identity.provider,
            created_at: identity.created_at.into(),
        });
        Ok(Some(shown.collect()))
    }
}

/// Ends the session that asks: there is nothing to say.
#[derive(InputObject)]
pub(crate) struct SignOutInput {
    /// A string that the client gives.
    client_mutation_id: Option<String>,
}

/// The outcome of signing out.
#[derive(SimpleObject)]
pub(crate) struct SignOutPayload {
    /// The string that the client gave.
    client_mutation_id: Option<String>,
    errors: Vec<String>,
}

/// Names the session to end.
#[derive(InputObject)]
pub(crate) struct RevokeUserSessionInput {
    id: UserSessionID,
}

/// The outcome of ending a session.
#[derive(SimpleObject)]
pub(crate) struct RevokeUserSessionPayload {
    errors: Vec<String>,
}

/// Refuses what is another user's like what is not there, and notes that.
pub(super) fn is_own(
    ctx: &Context<'_>,
    user: UserId,
    holder: Option<UserId>,
    subject: Subject,
) -> Result<(), Failure> {
    let missing = Failure::not_found(subject);
    match holder {
        Some(holder) if holder == user => Ok(()),
        Some(_) => {
            gate::note_refusal(ctx, None, subject, missing.code, None);
            Err(missing)
        }
        None => Err(missing),
    }
}

async fn sign_out(ctx: &Context<'_>) -> Result<(), Failure> {
    let user = gate::signed_in(ctx)?;
    let Some(session) = ctx.caller().session else {
        let failure = Failure::forbidden("A token asks, and no session: revoke the token if it shall end");
        gate::note_refusal(ctx, None, Subject::Session, failure.code, None);
        return Err(failure);
    };
    Ok(sessions::sign_out(ctx.store(), user, session, ctx.now()).await?)
}

async fn revoke(ctx: &Context<'_>, UserSessionID(session): UserSessionID) -> Result<(), Failure> {
    let user = gate::signed_in(ctx)?;
    is_own(ctx, user, sessions::holder(ctx.store(), session).await?, Subject::Session)?;
    Ok(sessions::revoke(ctx.store(), user, session, ctx.now()).await?)
}

#[derive(Default)]
pub(crate) struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Ends the session that asks (ours).
    async fn sign_out(&self, ctx: &Context<'_>, input: SignOutInput) -> Outcome<Option<SignOutPayload>> {
        sign_out(ctx).await.or_error()?;
        let client_mutation_id = input.client_mutation_id;
        Ok(Some(SignOutPayload { client_mutation_id, errors: Vec::new() }))
    }

    /// Ends one of the sessions of the caller (ours).
    async fn revoke_user_session(
        &self,
        ctx: &Context<'_>,
        input: RevokeUserSessionInput,
    ) -> Outcome<Option<RevokeUserSessionPayload>> {
        revoke(ctx, input.id).await.or_error()?;
        Ok(Some(RevokeUserSessionPayload { errors: Vec::new() }))
    }
}
