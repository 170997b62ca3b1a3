//! From a credential to a caller.

use domain::{Carrier, Credential, ErrorCode, Failure};
use gateway::Origin;
use store::TokenHash;

use crate::context::{Caller, State};

/// User name that announces a CI job token in `Authorization: Basic`.
const JOB_TOKEN_USERNAME: &str = "gitlab-ci-token";
/// Beginning of the tokens of CI jobs.
const JOB_TOKEN_PREFIX: &str = "glcbt-";
/// Beginning of the tokens of trusted publishing, which are taken from every carrier.
const TRUSTED_TOKEN_PREFIX: &str = "gltp-";
/// Beginning of deploy tokens made here.
const DEPLOY_TOKEN_PREFIX: &str = "gldt-";

/// Whom a request speaks for, once it is counted. What comes too often is refused: without a credential, and with one after too
/// many wrong ones from there, before anything else is asked.
pub(crate) async fn admit(
    state: &State,
    credential: Option<&Credential>,
    origin: Origin,
) -> Result<Caller, Failure> {
    let throttles = &state.in_force.throttles;
    let caller = match credential {
        None => {
            throttles.count_anonymous(origin)?;
            Caller::anonymous()
        }
        Some(credential) => {
            throttles.may_present(origin.address)?;
            let caller = authenticate(state, credential).await.inspect_err(|failure| {
                if failure.code == ErrorCode::Unauthenticated {
                    throttles.note_refused(origin.address);
                }
            })?;
            throttles.count_caller(origin, caller.viewer.identity())?;
            caller
        }
    };
    Ok(Caller { address: origin.address, ..caller })
}

/// Whom the credential proves. Fails with `UNAUTHENTICATED` for whatever is not accepted, without saying why.
///
/// A personal access token is taken from every carrier but `Deploy-Token` and `JOB-TOKEN`; with Basic any user name goes,
/// since the token alone identifies (npm sends `_`, twine `__token__`). A deploy token in Basic must come with its own user
/// name, as in GitLab. The token of a CI job is taken from its own header, with Basic from the user name `gitlab-ci-token`, and
/// as a Bearer, where its beginning tells what it is. Sessions have a carrier of their own, which carries nothing else.
async fn authenticate(state: &State, credential: &Credential) -> Result<Caller, Failure> {
    let secret = credential.secret.as_str();
    let username = credential.username.as_deref();
    if secret.is_empty() {
        return Err(Failure::unauthenticated());
    }
    match (credential.carrier == Carrier::Session, secret.starts_with(store::sessions::PREFIX)) {
        (true, true) => return by_session(state, secret).await?.ok_or_else(Failure::unauthenticated),
        (true, false) | (false, true) => return Err(Failure::unauthenticated()),
        (false, false) => {}
    }
    let says_job = credential.carrier == Carrier::JobToken || username == Some(JOB_TOKEN_USERNAME);
    let bears_job = credential.carrier == Carrier::Bearer && secret.starts_with(JOB_TOKEN_PREFIX);
    if says_job || bears_job {
        return by_job_token(state, secret).await?.ok_or_else(Failure::unauthenticated);
    }
    if secret.starts_with(TRUSTED_TOKEN_PREFIX) {
        return by_trusted_token(state, secret).await?.ok_or_else(Failure::unauthenticated);
    }
    let likely_deploy_token =
        secret.starts_with(DEPLOY_TOKEN_PREFIX) || credential.carrier == Carrier::DeployToken;
    if !likely_deploy_token && let Some(caller) = by_access_token(state, secret).await? {
        return Ok(caller);
    }
    let takes_deploy_token = credential.carrier != Carrier::PrivateToken;
    if takes_deploy_token && let Some(caller) = by_deploy_token(state, secret, username).await? {
        return Ok(caller);
    }
    Err(Failure::unauthenticated())
}

async fn by_session(state: &State, secret: &str) -> Result<Option<Caller>, Failure> {
    let found =
        store::sessions::authenticate(&state.store, &TokenHash::of(secret), state.clock.now()).await?;
    Ok(found.map(|found| Caller {
        session: Some(found.session_id),
        ..Caller::new(found.viewer(), Some(found.user.username))
    }))
}

async fn by_access_token(state: &State, secret: &str) -> Result<Option<Caller>, Failure> {
    let found =
        store::access_tokens::authenticate(&state.store, &TokenHash::of(secret), state.clock.now()).await?;
    Ok(found.map(|found| Caller {
        access_token: Some(found.token_id),
        ..Caller::new(found.viewer(), Some(found.user.username))
    }))
}

async fn by_job_token(state: &State, secret: &str) -> Result<Option<Caller>, Failure> {
    let found =
        store::pipelines::authenticate(&state.store, &TokenHash::of(secret), state.clock.now()).await?;
    Ok(found.map(|found| Caller {
        job: Some(found.job_id),
        pipeline: Some(found.pipeline_id),
        ..Caller::new(found.viewer(), Some(found.user.username))
    }))
}

async fn by_trusted_token(state: &State, secret: &str) -> Result<Option<Caller>, Failure> {
    let found =
        store::trusted_publishers::authenticate(&state.store, &TokenHash::of(secret), state.clock.now())
            .await?;
    Ok(found.map(|found| Caller::new(found.viewer(), Some(found.name()))))
}

async fn by_deploy_token(
    state: &State,
    secret: &str,
    username: Option<&str>,
) -> Result<Option<Caller>, Failure> {
    let found =
        store::deploy_tokens::authenticate(&state.store, &TokenHash::of(secret), state.clock.now()).await?;
    let found = found.filter(|found| username.is_none_or(|username| username == found.username));
    Ok(found.map(|found| Caller::new(found.viewer(), Some(found.username))))
}
