//! Whose ID tokens a project accepts.

use std::collections::BTreeMap;

use access::Action;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::{ErrorCode, Failure, ProjectId, Subject};
use store::{
    Cursor,
    trusted_publishers::{self, NewTrustedPublisher},
};

use crate::{
    context::ContextExt,
    gate,
    outcome::{OrError, Outcome},
    project,
    relay::{
        connection::{Connection, Count, PageArguments, connect},
        global_id::TrustedPublisherID,
    },
    scalars::Time,
    token::{TokenLimit, TokenLimitInput, limits, shown},
};

/// Something that an ID token has to say, to the letter (ours).
#[derive(SimpleObject)]
pub(crate) struct TrustedClaim {
    name: String,
    value: String,
}

/// Something that an ID token has to say, to the letter. Numbers and booleans are compared as their text.
#[derive(InputObject)]
pub(crate) struct TrustedClaimInput {
    /// Such as `sub`, `repository` or `project_path`.
    name: String,
    value: String,
}

/// Whose ID tokens are exchanged for tokens of a project.
pub(crate) struct TrustedPublisher(trusted_publishers::TrustedPublisher);

/// Whose ID tokens are exchanged for tokens of a project (ours).
#[Object]
impl TrustedPublisher {
    async fn id(&self) -> TrustedPublisherID {
        self.0.id.into()
    }
    /// Who issues the ID tokens.
    async fn issuer(&self) -> &str {
        &self.0.issuer
    }
    /// For whom they are issued.
    async fn audience(&self) -> &str {
        &self.0.audience
    }
    /// What they have to say, by name.
    async fn claims(&self) -> Vec<TrustedClaim> {
        let claim =
            |(name, value): (&String, &String)| TrustedClaim { name: name.clone(), value: value.clone() };
        self.0.claims.iter().map(claim).collect()
    }
    /// Which packages the tokens are limited to. Empty when they are not.
    async fn limits(&self) -> Vec<TokenLimit> {
        shown(&self.0.limits)
    }
    /// When it was created.
    async fn created_at(&self) -> Time {
        self.0.created_at.into()
    }
}

/// The publishers of a project, oldest first. Whoever calls this has asked whether the caller may manage them.
pub(crate) async fn publishers_of(
    ctx: &Context<'_>,
    project: ProjectId,
    arguments: &PageArguments,
) -> Result<Connection<TrustedPublisher, Count>, Failure> {
    let publishers = trusted_publishers::list(ctx.store(), project).await?;
    let (page, count) = arguments.counted_slice(ctx, publishers, "id+", |publisher| publisher.id.0)?;
    let cursor = |publisher: &trusted_publishers::TrustedPublisher| Cursor { sort: None, id: publisher.id.0 };
    Ok(connect(page, "id+", count, cursor, TrustedPublisher))
}

/// A trusted publisher to create.
#[derive(InputObject)]
pub(crate) struct CreateTrustedPublisherInput {
    /// Full path or decimal id.
    project_path: ID,
    /// Who issues the ID tokens: an address that the administrator trusts, to the letter.
    issuer: String,
    /// For whom they are issued; the address of this server when left out.
    audience: Option<String>,
    /// What they have to say. All of it is compared, to the letter.
    claims: Vec<TrustedClaimInput>,
    /// Which packages the tokens are limited to; all of the project when left out.
    limits: Option<Vec<TokenLimitInput>>,
}

/// The trusted publisher that was created.
#[derive(SimpleObject)]
pub(crate) struct CreateTrustedPublisherPayload {
    trusted_publisher: Option<TrustedPublisher>,
    errors: Vec<String>,
}

/// Names the trusted publisher to delete.
#[derive(InputObject)]
pub(crate) struct DeleteTrustedPublisherInput {
    id: TrustedPublisherID,
}

/// The outcome of deleting a trusted publisher.
#[derive(SimpleObject)]
pub(crate) struct DeleteTrustedPublisherPayload {
    errors: Vec<String>,
}

async fn create(
    ctx: &Context<'_>,
    input: CreateTrustedPublisherInput,
) -> Result<trusted_publishers::TrustedPublisher, Failure> {
    let project = project::open(ctx, &input.project_path, Action::ManageAccessTokens).await?;
    if !ctx.state().id_tokens.trusts(&input.issuer) {
        let message = format!(
            "'{}' is not an issuer that this server trusts: the administrator names them in oidc_issuers",
            input.issuer
        );
        return Err(Failure::invalid("issuer", message));
    }
    let mut claims = BTreeMap::new();
    for TrustedClaimInput { name, value } in input.claims {
        if claims.insert(name.clone(), value).is_some() {
            return Err(Failure::invalid("claims", format!("The claim '{name}' is given twice")));
        }
    }
    let new = NewTrustedPublisher {
        project_id: project.id,
        issuer: input.issuer,
        audience: input.audience.unwrap_or_else(|| ctx.state().external_url.to_string()),
        claims,
        limits: limits(input.limits)?,
        creator_id: ctx.viewer().user(),
    };
    Ok(trusted_publishers::create(ctx.store(), new, ctx.now()).await?)
}

/// A publisher of a project whose tokens the caller manages. Any other is not found.
async fn delete(ctx: &Context<'_>, id: TrustedPublisherID) -> Result<(), Failure> {
    gate::authorize_instance(ctx, Action::View)?;
    let missing = || Failure::not_found(Subject::TrustedPublisher);
    let publisher = trusted_publishers::find(ctx.store(), id.0).await?.ok_or_else(missing)?;
    let address = publisher.project_id.to_string();
    let opened = project::open(ctx, &address, Action::ManageAccessTokens).await;
    opened.map_err(|failure| match failure.code {
        ErrorCode::Forbidden | ErrorCode::NotFound => missing(),
        _ => failure,
    })?;
    Ok(trusted_publishers::delete(ctx.store(), publisher.id, ctx.now()).await?)
}

#[derive(Default)]
pub(crate) struct TrustedPublisherMutation;

#[Object]
impl TrustedPublisherMutation {
    /// Lets whoever has certain ID tokens exchange them for short-lived tokens of a project (ours).
    async fn create_trusted_publisher(
        &self,
        ctx: &Context<'_>,
        input: CreateTrustedPublisherInput,
    ) -> Outcome<Option<CreateTrustedPublisherPayload>> {
        let publisher = create(ctx, input).await.or_error()?;
        let trusted_publisher = Some(TrustedPublisher(publisher));
        Ok(Some(CreateTrustedPublisherPayload { trusted_publisher, errors: Vec::new() }))
    }

    /// Deletes a trusted publisher (ours). Tokens that were made for it count no more.
    async fn delete_trusted_publisher(
        &self,
        ctx: &Context<'_>,
        input: DeleteTrustedPublisherInput,
    ) -> Outcome<Option<DeleteTrustedPublisherPayload>> {
        delete(ctx, input.id).await.or_error()?;
        Ok(Some(DeleteTrustedPublisherPayload { errors: Vec::new() }))
    }
}
