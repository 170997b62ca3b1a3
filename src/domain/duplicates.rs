//! Whether the same thing may be published twice: what a namespace says about one format.

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ast::{self, Ast, RepetitionKind, RepetitionRange};

/// Longest pattern, in characters (GitLab's column limit).
pub const MAX_PATTERN_LENGTH: usize = 255;
/// Largest compiled pattern, in bytes. Matching takes time in proportion to this and to the text, whatever the pattern:
/// the engine does not backtrack.
const MAX_PROGRAM: usize = 1024 * 1024;
/// The most that one repetition may ask for (RE2's limit).
const MAX_REPETITIONS: u32 = 1000;

/// A namespace's answer for one format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicates {
    /// Whether they are allowed.
    pub allowed: bool,
    /// A pattern of names and versions for which the opposite holds; empty for none.
    pub exception: String,
}

impl Duplicates {
    /// The answer without an exception.
    pub const fn without_exception(allowed: bool) -> Self {
        Self { allowed, exception: String::new() }
    }

    /// Whether a duplicate of this name and version may be published. A pattern that fits either of them turns the answer
    /// around, as in GitLab: refused becomes allowed, allowed becomes refused.
    pub fn allow(&self, name: &str, version: Option<&str>) -> bool {
        if self.exception.is_empty() {
            return self.allowed;
        }
        // It was compiled when it was set. Should a later release refuse it, there is no exception.
        let Ok(pattern) = compile(&self.exception) else { return self.allowed };
        let fits = |text: &str| pattern.is_match(text.as_bytes());
        let fits = fits(name) || version.is_some_and(fits);
        self.allowed != fits
    }
}

/// Checks a pattern before it is stored, and says what is wrong with it.
pub fn check_pattern(pattern: &str) -> Result<(), String> {
    compile(pattern).map(|_| ())
}

/// The pattern, made to fit whole texts only.
fn compile(pattern: &str) -> Result<Regex, String> {
    if pattern.chars().count() > MAX_PATTERN_LENGTH {
        return Err(format!("is too long (maximum is {MAX_PATTERN_LENGTH} characters)"));
    }
    // On its own first: 'a)(b' is no pattern, though it would be one between the brackets below.
    build(pattern)?;
    let syntax = ast::parse::Parser::new().parse(pattern).map_err(|error| error.to_string())?;
    ast::visit(&syntax, Repetitions)?;
    build(&format!("\\A(?:{pattern})\\z"))
}

/// Refuses repetitions that RE2 refuses and our engine takes: of more than a thousand, and of one right after another. Patterns
/// are written for GitLab as well.
struct Repetitions;

impl ast::Visitor for Repetitions {
    type Output = ();
    type Err = String;

    fn finish(self) -> Result<(), String> {
        Ok(())
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), String> {
        let Ast::Repetition(repetition) = ast else { return Ok(()) };
        if matches!(*repetition.ast, Ast::Repetition(_)) {
            return Err("not valid RE2 syntax: a repetition right after another".to_owned());
        }
        let most = match &repetition.op.kind {
            RepetitionKind::Range(
                RepetitionRange::Exactly(most)
                | RepetitionRange::AtLeast(most)
                | RepetitionRange::Bounded(_, most),
            ) => *most,
            RepetitionKind::ZeroOrOne | RepetitionKind::ZeroOrMore | RepetitionKind::OneOrMore => 0,
        };
        if most > MAX_REPETITIONS {
            return Err(format!(
                "not valid RE2 syntax: a repetition of {most}, {MAX_REPETITIONS} is the most"
            ));
        }
        Ok(())
    }
}

/// RE2's `\w`, `\d` and `\b` know ASCII only, which also keeps repetitions of them small. A pattern that names other letters
/// is read with all of Unicode.
fn build(pattern: &str) -> Result<Regex, String> {
    let of = |unicode| {
        let mut builder = RegexBuilder::new(pattern);
        builder.unicode(unicode).size_limit(MAX_PROGRAM).dfa_size_limit(MAX_PROGRAM).build()
    };
    of(false).or_else(|_| of(true)).map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "is too large once its repetitions are counted".to_owned(),
        // The last line says what is wrong, those before draw the pattern with a mark below.
        error => {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
            format!("not valid RE2 syntax: {reason}")
        }
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::{Duplicates, check_pattern};

    fn duplicates(allowed: bool, exception: &str) -> Duplicates {
        Duplicates { allowed, exception: exception.to_owned() }
    }

    #[test]
    fn an_exception_turns_the_answer_around_for_names_and_versions() {
        for (exception, name, version, fits) in [
            ("", "web", Some("1.0.0"), false),
            ("web", "web", Some("1.0.0"), true),
            ("we", "web", Some("1.0.0"), false),
            ("eb", "web", Some("1.0.0"), false),
            (".*-SNAPSHOT", "web", Some("1-SNAPSHOT"), true),
            (".*-SNAPSHOT", "web", None, false),
            ("a|b", "ab", None, false),
            ("a|b", "b", None, true),
            ("(?i)WEB", "web", None, true),
            ("[\u{e4}\u{f6}]+|\\pL", "\u{e4}\u{f6}\u{e4}", None, true),
            (".", "\n", None, false),
        ] {
            for allowed in [true, false] {
                let answer = duplicates(allowed, exception).allow(name, version);
                assert_eq!(answer, allowed != fits, "{exception:?} {name} {version:?} {allowed}");
            }
        }
    }

    #[test]
    fn what_is_no_pattern_or_too_much_of_one_is_refused() {
        for refused in [
            "[",
            "a)(b",
            "*",
            "a**",
            "a{2}{3}",
            "a{1001}",
            "(b|a{0,1001})",
            "(?<=a)b",
            r"(a)\1",
            "(?x)a #",
            "(\\w{900}){900}",
            &"a".repeat(256),
        ] {
            let reason = check_pattern(refused).expect_err(refused);
            assert!(!reason.is_empty() && !reason.contains('\n'), "{refused}: {reason}");
        }
        for accepted in
            ["", "[a-z]+", r"@acme/.*", r"\d+\.\d+\.\d+", "(a+)+b", "[\\w.-]{1,64}", &"a".repeat(255)]
        {
            assert_eq!(check_pattern(accepted), Ok(()), "{accepted}");
        }
    }

    #[test]
    fn no_pattern_hangs() {
        let name = "a".repeat(255);
        for pattern in ["(a+)+b", "(a|aa)+b", "(.*)*b", "(a?){50}a{50}b", "([a-z]+)*[A-Z]{10}"] {
            let started = Instant::now();
            assert!(!duplicates(false, pattern).allow(&name, Some(&name)), "{pattern}");
            assert!(started.elapsed() < Duration::from_secs(5), "{pattern}: {:?}", started.elapsed());
        }
    }

    proptest! {
        #[test]
        fn every_text_is_answered(pattern in "\\PC{0,60}", name in "\\PC{0,60}") {
            // Whatever is asked, there is an answer, and an accepted pattern never depends on the brackets around it.
            let _ = duplicates(true, &pattern).allow(&name, None);
            if check_pattern(&pattern).is_err() {
                prop_assert!(duplicates(true, &pattern).allow(&name, None));
            }
        }
    }
}
