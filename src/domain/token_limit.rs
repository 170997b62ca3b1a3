//! What a token is limited to beside its scopes: packages of a format, packages with certain names.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{Failure, PackageFormat, wildcard::fits};

/// Most limits of one token.
pub const MAX_LIMITS: usize = 20;
/// Longest pattern of names, in characters: no name is longer.
pub const MAX_PATTERN_LENGTH: usize = 255;

/// Packages that a token reaches: those of a format whose name fits a pattern. At least one of the two is given.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TokenLimit {
    /// The format; any, when there is none.
    pub format: Option<PackageFormat>,
    /// The pattern, in which `*` stands for any text; any name, when there is none. Names are compared in the normal form of
    /// their format.
    pub name_pattern: Option<String>,
}

impl TokenLimit {
    fn has_format(&self, format: PackageFormat) -> bool {
        self.format.is_none_or(|of| of == format)
    }

    fn has_name(&self, name: &str) -> bool {
        self.name_pattern.as_deref().is_none_or(|pattern| fits(pattern, name))
    }
}

impl fmt::Display for TokenLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.format {
            Some(format) => write!(formatter, "{} packages", format.title())?,
            None => formatter.write_str("packages")?,
        }
        match &self.name_pattern {
            Some(pattern) => write!(formatter, " named '{pattern}'"),
            None => Ok(()),
        }
    }
}

/// The limits of a token; one of them has to fit. None at all limits nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TokenLimits(Option<Arc<[TokenLimit]>>);

/// A limit as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    format: Option<i16>,
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

impl TokenLimits {
    /// Those of a token that is not limited.
    pub const fn none() -> Self {
        Self(None)
    }

    /// Checks limits before they are stored.
    pub fn new(limits: Vec<TokenLimit>) -> Result<Self, Failure> {
        let refused = |message: String| Err(Failure::invalid("limits", message));
        if limits.len() > MAX_LIMITS {
            return refused(format!(
                "A token has at most {MAX_LIMITS} limits, {} are given: join patterns with '*'",
                limits.len()
            ));
        }
        for limit in &limits {
            match &limit.name_pattern {
                None if limit.format.is_none() => {
                    return refused("A limit needs a packageType or a namePattern".to_owned());
                }
                Some(pattern) if pattern.trim().is_empty() => {
                    return refused("namePattern can't be blank: leave it out for any name".to_owned());
                }
                Some(pattern)
                    if pattern.chars().count() > MAX_PATTERN_LENGTH
                        || pattern.chars().any(char::is_control) =>
                {
                    return refused(format!(
                        "namePattern is a name with '*' for any text, of at most {MAX_PATTERN_LENGTH} characters"
                    ));
                }
                _ => {}
            }
        }
        Ok(Self(Some(limits.into()).filter(|limits: &Arc<[_]>| !limits.is_empty())))
    }

    /// Whether the token is not limited.
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The limits, in the order they were given.
    pub fn iter(&self) -> impl Iterator<Item = &TokenLimit> {
        self.0.iter().flat_map(|limits| limits.iter())
    }

    /// Whether the token reaches the package of this name, given in the format's normal form.
    pub fn reach(&self, format: PackageFormat, name: &str) -> bool {
        self.is_empty() || self.iter().any(|limit| limit.has_format(format) && limit.has_name(name))
    }

    /// Whether the token reaches some package of the format.
    pub fn reach_some_of(&self, format: PackageFormat) -> bool {
        self.is_empty() || self.iter().any(|limit| limit.has_format(format))
    }

    /// Whether the token reaches every package of the format.
    pub fn reach_all_of(&self, format: PackageFormat) -> bool {
        self.is_empty() || self.iter().any(|limit| limit.has_format(format) && limit.name_pattern.is_none())
    }

    /// The limits as they are stored; none where there are none.
    pub fn to_stored(&self) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let stored: Vec<_> = self
            .iter()
            .map(|limit| Stored {
                format: limit.format.map(PackageFormat::number),
                name: limit.name_pattern.clone(),
            })
            .collect();
        serde_json::to_string(&stored).ok()
    }

    /// Reads what [`Self::to_stored`] wrote. None for what this release does not understand: whoever reads it must refuse the
    /// token then, which might be limited in a way that is not known here.
    pub fn from_stored(text: Option<&str>) -> Option<Self> {
        let Some(text) = text else { return Some(Self::none()) };
        let stored: Vec<Stored> = serde_json::from_str(text).ok()?;
        let limits = stored.into_iter().map(|limit| {
            let format = match limit.format {
                Some(number) => Some(PackageFormat::from_number(number)?),
                None => None,
            };
            Some(TokenLimit { format, name_pattern: limit.name })
        });
        let limits: Vec<_> = limits.collect::<Option<_>>()?;
        Self::new(limits).ok().filter(|limits| !limits.is_empty())
    }
}

impl fmt::Display for TokenLimits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, limit) in self.iter().enumerate() {
            let between = if place == 0 { "" } else { " and " };
            write!(formatter, "{between}{limit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{TokenLimit, TokenLimits, fits};
    use crate::PackageFormat;

    fn limit(format: Option<PackageFormat>, pattern: Option<&str>) -> TokenLimit {
        TokenLimit { format, name_pattern: pattern.map(str::to_owned) }
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "anything", true),
            ("web", "web", true),
            ("web", "webs", false),
            ("web", "Web", false),
            ("@acme/*", "@acme/web", true),
            ("@acme/*", "@acme/", true),
            ("@acme/*", "@other/@acme/web", false),
            ("*-lib", "my-lib", true),
            ("*-lib", "my-lib-2", false),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "acb", false),
            ("a**b", "ab", true),
            ("a.c", "abc", false),
            ("\u{e4}*", "\u{e4}\u{f6}", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
        let hostile = "a*".repeat(127) + "b";
        assert!(!fits(&hostile, &"a".repeat(255)));
    }

    #[test]
    fn one_limit_has_to_fit_and_none_limits_nothing() {
        let npm = Some(PackageFormat::Npm);
        let limits =
            TokenLimits::new(vec![limit(npm, Some("@acme/*")), limit(Some(PackageFormat::Generic), None)])
                .expect("limits");
        assert!(limits.reach(PackageFormat::Npm, "@acme/web"));
        assert!(!limits.reach(PackageFormat::Npm, "left-pad"));
        assert!(limits.reach(PackageFormat::Generic, "anything"));
        assert!(!limits.reach(PackageFormat::Pypi, "@acme/web"));
        assert!(limits.reach_some_of(PackageFormat::Npm) && !limits.reach_all_of(PackageFormat::Npm));
        assert!(limits.reach_all_of(PackageFormat::Generic));
        assert_eq!(limits.to_string(), "npm packages named '@acme/*' and Generic packages");
        assert!(TokenLimits::none().reach_all_of(PackageFormat::Npm));
        assert_eq!(TokenLimits::new(Vec::new()).expect("none"), TokenLimits::none());
    }

    #[test]
    fn what_limits_nothing_or_too_much_is_refused() {
        for refused in [
            limit(None, None),
            limit(Some(PackageFormat::Npm), Some(" ")),
            limit(None, Some("a\nb")),
            limit(None, Some(&"a".repeat(256))),
        ] {
            let failure = TokenLimits::new(vec![refused.clone()]).expect_err("refused");
            assert_eq!(failure.field.as_deref(), Some("limits"), "{refused:?}");
        }
        let many = vec![limit(Some(PackageFormat::Npm), None); 21];
        assert!(TokenLimits::new(many).is_err());
    }

    #[test]
    fn limits_survive_storage_and_what_is_not_understood_is_no_limit_that_fits() {
        let limits =
            TokenLimits::new(vec![limit(Some(PackageFormat::Npm), Some("@a/*")), limit(None, Some("b"))])
                .expect("limits");
        let stored = limits.to_stored();
        assert_eq!(TokenLimits::from_stored(stored.as_deref()), Some(limits));
        assert_eq!(TokenLimits::none().to_stored(), None);
        assert_eq!(TokenLimits::from_stored(None), Some(TokenLimits::none()));
        for corrupt in ["", "[]", "{}", "[{}]", "[{\"f\":9999}]", "null"] {
            assert_eq!(TokenLimits::from_stored(Some(corrupt)), None, "{corrupt}");
        }
    }
}
