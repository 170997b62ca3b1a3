//! Whom the secret of an access token proves.

use access::{Identity, Via, Viewer};
use domain::{AccessTokenId, Scopes, TokenLimits};
use entity::user;
use sea_orm::{FromQueryResult, QueryResult};
use time::OffsetDateTime;

use crate::{
    Result, Store, TokenHash,
    convert::{self, today},
    reader::{FromRow, cell, in_place},
    rows,
    usage::Token,
    users::User,
};

/// Whom a personal access token proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticated {
    /// The user.
    pub user: User,
    /// The token.
    pub token_id: AccessTokenId,
    /// How far it goes.
    pub scopes: Scopes,
    /// Which packages it is limited to.
    pub limits: TokenLimits,
    /// By way of what the user acts.
    pub via: Via,
}

impl Authenticated {
    /// The viewer that this makes.
    pub fn viewer(&self) -> Viewer {
        Viewer::new(Identity::User { id: self.user.id, admin: self.user.admin }, self.scopes)
            .limited_to(self.limits.clone())
            .by_way_of(self.via.clone())
    }
}

/// What authentication reads in one statement.
struct AuthenticatedRow {
    user: user::Model,
    token_id: i64,
    scopes: String,
    limits: Option<String>,
    /// Whether the user is a bot of a project or group.
    bot: Option<i64>,
    last_used_at: Option<OffsetDateTime>,
}

impl FromQueryResult for AuthenticatedRow {
    fn from_query_result(row: &QueryResult, _: &str) -> Result<Self, sea_orm::DbErr> {
        Ok(Self {
            user: user::Model::from_query_result(row, "")?,
            token_id: row.try_get("", "token_id")?,
            scopes: row.try_get("", "scopes")?,
            limits: row.try_get("", "limits")?,
            bot: row.try_get("", "bot")?,
            last_used_at: row.try_get("", "last_used_at")?,
        })
    }
}

in_place!(user::Model { id, username, username_key, name, email, admin, state, created_at, updated_at });

impl FromRow for AuthenticatedRow {
    fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            user: user::Model::from_row(row)?,
            token_id: cell(row, "token_id")?,
            scopes: cell(row, "scopes")?,
            limits: cell(row, "limits")?,
            bot: cell(row, "bot")?,
            last_used_at: cell(row, "last_used_at")?,
        })
    }
}

const AUTHENTICATE: &str = "SELECT u.id, u.username, u.username_key, u.name, u.email, u.admin, u.state, u.created_at, \
    u.updated_at, t.id AS token_id, t.scopes, t.limits, t.last_used_at, b.user_id AS bot \
    FROM access_tokens t JOIN users u ON u.id = t.user_id LEFT JOIN bots b ON b.user_id = u.id \
    LEFT JOIN projects p ON p.id = b.project_id LEFT JOIN namespaces n ON n.id = b.namespace_id \
    WHERE t.token_hash = $1 AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > $2) AND u.state = 0 \
    AND p.deleted_at IS NULL AND n.deleted_at IS NULL";

/// Whom the secret with this hash proves: nobody, when there is no such token, or it was revoked or has expired, or its user
/// is blocked, or what its bot was made for is gone. One statement; that it was used is written down later.
pub async fn authenticate(
    store: &Store,
    hash: &TokenHash,
    now: OffsetDateTime,
) -> Result<Option<Authenticated>> {
    let values = [hash.as_text().into(), today(now).into()];
    let row: Option<AuthenticatedRow> = rows::hot_one_sql(store, AUTHENTICATE, values).await?;
    let Some(row) = row else { return Ok(None) };
    store.usage().note(Token::Access(row.token_id), row.last_used_at, now);
    Ok(Some(Authenticated {
        user: User::try_from(row.user)?,
        token_id: AccessTokenId(row.token_id),
        scopes: Scopes::from_text(&row.scopes),
        limits: convert::limits("access_tokens.limits", row.limits.as_deref())?,
        via: if row.bot.is_some() { Via::Bot } else { Via::Person },
    }))
}
