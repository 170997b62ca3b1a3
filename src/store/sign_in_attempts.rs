//! Attempts to sign in that a provider has to answer. Each is taken once, whichever server the browser comes back to.

use domain::UserId;
use sea_orm::{FromQueryResult, Value};
use time::{Duration, OffsetDateTime};

use crate::{Result, Secret, Store, TokenHash, Tx, convert::stored, rows};

/// What the secret of an attempt starts with.
const PREFIX: &str = "entpa-";
/// How long the provider may take.
const LIFETIME: Duration = Duration::minutes(10);

/// What is remembered of an attempt while the provider has the browser. It has no `Debug`: secrets are in it.
#[derive(Clone, Default)]
pub struct Attempt {
    /// The name of the provider.
    pub provider: String,
    /// What the provider gives back with its answer.
    pub state: String,
    /// What the ID token has to repeat.
    pub nonce: String,
    /// What the code is redeemed with (RFC 7636).
    pub pkce_verifier: String,
    /// Who was signed in, and wants an account to be linked.
    pub user_id: Option<UserId>,
}

#[derive(FromQueryResult)]
struct Row {
    provider: String,
    state: String,
    nonce: String,
    pkce_verifier: String,
    user_id: Option<i64>,
    expires_at: OffsetDateTime,
}

async fn remember(tx: &Tx, attempt: &Attempt, hash: &TokenHash, now: OffsetDateTime) -> Result<()> {
    rows::execute(tx, "DELETE FROM sign_in_attempts WHERE expires_at <= $1", [stored(now).into()]).await?;
    let values: [Value; 7] = [
        hash.as_text().into(),
        attempt.provider.as_str().into(),
        attempt.state.as_str().into(),
        attempt.nonce.as_str().into(),
        attempt.pkce_verifier.as_str().into(),
        attempt.user_id.map(|id| id.0).into(),
        stored(now + LIFETIME).into(),
    ];
    let sql = "INSERT INTO sign_in_attempts (secret_hash, provider, state, nonce, pkce_verifier, user_id, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    rows::execute(tx, sql, values).await.map(|_| ())
}

async fn forget(tx: &Tx, hash: &TokenHash) -> Result<Option<Row>> {
    let sql = "DELETE FROM sign_in_attempts WHERE secret_hash = $1 \
        RETURNING provider, state, nonce, pkce_verifier, user_id, expires_at";
    rows::one_sql(tx, sql, [hash.as_text().into()]).await
}

/// Remembers an attempt. Its secret is what it is found by.
pub async fn begin(store: &Store, attempt: Attempt, now: OffsetDateTime) -> Result<Secret> {
    let secret = Secret::fresh(PREFIX)?;
    let input = (attempt, secret.hash(), now);
    store.write(input, |tx, (attempt, hash, now)| Box::pin(remember(tx, attempt, hash, *now))).await?;
    Ok(secret)
}

/// Takes the attempt with this secret out: nobody gets it again. None when there is none, or the provider took too long.
pub async fn take(store: &Store, secret: &TokenHash, now: OffsetDateTime) -> Result<Option<Attempt>> {
    let row = store.write(secret.clone(), |tx, hash| Box::pin(forget(tx, hash))).await?;
    Ok(row.filter(|row| row.expires_at > stored(now)).map(|row| Attempt {
        provider: row.provider,
        state: row.state,
        nonce: row.nonce,
        pkce_verifier: row.pkce_verifier,
        user_id: row.user_id.map(UserId),
    }))
}

/// Remembers an attempt and forgets it at once. A wrong password is counted, which a durable write takes a while for: where there is
/// no user to count it of, this takes the same while, so that nobody learns from the time which users there are.
pub(crate) async fn pass(store: &Store, now: OffsetDateTime) -> Result<()> {
    let hash = Secret::fresh(PREFIX)?.hash();
    store
        .write((Attempt::default(), hash, now), |tx, (attempt, hash, now)| {
            Box::pin(async move {
                remember(tx, attempt, hash, *now).await?;
                forget(tx, hash).await.map(|_| ())
            })
        })
        .await
}
