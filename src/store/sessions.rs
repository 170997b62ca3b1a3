//! Sessions: where people are signed in. A row that is gone is a session that has ended.

use std::net::IpAddr;

use access::{Identity, Viewer};
use domain::{EventKind, Failure, Scope, Subject, UserId, UserSessionId};
use entity::{user, user_session};
use sea_orm::{
    ActiveModelTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QueryResult, Set, Value,
};
use time::{Duration, OffsetDateTime};

use crate::{
    Result, Secret, Store, StoreError, TokenHash, Tx,
    audit_events::{self, Actor, Entity, Event, Means, Target},
    convert::stored,
    reader::{FromRow, cell},
    rows,
    usage::Token,
    users::User,
};

/// What the secret of a session starts with.
pub const PREFIX: &str = "entps-";
/// How long a session lasts.
pub const LIFETIME: Duration = Duration::days(30);
/// How long a session lasts that nobody uses.
pub const IDLE: Duration = Duration::days(7);
/// Most sessions of a user: whoever begins one more ends the oldest.
const MOST: i64 = 100;
/// Most characters that are kept of what a browser says it is.
const MAX_USER_AGENT: usize = 255;

/// Somewhere a user is signed in, without the secret, which nobody can read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSession {
    /// The id.
    pub id: UserSessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// What the browser said it is.
    pub user_agent: Option<String>,
    /// When it was last used, to ten minutes.
    pub last_used_at: Option<OffsetDateTime>,
    /// When it ends at the latest.
    pub expires_at: OffsetDateTime,
    /// When it was begun.
    pub created_at: OffsetDateTime,
}

impl From<user_session::Model> for UserSession {
    fn from(row: user_session::Model) -> Self {
        Self {
            id: UserSessionId(row.id),
            user_id: UserId(row.user_id),
            user_agent: row.user_agent,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
            created_at: row.created_at,
        }
    }
}

/// A session that was begun, with its secret.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The session.
    pub session: UserSession,
    /// Whose it is.
    pub user: User,
    /// What carries it.
    pub secret: Secret,
}

/// A session to begin.
pub(crate) struct NewSession {
    hash: TokenHash,
    user_agent: Option<String>,
    /// Where whoever signs in is.
    pub(crate) address: Option<IpAddr>,
}

impl NewSession {
    /// One with a fresh secret, for whoever asks.
    pub(crate) fn fresh(by: &Actor, user_agent: Option<String>) -> Result<(Self, Secret)> {
        let secret = Secret::fresh(PREFIX)?;
        let plain = |text: String| -> String {
            text.chars().filter(|letter| !letter.is_control()).take(MAX_USER_AGENT).collect()
        };
        let user_agent = user_agent.map(plain).filter(|text| !text.is_empty());
        Ok((Self { hash: secret.hash(), user_agent, address: by.address }, secret))
    }
}

/// Begins a session of a user who has proved by `how` who they are.
pub(crate) async fn begin(
    tx: &Tx,
    user: &User,
    new: &NewSession,
    how: &str,
    now: OffsetDateTime,
) -> Result<UserSession> {
    let row = user_session::ActiveModel {
        user_id: Set(user.id.0),
        token_hash: Set(new.hash.as_text().to_owned()),
        user_agent: Set(new.user_agent.clone()),
        expires_at: Set(stored(now + LIFETIME)),
        created_at: Set(stored(now)),
        ..Default::default()
    };
    let session = UserSession::from(row.insert(tx).await?);
    let sql = "DELETE FROM user_sessions WHERE user_id = $1 AND id NOT IN \
        (SELECT id FROM user_sessions WHERE user_id = $1 ORDER BY id DESC LIMIT $2)";
    rows::execute(tx, sql, [Value::from(user.id.0), MOST.into()]).await?;
    let identity = Identity::User { id: user.id, admin: user.admin };
    let actor = Actor::of(identity, &user.username).by(Means::Session).at(new.address);
    note(tx, &actor, (EventKind::UserLoggedIn, format!("Signed in with {how}")), user, &session, now).await?;
    Ok(session)
}

async fn note(
    tx: &Tx,
    actor: &Actor,
    (kind, message): (EventKind, String),
    user: &User,
    session: &UserSession,
    now: OffsetDateTime,
) -> Result<()> {
    let details = session.user_agent.as_deref().unwrap_or_default();
    let target = Target::new("UserSession", session.id.0, details);
    let event = Event::about(kind, Entity::user(user.id.0, &user.username), message).on(target);
    audit_events::write(tx, actor, event, now).await
}

/// Ends a session of a user from elsewhere.
pub async fn revoke(store: &Store, user: UserId, id: UserSessionId, now: OffsetDateTime) -> Result<()> {
    end(store, (user, id), (EventKind::UserSessionRevoked, "Ended a session"), now).await
}

/// Ends a session of a user that asks for it itself.
pub async fn sign_out(store: &Store, user: UserId, id: UserSessionId, now: OffsetDateTime) -> Result<()> {
    end(store, (user, id), (EventKind::UserLoggedOut, "Signed out"), now).await
}

async fn end(
    store: &Store,
    ids: (UserId, UserSessionId),
    what: (EventKind, &'static str),
    now: OffsetDateTime,
) -> Result<()> {
    store
        .write((store.actor(), ids, what, now), |tx, (actor, (user, id), (kind, message), now)| {
            Box::pin(async move {
                let missing = |subject| StoreError::from(Failure::not_found(subject));
                let sql = "DELETE FROM user_sessions WHERE id = $1 AND user_id = $2 RETURNING id, user_id, token_hash, \
                    user_agent, last_used_at, expires_at, created_at";
                let row: Option<user_session::Model> =
                    rows::one_sql(tx, sql, [Value::from(id.0), user.0.into()]).await?;
                let session = UserSession::from(row.ok_or_else(|| missing(Subject::Session))?);
                let user = user::Entity::find_by_id(user.0).one(tx).await?;
                let user = User::try_from(user.ok_or_else(|| missing(Subject::User))?)?;
                note(tx, actor, (*kind, (*message).to_owned()), &user, &session, *now).await
            })
        })
        .await
}

/// Ends the sessions of a user, but for `kept`. Tells how many.
pub(crate) async fn end_all(tx: &Tx, user: UserId, kept: Option<UserSessionId>) -> Result<u64> {
    let sql = "DELETE FROM user_sessions WHERE user_id = $1 AND id <> $2";
    // No session has the number 0.
    rows::execute(tx, sql, [Value::from(user.0), kept.map_or(0, |id| id.0).into()]).await
}

/// Ends a session that another takes the place of.
pub(crate) async fn end_one(tx: &Tx, user: UserId, id: UserSessionId) -> Result<()> {
    let sql = "DELETE FROM user_sessions WHERE id = $1 AND user_id = $2";
    rows::execute(tx, sql, [Value::from(id.0), user.0.into()]).await.map(|_| ())
}

/// Whose session it is; none when there is none.
pub async fn holder(store: &Store, id: UserSessionId) -> Result<Option<UserId>> {
    let row = user_session::Entity::find_by_id(id.0).one(store.reader()).await?;
    Ok(row.map(|row| UserId(row.user_id)))
}

/// The sessions of a user that have not ended, newest first.
pub async fn list(store: &Store, user: UserId, now: OffsetDateTime) -> Result<Vec<UserSession>> {
    let rows = user_session::Entity::find()
        .filter(user_session::COLUMN.user_id.eq(user.0))
        .filter(user_session::COLUMN.expires_at.gt(stored(now)))
        .order_by_desc(user_session::COLUMN.id);
    let sessions = rows.all(store.reader()).await?.into_iter().map(UserSession::from);
    let is_used = |session: &UserSession| session.last_used_at.unwrap_or(session.created_at) + IDLE > now;
    Ok(sessions.filter(is_used).collect())
}

/// Removes the rows of sessions that have ended by themselves. Tells how many.
pub async fn remove_ended(store: &Store, now: OffsetDateTime) -> Result<u64> {
    store
        .write((stored(now), stored(now - IDLE)), |tx, (now, unused)| {
            let sql = "DELETE FROM user_sessions WHERE expires_at <= $1 OR COALESCE(last_used_at, created_at) <= $2";
            Box::pin(rows::execute(tx, sql, [Value::from(*now), Value::from(*unused)]))
        })
        .await
}

/// Whom a session proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticated {
    /// The user.
    pub user: User,
    /// The session.
    pub session_id: UserSessionId,
}

impl Authenticated {
    /// The viewer that this makes: the user, without a ceiling.
    pub fn viewer(&self) -> Viewer {
        let identity = Identity::User { id: self.user.id, admin: self.user.admin };
        Viewer::new(identity, [Scope::Api].into_iter().collect())
    }
}

/// What authentication reads in one statement.
struct AuthenticatedRow {
    user: user::Model,
    session_id: i64,
    last_used_at: Option<OffsetDateTime>,
}

impl FromQueryResult for AuthenticatedRow {
    fn from_query_result(row: &QueryResult, _: &str) -> Result<Self, sea_orm::DbErr> {
        Ok(Self {
            user: user::Model::from_query_result(row, "")?,
            session_id: row.try_get("", "session_id")?,
            last_used_at: row.try_get("", "last_used_at")?,
        })
    }
}

impl FromRow for AuthenticatedRow {
    fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            user: user::Model::from_row(row)?,
            session_id: cell(row, "session_id")?,
            last_used_at: cell(row, "last_used_at")?,
        })
    }
}

const AUTHENTICATE: &str = "SELECT u.id, u.username, u.username_key, u.name, u.email, u.admin, u.state, u.created_at, \
    u.updated_at, s.id AS session_id, s.last_used_at FROM user_sessions s JOIN users u ON u.id = s.user_id \
    WHERE s.token_hash = $1 AND s.expires_at > $2 AND COALESCE(s.last_used_at, s.created_at) > $3 AND u.state = 0";

/// Whom the secret with this hash proves: nobody, when there is no such session, it has ended, or its user is blocked. One
/// statement; that it was used is written down later.
pub async fn authenticate(
    store: &Store,
    hash: &TokenHash,
    now: OffsetDateTime,
) -> Result<Option<Authenticated>> {
    let values = [hash.as_text().into(), stored(now).into(), stored(now - IDLE).into()];
    let row: Option<AuthenticatedRow> = rows::hot_one_sql(store, AUTHENTICATE, values).await?;
    let Some(row) = row else { return Ok(None) };
    store.usage().note(Token::Session(row.session_id), row.last_used_at, now);
    Ok(Some(Authenticated { user: User::try_from(row.user)?, session_id: UserSessionId(row.session_id) }))
}
