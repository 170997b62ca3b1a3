//! The limits in force, at hand for every request without asking the database.

use std::sync::{Arc, PoisonError, RwLock};

use domain::{Clock, Failure, InstanceLimits, rules::RuleBook};
use store::Store;

use crate::throttle::Throttles;

/// The limits that this process keeps to, and what it counts.
pub(crate) struct InForce {
    /// What holds of what administrators did not decide.
    defaults: InstanceLimits,
    limits: RwLock<Arc<InstanceLimits>>,
    /// Counts requests.
    pub(crate) throttles: Throttles,
}

impl InForce {
    /// The limits in the database.
    pub(crate) async fn read(
        store: &Store,
        rules: &RuleBook,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        let defaults = InstanceLimits::new(rules.iter().map(|rules| (rules.format(), rules.max_file_size())));
        let limits = RwLock::new(Arc::new(defaults.clone()));
        let in_force = Self { defaults, limits, throttles: Throttles::new(Arc::clone(clock)) };
        in_force.follow(store).await?;
        Ok(in_force)
    }

    /// The limits.
    pub(crate) fn limits(&self) -> Arc<InstanceLimits> {
        Arc::clone(&self.limits.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What holds of what administrators did not decide.
    pub(crate) fn defaults(&self) -> InstanceLimits {
        self.defaults.clone()
    }

    /// Takes over what was changed through another process, and forgets whom it need not count. To be called every few seconds.
    pub(crate) async fn follow(&self, store: &Store) -> Result<(), Failure> {
        let known = self.limits();
        let read = store::limits::get(store, self.defaults()).await?;
        // What was changed here meanwhile is newer than what was read.
        if Arc::ptr_eq(&known, &self.limits()) {
            self.set(read);
        }
        self.throttles.tidy();
        Ok(())
    }

    /// Keeps to these limits from now on.
    pub(crate) fn set(&self, limits: InstanceLimits) {
        self.throttles.set(&limits);
        *self.limits.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(limits);
    }
}
