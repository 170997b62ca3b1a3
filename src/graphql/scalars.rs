//! Scalars that are no ids.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use domain::parse_instant;
use time::{OffsetDateTime, UtcOffset, macros::format_description};

/// An instant in ISO 8601, in UTC, to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) OffsetDateTime);

/// An instant in ISO 8601.
#[Scalar]
impl ScalarType for Time {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => parse_instant(text)
                .map(Self)
                .ok_or_else(|| InputValueError::custom(format!("'{text}' is not an instant in ISO 8601"))),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        let format =
            format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
        Value::String(self.0.to_offset(UtcOffset::UTC).format(&format).unwrap_or_default())
    }
}

impl From<OffsetDateTime> for Time {
    fn from(instant: OffsetDateTime) -> Self {
        Self(instant)
    }
}

/// A day, such as `2027-01-31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date(pub(crate) time::Date);

/// A day in ISO 8601, such as `2027-01-31`.
#[Scalar]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => time::Date::parse(text, format_description!("[year]-[month]-[day]"))
                .map(Self)
                .map_err(|_| InputValueError::custom(format!("'{text}' is not a day such as 2027-01-31"))),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.format(format_description!("[year]-[month]-[day]")).unwrap_or_default())
    }
}

impl From<time::Date> for Date {
    fn from(day: time::Date) -> Self {
        Self(day)
    }
}

/// A regular expression in RE2's syntax. Whether it is one is asked where it is used, which knows the field that it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UntrustedRegexp(pub(crate) String);

/// A regular expression in RE2's syntax.
#[Scalar]
impl ScalarType for UntrustedRegexp {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(Self(text)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A whole number that may be larger than an `Int`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BigInt(pub(crate) u64);

/// A whole number that may be larger than an `Int`: text when it is answered; text, or a number, when it is given (GitLab's).
#[Scalar]
impl ScalarType for BigInt {
    fn parse(value: Value) -> InputValueResult<Self> {
        let number = match &value {
            Value::String(text) => text.parse().ok(),
            Value::Number(number) => number.as_u64(),
            _ => return Err(InputValueError::expected_type(value)),
        };
        let unfit = || InputValueError::custom(format!("{value} is no whole number of zero or more"));
        number.map(Self).ok_or_else(unfit)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}
