//! Limits of the whole instance: what a document may ask for, how large a file may be, how often somebody may come. What
//! administrators did not decide has GitLab's default.

use std::{collections::BTreeMap, ops::RangeInclusive};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Failure, PackageFormat};

/// What an upload may have where its format has no limit, in bytes: more than any storage, and yet a number that clients read.
pub const UNLIMITED: u64 = i64::MAX as u64;
/// Largest limit of a file, in bytes: the largest whole number that every reader of JSON reads exactly (RFC 8259 §6).
const MOST_BYTES: u64 = (1 << 53) - 1;

/// Requests that are counted together, each kind for itself. The names are those of GitLab's settings where it has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Throttle {
    /// Those without a credential, for each address; without those for packages where they are counted apart.
    UnauthenticatedApi,
    /// Those with an accepted credential, for each caller; without those for packages where they are counted apart.
    AuthenticatedApi,
    /// Those of package managers without a credential, for each address.
    UnauthenticatedPackagesApi,
    /// Those of package managers with an accepted credential, for each caller.
    AuthenticatedPackagesApi,
    /// Credentials that were not accepted, for each address.
    FailedAuthentication,
    /// Attempts to sign in or to exchange an ID token, for each address.
    SignIn,
}

impl Throttle {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::UnauthenticatedApi,
        Self::AuthenticatedApi,
        Self::UnauthenticatedPackagesApi,
        Self::AuthenticatedPackagesApi,
        Self::FailedAuthentication,
        Self::SignIn,
    ];

    /// What the names of its settings begin with; the name that a refused client is told.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnauthenticatedApi => "throttle_unauthenticated_api",
            Self::AuthenticatedApi => "throttle_authenticated_api",
            Self::UnauthenticatedPackagesApi => "throttle_unauthenticated_packages_api",
            Self::AuthenticatedPackagesApi => "throttle_authenticated_packages_api",
            Self::FailedAuthentication => "throttle_failed_authentication",
            Self::SignIn => "throttle_sign_in",
        }
    }

    /// GitLab's defaults, which are off; ours of what guards credentials, which GitLab has elsewhere.
    const fn default_rate(self) -> Rate {
        let (enabled, requests, seconds) = match self {
            Self::UnauthenticatedApi => (false, 3_600, 3_600),
            Self::AuthenticatedApi => (false, 7_200, 3_600),
            Self::UnauthenticatedPackagesApi => (false, 800, 15),
            Self::AuthenticatedPackagesApi => (false, 1_000, 15),
            Self::FailedAuthentication => (true, 1_200, 60),
            Self::SignIn => (true, 300, 60),
        };
        Rate { enabled, requests, seconds }
    }
}

/// How many requests of one kind are let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// Whether they are counted at all.
    pub enabled: bool,
    /// How many at once, and in each period on the whole.
    pub requests: u64,
    /// How long a period is.
    pub seconds: u64,
}

/// Which rate was exceeded, and until when it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Throttled {
    /// What is counted.
    pub throttle: Throttle,
    /// How many are let through.
    pub rate: Rate,
    /// Seconds until the next one is let through.
    pub retry_after: u64,
    /// The same as an instant, in seconds since 1970.
    pub reset: i64,
}

/// What a document at the open door may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GraphqlLimits {
    /// Complexity that an anonymous caller may spend on a document.
    pub anonymous_complexity: u64,
    /// Complexity that a signed-in caller may spend on a document.
    pub signed_in_complexity: u64,
    /// Deepest nesting of fields.
    pub depth: u64,
    /// Longest document, in characters.
    pub length: u64,
    /// Most documents in a batch.
    pub batch: u64,
}

impl Default for GraphqlLimits {
    /// GitLab's, as far as it has them. The introspection of GraphiQL needs a depth of 13.
    fn default() -> Self {
        Self { anonymous_complexity: 200, signed_in_complexity: 250, depth: 20, length: 10_000, batch: 10 }
    }
}

/// Every limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceLimits {
    /// Of documents.
    pub graphql: GraphqlLimits,
    rates: [Rate; Throttle::ALL.len()],
    /// Largest file of each format that the server knows, in bytes; 0 for no limit (GitLab's convention).
    pub file_sizes: BTreeMap<PackageFormat, u64>,
}

/// One setting of the limits, wherever it stands in them.
enum Setting<'a> {
    /// A switch.
    Switch(&'a mut bool),
    /// A number, and which ones it may be.
    Number(&'a mut u64, RangeInclusive<u64>),
}

impl InstanceLimits {
    /// The defaults, where `file_sizes` are those of the formats.
    pub fn new(file_sizes: impl IntoIterator<Item = (PackageFormat, u64)>) -> Self {
        Self {
            graphql: GraphqlLimits::default(),
            rates: Throttle::ALL.map(Throttle::default_rate),
            file_sizes: file_sizes.into_iter().collect(),
        }
    }

    /// How many requests of this kind are let through.
    pub const fn rate(&self, throttle: Throttle) -> Rate {
        self.rates[throttle as usize]
    }

    /// Most bytes that a file of `format` may have, if there is a limit.
    pub fn file_size(&self, format: PackageFormat) -> Option<u64> {
        self.file_sizes.get(&format).copied().filter(|size| *size > 0)
    }

    /// Every setting by the name that it is stored, audited and refused by, in a fixed order.
    pub fn values(&self) -> Vec<(String, Value)> {
        let mut values = Vec::new();
        self.clone().each(|name, setting| {
            let value = match setting {
                Setting::Switch(switch) => Value::from(*switch),
                Setting::Number(number, _) => Value::from(*number),
            };
            values.push((name.to_owned(), value));
        });
        values
    }

    /// These limits, with those of `values` that are settings of theirs, by name.
    #[must_use]
    pub fn with(mut self, values: &BTreeMap<String, Value>) -> Self {
        self.each(|name, setting| {
            let value = values.get(name);
            match setting {
                Setting::Switch(switch) => {
                    *switch = value.and_then(Value::as_bool).unwrap_or(*switch);
                }
                Setting::Number(number, _) => {
                    *number = value.and_then(Value::as_u64).unwrap_or(*number);
                }
            }
        });
        self
    }

    /// Shows each setting under its name. The bounds leave administrators what they need for changing the limits again.
    fn each(&mut self, mut visit: impl FnMut(&str, Setting<'_>)) {
        let GraphqlLimits { anonymous_complexity, signed_in_complexity, depth, length, batch } =
            &mut self.graphql;
        for (name, number, bounds) in [
            ("graphql_anonymous_complexity", anonymous_complexity, 50..=100_000),
            ("graphql_signed_in_complexity", signed_in_complexity, 50..=100_000),
            // The parser itself follows no document deeper than 32.
            ("graphql_depth", depth, 5..=32),
            ("graphql_document_length", length, 2_000..=1_000_000),
            ("graphql_batch_size", batch, 1..=100),
        ] {
            visit(name, Setting::Number(number, bounds));
        }
        for (throttle, rate) in Throttle::ALL.into_iter().zip(&mut self.rates) {
            let [enabled, requests, seconds] = rate_keys(throttle);
            visit(&enabled, Setting::Switch(&mut rate.enabled));
            visit(&requests, Setting::Number(&mut rate.requests, 10..=1_000_000));
            visit(&seconds, Setting::Number(&mut rate.seconds, 1..=3_600));
        }
        for (format, size) in &mut self.file_sizes {
            visit(&file_size_key(*format), Setting::Number(size, 0..=MOST_BYTES));
        }
    }

    /// Refuses numbers that are out of their bounds.
    pub fn check(mut self) -> Result<Self, Failure> {
        let mut refused = None;
        self.each(|name, setting| {
            if let Setting::Number(number, bounds) = setting
                && !bounds.contains(number)
            {
                let (least, most) = bounds.into_inner();
                let message = format!("{name} must be between {least} and {most}, {number} is not");
                refused.get_or_insert_with(|| Failure::invalid(name.to_owned(), message));
            }
        });
        refused.map_or(Ok(self), Err)
    }
}

/// The names of the settings of a rate: whether it is counted, how many, in how many seconds.
pub fn rate_keys(throttle: Throttle) -> [String; 3] {
    ["enabled", "requests_per_period", "period_in_seconds"].map(|end| format!("{}_{end}", throttle.name()))
}

/// GitLab's name of the limit of a format's files.
pub fn file_size_key(format: PackageFormat) -> String {
    match format {
        PackageFormat::Generic => "generic_packages_max_file_size".to_owned(),
        format => format!("{}_max_file_size", format.slug()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn limits() -> InstanceLimits {
        InstanceLimits::new(PackageFormat::ALL.iter().map(|format| (*format, 1_000)))
    }

    #[test]
    fn every_setting_has_a_name_of_its_own_and_a_default_within_its_bounds() {
        let (mut names, mut settings) = (BTreeSet::new(), 0);
        limits().each(|name, _| {
            names.insert(name.to_owned());
            settings += 1;
        });
        assert_eq!(names.len(), settings);
        for name in ["throttle_authenticated_packages_api_requests_per_period", "npm_max_file_size"] {
            assert!(names.contains(name), "GitLab's {name}");
        }
        assert_eq!(limits().check(), Ok(limits()));
        for (place, throttle) in Throttle::ALL.into_iter().enumerate() {
            assert_eq!(throttle as usize, place, "rates are found by it");
        }
    }

    #[test]
    fn values_are_taken_over_by_name_and_only_where_they_fit() {
        let mut changed = limits();
        changed.graphql.depth = 12;
        changed.rates[Throttle::SignIn as usize].enabled = false;
        let values: BTreeMap<_, _> = changed.values().into_iter().collect();
        assert_eq!(limits().with(&values), changed);
        let odd =
            [("graphql_depth", "12".into()), ("throttle_sign_in_enabled", 0.into()), ("other", 1.into())];
        let odd = odd.map(|(name, value)| (name.to_owned(), value)).into();
        assert_eq!(limits().with(&odd), limits());
    }

    #[test]
    fn numbers_out_of_bounds_are_refused_by_name_and_zero_is_no_limit_of_a_file() {
        let mut few = limits();
        few.rates[Throttle::AuthenticatedApi as usize].requests = 9;
        let refused = few.check().expect_err("too few to go on with");
        assert_eq!(refused.field.as_deref(), Some("throttle_authenticated_api_requests_per_period"));
        assert_eq!(
            refused.message,
            "throttle_authenticated_api_requests_per_period must be between 10 and 1000000, 9 is not"
        );
        let mut large = limits();
        large.file_sizes.insert(PackageFormat::Npm, MOST_BYTES + 1);
        assert!(large.check().is_err());
        let mut none = limits();
        none.file_sizes.insert(PackageFormat::Npm, 0);
        let none = none.check().expect("no limit");
        assert_eq!(
            (none.file_size(PackageFormat::Npm), none.file_size(PackageFormat::Pypi)),
            (None, Some(1_000))
        );
    }
}
