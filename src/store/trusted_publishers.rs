//! Trusted publishing: whose ID tokens a project accepts, and the short-lived tokens that they are exchanged for.

mod exchange;

use std::collections::BTreeMap;

use access::{Identity, Viewer};
use domain::{
    ErrorCode, EventKind, Failure, ProjectId, Scope, Scopes, Subject, TokenLimits, TrustedPublisherId, UserId,
};
use entity::{project, trusted_publisher};
use sea_orm::{
    ActiveModelTrait, EntityTrait, FromQueryResult, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
};
use time::{Duration, OffsetDateTime};

use crate::{
    Result, Store, StoreError, TokenHash, Tx,
    audit_events::{self, Actor, Entity, Event, Target},
    convert::{self, stored},
    refusals::lock_project,
    rows,
};

pub use exchange::{Exchange, Presented, accepting, exchange};

/// What a token of trusted publishing starts with.
pub const PREFIX: &str = "gltp-";
/// How long a token lasts.
pub const LIFETIME: Duration = Duration::minutes(15);
/// Most publishers of a project.
const MAX_PUBLISHERS: u64 = 50;
/// Most claims of a publisher.
const MAX_CLAIMS: usize = 20;
/// Longest issuer, audience, and name or value of a claim, in bytes.
const MAX_TEXT: usize = 512;
/// What says when and for whom a token is good, not who it is of.
const NO_IDENTITY: [&str; 6] = ["iss", "aud", "exp", "iat", "nbf", "jti"];

/// Whose ID tokens are exchanged for tokens of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedPublisher {
    /// The id.
    pub id: TrustedPublisherId,
    /// The project.
    pub project_id: ProjectId,
    /// Who issues the ID tokens.
    pub issuer: String,
    /// For whom they are issued.
    pub audience: String,
    /// What they have to say, to the letter.
    pub claims: BTreeMap<String, String>,
    /// Which packages the tokens are limited to.
    pub limits: TokenLimits,
    /// Who created it.
    pub creator_id: Option<UserId>,
    /// When it was created.
    pub created_at: OffsetDateTime,
}

impl TrustedPublisher {
    /// What it is called where somebody has to have a name.
    pub fn name(&self) -> String {
        name(self.id)
    }
}

fn name(id: TrustedPublisherId) -> String {
    format!("trusted-publisher-{id}")
}

impl TryFrom<trusted_publisher::Model> for TrustedPublisher {
    type Error = StoreError;

    fn try_from(row: trusted_publisher::Model) -> Result<Self> {
        let corrupt =
            || StoreError::Corrupt { column: "trusted_publishers.claims", value: row.claims.to_string() };
        Ok(Self {
            id: TrustedPublisherId(row.id),
            project_id: ProjectId(row.project_id),
            claims: serde_json::from_value(row.claims.clone()).map_err(|_| corrupt())?,
            limits: convert::limits("trusted_publishers.limits", row.limits.as_deref())?,
            issuer: row.issuer,
            audience: row.audience,
            creator_id: row.creator_id.map(UserId),
            created_at: row.created_at,
        })
    }
}

/// A publisher to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTrustedPublisher {
    /// The project.
    pub project_id: ProjectId,
    /// Who issues the ID tokens.
    pub issuer: String,
    /// For whom they are issued.
    pub audience: String,
    /// What they have to say.
    pub claims: BTreeMap<String, String>,
    /// Which packages the tokens are limited to.
    pub limits: TokenLimits,
    /// Who creates it.
    pub creator_id: Option<UserId>,
}

/// A claim as an exchange looks for it.
fn claim_text(name: &str, value: &str) -> String {
    format!("{name}={value}")
}

/// The claim that tells most of whom a publisher trusts, presumably: the longest, of which a repository's name makes one and its
/// owner's or a branch does not. Few publishers of an issuer have it in common.
fn telling_claim(claims: &BTreeMap<String, String>) -> String {
    let longest = claims.iter().rev().max_by_key(|(_, value)| value.chars().count());
    longest.map(|(name, value)| claim_text(name, value)).unwrap_or_default()
}

fn check(new: &NewTrustedPublisher) -> Result<()> {
    let fine =
        |text: &str| !text.trim().is_empty() && text.len() <= MAX_TEXT && !text.chars().any(char::is_control);
    for (field, text) in [("issuer", &new.issuer), ("audience", &new.audience)] {
        if !fine(text) {
            return Err(
                Failure::invalid(field, format!("{field} is one line of 1 to {MAX_TEXT} bytes")).into()
            );
        }
    }
    let refused = |message: String| Err(Failure::invalid("claims", message).into());
    if new.claims.is_empty() || new.claims.len() > MAX_CLAIMS {
        return refused(format!(
            "Give from 1 to {MAX_CLAIMS} claims: an issuer vouches for many, claims such as 'sub' say for whom"
        ));
    }
    for (name, value) in &new.claims {
        if NO_IDENTITY.contains(&name.as_str()) {
            return refused(format!("The claim '{name}' says nothing of who it is: it is checked anyway"));
        }
        if !fine(name) || !fine(value) {
            return refused(format!(
                "Name and value of the claim '{name}' are one line of 1 to {MAX_TEXT} bytes"
            ));
        }
    }
    Ok(())
}

/// Creates a publisher.
pub async fn create(
    store: &Store,
    new: NewTrustedPublisher,
    now: OffsetDateTime,
) -> Result<TrustedPublisher> {
    check(&new)?;
    store
        .write((store.actor(), new, stored(now)), |tx, (actor, new, now)| {
            Box::pin(async move {
                let project = lock_project(tx, new.project_id.0).await?;
                let there = of_project(new.project_id).count(tx).await?;
                if there >= MAX_PUBLISHERS {
                    let message = format!("A project has at most {MAX_PUBLISHERS} trusted publishers");
                    return Err(Failure::new(ErrorCode::Quota, message).into());
                }
                let row = trusted_publisher::ActiveModel {
                    project_id: Set(new.project_id.0),
                    issuer: Set(new.issuer.clone()),
                    audience: Set(new.audience.clone()),
                    claims: Set(serde_json::json!(new.claims)),
                    telling_claim: Set(telling_claim(&new.claims)),
                    limits: Set(new.limits.to_stored()),
                    creator_id: Set(new.creator_id.map(|id| id.0)),
                    created_at: Set(*now),
                    ..Default::default()
                };
                let publisher = TrustedPublisher::try_from(row.insert(tx).await?)?;
                let claims: Vec<_> =
                    new.claims.iter().map(|(name, value)| format!("{name}={value}")).collect();
                let what = format!("Trusted tokens of {} with {}", new.issuer, claims.join(", "));
                note(tx, actor, (EventKind::TrustedPublisherCreated, what), publisher.id, &project, *now)
                    .await?;
                Ok(publisher)
            })
        })
        .await
}

/// Deletes a publisher. Tokens that were made for it count no more.
pub async fn delete(store: &Store, id: TrustedPublisherId, now: OffsetDateTime) -> Result<()> {
    store
        .write((store.actor(), id, stored(now)), |tx, (actor, id, now)| {
            Box::pin(async move {
                let missing = || StoreError::from(Failure::not_found(Subject::TrustedPublisher));
                let found = trusted_publisher::Entity::find_by_id(id.0)
                    .filter(trusted_publisher::COLUMN.deleted_at.is_null())
                    .lock_exclusive();
                let row = found.one(tx).await?.ok_or_else(missing)?;
                let project =
                    project::Entity::find_by_id(row.project_id).one(tx).await?.ok_or_else(missing)?;
                let what = format!("Trusts tokens of {} no longer", row.issuer);
                let mut row = row.into_active_model();
                row.deleted_at = Set(Some(*now));
                row.update(tx).await?;
                note(tx, actor, (EventKind::TrustedPublisherDeleted, what), *id, &project, *now).await
            })
        })
        .await
}

async fn note(
    tx: &Tx,
    actor: &Actor,
    (kind, message): (EventKind, String),
    id: TrustedPublisherId,
    project: &project::Model,
    now: OffsetDateTime,
) -> Result<()> {
    let target = Target::new("TrustedPublisher", id.0, name(id));
    let event = Event::about(kind, Entity::project(project), message).on(target);
    audit_events::write(tx, actor, event, now).await
}

fn of_project(project: ProjectId) -> sea_orm::Select<trusted_publisher::Entity> {
    trusted_publisher::Entity::find()
        .filter(trusted_publisher::COLUMN.project_id.eq(project.0))
        .filter(trusted_publisher::COLUMN.deleted_at.is_null())
        .order_by_asc(trusted_publisher::COLUMN.id)
}

/// The publishers of a project, oldest first.
pub async fn list(store: &Store, project: ProjectId) -> Result<Vec<TrustedPublisher>> {
    of_project(project).all(store.reader()).await?.into_iter().map(TrustedPublisher::try_from).collect()
}

/// The publisher with this id, if there is one.
pub async fn find(store: &Store, id: TrustedPublisherId) -> Result<Option<TrustedPublisher>> {
    let found = trusted_publisher::Entity::find_by_id(id.0)
        .filter(trusted_publisher::COLUMN.deleted_at.is_null())
        .one(store.reader());
    found.await?.map(TrustedPublisher::try_from).transpose()
}

/// What a token of trusted publishing proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticated {
    /// The publisher.
    pub publisher: TrustedPublisherId,
    /// The project.
    pub project: ProjectId,
    /// Which packages it is limited to.
    pub limits: TokenLimits,
}

impl Authenticated {
    /// The viewer that this makes.
    pub fn viewer(&self) -> Viewer {
        let scopes: Scopes = [Scope::ReadPackageRegistry, Scope::WritePackageRegistry].into_iter().collect();
        let identity = Identity::TrustedPublisher { id: self.publisher, project: self.project };
        Viewer::new(identity, scopes).limited_to(self.limits.clone())
    }

    /// What the publisher is called.
    pub fn name(&self) -> String {
        name(self.publisher)
    }
}

/// What authentication reads in one statement.
#[derive(FromQueryResult)]
struct AuthenticatedRow {
    publisher_id: i64,
    project_id: i64,
    limits: Option<String>,
}

const AUTHENTICATE: &str = "SELECT t.publisher_id, u.project_id, u.limits FROM trusted_tokens t \
    JOIN trusted_publishers u ON u.id = t.publisher_id JOIN projects p ON p.id = u.project_id \
    WHERE t.token_hash = $1 AND t.expires_at > $2 AND u.deleted_at IS NULL AND p.deleted_at IS NULL";

/// What the secret with this hash proves: nothing, when there is no such token, or it has expired, or its publisher or the
/// project is gone. One statement.
pub async fn authenticate(
    store: &Store,
    hash: &TokenHash,
    now: OffsetDateTime,
) -> Result<Option<Authenticated>> {
    let values = [hash.as_text().into(), stored(now).into()];
    let row: Option<AuthenticatedRow> = rows::one_sql(store.reader(), AUTHENTICATE, values).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Authenticated {
        publisher: TrustedPublisherId(row.publisher_id),
        project: ProjectId(row.project_id),
        limits: convert::limits("trusted_publishers.limits", row.limits.as_deref())?,
    }))
}
