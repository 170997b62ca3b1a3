//! Which versions of packages a retention policy lets go.

use serde::{Deserialize, Serialize};

use crate::{Failure, PackageFormat};

/// Most rules of one policy.
pub const MAX_RULES: usize = 20;
/// Longest pattern, in characters.
pub const MAX_PATTERN_LENGTH: usize = 255;
/// Most `*` in a pattern: what bounds the time that a comparison takes.
const MAX_WILDCARDS: usize = 10;
/// Most versions, and most days, that a rule may speak of.
const MAX_NUMBER: u32 = 100_000;

/// A rule of a retention policy. It concerns the versions that its format and patterns fit, and lets go those of them that none of its
/// conditions keeps. What one rule of a policy lets go goes, whatever the others would keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionRule {
    /// Slug of the format; none for all formats.
    #[serde(rename = "format", with = "slug")]
    pub format: Option<PackageFormat>,
    /// Names of packages: `*` stands for any text, and the case of letters means nothing.
    pub name_pattern: String,
    /// Versions, likewise.
    pub version_pattern: String,
    /// Keeps this many of each name, those that were published last.
    pub keep_last: Option<u32>,
    /// Keeps what was published, or got its last file, less than this many days ago.
    pub younger_than_days: Option<u32>,
    /// Keeps what was downloaded less than this many days ago.
    pub downloaded_within_days: Option<u32>,
}

mod slug {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::PackageFormat;

    #[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(format: &Option<PackageFormat>, to: S) -> Result<S::Ok, S::Error> {
        match format {
            Some(format) => to.serialize_some(format.slug()),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PackageFormat>, D::Error> {
        match Option::<String>::deserialize(from)? {
            Some(slug) => PackageFormat::from_slug(&slug)
                .map(Some)
                .ok_or_else(|| D::Error::custom(format!("there is no format '{slug}'"))),
            None => Ok(None),
        }
    }
}

/// Refuses rules that cannot be meant, naming the field as it is called in the API.
pub fn check(rules: &[RetentionRule]) -> Result<(), Failure> {
    if rules.len() > MAX_RULES {
        let message = format!("There may be {MAX_RULES} rules, these are {}", rules.len());
        return Err(Failure::invalid("rules", message));
    }
    for (index, rule) in rules.iter().enumerate() {
        let refuse =
            |field: &str, message: String| Err(Failure::invalid(format!("rules.{index}.{field}"), message));
        for (field, pattern) in
            [("namePattern", &rule.name_pattern), ("versionPattern", &rule.version_pattern)]
        {
            if let Some(reason) = wrong_pattern(pattern) {
                return refuse(field, format!("'{pattern}' is no pattern: {reason}"));
            }
        }
        for (field, number) in [
            ("keepLast", rule.keep_last),
            ("youngerThanDays", rule.younger_than_days),
            ("downloadedWithinDays", rule.downloaded_within_days),
        ] {
            if let Some(number) = number.filter(|number| !(1..=MAX_NUMBER).contains(number)) {
                return refuse(field, format!("{field} is to be from 1 to {MAX_NUMBER}, {number} is not"));
            }
        }
        if rule.keep_last.or(rule.younger_than_days).or(rule.downloaded_within_days).is_none() {
            let message = "A rule that keeps nothing would delete every version that it fits: give keepLast, \
                           youngerThanDays or downloadedWithinDays";
            return refuse("keepLast", message.to_owned());
        }
    }
    Ok(())
}

fn wrong_pattern(pattern: &str) -> Option<String> {
    if pattern.is_empty() {
        return Some("it is empty; '*' fits everything".to_owned());
    }
    if pattern.chars().count() > MAX_PATTERN_LENGTH {
        return Some(format!("it has more than {MAX_PATTERN_LENGTH} characters"));
    }
    if pattern.chars().any(char::is_control) {
        return Some("it holds a control character".to_owned());
    }
    if pattern.matches('*').count() > MAX_WILDCARDS {
        return Some(format!("it has more than {MAX_WILDCARDS} '*'"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{RetentionRule, check};
    use crate::PackageFormat;

    fn rule() -> RetentionRule {
        RetentionRule {
            format: Some(PackageFormat::Maven),
            name_pattern: "com/acme/*".to_owned(),
            version_pattern: "*-SNAPSHOT".to_owned(),
            keep_last: Some(3),
            younger_than_days: None,
            downloaded_within_days: None,
        }
    }

    #[test]
    fn rules_that_cannot_be_meant_are_refused_by_field() {
        assert_eq!(check(&[rule(), RetentionRule { format: None, ..rule() }]), Ok(()));
        for (field, refused) in [
            ("rules.0.namePattern", RetentionRule { name_pattern: String::new(), ..rule() }),
            ("rules.0.namePattern", RetentionRule { name_pattern: "a".repeat(256), ..rule() }),
            ("rules.0.versionPattern", RetentionRule { version_pattern: "*a".repeat(11), ..rule() }),
            ("rules.0.versionPattern", RetentionRule { version_pattern: "\0".to_owned(), ..rule() }),
            ("rules.0.keepLast", RetentionRule { keep_last: Some(0), ..rule() }),
            ("rules.0.keepLast", RetentionRule { keep_last: None, ..rule() }),
            ("rules.0.youngerThanDays", RetentionRule { younger_than_days: Some(u32::MAX), ..rule() }),
        ] {
            let failure = check(&[refused]).expect_err(field);
            assert_eq!(failure.field.as_deref(), Some(field), "{}", failure.message);
        }
        assert!(check(&vec![rule(); 21]).is_err());
    }

    #[test]
    fn a_rule_is_kept_by_the_slug_of_its_format() {
        let text = serde_json::to_value(rule()).expect("JSON");
        assert_eq!(text["format"], "maven");
        assert_eq!(serde_json::from_value::<RetentionRule>(text).expect("own output"), rule());
    }
}
