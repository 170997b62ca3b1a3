//! Signing in by way of a provider, and the accounts there.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use domain::{ErrorCode, Failure, Subject, namespace::username_from};
use oidc::{Departure, Profile, Provider, Return};
use store::{
    Secret,
    identities::{self, Account, Arrival, Newcomer},
    sessions::Begun,
    sign_in_attempts::{self, Attempt},
};

use super::{
    lasting,
    session::{SignInPayload, is_own},
};
use crate::{
    context::ContextExt,
    gate,
    outcome::{OrError, Outcome},
    relay::global_id::UserIdentityID,
};

/// What somebody is called of whom a provider says nothing that a user name can be made from.
const NAMELESS: &str = "user";

/// Names the provider to sign in with.
#[derive(InputObject)]
pub(crate) struct BeginProviderSignInInput {
    /// Its name, as `signInOptions` lists it.
    provider: String,
}

/// Where to send the browser.
#[derive(SimpleObject)]
pub(crate) struct BeginProviderSignInPayload {
    /// The address of the provider to send the browser to.
    authorization_url: String,
    /// A secret that the browser keeps until it comes back, at most ten minutes. Shown here and never again.
    attempt: String,
    errors: Vec<String>,
}

/// What a provider sent the browser back with.
#[derive(InputObject)]
pub(crate) struct CompleteProviderSignInInput {
    /// The secret of the attempt, as `beginProviderSignIn` gave it.
    attempt: String,
    /// The `state` of the address.
    state: String,
    /// The `code` of the address.
    code: String,
    /// The `iss` of the address (RFC 9207), where it has one.
    issuer: Option<String>,
    /// The provider whose address of return the browser came to: that of the attempt, or it is refused.
    provider: String,
    /// What the browser says it is, to be shown among the sessions.
    user_agent: Option<String>,
}

/// Names the account to unlink.
#[derive(InputObject)]
pub(crate) struct UnlinkUserIdentityInput {
    id: UserIdentityID,
}

/// The outcome of unlinking an account.
#[derive(SimpleObject)]
pub(crate) struct UnlinkUserIdentityPayload {
    errors: Vec<String>,
}

/// Where a provider sends browsers back to: GitLab's address, so that what is configured there stays as it is.
fn redirect_uri(ctx: &Context<'_>, provider: &Provider) -> String {
    format!("{}/users/auth/{}/callback", ctx.state().external_url, provider.name())
}

async fn begin(ctx: &Context<'_>, name: &str) -> Result<BeginProviderSignInPayload, Failure> {
    ctx.state().in_force.throttles.count_sign_in(ctx.caller().address)?;
    let user_id = if ctx.viewer().is_anonymous() { None } else { Some(lasting(ctx).await?) };
    let provider = ctx
        .state()
        .sign_in
        .provider(name)
        .ok_or_else(|| Failure::invalid("provider", format!("There is no provider '{name}'")))?;
    let departure = provider.depart(&redirect_uri(ctx, provider)).await?;
    let Departure { authorization_url, state, nonce, pkce_verifier } = departure;
    let attempt = Attempt { provider: name.to_owned(), state, nonce, pkce_verifier, user_id };
    let secret = sign_in_attempts::begin(ctx.store(), attempt, ctx.now()).await?;
    let attempt = secret.expose().to_owned();
    Ok(BeginProviderSignInPayload { authorization_url, attempt, errors: Vec::new() })
}

/// Takes out the attempt that a browser comes back from. It has to come back to the address of the provider that it was sent to:
/// one provider could send it on to another, and be handed what the other gave (RFC 9700 §4.4).
async fn taken(ctx: &Context<'_>, secret: &str, state: &str, returned_to: &str) -> Result<Attempt, Failure> {
    let refused = |why: &str| Failure::new(ErrorCode::Unauthenticated, why.to_owned());
    let attempt = sign_in_attempts::take(ctx.store(), &Secret::given(secret).hash(), ctx.now()).await?;
    let attempt = attempt.ok_or_else(|| {
        refused(
            "The sign-in was not begun in this browser, took more than ten minutes, or is over: begin again",
        )
    })?;
    if attempt.state != state || attempt.provider != returned_to {
        return Err(refused("The provider's answer belongs to another sign-in: begin again"));
    }
    if attempt.user_id != ctx.viewer().user() {
        return Err(refused("Who is signed in has changed since this was begun: begin again"));
    }
    Ok(attempt)
}

async fn complete(ctx: &Context<'_>, input: CompleteProviderSignInInput) -> Result<Begun, Failure> {
    ctx.state().in_force.throttles.count_sign_in(ctx.caller().address)?;
    let CompleteProviderSignInInput { attempt, state, code, issuer, provider, user_agent } = input;
    let attempt = taken(ctx, &attempt, &state, &provider).await?;
    let provider =
        ctx.state().sign_in.provider(&attempt.provider).ok_or_else(|| {
            Failure::forbidden(format!("There is no provider '{}' any more", attempt.provider))
        })?;
    let back = Return { code, issuer, nonce: attempt.nonce, pkce_verifier: attempt.pkce_verifier };
    let profile = provider.redeem(&redirect_uri(ctx, provider), back, ctx.now()).await?;
    let account = Account {
        provider: provider.name().to_owned(),
        issuer: provider.issuer().to_owned(),
        subject: profile.subject.clone(),
    };
    let arrival = Arrival { account, user_agent };
    if attempt.user_id.is_some() {
        let user = lasting(ctx).await?;
        return Ok(identities::link(ctx.store(), arrival, (user, ctx.caller().session), ctx.now()).await?);
    }
    let newcomer = provider.creates_users().then(|| newcomer(profile));
    let begun = identities::sign_in(ctx.store(), arrival, newcomer, ctx.now()).await?;
    begun.ok_or_else(|| {
        let label = provider.label();
        Failure::forbidden(format!(
            "No user is linked to this account of {label}: sign in otherwise and link it in your settings, \
             or ask an administrator for a user"
        ))
    })
}

/// The user that somebody becomes whom only the provider knows.
fn newcomer(profile: Profile) -> Newcomer {
    let username = profile.usernames.iter().find_map(|text| username_from(text));
    let username = username.unwrap_or_else(|| NAMELESS.to_owned());
    let plain = |name: String| -> String {
        name.chars().filter(|letter| !letter.is_control()).take(domain::namespace::MAX_LENGTH).collect()
    };
    let name = profile.name.map(plain).filter(|name| !name.trim().is_empty());
    Newcomer { name: name.unwrap_or_else(|| username.clone()), username, email: profile.email }
}

async fn unlink(ctx: &Context<'_>, UserIdentityID(id): UserIdentityID) -> Result<(), Failure> {
    let user = gate::signed_in(ctx)?;
    is_own(ctx, user, identities::holder(ctx.store(), id).await?, Subject::Identity)?;
    let with_passwords = ctx.state().sign_in.passwords;
    Ok(identities::unlink(ctx.store(), user, id, with_passwords, ctx.now()).await?)
}

#[derive(Default)]
pub(crate) struct ProviderMutation;

#[Object]
impl ProviderMutation {
    /// Begins to sign in with a provider (ours), or, for a caller who is signed in, to link an account there.
    async fn begin_provider_sign_in(
        &self,
        ctx: &Context<'_>,
        input: BeginProviderSignInInput,
    ) -> Outcome<Option<BeginProviderSignInPayload>> {
        begin(ctx, &input.provider).await.map(Some).or_error()
    }

    /// Ends what `beginProviderSignIn` began (ours), once: signs in, or links the account.
    async fn complete_provider_sign_in(
        &self,
        ctx: &Context<'_>,
        input: CompleteProviderSignInInput,
    ) -> Outcome<Option<SignInPayload>> {
        complete(ctx, input).await.map(|begun| Some(begun.into())).or_error()
    }

    /// Unlinks an account at a provider from the caller (ours). Not the last one of somebody without a password.
    async fn unlink_user_identity(
        &self,
        ctx: &Context<'_>,
        input: UnlinkUserIdentityInput,
    ) -> Outcome<Option<UnlinkUserIdentityPayload>> {
        unlink(ctx, input.id).await.or_error()?;
        Ok(Some(UnlinkUserIdentityPayload { errors: Vec::new() }))
    }
}
