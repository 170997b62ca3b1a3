//! Deploy tokens of projects and groups.

use access::{Action, Holder, Via};
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::{DeployTokenId, ErrorCode, Failure, Subject};
use store::{
    Cursor, Secret,
    deploy_tokens::{self, NewDeployToken},
};
use time::OffsetDateTime;

use super::{
    access_token::end_of_token_in_use,
    limit::{TokenLimit, TokenLimitInput, limits, shown},
    scope_names, scopes,
};
use crate::{
    context::ContextExt,
    gate,
    limits::connection_complexity,
    outcome::{OrError, Outcome},
    place,
    relay::{
        connection::{Connection, Count, PageArguments, connect},
        global_id::DeployTokenID,
    },
    scalars::Time,
};

/// A deploy token, without its secret, which nobody can read again.
pub(crate) struct DeployToken(deploy_tokens::DeployToken);

/// A credential of a project or group, for machines (ours).
#[Object]
impl DeployToken {
    async fn id(&self) -> DeployTokenID {
        self.0.id.into()
    }
    /// The name people read.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// The user name that goes with it in Basic authentication.
    async fn username(&self) -> &str {
        &self.0.username
    }
    /// How far it goes.
    async fn scopes(&self) -> Vec<&'static str> {
        scope_names(self.0.scopes)
    }
    /// Which packages it is limited to. Empty when it is not.
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
    /// Whether its time is over.
    async fn expired(&self, ctx: &Context<'_>) -> bool {
        self.0.is_expired(ctx.now())
    }
    /// From when on it no longer counts.
    async fn expires_at(&self) -> Option<Time> {
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

/// The tokens made for `holder`, oldest first. Whoever calls this has asked whether the caller may manage them.
pub(crate) async fn deploy_tokens_of(
    ctx: &Context<'_>,
    holder: Holder,
    active: Option<bool>,
    arguments: &PageArguments,
) -> Result<Connection<DeployToken, Count>, Failure> {
    connection_of(ctx, deploy_tokens::list(ctx.store(), holder).await?, active, arguments)
}

/// The connection of these tokens, oldest first.
fn connection_of(
    ctx: &Context<'_>,
    mut tokens: Vec<deploy_tokens::DeployToken>,
    active: Option<bool>,
    arguments: &PageArguments,
) -> Result<Connection<DeployToken, Count>, Failure> {
    if let Some(active) = active {
        tokens.retain(|token| token.is_active(ctx.now()) == active);
    }
    let (page, count) = arguments.counted_slice(ctx, tokens, "id+", |token| token.id.0)?;
    Ok(connect(page, "id+", count, |token| Cursor { sort: None, id: token.id.0 }, DeployToken))
}

#[derive(Default)]
pub(crate) struct DeployTokenQuery;

#[Object]
impl DeployTokenQuery {
    /// Every deploy token of the instance (ours). For administrators.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a field")]
    async fn deploy_tokens(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(desc = "Rows to skip, for numbered pages.")] skip: Option<i32>,
        #[graphql(desc = "Only active, or only inactive ones.")] active: Option<bool>,
    ) -> Outcome<Connection<DeployToken, Count>> {
        gate::authorize_instance(ctx, Action::ManageDeployTokens).or_error()?;
        let arguments = PageArguments { first, last, after, before, skip };
        let tokens = deploy_tokens::list_all(ctx.store()).await.or_error()?;
        connection_of(ctx, tokens, active, &arguments).or_error()
    }
}

/// A deploy token to create.
#[derive(InputObject)]
pub(crate) struct CreateDeployTokenInput {
    /// Full path or decimal id of the project; either this or groupPath.
    project_path: Option<ID>,
    /// Full path or decimal id of the group; either this or projectPath.
    group_path: Option<ID>,
    name: String,
    /// The user name that goes with it; `gitlab+deploy-token-<id>` when left out.
    username: Option<String>,
    /// Names of scopes.
    scopes: Vec<String>,
    /// Which packages it is limited to; all it could reach when left out.
    limits: Option<Vec<TokenLimitInput>>,
    /// From when on it no longer counts. What a bot makes ends with the bot's own token at the latest.
    expires_at: Option<Time>,
}

/// The token that was created.
#[derive(SimpleObject)]
pub(crate) struct CreateDeployTokenPayload {
    deploy_token: Option<DeployToken>,
    /// The secret. Shown here and never again.
    token: Option<String>,
    errors: Vec<String>,
}

/// Names the token to revoke.
#[derive(InputObject)]
pub(crate) struct RevokeDeployTokenInput {
    id: DeployTokenID,
    /// Where it is expected: a token of another project is then not found.
    project_path: Option<ID>,
    /// Where it is expected: a token of another group is then not found.
    group_path: Option<ID>,
}

/// The outcome of revoking a token.
#[derive(SimpleObject)]
pub(crate) struct RevokeDeployTokenPayload {
    errors: Vec<String>,
}

async fn open_holder(ctx: &Context<'_>, project: Option<&ID>, group: Option<&ID>) -> Result<Holder, Failure> {
    let (place, _) = place::open(ctx, (project, group), Action::ManageDeployTokens).await?;
    Ok(place.into())
}

/// From when on a token no longer counts that the caller makes. One that a bot makes ends with the bot's own token at the latest: a
/// bot is revoked where its token stands, and nobody looks for what it made.
async fn last_instant(
    ctx: &Context<'_>,
    wanted: Option<OffsetDateTime>,
) -> Result<Option<OffsetDateTime>, Failure> {
    if !matches!(ctx.viewer().via(), Via::Bot) {
        return Ok(wanted);
    }
    let Some(end) = end_of_token_in_use(ctx).await?.map(|day| day.midnight().assume_utc()) else {
        return Ok(wanted);
    };
    if wanted.is_some_and(|wanted| wanted > end) {
        let message = format!("The expiry is later than {}, when the token in use ends", end.date());
        return Err(Failure::invalid("expires_at", message));
    }
    Ok(wanted.or(Some(end)))
}

async fn create(
    ctx: &Context<'_>,
    input: CreateDeployTokenInput,
) -> Result<(deploy_tokens::DeployToken, Secret), Failure> {
    let holder = open_holder(ctx, input.project_path.as_ref(), input.group_path.as_ref()).await?;
    let new = NewDeployToken {
        holder,
        name: input.name,
        username: input.username.filter(|username| !username.is_empty()),
        scopes: scopes(&input.scopes)?,
        limits: limits(input.limits)?,
        expires_at: last_instant(ctx, input.expires_at.map(|Time(instant)| instant)).await?,
        creator_id: ctx.viewer().user(),
    };
    Ok(deploy_tokens::create(ctx.store(), new, ctx.now()).await?)
}

/// A token whose holder the caller may manage. Any other is not found.
async fn revoke(ctx: &Context<'_>, input: RevokeDeployTokenInput) -> Result<(), Failure> {
    let DeployTokenID(id) = input.id;
    if input.project_path.is_some() || input.group_path.is_some() {
        let holder = open_holder(ctx, input.project_path.as_ref(), input.group_path.as_ref()).await?;
        return end(ctx, id, holder).await;
    }
    gate::signed_in(ctx)?;
    let missing = || Failure::not_found(Subject::Token);
    let token = deploy_tokens::find(ctx.store(), id).await?.ok_or_else(missing)?;
    let (project, group) = match token.holder {
        Holder::Project(id) => (Some(ID::from(id.0)), None),
        Holder::Group(id) => (None, Some(ID::from(id.0))),
    };
    // Who may not manage the holder's tokens need not learn that there is one with this id.
    let opened = open_holder(ctx, project.as_ref(), group.as_ref()).await;
    let holder = opened.map_err(|failure| match failure.code {
        ErrorCode::Forbidden | ErrorCode::NotFound => missing(),
        _ => failure,
    })?;
    end(ctx, id, holder).await
}

async fn end(ctx: &Context<'_>, id: DeployTokenId, holder: Holder) -> Result<(), Failure> {
    let found = deploy_tokens::find(ctx.store(), id).await?;
    let found = found.filter(|token| token.holder == holder && token.revoked_at.is_none());
    let token = found.ok_or_else(|| Failure::not_found(Subject::Token))?;
    deploy_tokens::revoke(ctx.store(), token.id, ctx.now()).await?;
    Ok(())
}

#[derive(Default)]
pub(crate) struct DeployTokenMutation;

#[Object]
impl DeployTokenMutation {
    /// Creates a deploy token for a project or group (ours).
    async fn create_deploy_token(
        &self,
        ctx: &Context<'_>,
        input: CreateDeployTokenInput,
    ) -> Outcome<Option<CreateDeployTokenPayload>> {
        let (token, secret) = create(ctx, input).await.or_error()?;
        Ok(Some(CreateDeployTokenPayload {
            deploy_token: Some(DeployToken(token)),
            token: Some(secret.expose().to_owned()),
            errors: Vec::new(),
        }))
    }

    /// Revokes a deploy token (ours).
    async fn revoke_deploy_token(
        &self,
        ctx: &Context<'_>,
        input: RevokeDeployTokenInput,
    ) -> Outcome<Option<RevokeDeployTokenPayload>> {
        revoke(ctx, input).await.or_error()?;
        Ok(Some(RevokeDeployTokenPayload { errors: Vec::new() }))
    }
}
