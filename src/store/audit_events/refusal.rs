//! Refused changes: there is no transaction of a change to write them in, so they get one of their own.

use domain::{EventKind, PackageFormat, Subject};
use time::OffsetDateTime;

use super::{Actor, Entity, Event, Target, write};
use crate::{Result, Store, Tx, members::Place};

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

/// Writes refusals down, in the name of the actor of `store`.
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
    let mut event = Event::about(EventKind::WriteRefused, entity, message).on(target);
    event.package.clone_from(&refusal.package);
    event.details.insert("operation".to_owned(), refusal.operation.clone().into());
    event.details.insert("code".to_owned(), refusal.code.into());
    write(tx, actor, event, now).await
}
