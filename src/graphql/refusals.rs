//! Refused changes of a request. They are noted where they are refused, and written down once the request is over: a refused
//! change has no transaction that could take them along.

use std::{
    collections::HashMap,
    mem,
    sync::{Mutex, PoisonError},
};

use access::Identity;
use store::{
    Store,
    audit_events::{self, Refusal},
};
use time::{Duration, OffsetDateTime};

use crate::context::subject;

/// Most refusals that are written down of one request.
const MOST_OF_REQUEST: usize = 100;
/// Over how long refusals of one kind are counted.
const WINDOW: Duration = Duration::minutes(1);
/// How often a refusal of one kind is written down in that time. Whoever knocks a thousand times shall not fill the log.
const MOST_IN_WINDOW: u32 = 10;
/// Most kinds that are counted; beyond that, counting starts anew.
const MOST_KINDS: usize = 10_000;

/// The refused changes of one request.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<Vec<Refusal>>);

impl Refusals {
    /// Notes a refusal.
    pub(crate) fn note(&self, refusal: Refusal) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() < MOST_OF_REQUEST && !noted.contains(&refusal) {
            noted.push(refusal);
        }
    }

    /// Writes down what was noted, in the name of the actor of `store`.
    pub(crate) async fn write_down(
        &self,
        identity: Identity,
        knocks: &Knocks,
        store: &Store,
        now: OffsetDateTime,
    ) {
        let mut noted = mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if noted.is_empty() {
            return; // as nearly all requests do
        }
        let subject = subject(identity);
        noted.retain(|refusal| knocks.counts(&subject, refusal, now));
        if noted.is_empty() {
            return;
        }
        // The change is refused, whether or not that can be written down.
        if let Err(error) = audit_events::refuse(store, noted, now).await {
            tracing::error!(%error, "refused changes could not be written down");
        }
    }
}

/// How often somebody was refused the same lately. One per process.
#[derive(Default)]
pub(crate) struct Knocks(Mutex<HashMap<String, (OffsetDateTime, u32)>>);

impl Knocks {
    /// Counts a refusal, and says whether it is to be written down.
    fn counts(&self, subject: &str, refusal: &Refusal, now: OffsetDateTime) -> bool {
        let kind = format!("{subject} {:?} {} {}", refusal.place, refusal.operation, refusal.code);
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.len() >= MOST_KINDS {
            counted.clear();
        }
        let (since, times) = counted.entry(kind).or_insert((now, 0));
        if now - *since >= WINDOW {
            (*since, *times) = (now, 0);
        }
        *times += 1;
        *times <= MOST_IN_WINDOW
    }
}

#[cfg(test)]
mod tests {
    use domain::Subject;
    use store::audit_events::Refusal;
    use time::{Duration, OffsetDateTime};

    use super::{Knocks, MOST_IN_WINDOW};

    #[test]
    fn who_knocks_without_end_is_written_down_now_and_then() {
        let knocks = Knocks::default();
        let refusal = |operation: &str| Refusal {
            place: None,
            operation: operation.to_owned(),
            code: "FORBIDDEN",
            subject: Subject::Instance,
            package: None,
        };
        let now = OffsetDateTime::UNIX_EPOCH;
        let of_thousand = |now| (0..1_000).filter(|_| knocks.counts("user:1", &refusal("a"), now)).count();
        assert_eq!(of_thousand(now), MOST_IN_WINDOW as usize);
        assert!(knocks.counts("user:2", &refusal("a"), now), "somebody else");
        assert!(knocks.counts("user:1", &refusal("b"), now), "something else");
        assert_eq!(of_thousand(now + Duration::minutes(1)), MOST_IN_WINDOW as usize);
    }
}
