//! Between stored values and the domain's.

use domain::{PackageFormat, RegistryAccessLevel, Role, TokenLimits, Visibility};
use time::{Date, OffsetDateTime, UtcOffset};

use crate::{Result, StoreError};

/// An instant as it is stored and compared: in UTC, with exactly six digits of a second, the last of which is never zero.
///
/// SQLite keeps instants as RFC 3339 text and compares them as text. The driver leaves trailing zeros out, and `…:00.5Z` sorts
/// before `…:00Z`; with six digits always, text order is time order. Every instant that is written or compared in SQL goes
/// through here. What is read back differs from what was given by less than a microsecond's rounding, or one microsecond.
pub(crate) fn stored(instant: OffsetDateTime) -> OffsetDateTime {
    // Instants from outside come through `domain::parse_instant`, so that they are in UTC already.
    let instant = instant.checked_to_offset(UtcOffset::UTC).unwrap_or(instant);
    let microsecond = instant.microsecond();
    let microsecond = if microsecond.is_multiple_of(10) { microsecond + 1 } else { microsecond };
    instant.replace_microsecond(microsecond).unwrap_or(instant)
}

/// The day in UTC: what `expires_at` days are compared with. Something that expires on a day no longer counts on that day.
pub(crate) fn today(now: OffsetDateTime) -> Date {
    now.to_offset(UtcOffset::UTC).date()
}

macro_rules! stored_numbers {
    ($($function:ident -> $type:ty, $column:literal;)+) => {
        $(
            #[doc = concat!("The value that the number in `", $column, "` stands for.")]
            pub(crate) fn $function(number: i16) -> Result<$type> {
                <$type>::from_number(number)
                    .ok_or_else(|| StoreError::Corrupt { column: $column, value: number.to_string() })
            }
        )+
    };
}

stored_numbers! {
    role -> Role, "access_level";
    visibility -> Visibility, "visibility";
    registry_access_level -> RegistryAccessLevel, "registry_access_level";
    format -> PackageFormat, "format";
}

/// The limits of a token as `column` holds them. What is not understood is an error, never no limits.
pub(crate) fn limits(column: &'static str, stored: Option<&str>) -> Result<TokenLimits> {
    TokenLimits::from_stored(stored)
        .ok_or_else(|| StoreError::Corrupt { column, value: stored.unwrap_or_default().to_owned() })
}
