//! What is stored of a password: Argon2id (RFC 9106), as a PHC string that says how it was made.

use std::time::Duration;

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version,
    password_hash::phc::PasswordHash,
};
use domain::{ErrorCode, Failure};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

use crate::{Result, Secret, StoreError, secret::random};

/// Memory, passes and lanes as the Password Storage Cheat Sheet of OWASP has them: 19 MiB, 2, 1.
const COSTS: (u32, u32, u32) = (19 * 1024, 2, 1);
/// How many are computed at once in this process: each takes 19 MiB and a core.
static PLACES: Semaphore = Semaphore::const_new(4);
/// How long somebody waits for a place.
const PATIENCE: Duration = Duration::from_secs(5);

/// What comparing a password with a stored one says.
pub(super) struct Comparison {
    /// Whether it is the same.
    pub(super) matches: bool,
    /// What to store from now on, where it is the same and was stored as is not done any more.
    pub(super) renewed: Option<String>,
}

/// What to store of a password.
pub(super) async fn hash(password: &Secret) -> Result<String> {
    let (password, salt) = (password.clone(), random::<16>()?);
    aside(move || fresh(&password, &salt)).await
}

/// Compares a password with a stored one. Where there is none it takes as long, and is never the same.
pub(super) async fn compare(password: &Secret, stored: Option<String>) -> Result<Comparison> {
    let (password, salt) = (password.clone(), random::<16>()?);
    aside(move || {
        let Some(stored) = stored else {
            fresh(&password, &salt)?;
            return Ok(Comparison { matches: false, renewed: None });
        };
        let corrupt =
            |_| StoreError::Corrupt { column: "user_passwords.hash", value: "no PHC string".to_owned() };
        let stored = PasswordHash::new(&stored).map_err(corrupt)?;
        let matches = Argon2::default().verify_password(password.expose().as_bytes(), &stored).is_ok();
        let renewed = if matches && !is_current(&stored) { Some(fresh(&password, &salt)?) } else { None };
        Ok(Comparison { matches, renewed })
    })
    .await
}

/// Computes on a thread that may block, when one of the places is free.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let Ok(Ok(_place)) = timeout(PATIENCE, PLACES.acquire()).await else {
        let message = "Too many passwords are being checked: try again in a few seconds";
        return Err(Failure::new(ErrorCode::RateLimited, message).into());
    };
    spawn_blocking(work).await.map_err(|_| StoreError::GivenUp("it panicked"))?
}

fn argon2() -> Result<Argon2<'static>> {
    let (memory, passes, lanes) = COSTS;
    let params = Params::new(memory, passes, lanes, None).map_err(internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Costs and lengths are ours, so that this cannot happen.
fn internal(error: impl std::fmt::Display) -> StoreError {
    tracing::error!(%error, "a password cannot be hashed");
    Failure::internal().into()
}

fn fresh(password: &Secret, salt: &[u8]) -> Result<String> {
    let hash = argon2()?.hash_password_with_salt(password.expose().as_bytes(), salt).map_err(internal)?;
    Ok(hash.to_string())
}

/// Whether a hash was made as it would be now.
fn is_current(stored: &PasswordHash) -> bool {
    let costs = Params::try_from(stored).map(|params| (params.m_cost(), params.t_cost(), params.p_cost()));
    let version = stored.version == Some(Version::V0x13.into());
    stored.algorithm.as_str() == "argon2id" && version && costs == Ok(COSTS)
}

#[cfg(test)]
mod tests {
    use argon2::{Argon2, Params, PasswordHasher as _};

    use super::{compare, hash};
    use crate::Secret;

    #[tokio::test]
    async fn a_password_is_known_by_its_hash_alone() {
        let password = Secret::given("correct horse");
        let stored = hash(&password).await.expect("a hash");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_ne!(hash(&password).await.expect("a hash"), stored, "salted");
        let same = compare(&password, Some(stored.clone())).await.expect("compared");
        assert!(same.matches && same.renewed.is_none());
        assert!(!compare(&Secret::given("correct hors"), Some(stored)).await.expect("compared").matches);
        assert!(!compare(&password, None).await.expect("compared").matches);
        assert!(compare(&password, Some("plain".to_owned())).await.is_err());
    }

    #[tokio::test]
    async fn a_hash_that_was_cheaper_to_make_is_renewed_once() {
        let password = Secret::given("correct horse");
        let cheap = Argon2::from(Params::new(64, 1, 1, None).expect("costs"));
        let cheap =
            cheap.hash_password_with_salt(b"correct horse", b"of the test").expect("a hash").to_string();
        let renewed =
            compare(&password, Some(cheap.clone())).await.expect("compared").renewed.expect("another");
        let again = compare(&password, Some(renewed)).await.expect("compared");
        assert!(again.matches && again.renewed.is_none());
        assert!(compare(&Secret::given("wrong"), Some(cheap)).await.expect("compared").renewed.is_none());
    }
}
