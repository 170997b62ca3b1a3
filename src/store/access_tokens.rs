//! Personal access tokens.

mod authenticate;

use std::fmt::Display;

pub use authenticate::{Authenticated, authenticate};

use domain::{
    AccessTokenId, EventKind, Failure, Scope, Scopes, Subject, TokenLimits, UserId,
    namespace::{MAX_TOKEN_DESCRIPTION, validate_description, validate_display_name},
};
use entity::{access_token, bot, user};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Set};
use time::{Date, Duration, OffsetDateTime};

use crate::{
    Result, Secret, Store, StoreError, TokenHash, Tx,
    audit_events::{self, Actor, Entity, Event, Target},
    convert::{self, stored, today},
};

/// What a personal access token starts with.
pub const PREFIX: &str = "glpat-";
/// Least length of a secret that an administrator chooses.
const LEAST_GIVEN: usize = 8;

/// How long a token lasts that takes the place of another, where nobody says (GitLab's).
const RENEWED_FOR: Duration = Duration::days(7);

/// The last day of a token that takes the place of another, where nobody says.
pub fn renewed_until(now: OffsetDateTime) -> Date {
    today(now + RENEWED_FOR)
}

/// A personal access token, without its secret, which nobody can read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// The id.
    pub id: AccessTokenId,
    /// Whose it is.
    pub user_id: UserId,
    /// The name people read.
    pub name: String,
    /// What people wrote about it.
    pub description: String,
    /// How far it goes.
    pub scopes: Scopes,
    /// Which packages it is limited to.
    pub limits: TokenLimits,
    /// The first day on which it no longer counts.
    pub expires_at: Option<Date>,
    /// When it was revoked.
    pub revoked_at: Option<OffsetDateTime>,
    /// When it was last used, to ten minutes.
    pub last_used_at: Option<OffsetDateTime>,
    /// When it was created.
    pub created_at: OffsetDateTime,
}

impl AccessToken {
    /// Whether it is neither revoked nor expired.
    pub fn is_active(&self, now: OffsetDateTime) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|day| day > today(now))
    }

    /// See [`reach`].
    pub(crate) fn reach(&self) -> String {
        reach(self.scopes, &self.limits, self.expires_at)
    }
}

impl TryFrom<access_token::Model> for AccessToken {
    type Error = StoreError;

    fn try_from(row: access_token::Model) -> Result<Self> {
        Ok(Self {
            limits: convert::limits("access_tokens.limits", row.limits.as_deref())?,
            id: AccessTokenId(row.id),
            user_id: UserId(row.user_id),
            name: row.name,
            description: row.description,
            scopes: Scopes::from_text(&row.scopes),
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            last_used_at: row.last_used_at,
            created_at: row.created_at,
        })
    }
}

/// A token to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAccessToken {
    /// Whose it is.
    pub user_id: UserId,
    /// The name people read.
    pub name: String,
    /// What people wrote about it.
    pub description: String,
    /// How far it goes.
    pub scopes: Scopes,
    /// Which packages it is limited to.
    pub limits: TokenLimits,
    /// The first day on which it no longer counts.
    pub expires_at: Option<Date>,
}

/// Creates a token. Its secret is given here and never again.
pub async fn create(
    store: &Store,
    new: NewAccessToken,
    now: OffsetDateTime,
) -> Result<(AccessToken, Secret)> {
    check(&new, now)?;
    let secret = Secret::fresh(PREFIX)?;
    let hash = secret.hash();
    let token = store
        .write((store.actor(), new, hash, stored(now)), |tx, (actor, new, hash, now)| {
            Box::pin(insert(tx, actor, new, hash, *now))
        })
        .await?;
    Ok((token, secret))
}

/// Refuses a chosen secret that is too short to be one.
pub fn check_given(secret: &Secret) -> Result<(), Failure> {
    if secret.expose().trim().len() < LEAST_GIVEN {
        let message = format!("The given token is too short: it needs at least {LEAST_GIVEN} characters");
        return Err(Failure::invalid("token", message));
    }
    Ok(())
}

/// Creates a token whose secret the administrator chose, unless it is there already.
pub async fn create_given(
    store: &Store,
    new: NewAccessToken,
    secret: &Secret,
    now: OffsetDateTime,
) -> Result<AccessToken> {
    check(&new, now)?;
    check_given(secret)?;
    store
        .write((store.actor(), new, secret.hash(), now), |tx, (actor, new, hash, now)| {
            Box::pin(async move {
                let there =
                    access_token::Entity::find().filter(access_token::COLUMN.token_hash.eq(hash.as_text()));
                let Some(row) = there.one(tx).await? else {
                    return insert(tx, actor, new, hash, stored(*now)).await;
                };
                let token = AccessToken::try_from(row)?;
                if token.user_id != new.user_id {
                    return Err(Failure::invalid("token", "The given token belongs to another user").into());
                }
                if !token.is_active(*now) {
                    return Err(
                        Failure::invalid("token", "The given token was revoked or has expired").into()
                    );
                }
                Ok(token)
            })
        })
        .await
}

/// Refuses what no token is like.
pub(crate) fn check(new: &NewAccessToken, now: OffsetDateTime) -> Result<()> {
    validate_display_name("name", &new.name)?;
    validate_description(&new.description, MAX_TOKEN_DESCRIPTION)?;
    check_scopes(new.scopes, Scope::PERSONAL)?;
    match new.expires_at {
        Some(day) if day <= today(now) => {
            Err(Failure::invalid("expires_at", format!("'{day}' is not in the future")).into())
        }
        _ => Ok(()),
    }
}

/// Refuses an empty set of scopes and one that holds others than `possible`.
pub(crate) fn check_scopes(scopes: Scopes, possible: &[Scope]) -> Result<()> {
    if scopes.iter().next().is_none() {
        return Err(Failure::invalid("scopes", "Scopes can't be blank").into());
    }
    match scopes.iter().find(|scope| !possible.contains(scope)) {
        Some(scope) => {
            let message = format!("Scope '{}' can't be given to this kind of token", scope.name());
            Err(Failure::invalid("scopes", message).into())
        }
        None => Ok(()),
    }
}

async fn insert(
    tx: &Tx,
    actor: &Actor,
    new: &NewAccessToken,
    hash: &TokenHash,
    now: OffsetDateTime,
) -> Result<AccessToken> {
    // A second token of a bot would not end with the one that it was made for.
    if bot::Entity::find_by_id(new.user_id.0).one(tx).await?.is_some() {
        let message = "The user belongs to the access token of a project or group, and gets no other";
        return Err(Failure::invalid("user_id", message).into());
    }
    let token = put(tx, new, hash, now).await?;
    let what = format!("Created personal access token {} {}", token.name, token.reach());
    note(tx, actor, (EventKind::AccessTokenCreated, what), &token, now).await?;
    Ok(token)
}

/// How far a token goes and how long, for the audit log.
pub(crate) fn reach(scopes: Scopes, limits: &TokenLimits, end: Option<impl Display>) -> String {
    let mut text = format!("with scopes {}", scopes.to_text());
    if !limits.is_empty() {
        text = format!("{text}, limited to {limits}");
    }
    match end {
        Some(end) => format!("{text}, until {end}"),
        None => format!("{text}, without end"),
    }
}

/// Writes the row of a token.
pub(crate) async fn put(
    tx: &Tx,
    new: &NewAccessToken,
    hash: &TokenHash,
    now: OffsetDateTime,
) -> Result<AccessToken> {
    if user::Entity::find_by_id(new.user_id.0).one(tx).await?.is_none() {
        return Err(Failure::not_found(Subject::User).into());
    }
    let row = access_token::ActiveModel {
        user_id: Set(new.user_id.0),
        name: Set(new.name.clone()),
        description: Set(new.description.clone()),
        token_hash: Set(hash.as_text().to_owned()),
        scopes: Set(new.scopes.to_text()),
        limits: Set(new.limits.to_stored()),
        expires_at: Set(new.expires_at),
        created_at: Set(now),
        ..Default::default()
    };
    row.insert(tx).await?.try_into()
}

/// The token with this id, if there is one.
pub async fn find(store: &Store, id: AccessTokenId) -> Result<Option<AccessToken>> {
    access_token::Entity::find_by_id(id.0).one(store.reader()).await?.map(AccessToken::try_from).transpose()
}

/// Every token of a user, newest first.
pub async fn list(store: &Store, user_id: UserId) -> Result<Vec<AccessToken>> {
    let rows = access_token::Entity::find()
        .filter(access_token::COLUMN.user_id.eq(user_id.0))
        .order_by_desc(access_token::COLUMN.id);
    rows.all(store.reader()).await?.into_iter().map(AccessToken::try_from).collect()
}

/// Revokes a token; one that is revoked already stays so.
pub async fn revoke(store: &Store, id: AccessTokenId, now: OffsetDateTime) -> Result<AccessToken> {
    store
        .write((store.actor(), id, stored(now)), |tx, (actor, id, now)| {
            Box::pin(async move {
                let (token, ended) = end(tx, *id, *now).await?;
                if ended {
                    let what = format!("Revoked personal access token {}", token.name);
                    note(tx, actor, (EventKind::AccessTokenRevoked, what), &token, *now).await?;
                }
                Ok(token)
            })
        })
        .await
}

/// Ends a token, and says whether it had not been ended before.
pub(crate) async fn end(tx: &Tx, id: AccessTokenId, now: OffsetDateTime) -> Result<(AccessToken, bool)> {
    let row = access_token::Entity::find_by_id(id.0).lock_exclusive().one(tx).await?;
    let row = row.ok_or_else(|| StoreError::from(Failure::not_found(Subject::Token)))?;
    if row.revoked_at.is_some() {
        return Ok((row.try_into()?, false));
    }
    let mut row = row.into_active_model();
    row.revoked_at = Set(Some(now));
    Ok((row.update(tx).await?.try_into()?, true))
}

/// Writes down what became of a token, and whose it is.
async fn note(
    tx: &Tx,
    actor: &Actor,
    (kind, message): (EventKind, String),
    token: &AccessToken,
    now: OffsetDateTime,
) -> Result<()> {
    let owner = user::Entity::find_by_id(token.user_id.0).one(tx).await?.ok_or_else(Failure::internal)?;
    let target = Target::new("PersonalAccessToken", token.id.0, &token.name);
    let message = format!("{message}, of {}", owner.username);
    let event = Event::about(kind, Entity::user(owner.id, &owner.username), message).on(target);
    audit_events::write(tx, actor, event, now).await
}

/// Revokes a token and creates one like it, with a new secret and the given last day.
pub async fn rotate(
    store: &Store,
    id: AccessTokenId,
    expires_at: Option<Date>,
    now: OffsetDateTime,
) -> Result<(AccessToken, Secret)> {
    let secret = Secret::fresh(PREFIX)?;
    let token = store
        .write(
            (store.actor(), id, expires_at, secret.hash(), now),
            |tx, (actor, id, expires_at, hash, now)| {
                Box::pin(async move {
                    let token = replace(tx, *id, *expires_at, hash, *now).await?;
                    let what = format!(
                        "Rotated personal access token {}, number {id}, to one {}",
                        token.name,
                        token.reach()
                    );
                    note(tx, actor, (EventKind::AccessTokenRotated, what), &token, *now).await?;
                    Ok(token)
                })
            },
        )
        .await?;
    Ok((token, secret))
}

/// Ends a token and writes the row of one like it.
pub(crate) async fn replace(
    tx: &Tx,
    id: AccessTokenId,
    expires_at: Option<Date>,
    hash: &TokenHash,
    now: OffsetDateTime,
) -> Result<AccessToken> {
    let row = access_token::Entity::find_by_id(id.0).lock_exclusive().one(tx).await?;
    let row = row.ok_or_else(|| StoreError::from(Failure::not_found(Subject::Token)))?;
    let old = AccessToken::try_from(row)?;
    if !old.is_active(now) {
        let message = format!("Token '{}' is not active: it was revoked or has expired", old.name);
        return Err(Failure::invalid("id", message).into());
    }
    end(tx, id, stored(now)).await?;
    let new = NewAccessToken {
        user_id: old.user_id,
        name: old.name,
        description: old.description,
        scopes: old.scopes,
        limits: old.limits,
        expires_at,
    };
    check(&new, now)?;
    put(tx, &new, hash, stored(now)).await
}
