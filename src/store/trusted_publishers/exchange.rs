//! ID tokens for tokens.

use access::Identity;
use domain::{ErrorCode, EventKind, Failure, ProjectId, Subject, TrustedPublisherId};
use entity::trusted_publisher;
use sea_orm::{
    EntityTrait, QueryFilter, QuerySelect, Value,
    sea_query::{Expr, ExprTrait, JoinType, Order, Query},
};
use time::{Duration, OffsetDateTime};

use super::{LIFETIME, PREFIX, TrustedPublisher, claim_text, name, note};
use crate::{
    Result, Secret, Store, StoreError, TokenHash, Tx, audit_events::Actor, convert::stored,
    refusals::lock_project, rows,
};

/// How long a used ID token is remembered after nobody would accept it any more: clocks of replicas may differ.
const MARGIN: Duration = Duration::hours(1);
/// Most claims of an ID token that are compared. Issuers give some dozens.
const MOST_CLAIMS: usize = 200;

/// What an ID token that was found good says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// Who issued it.
    pub issuer: String,
    /// Its claims: names and values.
    pub claims: Vec<(String, String)>,
}

/// The publishers that may accept an ID token, of one project or of all, those of deleted projects left out: all that have its issuer
/// and their most telling claim from it. Whether they want more is for the caller to compare. One statement, which an index
/// answers.
pub async fn accepting(
    store: &Store,
    presented: &Presented,
    project: Option<ProjectId>,
) -> Result<Vec<TrustedPublisher>> {
    if presented.claims.len() > MOST_CLAIMS {
        let message = format!("The ID token is refused: it has more than {MOST_CLAIMS} claims");
        return Err(Failure::new(ErrorCode::Unauthenticated, message).into());
    }
    let column = |name: &'static str| Expr::col(("u", name));
    let claims = presented.claims.iter().map(|(name, value)| claim_text(name, value));
    let columns = [
        "id",
        "project_id",
        "issuer",
        "audience",
        "claims",
        "telling_claim",
        "limits",
        "creator_id",
        "created_at",
        "deleted_at",
    ];
    let mut select = Query::select();
    select
        .columns(columns.map(|column| ("u", column)))
        .from_as("trusted_publishers", "u")
        .join_as(JoinType::InnerJoin, "projects", "p", Expr::col(("p", "id")).eq(column("project_id")))
        .and_where(column("issuer").eq(presented.issuer.as_str()))
        .and_where(column("telling_claim").is_in(claims))
        .and_where(column("deleted_at").is_null())
        .and_where(Expr::col(("p", "deleted_at")).is_null())
        .and_where_option(project.map(|id| column("project_id").eq(id.0)))
        .order_by(("u", "id"), Order::Asc);
    let rows: Vec<trusted_publisher::Model> = rows::all(store.reader(), &select).await?;
    rows.into_iter().map(TrustedPublisher::try_from).collect()
}

/// An ID token that was found good and fits a publisher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The publisher.
    pub publisher: TrustedPublisherId,
    /// Names the ID token.
    pub fingerprint: [u8; 32],
    /// From when on nobody accepts the ID token.
    pub dead_after: OffsetDateTime,
    /// Of whom it says that it is.
    pub subject: String,
}

/// Exchanges an ID token, once, for a token of the publisher's project, whose end is told with it.
pub async fn exchange(
    store: &Store,
    exchange: Exchange,
    now: OffsetDateTime,
) -> Result<(Secret, OffsetDateTime)> {
    let secret = Secret::fresh(PREFIX)?;
    let expires_at = now + LIFETIME;
    let done = store
        .write((exchange, secret.hash(), expires_at, now), |tx, (exchange, hash, expires_at, now)| {
            Box::pin(write_exchange(tx, exchange, hash, *expires_at, *now))
        })
        .await;
    done.map_err(|error| {
        error.unique_as(|| {
            Failure::new(ErrorCode::Unauthenticated, "The ID token is refused: it was exchanged already")
        })
    })?;
    Ok((secret, expires_at))
}

async fn write_exchange(
    tx: &Tx,
    exchange: &Exchange,
    hash: &TokenHash,
    expires_at: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<()> {
    let gone = Value::from(stored(now - MARGIN));
    rows::execute(tx, "DELETE FROM used_id_tokens WHERE dead_after < $1", [gone.clone()]).await?;
    rows::execute(tx, "DELETE FROM trusted_tokens WHERE expires_at < $1", [gone]).await?;
    rows::execute(
        tx,
        "INSERT INTO used_id_tokens (fingerprint, dead_after) VALUES ($1, $2)",
        [hex::encode(exchange.fingerprint).into(), Value::from(stored(exchange.dead_after))],
    )
    .await?;
    let missing = || StoreError::from(Failure::not_found(Subject::TrustedPublisher));
    let row = trusted_publisher::Entity::find_by_id(exchange.publisher.0)
        .filter(trusted_publisher::COLUMN.deleted_at.is_null())
        .lock_exclusive()
        .one(tx)
        .await?
        .ok_or_else(missing)?;
    let project = lock_project(tx, row.project_id).await?;
    rows::execute(
        tx,
        "INSERT INTO trusted_tokens (publisher_id, token_hash, expires_at, created_at) VALUES ($1, $2, $3, $4)",
        [row.id.into(), hash.as_text().into(), stored(expires_at).into(), Value::from(stored(now))],
    )
    .await?;
    let id = exchange.publisher;
    let actor = Actor::of(Identity::TrustedPublisher { id, project: ProjectId(row.project_id) }, name(id));
    let what = format!("Exchanged an ID token of {} for {}", row.issuer, exchange.subject);
    note(tx, &actor, (EventKind::TrustedTokenCreated, what), id, &project, now).await
}
