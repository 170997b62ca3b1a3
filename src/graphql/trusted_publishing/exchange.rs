//! An ID token for a token.

use access::Facts;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::{ErrorCode, Failure, ProjectId, rules::InstanceOrigin};
use oidc::IdToken;
use store::{
    projects,
    trusted_publishers::{self, Exchange, Presented, TrustedPublisher},
};

use crate::{
    context::ContextExt,
    outcome::{OrError, Outcome},
    package::PackageTypeEnum,
    project,
    relay::global_id::print,
    scalars::Time,
};

/// An ID token to exchange. It is the credential: the caller needs no other.
#[derive(InputObject)]
pub(crate) struct ExchangeIdTokenInput {
    /// The signed token, in compact form.
    id_token: String,
    /// Full path or decimal id of the project to publish to; the only one that trusts the token when left out.
    project_path: Option<ID>,
    /// The format of the package to publish, together with its name.
    package_type: Option<PackageTypeEnum>,
    /// The name of the package to publish. Where names of the format say a root namespace (npm's scopes), only projects below it
    /// are meant.
    package_name: Option<String>,
}

/// The token that an ID token was exchanged for.
#[derive(SimpleObject)]
pub(crate) struct ExchangeIdTokenPayload {
    /// The secret: publishes to the project and reads its packages. Shown here and never again.
    token: Option<String>,
    /// From when on it no longer counts.
    expires_at: Option<Time>,
    /// The project that it is for.
    project_id: Option<ID>,
    errors: Vec<String>,
}

/// Whether a token says all that a publisher wants to hear, and is for whom it wants.
fn fits(token: &IdToken, publisher: &TrustedPublisher) -> bool {
    token.issuer == publisher.issuer
        && token.audience.contains(&publisher.audience)
        && publisher.claims.iter().all(|(name, value)| token.claim(name).as_ref() == Some(value))
}

/// One text for a project that is not there, one that trusts nobody and one that trusts others: nobody learns which it is.
fn refused() -> Failure {
    let message = "The ID token is refused: no trusted publisher here has its audience and claims";
    Failure::new(ErrorCode::Unauthenticated, message)
}

/// The same where no project is said: nobody learns whether others trust the token.
fn refused_without_project() -> Failure {
    let message = "The ID token is refused: not exactly one project has a trusted publisher with its audience and claims. \
                   Say which project is meant: projectPath, or the address of its own";
    Failure::new(ErrorCode::Unauthenticated, message)
}

/// The root namespace that the name of the package says.
fn root_namespace(ctx: &Context<'_>, input: &ExchangeIdTokenInput) -> Result<Option<String>, Failure> {
    let (Some(format), Some(name)) = (input.package_type, &input.package_name) else { return Ok(None) };
    let rules = ctx.state().rules.get(format.into())?;
    match rules.instance_origin(&rules.name(name)?) {
        InstanceOrigin::RootNamespace(root) => Ok(Some(root)),
        InstanceOrigin::AnyProject | InstanceOrigin::Nowhere => Ok(None),
    }
}

async fn exchange(ctx: &Context<'_>, input: ExchangeIdTokenInput) -> Result<ExchangeIdTokenPayload, Failure> {
    ctx.state().in_force.throttles.count_sign_in(ctx.caller().address)?;
    let token = ctx.state().id_tokens.verify(&input.id_token, ctx.now()).await?;
    let project = match &input.project_path {
        Some(address) => {
            let found = project::find(ctx, address).await?.map(|found| found.facts());
            let Some(Facts::Project(facts)) = found else { return Err(refused()) };
            Some(facts.id)
        }
        None => None,
    };
    let claims = token.claims.keys().filter_map(|name| Some((name.clone(), token.claim(name)?)));
    let presented = Presented { issuer: token.issuer.clone(), claims: claims.collect() };
    let publishers = trusted_publishers::accepting(ctx.store(), &presented, project).await?;
    let mut fitting: Vec<_> = publishers.into_iter().filter(|publisher| fits(&token, publisher)).collect();
    if let Some(root) = root_namespace(ctx, &input)? {
        let ids: Vec<ProjectId> = fitting.iter().map(|publisher| publisher.project_id).collect();
        let meant = projects::below_root(ctx.store(), &ids, &root).await?;
        fitting.retain(|publisher| meant.contains(&publisher.project_id));
    }
    let refused = if project.is_some() { refused } else { refused_without_project };
    let publisher = fitting.iter().min_by_key(|publisher| publisher.id).ok_or_else(refused)?;
    if fitting.iter().any(|other| other.project_id != publisher.project_id) {
        return Err(refused());
    }
    let exchanged = Exchange {
        publisher: publisher.id,
        fingerprint: token.fingerprint,
        dead_after: token.dead_after,
        subject: token.claim("sub").unwrap_or_else(|| "nobody in particular".to_owned()),
    };
    let (secret, expires_at) = trusted_publishers::exchange(ctx.store(), exchanged, ctx.now()).await?;
    Ok(ExchangeIdTokenPayload {
        token: Some(secret.expose().to_owned()),
        expires_at: Some(expires_at.into()),
        project_id: Some(print("Project", publisher.project_id).into()),
        errors: Vec::new(),
    })
}

#[derive(Default)]
pub(crate) struct ExchangeMutation;

#[Object]
impl ExchangeMutation {
    /// Exchanges an ID token of a trusted publisher, once, for a token of its project that lasts a quarter of an hour (ours).
    async fn exchange_id_token(
        &self,
        ctx: &Context<'_>,
        input: ExchangeIdTokenInput,
    ) -> Outcome<Option<ExchangeIdTokenPayload>> {
        exchange(ctx, input).await.map(Some).or_error()
    }
}
