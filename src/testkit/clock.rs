//! A clock that tests set.

use std::sync::{Mutex, PoisonError};

use domain::Clock;
use time::{Duration, OffsetDateTime, macros::datetime};

/// What time it is when a world begins.
pub const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

/// A clock that stands still until it is told otherwise.
#[derive(Debug)]
pub struct TestClock(Mutex<OffsetDateTime>);

impl Default for TestClock {
    fn default() -> Self {
        Self(Mutex::new(NOW))
    }
}

impl TestClock {
    /// Sets the time.
    pub fn set(&self, now: OffsetDateTime) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Lets `duration` pass.
    pub fn advance(&self, duration: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += duration;
    }
}

impl Clock for TestClock {
    fn now(&self) -> OffsetDateTime {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn steady(&self) -> std::time::Duration {
        (self.now() - NOW).try_into().unwrap_or_default()
    }
}
