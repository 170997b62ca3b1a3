//! The instance's switches, kept in the process for a moment: every decision about packages needs them.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use access::InstanceFacts;

use crate::{Result, Store, instance_settings};

/// How long a replica may go on with switches that another one has just changed.
const LIFETIME: Duration = Duration::from_secs(1);

/// The switches, and when they were read.
#[derive(Debug, Default)]
pub(crate) struct FactsCache(Mutex<Option<(Instant, InstanceFacts)>>);

impl FactsCache {
    fn get(&self) -> Option<InstanceFacts> {
        let cached = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cached.filter(|(read, _)| read.elapsed() < LIFETIME).map(|(_, facts)| facts)
    }

    fn put(&self, read: Instant, facts: InstanceFacts) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((read, facts));
    }

    /// Forgets what was read: the next question asks the database.
    pub(crate) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Store {
    /// The instance's switches, at most a second old.
    pub async fn instance_facts(&self) -> Result<InstanceFacts> {
        if let Some(facts) = self.inner.facts.get() {
            return Ok(facts);
        }
        let read = Instant::now();
        let facts = instance_settings::read(self.reader()).await?.facts();
        self.inner.facts.put(read, facts);
        Ok(facts)
    }

    /// Forgets the cached switches.
    pub(crate) fn forget_instance_facts(&self) {
        self.inner.facts.forget();
    }
}
