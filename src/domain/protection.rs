//! Protection rules: which names one covers, and how far up somebody has to stand to change what is under them.

use crate::{Failure, Role, rules::FormatRules, wildcard::fits};

/// Longest pattern, in characters (GitLab's column limit).
pub const MAX_PATTERN_LENGTH: usize = 255;

/// The least level that a rule asks for. The numbers are GitLab's access levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i16)]
pub enum ProtectionLevel {
    /// Maintainers and owners.
    Maintainer = 40,
    /// Owners.
    Owner = 50,
    /// Administrators of the instance.
    Administrator = 60,
}

impl ProtectionLevel {
    /// Every level, lowest first.
    pub const ALL: &[Self] = &[Self::Maintainer, Self::Owner, Self::Administrator];

    /// GitLab's integer for the level.
    pub const fn number(self) -> i16 {
        self as i16
    }

    /// The level with GitLab's integer `number`.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.iter().copied().find(|level| level.number() == number)
    }

    /// GitLab's name of the level in REST.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Maintainer => "maintainer",
            Self::Owner => "owner",
            Self::Administrator => "admin",
        }
    }

    /// The level that REST calls `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|level| level.name() == name)
    }

    /// Whether a member with `role` reaches the level. Administrators of the instance do without a role, and are not asked.
    pub fn admits(self, role: Option<Role>) -> bool {
        match self {
            Self::Maintainer => role >= Some(Role::Maintainer),
            Self::Owner => role >= Some(Role::Owner),
            Self::Administrator => false,
        }
    }
}

/// What a rule asks for. At least one of the two is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ProtectionLevels {
    /// Who may publish and set tags; none leaves it to whoever may publish anyway.
    pub push: Option<ProtectionLevel>,
    /// Who may delete, deprecate, flag and remove tags; none leaves it to whoever may delete anyway.
    pub delete: Option<ProtectionLevel>,
}

/// A pattern of package names as it is compared: `*` stands for any text, the empty one and `/` included, and the case of
/// letters means nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NamePattern(String);

impl NamePattern {
    /// The pattern in the spelling that the format's names are compared in, so that `My_Lib*` covers what PyPI calls `my-lib`.
    /// Fails where the format wants a pattern to look like a name and it does not.
    pub fn of(pattern: &str, rules: &dyn FormatRules) -> Result<Self, Failure> {
        let mut refusal = None;
        if let Some(letter) = stand_in(pattern) {
            // A `*` may stand for a part of a segment, or for several segments.
            for stands_for in [letter.to_string(), format!("{letter}/{letter}")] {
                match rules.name(&collapsed(pattern).replace('*', &stands_for)) {
                    Ok(name) => return Ok(Self::verbatim(&name.key.replace(&stands_for, "*"))),
                    Err(failure) => refusal.get_or_insert(failure),
                };
            }
        }
        match refusal {
            Some(_) if rules.wants_patterns_like_names() => Err(Failure::invalid(
                "packageNamePattern",
                format!(
                    "Package name pattern is invalid: '{pattern}' fits no {} name: write one with '*' for any text",
                    rules.format().title()
                ),
            )),
            _ => Ok(Self::verbatim(pattern)),
        }
    }

    /// The pattern as it is written, for a format whose rules are not known.
    pub fn verbatim(pattern: &str) -> Self {
        Self(pattern.to_lowercase())
    }

    /// The pattern as text, for whoever compares many names at once: small letters, and `*` for any text.
    pub fn as_text(&self) -> &str {
        &self.0
    }

    /// Whether it covers the name with this key.
    pub fn covers(&self, key: &str) -> bool {
        fits(&self.0, &key.to_lowercase())
    }
}

/// Several `*` in a row say what one says.
fn collapsed(pattern: &str) -> String {
    let mut collapsed = String::with_capacity(pattern.len());
    for letter in pattern.chars() {
        if letter != '*' || !collapsed.ends_with('*') {
            collapsed.push(letter);
        }
    }
    collapsed
}

/// A letter that the pattern does not have, and that every format takes in a name.
fn stand_in(pattern: &str) -> Option<char> {
    ('a'..='z').chain('0'..='9').find(|letter| !pattern.to_lowercase().contains(*letter))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::{NamePattern, ProtectionLevel};
    use crate::Role;

    fn covers(pattern: &str, name: &str) -> bool {
        NamePattern::verbatim(pattern).covers(name)
    }

    #[test]
    fn a_star_stands_for_any_text_and_nothing_else_is_special() {
        for (pattern, name, expected) in [
            ("web", "web", true),
            ("web", "webs", false),
            ("web", "a-web", false),
            ("WEB", "wEb", true),
            ("*", "anything/at/all", true),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("@acme/*", "@acme/web", true),
            ("@acme/*", "@acme/", true),
            ("@acme/*", "@acme", false),
            ("@acme*", "@acme-tools/web", true),
            ("*-internal", "web-internal", true),
            ("*-internal", "web-internals", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("a**c", "abc", true),
            ("*b*", "abc", true),
            ("*ab*ba*", "aba", false),
            ("com/acme/*/api", "com/acme/x/y/api", true),
            ("a.c", "abc", false),
            ("a?c", "abc", false),
            ("a%", "abc", false),
            ("a_c", "abc", false),
            ("[a]", "a", false),
            ("\u{c4}*", "\u{e4}b", true),
        ] {
            assert_eq!(covers(pattern, name), expected, "{pattern:?} {name:?}");
        }
    }

    #[test]
    fn no_pattern_hangs() {
        let started = Instant::now();
        let name = "a".repeat(255);
        for pattern in ["a*".repeat(127) + "b", "*a".repeat(127) + "b", "*aa".repeat(85), "*".repeat(255)] {
            let _ = covers(&pattern, &name);
        }
        assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    }

    #[test]
    fn levels_are_gitlabs() {
        for (level, number, name, least) in [
            (ProtectionLevel::Maintainer, 40, "maintainer", Some(Role::Maintainer)),
            (ProtectionLevel::Owner, 50, "owner", Some(Role::Owner)),
            (ProtectionLevel::Administrator, 60, "admin", None),
        ] {
            assert_eq!((level.number(), level.name()), (number, name));
            assert_eq!(ProtectionLevel::from_number(number), Some(level));
            assert_eq!(ProtectionLevel::from_name(name), Some(level));
            for role in Role::ALL.iter().copied().map(Some).chain([None]) {
                let expected = least.is_some_and(|least| role >= Some(least));
                assert_eq!(level.admits(role), expected, "{level:?} {role:?}");
            }
        }
        assert_eq!(ProtectionLevel::from_number(30), None);
    }

    /// What a pattern says, tried out letter by letter.
    fn covers_slowly(pattern: &[char], name: &[char]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, rest) => rest.is_none(),
            (Some(('*', after)), None) => covers_slowly(after, name),
            (Some(('*', after)), Some((_, rest))) => {
                covers_slowly(after, name) || covers_slowly(pattern, rest)
            }
            (Some((wanted, after)), Some((letter, rest))) => wanted == letter && covers_slowly(after, rest),
            (Some(_), None) => false,
        }
    }

    proptest! {
        #[test]
        fn as_trying_out_says(pattern in "[ab*]{0,8}", name in "[ab]{0,10}") {
            let letters = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(covers(&pattern, &name), covers_slowly(&letters(&pattern), &letters(&name)));
        }

        #[test]
        fn a_name_covers_itself_and_every_part_of_it_can_be_a_star(name in "\\PC{0,30}", from in 0usize..30, to in 0usize..30) {
            prop_assume!(!name.contains('*') && name.to_lowercase().to_lowercase() == name.to_lowercase());
            prop_assert!(covers(&name, &name));
            let letters: Vec<char> = name.to_lowercase().chars().collect();
            let (from, to) = (from.min(letters.len()), to.min(letters.len()).max(from.min(letters.len())));
            let pattern: String = letters[..from].iter().chain(['*'].iter()).chain(&letters[to..]).collect();
            prop_assert!(covers(&pattern, &letters.iter().collect::<String>()), "{}", pattern);
        }
    }
}
