//! Access tokens of projects and groups.

use access::{Action, Holder};
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::{AccessTokenId, ErrorCode, Failure, Role, Subject};
use store::{
    Cursor, Secret,
    members::Caller,
    resource_tokens::{self, NewResourceToken, ResourceToken},
};

use super::{
    TokenState,
    limit::{TokenLimit, TokenLimitInput, limits, shown},
    scope_names, scopes,
};
use crate::{
    context::ContextExt,
    gate,
    member::{AccessLevel, AccessLevelEnum},
    outcome::{OrError, Outcome},
    place,
    relay::{
        connection::{Connection, Count, PageArguments, connect},
        global_id::{PersonalAccessTokenID, UserID},
    },
    scalars::{Date, Time},
};

/// An access token of a project or group, without its secret, which nobody can read again.
pub(crate) struct AccessToken(ResourceToken);

/// An access token of a project or group (ours). Its user is a bot that is a member there and nowhere else.
#[Object]
impl AccessToken {
    async fn id(&self) -> PersonalAccessTokenID {
        self.0.token.id.into()
    }
    /// The bot.
    async fn user_id(&self) -> UserID {
        self.0.token.user_id.into()
    }
    /// The name people read.
    async fn name(&self) -> &str {
        &self.0.token.name
    }
    /// What people wrote about it.
    async fn description(&self) -> Option<&str> {
        Some(self.0.token.description.as_str()).filter(|text| !text.is_empty())
    }
    /// How far it goes.
    async fn scopes(&self) -> Vec<&'static str> {
        scope_names(self.0.token.scopes)
    }
    /// Which packages it is limited to. Empty when it is not.
    async fn limits(&self) -> Vec<TokenLimit> {
        shown(&self.0.token.limits)
    }
    /// The role of the bot.
    async fn access_level(&self) -> AccessLevel {
        self.0.role.into()
    }
    /// Whether it is neither revoked nor expired.
    async fn active(&self, ctx: &Context<'_>) -> bool {
        self.0.token.is_active(ctx.now())
    }
    /// Whether it was revoked.
    async fn revoked(&self) -> bool {
        self.0.token.revoked_at.is_some()
    }
    /// The first day on which it no longer counts.
    async fn expires_at(&self) -> Option<Date> {
        self.0.token.expires_at.map(Into::into)
    }
    /// When it was last used, to ten minutes.
    async fn last_used_at(&self) -> Option<Time> {
        self.0.token.last_used_at.map(Into::into)
    }
    /// When it was created.
    async fn created_at(&self) -> Time {
        self.0.token.created_at.into()
    }
}

/// The tokens made for `holder`, newest first. Whoever calls this has asked whether the caller may manage them.
pub(crate) async fn resource_tokens_of(
    ctx: &Context<'_>,
    holder: Holder,
    state: Option<TokenState>,
    arguments: &PageArguments,
) -> Result<Connection<AccessToken, Count>, Failure> {
    let mut tokens = resource_tokens::list(ctx.store(), holder).await?;
    if let Some(state) = state {
        tokens.retain(|token| token.token.is_active(ctx.now()) == (state == TokenState::Active));
    }
    let (page, count) = arguments.counted_slice(ctx, tokens, "id-", |token| token.token.id.0)?;
    Ok(connect(page, "id-", count, |token| Cursor { sort: None, id: token.token.id.0 }, AccessToken))
}

/// An access token of a project or group to create.
#[derive(InputObject)]
pub(crate) struct CreateAccessTokenInput {
    /// Full path or decimal id of the project; either this or groupPath.
    project_path: Option<ID>,
    /// Full path or decimal id of the group; either this or projectPath.
    group_path: Option<ID>,
    name: String,
    description: Option<String>,
    /// Names of scopes.
    scopes: Vec<String>,
    /// Which packages it is limited to; all it could reach when left out.
    limits: Option<Vec<TokenLimitInput>>,
    /// The first day on which it no longer counts; a year from now when left out.
    expires_at: Option<Date>,
    /// The role of its bot, no higher than the caller's own; MAINTAINER when left out.
    access_level: Option<AccessLevelEnum>,
}

/// The token that was created.
#[derive(SimpleObject)]
pub(crate) struct CreateAccessTokenPayload {
    access_token: Option<AccessToken>,
    /// The secret. Shown here and never again.
    token: Option<String>,
    errors: Vec<String>,
}

/// Names the token to replace.
#[derive(InputObject)]
pub(crate) struct RotateAccessTokenInput {
    id: PersonalAccessTokenID,
    /// Where it is expected: a token of another project is then not found.
    project_path: Option<ID>,
    /// Where it is expected: a token of another group is then not found.
    group_path: Option<ID>,
    /// The first day on which the new one no longer counts; a week from now when left out.
    expires_at: Option<Date>,
}

/// The token that replaces another.
#[derive(SimpleObject)]
pub(crate) struct RotateAccessTokenPayload {
    access_token: Option<AccessToken>,
    /// The secret. Shown here and never again.
    token: Option<String>,
    errors: Vec<String>,
}

/// Names the token to revoke.
#[derive(InputObject)]
pub(crate) struct RevokeAccessTokenInput {
    id: PersonalAccessTokenID,
    /// Where it is expected: a token of another project is then not found.
    project_path: Option<ID>,
    /// Where it is expected: a token of another group is then not found.
    group_path: Option<ID>,
}

/// The outcome of revoking a token.
#[derive(SimpleObject)]
pub(crate) struct RevokeAccessTokenPayload {
    access_token: Option<AccessToken>,
    errors: Vec<String>,
}

async fn create(
    ctx: &Context<'_>,
    input: CreateAccessTokenInput,
) -> Result<(ResourceToken, Secret), Failure> {
    let paths = (input.project_path.as_ref(), input.group_path.as_ref());
    let (place, caller) = place::open(ctx, paths, Action::ManageAccessTokens).await?;
    let new = NewResourceToken {
        holder: place.into(),
        name: input.name,
        description: input.description.unwrap_or_default(),
        scopes: scopes(&input.scopes)?,
        limits: limits(input.limits)?,
        expires_at: input.expires_at.map(|Date(day)| day),
        role: input.access_level.map_or(Role::Maintainer, Into::into),
    };
    Ok(resource_tokens::create(ctx.store(), new, caller, ctx.now()).await?)
}

/// A token whose project or group the caller may manage the tokens of. Any other is not found.
async fn open(
    ctx: &Context<'_>,
    id: AccessTokenId,
    project: Option<&ID>,
    group: Option<&ID>,
) -> Result<(ResourceToken, Caller), Failure> {
    let missing = || Failure::not_found(Subject::Token);
    let expected = match (project, group) {
        (None, None) => None,
        _ => Some(place::open(ctx, (project, group), Action::ManageAccessTokens).await?),
    };
    if expected.is_none() {
        gate::authorize_instance(ctx, Action::View)?;
    }
    let token = resource_tokens::find(ctx.store(), id).await?.ok_or_else(missing)?;
    if let Some((place, caller)) = expected {
        return if token.holder == place.into() { Ok((token, caller)) } else { Err(missing()) };
    }
    let (project, group) = match token.holder {
        Holder::Project(id) => (Some(ID::from(id.0)), None),
        Holder::Group(id) => (None, Some(ID::from(id.0))),
    };
    // Who may not manage the holder's tokens need not learn that there is one with this id.
    let opened = place::open(ctx, (project.as_ref(), group.as_ref()), Action::ManageAccessTokens).await;
    let (_, caller) = opened.map_err(|failure| match failure.code {
        ErrorCode::Forbidden | ErrorCode::NotFound => missing(),
        _ => failure,
    })?;
    Ok((token, caller))
}

async fn rotate(
    ctx: &Context<'_>,
    input: RotateAccessTokenInput,
) -> Result<(ResourceToken, Secret), Failure> {
    let PersonalAccessTokenID(id) = input.id;
    let (token, caller) = open(ctx, id, input.project_path.as_ref(), input.group_path.as_ref()).await?;
    let expires_at = input.expires_at.map(|Date(day)| day);
    Ok(resource_tokens::rotate(ctx.store(), token.token.id, expires_at, Some(caller), ctx.now()).await?)
}

async fn revoke(ctx: &Context<'_>, input: RevokeAccessTokenInput) -> Result<ResourceToken, Failure> {
    let PersonalAccessTokenID(id) = input.id;
    let (token, _) = open(ctx, id, input.project_path.as_ref(), input.group_path.as_ref()).await?;
    Ok(resource_tokens::revoke(ctx.store(), token.token.id, ctx.now()).await?)
}

#[derive(Default)]
pub(crate) struct ResourceTokenMutation;

#[Object]
impl ResourceTokenMutation {
    /// Creates an access token of a project or group (ours), with a bot as its user.
    async fn create_access_token(
        &self,
        ctx: &Context<'_>,
        input: CreateAccessTokenInput,
    ) -> Outcome<Option<CreateAccessTokenPayload>> {
        let (token, secret) = create(ctx, input).await.or_error()?;
        Ok(Some(CreateAccessTokenPayload {
            access_token: Some(AccessToken(token)),
            token: Some(secret.expose().to_owned()),
            errors: Vec::new(),
        }))
    }

    /// Revokes an access token of a project or group and creates one like it with a new secret, for the same bot (ours).
    async fn rotate_access_token(
        &self,
        ctx: &Context<'_>,
        input: RotateAccessTokenInput,
    ) -> Outcome<Option<RotateAccessTokenPayload>> {
        let (token, secret) = rotate(ctx, input).await.or_error()?;
        Ok(Some(RotateAccessTokenPayload {
            access_token: Some(AccessToken(token)),
            token: Some(secret.expose().to_owned()),
            errors: Vec::new(),
        }))
    }

    /// Revokes an access token of a project or group (ours). Its bot loses its role.
    async fn revoke_access_token(
        &self,
        ctx: &Context<'_>,
        input: RevokeAccessTokenInput,
    ) -> Outcome<Option<RevokeAccessTokenPayload>> {
        let token = revoke(ctx, input).await.or_error()?;
        Ok(Some(RevokeAccessTokenPayload { access_token: Some(AccessToken(token)), errors: Vec::new() }))
    }
}
