//! Personal access tokens.

use access::{Action, Via};
use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use domain::{AccessTokenId, Failure, Subject, UserId};
use store::{
    Cursor, Secret,
    access_tokens::{self, AccessToken, NewAccessToken},
    resource_tokens,
};

use super::{
    limit::{TokenLimit, TokenLimitInput, limits, shown},
    scope_names, scopes,
};
use crate::{
    context::ContextExt,
    gate,
    outcome::{OrError, Outcome},
    relay::{
        connection::{Connection, Count, PageArguments, connect},
        global_id::{PersonalAccessTokenID, UserID},
    },
    scalars::{Date, Time},
};

/// Whether a token is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "AccessTokenState")]
pub(crate) enum TokenState {
    /// Neither revoked nor expired.
    Active,
    /// Revoked or expired.
    Inactive,
}

/// A personal access token, without its secret, which nobody can read again.
pub(crate) struct PersonalAccessToken(AccessToken);

/// A personal access token, without its secret, which nobody can read again.
#[Object]
impl PersonalAccessToken {
    async fn id(&self) -> PersonalAccessTokenID {
        self.0.id.into()
    }
    /// Whose it is (ours).
    async fn user_id(&self) -> UserID {
        self.0.user_id.into()
    }
    /// The name people read.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// What people wrote about it.
    async fn description(&self) -> Option<&str> {
        Some(self.0.description.as_str()).filter(|text| !text.is_empty())
    }
    /// How far it goes.
    async fn scopes(&self) -> Vec<&'static str> {
        scope_names(self.0.scopes)
    }
    /// Which packages it is limited to (ours). Empty when it is not.
    async fn limits(&self) -> Vec<TokenLimit> {
        shown(&self.0.limits)
    }
    /// Whether it is neither revoked nor expired.
    async fn active(&self, ctx: &Context<'_>) -> bool {
        self.0.is_active(ctx.now())
    }
    /// Whether it was revoked.
    async fn revoked(&self) -> bool {
        self.0.revoked_at.is_some()
    }
    /// The first day on which it no longer counts.
    async fn expires_at(&self) -> Option<Date> {
        self.0.expires_at.map(Into::into)
    }
    /// When it was last used, to ten minutes.
    async fn last_used_at(&self) -> Option<Time> {
        self.0.last_used_at.map(Into::into)
    }
    /// When it was created.
    async fn created_at(&self) -> Time {
        self.0.created_at.into()
    }
}

/// The tokens of a user, newest first. Whoever calls this has asked whether the caller may see them.
pub(crate) async fn access_tokens_of(
    ctx: &Context<'_>,
    user: UserId,
    state: Option<TokenState>,
    arguments: &PageArguments,
) -> Result<Connection<PersonalAccessToken, Count>, Failure> {
    let mut tokens = access_tokens::list(ctx.store(), user).await?;
    if let Some(state) = state {
        tokens.retain(|token| token.is_active(ctx.now()) == (state == TokenState::Active));
    }
    let (page, count) = arguments.counted_slice(ctx, tokens, "id-", |token| token.id.0)?;
    Ok(connect(page, "id-", count, |token| Cursor { sort: None, id: token.id.0 }, PersonalAccessToken))
}

/// A personal access token to create.
#[derive(InputObject)]
pub(crate) struct CreatePersonalAccessTokenInput {
    name: String,
    description: Option<String>,
    /// Names of scopes.
    scopes: Vec<String>,
    /// Which packages it is limited to; all it could reach when left out. A limited token changes nothing but packages.
    limits: Option<Vec<TokenLimitInput>>,
    /// The first day on which it no longer counts: no later than that of the token in use, whose day it is when left out.
    expires_at: Option<Date>,
    /// Whose it is to be, for administrators; the caller's own when left out.
    user_id: Option<UserID>,
}

/// The token that was created.
#[derive(SimpleObject)]
pub(crate) struct CreatePersonalAccessTokenPayload {
    personal_access_token: Option<PersonalAccessToken>,
    /// The secret. Shown here and never again.
    token: Option<String>,
    errors: Vec<String>,
}

/// Names the token to revoke.
#[derive(InputObject)]
pub(crate) struct RevokePersonalAccessTokenInput {
    id: PersonalAccessTokenID,
}

/// The outcome of revoking a token.
#[derive(SimpleObject)]
pub(crate) struct RevokePersonalAccessTokenPayload {
    personal_access_token: Option<PersonalAccessToken>,
    errors: Vec<String>,
}

/// Names the token to replace.
#[derive(InputObject)]
pub(crate) struct RotatePersonalAccessTokenInput {
    id: PersonalAccessTokenID,
    /// The first day on which the new one no longer counts: no later than that of the token in use; a week from now when left
    /// out, if that is not later.
    expires_at: Option<Date>,
}

/// The token that replaces another.
#[derive(SimpleObject)]
pub(crate) struct RotatePersonalAccessTokenPayload {
    personal_access_token: Option<PersonalAccessToken>,
    /// The secret. Shown here and never again.
    token: Option<String>,
    errors: Vec<String>,
}

/// The token with this id, if it is the caller's or the caller administers the instance.
async fn own(ctx: &Context<'_>, id: AccessTokenId) -> Result<AccessToken, Failure> {
    let missing = Failure::not_found(Subject::Token);
    match access_tokens::find(ctx.store(), id).await? {
        Some(token) if gate::is_self_or_admin(ctx, token.user_id) => Ok(token),
        Some(_) => {
            gate::note_refusal(ctx, None, Subject::Token, missing.code, None);
            Err(missing)
        }
        None => Err(missing),
    }
}

/// The day from which on the token in use no longer counts, if it is an access token and there is one.
pub(crate) async fn end_of_token_in_use(ctx: &Context<'_>) -> Result<Option<time::Date>, Failure> {
    let Some(id) = ctx.caller().access_token else { return Ok(None) };
    Ok(access_tokens::find(ctx.store(), id).await?.and_then(|token| token.expires_at))
}

/// The last day of a token that the caller makes: `wanted`, or `usual` when nothing is said. No token makes one that outlives
/// it, or else it would never end.
async fn last_day(
    ctx: &Context<'_>,
    wanted: Option<Date>,
    usual: Option<time::Date>,
) -> Result<Option<time::Date>, Failure> {
    let wanted = wanted.map(|Date(day)| day);
    let Some(end) = end_of_token_in_use(ctx).await? else { return Ok(wanted.or(usual)) };
    match wanted {
        Some(day) if day > end => {
            let message =
                format!("'{day}' is later than {end}, when the token in use ends: use one that lasts longer");
            Err(Failure::invalid("expires_at", message))
        }
        Some(day) => Ok(Some(day)),
        None => Ok(Some(usual.map_or(end, |usual| usual.min(end)))),
    }
}

async fn create(
    ctx: &Context<'_>,
    input: CreatePersonalAccessTokenInput,
) -> Result<(AccessToken, Secret), Failure> {
    // The `api` scope that this asks for covers every other: no token makes one that goes further than itself.
    let caller = gate::signed_in(ctx)?;
    let user_id = match input.user_id {
        Some(UserID(user)) if user != caller => {
            gate::authorize_instance(ctx, Action::Administer)?;
            user
        }
        Some(_) | None => caller,
    };
    let new = NewAccessToken {
        user_id,
        name: input.name,
        description: input.description.unwrap_or_default(),
        scopes: scopes(&input.scopes)?,
        limits: limits(input.limits)?,
        expires_at: last_day(ctx, input.expires_at, None).await?,
    };
    Ok(access_tokens::create(ctx.store(), new, ctx.now()).await?)
}

async fn revoke(ctx: &Context<'_>, id: AccessTokenId) -> Result<AccessToken, Failure> {
    // Whoever holds a token may give it up, whatever its scopes.
    if ctx.caller().access_token != Some(id) {
        gate::signed_in(ctx)?;
        own(ctx, id).await?;
    }
    Ok(access_tokens::revoke(ctx.store(), id, ctx.now()).await?)
}

async fn rotate(
    ctx: &Context<'_>,
    id: AccessTokenId,
    expires_at: Option<Date>,
) -> Result<(AccessToken, Secret), Failure> {
    let renews_itself = ctx.caller().access_token == Some(id);
    if renews_itself {
        gate::authorize_instance(ctx, Action::RenewToken)?;
    } else {
        gate::signed_in(ctx)?;
        own(ctx, id).await?;
    }
    let usual = Some(access_tokens::renewed_until(ctx.now()));
    let last = if renews_itself {
        // The one before ends with it: nothing is multiplied.
        expires_at.map(|Date(day)| day).or(usual)
    } else {
        last_day(ctx, expires_at, usual).await?
    };
    if renews_itself && *ctx.viewer().via() == Via::Bot {
        let (renewed, secret) = resource_tokens::rotate(ctx.store(), id, last, None, ctx.now()).await?;
        return Ok((renewed.token, secret));
    }
    Ok(access_tokens::rotate(ctx.store(), id, last, ctx.now()).await?)
}

#[derive(Default)]
pub(crate) struct AccessTokenQuery;

#[Object]
impl AccessTokenQuery {
    /// The personal access token in use (ours). Null when the request came with something else.
    async fn current_access_token(&self, ctx: &Context<'_>) -> Outcome<Option<PersonalAccessToken>> {
        let Some(id) = ctx.caller().access_token else { return Ok(None) };
        Ok(access_tokens::find(ctx.store(), id).await.or_error()?.map(PersonalAccessToken))
    }

    /// A personal access token of the caller, or anybody's for administrators (ours). Null when there is none.
    async fn personal_access_token(
        &self,
        ctx: &Context<'_>,
        id: PersonalAccessTokenID,
    ) -> Outcome<Option<PersonalAccessToken>> {
        gate::authorize_instance(ctx, Action::View).or_error()?;
        let found = access_tokens::find(ctx.store(), id.0).await.or_error()?;
        let found = found.filter(|token| gate::is_self_or_admin(ctx, token.user_id));
        Ok(found.map(PersonalAccessToken))
    }
}

#[derive(Default)]
pub(crate) struct AccessTokenMutation;

#[Object]
impl AccessTokenMutation {
    /// Creates a personal access token (ours), for the caller, or for anybody by an administrator.
    async fn create_personal_access_token(
        &self,
        ctx: &Context<'_>,
        input: CreatePersonalAccessTokenInput,
    ) -> Outcome<Option<CreatePersonalAccessTokenPayload>> {
        let (token, secret) = create(ctx, input).await.or_error()?;
        Ok(Some(CreatePersonalAccessTokenPayload {
            personal_access_token: Some(PersonalAccessToken(token)),
            token: Some(secret.expose().to_owned()),
            errors: Vec::new(),
        }))
    }

    /// Revokes a personal access token (ours). One that is revoked already stays so.
    async fn revoke_personal_access_token(
        &self,
        ctx: &Context<'_>,
        input: RevokePersonalAccessTokenInput,
    ) -> Outcome<Option<RevokePersonalAccessTokenPayload>> {
        let token = revoke(ctx, input.id.0).await.or_error()?;
        let personal_access_token = Some(PersonalAccessToken(token));
        Ok(Some(RevokePersonalAccessTokenPayload { personal_access_token, errors: Vec::new() }))
    }

    /// Revokes a personal access token and creates one like it with a new secret (ours).
    async fn rotate_personal_access_token(
        &self,
        ctx: &Context<'_>,
        input: RotatePersonalAccessTokenInput,
    ) -> Outcome<Option<RotatePersonalAccessTokenPayload>> {
        let (token, secret) = rotate(ctx, input.id.0, input.expires_at).await.or_error()?;
        Ok(Some(RotatePersonalAccessTokenPayload {
            personal_access_token: Some(PersonalAccessToken(token)),
            token: Some(secret.expose().to_owned()),
            errors: Vec::new(),
        }))
    }
}
