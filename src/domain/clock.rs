//! Time as a parameter.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use time::OffsetDateTime;

/// Tells the time. Everything that stamps, expires or compares takes one, so that tests decide what time it is.
pub trait Clock: Send + Sync {
    /// The current instant, in UTC.
    fn now(&self) -> OffsetDateTime;

    /// How much time has passed since some moment. It never goes back, whatever is done to the machine's clock.
    fn steady(&self) -> Duration;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
        OffsetDateTime::now_utc()
    }

    fn steady(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }
}
