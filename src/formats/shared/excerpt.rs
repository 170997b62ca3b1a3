//! Refused values, as errors show them.

/// The most characters that are shown.
const SHOWN: usize = 100;

/// What an error shows of a value that was refused: its beginning, without characters that disturb a terminal or a log.
pub(crate) fn excerpt(value: &str) -> String {
    let mut shown: String = value
        .chars()
        .take(SHOWN)
        .map(|letter| if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter })
        .collect();
    if value.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{SHOWN, excerpt};

    #[test]
    fn what_is_long_or_disturbs_is_not_shown() {
        assert_eq!(excerpt("a b/é"), "a b/é");
        assert_eq!(excerpt("a\n\u{1b}[0m"), "a\u{fffd}\u{fffd}[0m");
        assert_eq!(excerpt(&"é".repeat(SHOWN)), "é".repeat(SHOWN));
        assert_eq!(excerpt(&"é".repeat(SHOWN + 1)), format!("{}…", "é".repeat(SHOWN)));
    }
}
