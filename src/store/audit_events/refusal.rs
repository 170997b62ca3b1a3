//! Refused changes: there is no transaction of a change to write them in, so they get one of their own.

use domain::{AuthorType, EventKind, PackageFormat, Subject};
use sea_orm::{FromQueryResult, Value};
use time::{Duration, OffsetDateTime};

use super::{Actor, Entity, Event, Target, write};
use crate::{Result, Store, Tx, convert::stored, members::Place, rows};

/// Over how long refusals of one kind are counted.
const WINDOW: Duration = Duration::minutes(1);
/// How often a refusal of one kind is written down in that time. Whoever knocks a thousand times shall not fill the log.
const MOST_IN_WINDOW: i64 = 10;

/// A change that somebody was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where; none for the instance.
    pub place: Option<Place>,
    /// What was tried: the name of the mutation.
    pub operation: String,
    /// The code of the failure.
    pub code: &'static str,
    /// What it was about.
    pub subject: Subject,
    /// The package it was about, where that is known.
    pub package: Option<(PackageFormat, String)>,
}

/// Writes refusals down, in the name of the actor of `store`: of those that one actor meets at one place, with one operation and
/// one code, ten in a minute. Transactions that run at the same moment do not see each other, so that a few more may come through.
pub async fn refuse(store: &Store, refusals: Vec<Refusal>, now: OffsetDateTime) -> Result<()> {
    store
        .write((store.actor(), refusals), move |tx, (actor, refusals)| {
            Box::pin(async move {
                for refusal in refusals {
                    note(tx, actor, refusal, now).await?;
                }
                Ok(())
            })
        })
        .await
}

async fn note(tx: &Tx, actor: &Actor, refusal: &Refusal, now: OffsetDateTime) -> Result<()> {
    let entity = match refusal.place {
        None => Some(Entity::instance()),
        Some(Place::Group(id)) => Entity::of_group(tx, id).await?,
        Some(Place::Project(id)) => Entity::of_project(tx, id).await?,
    };
    let Some(entity) = entity else { return Ok(()) };
    let details = match &refusal.package {
        Some((_, name)) => format!("{}/{name}", entity.path),
        None => entity.path.clone(),
    };
    let target = Target { kind: refusal.subject.title().to_owned(), id: None, details };
    let message = format!("{} was refused: {}", refusal.operation, refusal.code);
    if lately(tx, actor, &entity, &message, now).await? >= MOST_IN_WINDOW {
        return Ok(());
    }
    let mut event = Event::about(EventKind::WriteRefused, entity, message).on(target);
    event.package.clone_from(&refusal.package);
    event.details.insert("operation".to_owned(), refusal.operation.clone().into());
    event.details.insert("code".to_owned(), refusal.code.into());
    write(tx, actor, event, now).await
}

/// How often `actor` was refused the same lately. The message tells operation and code.
async fn lately(tx: &Tx, actor: &Actor, entity: &Entity, message: &str, now: OffsetDateTime) -> Result<i64> {
    #[derive(FromQueryResult)]
    struct Lately {
        refusals: i64,
    }
    // As the index has it, whose condition must stand here as a text.
    let sql = "SELECT COUNT(*) AS refusals FROM audit_events WHERE name = 'package_registry_write_refused' \
               AND author_type = $1 AND author_id = $2 AND entity_type = $3 AND COALESCE(entity_id, 0) = $4 \
               AND message = $5 AND created_at > $6";
    let values = [
        Value::from(AuthorType::number(actor.author)),
        actor.id.into(),
        entity.kind.number().into(),
        entity.id.unwrap_or(0).into(),
        message.into(),
        stored(now - WINDOW).into(),
    ];
    let lately: Option<Lately> = rows::one_sql(tx, sql, values).await?;
    Ok(lately.map_or(0, |lately| lately.refusals))
}
