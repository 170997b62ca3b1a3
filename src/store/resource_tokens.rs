//! Access tokens of projects and groups. Each belongs to a bot: a user that is made with the token, is a member of the place and
//! nothing else, and has no namespace.

use access::Holder;
use domain::{AccessTokenId, EventKind, Failure, Role, Scopes, Subject, TokenLimits, UserId};
use entity::{access_token, bot, member, user};
use sea_orm::{ActiveModelTrait, EntityTrait, FromQueryResult, QueryFilter, QueryResult, Set, Value};
use time::{Date, Duration, OffsetDateTime};

use crate::{
    Result, Secret, Store, StoreError, Tx,
    access_tokens::{self, AccessToken, NewAccessToken, PREFIX, renewed_until},
    audit_events::{self, Actor, Entity, Event, Target},
    convert::{self, stored, today},
    members::{Caller, not_above},
    refusals::{lock_namespace, lock_project},
    rows, secret,
    users::UserState,
};

/// How long a token lasts that is given no last day.
const LIFETIME: Duration = Duration::days(365);

/// An access token of a project or group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceToken {
    /// The token, whose user is the bot.
    pub token: AccessToken,
    /// What it was made for.
    pub holder: Holder,
    /// The role of the bot there: as it is, or as it was when the token was made if it has none any more.
    pub role: Role,
}

/// A token to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewResourceToken {
    /// What it is made for.
    pub holder: Holder,
    /// The name people read.
    pub name: String,
    /// What people wrote about it.
    pub description: String,
    /// How far it goes.
    pub scopes: Scopes,
    /// Which packages it is limited to.
    pub limits: TokenLimits,
    /// The first day on which it no longer counts; a year from now when there is none.
    pub expires_at: Option<Date>,
    /// The role of its bot.
    pub role: Role,
}

/// Creates a token in the name of `caller`, who gives no more than the own role. Its secret is given here and never again.
pub async fn create(
    store: &Store,
    mut new: NewResourceToken,
    caller: Caller,
    now: OffsetDateTime,
) -> Result<(ResourceToken, Secret)> {
    not_above(caller, new.role)?;
    new.expires_at.get_or_insert_with(|| today(now + LIFETIME));
    access_tokens::check(&new.of(UserId(0)), now)?;
    let secret = Secret::fresh(PREFIX)?;
    let bot = hex::encode(secret::random::<16>()?);
    let token = store
        .write(
            (store.actor(), new, caller, bot, secret.hash(), now),
            |tx, (actor, new, caller, bot, hash, now)| {
                Box::pin(async move {
                    let user_id = make_bot(tx, new, *caller, bot, *now).await?;
                    let token = access_tokens::put(tx, &new.of(user_id), hash, stored(*now)).await?;
                    let token = ResourceToken { token, holder: new.holder, role: new.role };
                    note(tx, actor, Done::Created, &token, *now).await?;
                    Ok(token)
                })
            },
        )
        .await?;
    Ok((token, secret))
}

impl NewResourceToken {
    fn of(&self, user_id: UserId) -> NewAccessToken {
        NewAccessToken {
            user_id,
            name: self.name.clone(),
            description: self.description.clone(),
            scopes: self.scopes,
            limits: self.limits.clone(),
            expires_at: self.expires_at,
        }
    }
}

/// Creates the user of a token, and makes it a member.
async fn make_bot(
    tx: &Tx,
    new: &NewResourceToken,
    caller: Caller,
    suffix: &str,
    now: OffsetDateTime,
) -> Result<UserId> {
    let (project_id, namespace_id, username) = match new.holder {
        Holder::Project(id) => {
            (Some(lock_project(tx, id.0).await?.id), None, format!("project_{id}_bot_{suffix}"))
        }
        Holder::Group(id) => {
            (None, Some(lock_namespace(tx, id.0).await?.id), format!("group_{id}_bot_{suffix}"))
        }
    };
    let now = stored(now);
    let row = user::ActiveModel {
        username: Set(username.clone()),
        username_key: Set(username),
        name: Set(new.name.clone()),
        email: Set(None),
        admin: Set(false),
        state: Set(UserState::Active as i16),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    let user_id = row.insert(tx).await?.id;
    let row = bot::ActiveModel {
        user_id: Set(user_id),
        project_id: Set(project_id),
        namespace_id: Set(namespace_id),
        access_level: Set(new.role.number()),
        created_at: Set(now),
    };
    row.insert(tx).await?;
    let row = member::ActiveModel {
        project_id: Set(project_id),
        namespace_id: Set(namespace_id),
        user_id: Set(user_id),
        access_level: Set(new.role.number()),
        created_by_id: Set(caller.user_id.map(|id| id.0)),
        created_at: Set(now),
        ..Default::default()
    };
    row.insert(tx).await?;
    Ok(UserId(user_id))
}

/// A token with what is known of its bot.
struct Row {
    token: access_token::Model,
    project_id: Option<i64>,
    namespace_id: Option<i64>,
    access_level: i16,
}

impl FromQueryResult for Row {
    fn from_query_result(row: &QueryResult, _: &str) -> Result<Self, sea_orm::DbErr> {
        Ok(Self {
            token: access_token::Model::from_query_result(row, "")?,
            project_id: row.try_get("", "project_id")?,
            namespace_id: row.try_get("", "namespace_id")?,
            access_level: row.try_get("", "access_level")?,
        })
    }
}

impl TryFrom<Row> for ResourceToken {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let holder = match (row.project_id, row.namespace_id) {
            (Some(id), _) => Holder::Project(domain::ProjectId(id)),
            (None, id) => Holder::Group(domain::NamespaceId(id.unwrap_or_default())),
        };
        Ok(Self { token: row.token.try_into()?, holder, role: convert::role(row.access_level)? })
    }
}

macro_rules! tokens_sql {
    ($condition:literal) => {
        concat!(
            "SELECT t.id, t.user_id, t.name, t.description, t.token_hash, t.scopes, t.limits, t.expires_at, t.revoked_at, \
             t.last_used_at, t.created_at, b.project_id, b.namespace_id, \
             COALESCE(m.access_level, b.access_level) AS access_level \
             FROM bots b JOIN access_tokens t ON t.user_id = b.user_id \
             LEFT JOIN members m ON m.user_id = b.user_id \
             AND (m.project_id = b.project_id OR m.namespace_id = b.namespace_id) WHERE ",
            $condition
        )
    };
}

/// Every token made for `holder` itself, newest first; those of groups above are theirs.
pub async fn list(store: &Store, holder: Holder) -> Result<Vec<ResourceToken>> {
    let (sql, id) = match holder {
        Holder::Project(id) => (tokens_sql!("b.project_id = $1 ORDER BY t.id DESC"), id.0),
        Holder::Group(id) => (tokens_sql!("b.namespace_id = $1 ORDER BY t.id DESC"), id.0),
    };
    let rows: Vec<Row> = rows::all_sql(store.reader(), sql, [Value::from(id)]).await?;
    rows.into_iter().map(ResourceToken::try_from).collect()
}

/// The token with this id, if it is one of a project or group.
pub async fn find(store: &Store, id: AccessTokenId) -> Result<Option<ResourceToken>> {
    let row: Option<Row> =
        rows::one_sql(store.reader(), tokens_sql!("t.id = $1"), [Value::from(id.0)]).await?;
    row.map(ResourceToken::try_from).transpose()
}

async fn locked(tx: &Tx, id: AccessTokenId) -> Result<ResourceToken> {
    let row: Option<Row> = rows::one_sql(tx, tokens_sql!("t.id = $1"), [Value::from(id.0)]).await?;
    row.ok_or_else(|| StoreError::from(Failure::not_found(Subject::Token)))?.try_into()
}

/// Revokes a token and takes the role from its bot; one that is revoked already stays so.
pub async fn revoke(store: &Store, id: AccessTokenId, now: OffsetDateTime) -> Result<ResourceToken> {
    store
        .write((store.actor(), id, now), |tx, (actor, id, now)| {
            Box::pin(async move {
                let mut found = locked(tx, *id).await?;
                let (token, ended) = access_tokens::end(tx, *id, stored(*now)).await?;
                found.token = token;
                if ended {
                    let memberships = member::Entity::delete_many()
                        .filter(member::COLUMN.user_id.eq(found.token.user_id.0));
                    memberships.exec(tx).await?;
                    note(tx, actor, Done::Revoked, &found, *now).await?;
                }
                Ok(found)
            })
        })
        .await
}

/// Revokes a token and creates one like it for the same bot, in the name of `caller`, whose role must not be lower than the
/// bot's; of nobody, when the bot asks itself. It lasts until `expires_at`, or for a week.
pub async fn rotate(
    store: &Store,
    id: AccessTokenId,
    expires_at: Option<Date>,
    caller: Option<Caller>,
    now: OffsetDateTime,
) -> Result<(ResourceToken, Secret)> {
    let secret = Secret::fresh(PREFIX)?;
    let last = expires_at.unwrap_or_else(|| renewed_until(now));
    let token = store
        .write(
            (store.actor(), id, last, caller, secret.hash(), now),
            |tx, (actor, id, last, caller, hash, now)| {
                Box::pin(async move {
                    let mut found = locked(tx, *id).await?;
                    if let Some(caller) = *caller {
                        not_above(caller, found.role)?;
                    }
                    found.token = access_tokens::replace(tx, *id, Some(*last), hash, *now).await?;
                    note(tx, actor, Done::Rotated(*id), &found, *now).await?;
                    Ok(found)
                })
            },
        )
        .await?;
    Ok((token, secret))
}

/// What became of a token.
#[derive(Clone, Copy)]
enum Done {
    Created,
    Rotated(AccessTokenId),
    Revoked,
}

async fn note(tx: &Tx, actor: &Actor, done: Done, token: &ResourceToken, now: OffsetDateTime) -> Result<()> {
    let (entity, kinds, of) = match token.holder {
        Holder::Project(id) => (
            Entity::of_project(tx, id).await?,
            (
                EventKind::ProjectAccessTokenCreated,
                EventKind::ProjectAccessTokenRotated,
                EventKind::ProjectAccessTokenRevoked,
            ),
            "project",
        ),
        Holder::Group(id) => (
            Entity::of_group(tx, id).await?,
            (
                EventKind::GroupAccessTokenCreated,
                EventKind::GroupAccessTokenRotated,
                EventKind::GroupAccessTokenRevoked,
            ),
            "group",
        ),
    };
    let Some(entity) = entity else { return Ok(()) };
    let AccessToken { name, .. } = &token.token;
    let message = match done {
        Done::Created => format!("Created {of} access token {name} {}", token.token.reach()),
        Done::Rotated(old) => {
            format!("Rotated {of} access token {name}, number {old}, to one {}", token.token.reach())
        }
        Done::Revoked => format!("Revoked {of} access token {name}"),
    };
    let kind = match done {
        Done::Created => kinds.0,
        Done::Rotated(_) => kinds.1,
        Done::Revoked => kinds.2,
    };
    let target = Target::new("PersonalAccessToken", token.token.id.0, name);
    audit_events::write(tx, actor, Event::about(kind, entity, message).on(target), now).await
}
