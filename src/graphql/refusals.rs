//! Refused changes of a request. They are noted where they are refused, and written down once the request is over: a refused
//! change has no transaction that could take them along.

use std::{
    collections::HashMap,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_graphql::{PathSegment, Response, ServerError, Value};
use domain::{ErrorCode, Failure, PackageFormat, Subject};
use store::{
    Store,
    audit_events::{self, Refusal},
    members::Place,
};
use time::OffsetDateTime;

/// Most refusals that are written down of one request.
const MOST_OF_REQUEST: usize = 100;

/// The refused changes of one request.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<Noted>);

#[derive(Default)]
struct Noted {
    refused: Vec<Refusal>,
    /// What each change was let at, by its name in the answer.
    opened: HashMap<String, Opened>,
}

/// The first project or group that a change was let at; the instance where there was none.
struct Opened {
    place: Option<Place>,
    operation: String,
    subject: Subject,
    package: Option<(PackageFormat, String)>,
}

impl Noted {
    fn refuse(&mut self, refusal: Refusal) {
        if self.refused.len() < MOST_OF_REQUEST && !self.refused.contains(&refusal) {
            self.refused.push(refusal);
        }
    }

    fn refuse_input(&mut self, key: &str, code: ErrorCode, subject: Option<Subject>) {
        let Some(opened) = self.opened.get(key).filter(|_| is_of_input(code)) else { return };
        let refusal = Refusal {
            place: opened.place,
            operation: opened.operation.clone(),
            code: code.name(),
            subject: subject.unwrap_or(opened.subject),
            package: opened.package.clone(),
        };
        self.refuse(refusal);
    }
}

impl Refusals {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a refusal.
    pub(crate) fn note(&self, refusal: Refusal) {
        self.noted().refuse(refusal);
    }

    /// Notes what the change called `key` was let at. What it is let at after that, it needs for it.
    pub(crate) fn note_opened(&self, key: &str, operation: &str, place: Option<Place>, subject: Subject) {
        let mut noted = self.noted();
        if noted.opened.get(key).is_none_or(|opened| opened.place.is_none()) {
            let opened = Opened { place, operation: operation.to_owned(), subject, package: None };
            noted.opened.insert(key.to_owned(), opened);
        }
    }

    /// Notes which package the change called `key` is about, where it was let at something in the same place.
    pub(crate) fn note_package(&self, key: &str, place: Place, package: (PackageFormat, String)) {
        if let Some(opened) = self.noted().opened.get_mut(key).filter(|opened| opened.place == Some(place)) {
            opened.subject = Subject::Package;
            opened.package = Some(package);
        }
    }

    /// Notes that the change called `key` was refused for what it was given.
    pub(crate) fn note_input(&self, key: &str, failure: &Failure) {
        self.noted().refuse_input(key, failure.code, failure.subject);
    }

    /// Writes down what was noted, and what `response` says was refused for what it was given, in the name of the actor of `store`.
    pub(crate) async fn write_down(&self, response: &Response, store: &Store, now: OffsetDateTime) {
        let refused = {
            let mut noted = self.noted();
            for error in &response.errors {
                let code = extension(error, "code").and_then(ErrorCode::from_name);
                if let (Some(key), Some(code)) = (key(error), code) {
                    noted.refuse_input(key, code, extension(error, "subject").and_then(Subject::from_title));
                }
            }
            mem::take(&mut noted.refused)
        };
        if !refused.is_empty() {
            write_down(store, refused, now).await;
        }
    }
}

/// The field of the root that failed.
fn key(error: &ServerError) -> Option<&str> {
    match error.path.as_slice() {
        [PathSegment::Field(key)] => Some(key.as_str()),
        _ => None,
    }
}

fn extension<'a>(error: &'a ServerError, name: &str) -> Option<&'a str> {
    match error.extensions.as_ref()?.get(name)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// Writes refusals down, in the name of the actor of `store`. The change is refused, whether or not that can be written down.
pub(crate) async fn write_down(store: &Store, refusals: Vec<Refusal>, now: OffsetDateTime) {
    if let Err(error) = audit_events::refuse(store, refusals, now).await {
        tracing::error!(%error, "refused changes could not be written down");
    }
}

/// Whether a change with this outcome was refused for what it was given, to somebody who may make it: it stands there already, is
/// too large, or breaks a rule. Who may not make it is told apart where that is decided; all else is no refusal.
const fn is_of_input(code: ErrorCode) -> bool {
    match code {
        ErrorCode::Duplicate | ErrorCode::Invalid | ErrorCode::TooLarge | ErrorCode::Quota => true,
        ErrorCode::Unauthenticated
        | ErrorCode::Forbidden
        | ErrorCode::NotFound
        | ErrorCode::RegistryDisabled
        | ErrorCode::Protected
        | ErrorCode::RateLimited
        | ErrorCode::Stale
        | ErrorCode::Locked
        | ErrorCode::Unsupported
        | ErrorCode::Unavailable
        | ErrorCode::Internal => false,
    }
}
