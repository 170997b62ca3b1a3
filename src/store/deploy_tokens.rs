//! Deploy tokens: credentials of a project or a group, for machines.

use access::{Holder, Identity, Viewer};
use domain::{
    DeployTokenId, EventKind, Failure, NamespaceId, ProjectId, Scope, Scopes, Subject, TokenLimits, UserId,
    namespace::validate_display_name,
};
use entity::{deploy_token, user};
use sea_orm::{
    ActiveModelTrait, EntityTrait, FromQueryResult, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    Set,
};
use time::OffsetDateTime;

use crate::{
    Result, Secret, Store, StoreError, TokenHash, Tx,
    access_tokens::{check_scopes, reach},
    address::path_key,
    audit_events::{self, Actor, Entity, Event, Target},
    convert::{self, stored},
    reader::in_place,
    refusals::{lock_namespace, lock_project},
    rows,
    usage::Token,
};

/// What a deploy token starts with.
pub const PREFIX: &str = "gldt-";

/// A deploy token, without its secret, which nobody can read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeployToken {
    /// The id.
    pub id: DeployTokenId,
    /// What it was made for.
    pub holder: Holder,
    /// The name people read.
    pub name: String,
    /// The user name that goes with it in Basic authentication.
    pub username: String,
    /// How far it goes.
    pub scopes: Scopes,
    /// Which packages it is limited to.
    pub limits: TokenLimits,
    /// From when on it no longer counts.
    pub expires_at: Option<OffsetDateTime>,
    /// When it was revoked.
    pub revoked_at: Option<OffsetDateTime>,
    /// When it was last used, to ten minutes.
    pub last_used_at: Option<OffsetDateTime>,
    /// Who created it.
    pub creator_id: Option<UserId>,
    /// When it was created.
    pub created_at: OffsetDateTime,
}

impl DeployToken {
    /// Whether its time is over.
    pub fn is_expired(&self, now: OffsetDateTime) -> bool {
        self.expires_at.is_some_and(|end| end <= stored(now))
    }

    /// Whether it is neither revoked nor expired.
    pub fn is_active(&self, now: OffsetDateTime) -> bool {
        self.revoked_at.is_none() && !self.is_expired(now)
    }
}

impl TryFrom<deploy_token::Model> for DeployToken {
    type Error = StoreError;

    fn try_from(row: deploy_token::Model) -> Result<Self> {
        Ok(Self {
            limits: convert::limits("deploy_tokens.limits", row.limits.as_deref())?,
            id: DeployTokenId(row.id),
            holder: holder(row.project_id, row.namespace_id),
            name: row.name,
            username: row.username,
            scopes: Scopes::from_text(&row.scopes),
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            last_used_at: row.last_used_at,
            creator_id: row.creator_id.map(UserId),
            created_at: row.created_at,
        })
    }
}

/// A token to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDeployToken {
    /// What it is made for.
    pub holder: Holder,
    /// The name people read.
    pub name: String,
    /// The user name that goes with it; `gitlab+deploy-token-<id>` when there is none.
    pub username: Option<String>,
    /// How far it goes.
    pub scopes: Scopes,
    /// Which packages it is limited to.
    pub limits: TokenLimits,
    /// From when on it no longer counts.
    pub expires_at: Option<OffsetDateTime>,
    /// Who creates it.
    pub creator_id: Option<UserId>,
}

/// What a deploy token proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticated {
    /// The token.
    pub token_id: DeployTokenId,
    /// What it was made for.
    pub holder: Holder,
    /// The user name that must go with it in Basic authentication: the caller compares.
    pub username: String,
    /// How far it goes.
    pub scopes: Scopes,
    /// Which packages it is limited to.
    pub limits: TokenLimits,
}

impl Authenticated {
    /// The viewer that this makes.
    pub fn viewer(&self) -> Viewer {
        Viewer::new(Identity::DeployToken { id: self.token_id, holder: self.holder }, self.scopes)
            .limited_to(self.limits.clone())
    }
}

/// Creates a token. Its secret is given here and never again.
pub async fn create(
    store: &Store,
    new: NewDeployToken,
    now: OffsetDateTime,
) -> Result<(DeployToken, Secret)> {
    validate_display_name("name", &new.name)?;
    check_scopes(new.scopes, Scope::DEPLOY)?;
    if let Some(username) = &new.username {
        check_username(username)?;
    }
    if new.expires_at.is_some_and(|end| end <= now) {
        return Err(Failure::invalid("expires_at", "The expiry is not in the future").into());
    }
    let secret = Secret::fresh(PREFIX)?;
    let hash = secret.hash();
    let token = store
        .write((store.actor(), new, hash, stored(now)), |tx, (actor, new, hash, now)| {
            Box::pin(async move {
                let token = insert(tx, new, hash, *now).await?;
                note(tx, actor, (EventKind::DeployTokenCreated, "Created deploy token"), &token, *now)
                    .await?;
                Ok(token)
            })
        })
        .await?;
    Ok((token, secret))
}

/// GitLab's rule: letters, digits, `_`, `+`, `-` and `.`.
fn check_username(username: &str) -> Result<()> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '+' | '-' | '.');
    if !username.is_empty() && username.len() <= 255 && username.chars().all(allowed) {
        return Ok(());
    }
    let message = format!("'{username}' can contain only letters, digits, '_', '-', '+' and '.'");
    Err(Failure::invalid("username", message).into())
}

/// Refuses the name of a user, who would be taken for the author of what the token does.
async fn not_a_users_name(tx: &Tx, username: &str) -> Result<()> {
    let user = user::Entity::find().filter(user::COLUMN.username_key.eq(path_key(username)));
    if user.one(tx).await?.is_none() {
        return Ok(());
    }
    let message = format!("'{username}' is the name of a user: choose another");
    Err(Failure::invalid("username", message).into())
}

async fn insert(tx: &Tx, new: &NewDeployToken, hash: &TokenHash, now: OffsetDateTime) -> Result<DeployToken> {
    if let Some(username) = &new.username {
        not_a_users_name(tx, username).await?;
    }
    let (project_id, namespace_id) = match new.holder {
        Holder::Project(id) => (Some(lock_project(tx, id.0).await?.id), None),
        Holder::Group(id) => (None, Some(lock_namespace(tx, id.0).await?.id)),
    };
    let row = deploy_token::ActiveModel {
        project_id: Set(project_id),
        namespace_id: Set(namespace_id),
        name: Set(new.name.clone()),
        username: Set(new.username.clone().unwrap_or_default()),
        token_hash: Set(hash.as_text().to_owned()),
        scopes: Set(new.scopes.to_text()),
        limits: Set(new.limits.to_stored()),
        expires_at: Set(new.expires_at.map(stored)),
        creator_id: Set(new.creator_id.map(|id| id.0)),
        created_at: Set(now),
        ..Default::default()
    };
    let row = row.insert(tx).await?;
    if new.username.is_some() {
        return row.try_into();
    }
    let username = format!("gitlab+deploy-token-{}", row.id);
    let mut row = row.into_active_model();
    row.username = Set(username);
    row.update(tx).await?.try_into()
}

/// The token with this id, if there is one.
pub async fn find(store: &Store, id: DeployTokenId) -> Result<Option<DeployToken>> {
    deploy_token::Entity::find_by_id(id.0).one(store.reader()).await?.map(DeployToken::try_from).transpose()
}

/// Every token made for `holder` itself, oldest first; those of groups above are theirs.
pub async fn list(store: &Store, holder: Holder) -> Result<Vec<DeployToken>> {
    let of_holder = match holder {
        Holder::Project(id) => deploy_token::COLUMN.project_id.eq(id.0),
        Holder::Group(id) => deploy_token::COLUMN.namespace_id.eq(id.0),
    };
    let rows = deploy_token::Entity::find().filter(of_holder).order_by_asc(deploy_token::COLUMN.id);
    rows.all(store.reader()).await?.into_iter().map(DeployToken::try_from).collect()
}

/// Every token of the instance, oldest first, for administrators.
pub async fn list_all(store: &Store) -> Result<Vec<DeployToken>> {
    let rows = deploy_token::Entity::find().order_by_asc(deploy_token::COLUMN.id);
    rows.all(store.reader()).await?.into_iter().map(DeployToken::try_from).collect()
}

/// Revokes a token; one that is revoked already stays so.
pub async fn revoke(store: &Store, id: DeployTokenId, now: OffsetDateTime) -> Result<DeployToken> {
    store
        .write((store.actor(), id, stored(now)), |tx, (actor, id, now)| {
            Box::pin(async move {
                let row = deploy_token::Entity::find_by_id(id.0).lock_exclusive().one(tx).await?;
                let row = row.ok_or_else(|| StoreError::from(Failure::not_found(Subject::Token)))?;
                if row.revoked_at.is_some() {
                    return row.try_into();
                }
                let mut row = row.into_active_model();
                row.revoked_at = Set(Some(*now));
                let token = DeployToken::try_from(row.update(tx).await?)?;
                note(tx, actor, (EventKind::DeployTokenRevoked, "Revoked deploy token"), &token, *now)
                    .await?;
                Ok(token)
            })
        })
        .await
}

/// Writes down what became of a token. The holder may be gone meanwhile: then nobody is left to read it.
async fn note(
    tx: &Tx,
    actor: &Actor,
    (kind, what): (EventKind, &str),
    token: &DeployToken,
    now: OffsetDateTime,
) -> Result<()> {
    let entity = match token.holder {
        Holder::Project(id) => Entity::of_project(tx, id).await?,
        Holder::Group(id) => Entity::of_group(tx, id).await?,
    };
    let Some(entity) = entity else { return Ok(()) };
    let reach = reach(token.scopes, &token.limits, token.expires_at.map(OffsetDateTime::date));
    let message = format!("{what} {} {reach}", token.name);
    let target = Target::new("DeployToken", token.id.0, &token.name);
    audit_events::write(tx, actor, Event::about(kind, entity, message).on(target), now).await
}

/// What authentication reads in one statement.
#[derive(FromQueryResult)]
struct AuthenticatedRow {
    id: i64,
    project_id: Option<i64>,
    namespace_id: Option<i64>,
    username: String,
    scopes: String,
    limits: Option<String>,
    last_used_at: Option<OffsetDateTime>,
}

in_place!(AuthenticatedRow { id, project_id, namespace_id, username, scopes, limits, last_used_at });

const AUTHENTICATE: &str = "SELECT t.id, t.project_id, t.namespace_id, t.username, t.scopes, t.limits, t.last_used_at \
    FROM deploy_tokens t LEFT JOIN projects p ON p.id = t.project_id LEFT JOIN namespaces n ON n.id = t.namespace_id \
    WHERE t.token_hash = $1 AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > $2) \
    AND p.deleted_at IS NULL AND n.deleted_at IS NULL";

/// What the secret with this hash proves: nothing, when there is no such token, or it was revoked or has expired, or what it
/// was made for is gone. One statement; that it was used is written down later.
pub async fn authenticate(
    store: &Store,
    hash: &TokenHash,
    now: OffsetDateTime,
) -> Result<Option<Authenticated>> {
    let values = [hash.as_text().into(), stored(now).into()];
    let row: Option<AuthenticatedRow> = rows::hot_one_sql(store, AUTHENTICATE, values).await?;
    let Some(row) = row else { return Ok(None) };
    store.usage().note(Token::Deploy(row.id), row.last_used_at, now);
    Ok(Some(Authenticated {
        token_id: DeployTokenId(row.id),
        holder: holder(row.project_id, row.namespace_id),
        username: row.username,
        scopes: Scopes::from_text(&row.scopes),
        limits: convert::limits("deploy_tokens.limits", row.limits.as_deref())?,
    }))
}

/// The schema sees to it that one of the two is there.
fn holder(project_id: Option<i64>, namespace_id: Option<i64>) -> Holder {
    match (project_id, namespace_id) {
        (Some(id), _) => Holder::Project(ProjectId(id)),
        (None, id) => Holder::Group(NamespaceId(id.unwrap_or_default())),
    }
}
