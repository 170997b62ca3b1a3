//! Time as a parameter.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// Tells the time. Everything that stamps, expires or compares takes one, so that tests decide what time it is.
pub trait Clock: Send + Sync {
    /// The current instant, in UTC.
    fn now(&self) -> OffsetDateTime;

    /// How much time has passed since some moment. It never goes back, whatever is done to the machine's clock.
    fn steady(&self) -> Duration;
}

/// Reads an instant in ISO 8601 as RFC 3339 has it, in UTC. None for other texts, and for instants that are not in the years 1 to
/// 9999 there: no database keeps them.
pub fn parse_instant(text: &str) -> Option<OffsetDateTime> {
    let instant = OffsetDateTime::parse(text, &Rfc3339).ok()?.checked_to_offset(UtcOffset::UTC)?;
    (1..=9999).contains(&instant.year()).then_some(instant)
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

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::parse_instant;

    #[test]
    fn instants_are_read_in_utc_and_only_where_a_database_keeps_them() {
        for (text, instant) in [
            ("2026-11-26T01:00:00+02:00", Some(datetime!(2026-11-25 23:00:00 UTC))),
            ("9999-12-31T23:59:59Z", Some(datetime!(9999-12-31 23:59:59 UTC))),
            ("9999-12-31T23:59:59-23:00", None),
            ("0001-01-01T00:00:00+01:00", None),
            ("0000-01-01T00:00:00+23:00", None),
            ("2026-11-26", None),
        ] {
            assert_eq!(parse_instant(text), instant, "{text}");
        }
    }
}
