//! Time as a parameter.

use time::OffsetDateTime;

/// Tells the time. Everything that stamps, expires or compares takes one, so that tests decide what time it is.
pub trait Clock: Send + Sync {
    /// The current instant, in UTC.
    fn now(&self) -> OffsetDateTime;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
        OffsetDateTime::now_utc()
    }
}
