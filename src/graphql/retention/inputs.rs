//! Rules as they are given.

use async_graphql::InputObject;
use domain::{Failure, RetentionRule, retention};

use crate::package::PackageTypeEnum;

/// A rule of a retention policy (ours). It concerns the versions that its type and patterns fit, and lets go those of them that none
/// of its conditions keeps; it has to have one at least. In patterns `*` stands for any text, and the case of letters means nothing.
#[derive(Clone, InputObject)]
pub(crate) struct PackageRetentionRuleInput {
    /// Only packages of this type.
    package_type: Option<PackageTypeEnum>,
    /// Only packages whose name fits.
    #[graphql(default = "*")]
    name_pattern: String,
    /// Only versions that fit.
    #[graphql(default = "*")]
    version_pattern: String,
    /// Keeps this many versions of each name, those that were published last.
    keep_last: Option<i32>,
    /// Keeps what was published, or got its last file, less than this many days ago.
    younger_than_days: Option<i32>,
    /// Keeps what was downloaded less than this many days ago.
    downloaded_within_days: Option<i32>,
}

/// The rules as they are stored, checked.
pub(super) fn rules_of(inputs: Vec<PackageRetentionRuleInput>) -> Result<Vec<RetentionRule>, Failure> {
    let mut rules = Vec::with_capacity(inputs.len());
    for (index, input) in inputs.into_iter().enumerate() {
        let number = |field: &str, number: Option<i32>| {
            number.map(u32::try_from).transpose().map_err(|_| {
                Failure::invalid(format!("rules.{index}.{field}"), format!("{field} must not be negative"))
            })
        };
        rules.push(RetentionRule {
            format: input.package_type.map(Into::into),
            keep_last: number("keepLast", input.keep_last)?,
            younger_than_days: number("youngerThanDays", input.younger_than_days)?,
            downloaded_within_days: number("downloadedWithinDays", input.downloaded_within_days)?,
            name_pattern: input.name_pattern,
            version_pattern: input.version_pattern,
        });
    }
    retention::check(&rules)?;
    Ok(rules)
}
