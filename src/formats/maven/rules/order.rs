//! Maven's order of versions, as a text whose bytes sort that way.
//!
//! The order is that of "Version Order Specification" in Maven's POM reference, which `ComparableVersion` implements: a
//! version is cut at dots, at hyphens and between digits and letters; what means nothing is trimmed at the end and before
//! each hyphen and qualifier; the rest is compared piece by piece, and the shorter one is filled up with pieces that mean
//! nothing. In a few odd versions (a zero between two dots before a qualifier, `1.0.x.1`) Maven's own comparison
//! contradicts itself; there the order is the specification's.

/// One piece of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'a> {
    /// A number after a dot, or at the beginning, without leading zeros.
    Number(&'a str),
    /// A number after a hyphen or a letter, without leading zeros.
    DashedNumber(&'a str),
    /// Letters and signs.
    Qualifier(&'a str),
}

/// Where a qualifier stands: those with a meaning first, before and after the release itself. The letters of the order's
/// text, ascending: a piece after the end of another version sorts before or after it by its first letter.
const ALPHA: char = 'A';
const BETA: char = 'B';
const MILESTONE: char = 'C';
const CANDIDATE: char = 'D';
const SNAPSHOT: char = 'E';
/// The end of every text, and so what pieces that are there are compared with: nothing, which is the release.
const RELEASE: char = 'F';
const SERVICE_PACK: char = 'G';
const OTHER: char = 'H';
const DASHED_NUMBER: char = 'I';
const NUMBER: char = 'J';

/// Ends a qualifier in the text: below everything that a qualifier may contain, so that a prefix comes first.
const END_OF_QUALIFIER: char = '!';

/// A text whose byte order is the place of `version` in Maven's order. Versions that Maven holds for equal have one text.
pub(super) fn order_of(version: &str) -> String {
    let version = version.to_ascii_lowercase();
    let mut order = String::with_capacity(version.len() * 2);
    for piece in trimmed(cut(&version)) {
        match piece {
            Piece::Number(digits) => push_number(&mut order, NUMBER, digits),
            Piece::DashedNumber(digits) => push_number(&mut order, DASHED_NUMBER, digits),
            Piece::Qualifier(text) => push_qualifier(&mut order, text),
        }
    }
    order.push(RELEASE);
    order
}

/// A number, longer ones being larger: how many digits it has, then the digits.
fn push_number(order: &mut String, kind: char, digits: &str) {
    order.push(kind);
    let length = digits.len().to_string();
    // `:` is above every digit, so that ten digits are more than nine.
    order.extend(std::iter::repeat_n(':', length.len() - 1));
    order.push_str(&length);
    order.push('.');
    order.push_str(digits);
}

fn push_qualifier(order: &mut String, text: &str) {
    let place = match text {
        "alpha" => ALPHA,
        "beta" => BETA,
        "milestone" => MILESTONE,
        "rc" | "cr" => CANDIDATE,
        "snapshot" => SNAPSHOT,
        "sp" => SERVICE_PACK,
        // Not at the end, where it would have been trimmed.
        _ if is_release(text) => RELEASE,
        _ => {
            order.push(OTHER);
            order.push_str(text);
            END_OF_QUALIFIER
        }
    };
    order.push(place);
}

/// Whether a qualifier says nothing but that it is the release.
fn is_release(text: &str) -> bool {
    matches!(text, "ga" | "final" | "release")
}

/// Cuts at dots, hyphens and between digits and others. An empty piece is the number zero.
fn cut(version: &str) -> Vec<Piece<'_>> {
    let bytes = version.as_bytes();
    let mut pieces = Vec::new();
    let (mut start, mut dashed) = (0, false);
    for end in 0..=bytes.len() {
        let separator = bytes.get(end).filter(|byte| matches!(byte, b'.' | b'-'));
        let turns = end > start
            && bytes.get(end).is_some_and(|byte| byte.is_ascii_digit() != bytes[end - 1].is_ascii_digit());
        if end < bytes.len() && separator.is_none() && !turns {
            continue;
        }
        let numbered = turns && separator.is_none();
        pieces.push(piece(&version[start..end], dashed, numbered));
        dashed = separator != Some(&b'.');
        start = if separator.is_some() { end + 1 } else { end };
    }
    pieces
}

/// A piece; `numbered` when a number follows it directly, and `a`, `b` and `m` are abbreviations.
fn piece(text: &str, dashed: bool, numbered: bool) -> Piece<'_> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Piece::Qualifier(match text {
            "a" if numbered => "alpha",
            "b" if numbered => "beta",
            "m" if numbered => "milestone",
            _ => text,
        });
    }
    let digits = text.trim_start_matches('0');
    if dashed { Piece::DashedNumber(digits) } else { Piece::Number(digits) }
}

/// Takes away what means nothing at the end and before each hyphen and qualifier.
fn trimmed(pieces: Vec<Piece<'_>>) -> Vec<Piece<'_>> {
    let mut kept: Vec<Piece<'_>> = Vec::with_capacity(pieces.len());
    for piece in pieces.into_iter().rev() {
        let means_nothing = match piece {
            Piece::Number(digits) | Piece::DashedNumber(digits) => digits.is_empty(),
            Piece::Qualifier(text) => is_release(text),
        };
        let followed_by_number = matches!(kept.last(), Some(Piece::Number(_)));
        if !means_nothing || followed_by_number {
            kept.push(piece);
        }
    }
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::order_of;

    /// Ascending, each before the next: what Maven's documentation and its own tests of `ComparableVersion` say.
    const ASCENDING: &[&[&str]] = &[
        &[
            "1-alpha2snapshot",
            "1-alpha2",
            "1-alpha-123",
            "1-beta-2",
            "1-beta123",
            "1-m2",
            "1-m11",
            "1-rc",
            "1-cr2",
        ],
        &["1-cr2", "1-rc123", "1-SNAPSHOT", "1", "1-sp", "1-sp2", "1-sp123", "1-abc", "1-def", "1-pom-1"],
        &["1-pom-1", "1-1-snapshot", "1-1", "1-2", "1-123"],
        &["2.0", "2.0.a", "2-1", "2.0.2", "2.0.123", "2.1.0", "2.1-a", "2.1b", "2.1-c", "2.1-1", "2.1.0.1"],
        &[
            "2.1.0.1", "2.2", "2.123", "11.a2", "11.a11", "11.b2", "11.b11", "11.m2", "11.m11", "11", "11.a",
            "11b",
        ],
        &["11b", "11c", "11m"],
        &["1-foo", "1-1", "1.1", "1.2", "1.10", "1.20240101", "2"],
        &[
            "1.0-alpha-1-SNAPSHOT",
            "1.0-alpha-1",
            "1.0-beta-1-SNAPSHOT",
            "1.0-beta-1",
            "1.0-SNAPSHOT",
            "1.0",
            "1.0-1",
        ],
        &["4.1.0.Beta1", "4.1.0.CR1", "4.1.0.Final", "4.1.0.SP1", "4.1.0.Final-redhat-00001", "4.1.1.Final"],
        &["31.0-android", "31.0-jre", "31.0.1-android", "31.0.1-jre", "31.1-android"],
        &["9.4.43.v20210629", "9.4.44.v20210927", "10.0.0-alpha1", "10.0.0"],
        &["999999999", "9999999999", "10000000000", "99999999999999999999", "100000000000000000000"],
    ];

    /// Equal, all of them.
    const EQUAL: &[&[&str]] = &[
        &["1", "1.0", "1.0.0", "1-0", "1.ga", "1-final", "1.0.RELEASE", "1-ga", "01", "1.", "1-", "1.0-0"],
        &["1-a1", "1-alpha-1", "1-alpha1", "1-ALPHA1", "1.0-a1", "1.a1"],
        &["1-rc", "1-cr", "1.0.0.RC"],
        &["1x", "1-x", "1.0-x", "1.0.x", "1X"],
        &["1.0.0-foo.0.0", "1-foo"],
        &["1.0.0-0.0.0", "1"],
        &["1.1-b2", "1.1.0-beta2", "1.1b2"],
        &["2024.01.05", "2024.1.5"],
    ];

    #[test]
    fn the_order_is_mavens() {
        for chain in ASCENDING {
            for (index, lower) in chain.iter().enumerate() {
                for higher in &chain[index + 1..] {
                    assert!(order_of(lower) < order_of(higher), "{lower} before {higher}");
                }
            }
        }
    }

    #[test]
    fn what_maven_holds_for_equal_is_equal() {
        for same in EQUAL {
            for version in *same {
                assert_eq!(order_of(version), order_of(same[0]), "{version} is {}", same[0]);
            }
        }
    }

    fn numbers() -> impl Strategy<Value = Vec<u64>> {
        proptest::collection::vec(prop_oneof![0..12_u64, any::<u64>()], 1..5)
    }

    fn dotted(numbers: &[u64]) -> String {
        numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
    }

    /// Without the zeros at the end, which mean nothing.
    fn significant(numbers: &[u64]) -> &[u64] {
        let end = numbers.iter().rposition(|number| *number != 0).map_or(0, |last| last + 1);
        &numbers[..end]
    }

    proptest! {
        #[test]
        fn numbers_are_compared_as_numbers(left in numbers(), right in numbers()) {
            let expected = significant(&left).cmp(significant(&right));
            prop_assert_eq!(order_of(&dotted(&left)).cmp(&order_of(&dotted(&right))), expected);
        }

        #[test]
        fn a_snapshot_comes_right_before_its_release(base in numbers(), other in numbers()) {
            let (base, other) = (dotted(&base), dotted(&other));
            let snapshot = order_of(&format!("{base}-SNAPSHOT"));
            let (release, other) = (order_of(&base), order_of(&other));
            prop_assert!(snapshot < release);
            prop_assert_eq!(other < snapshot, other < release, "no release between the two");
        }

        #[test]
        fn qualifiers_with_a_meaning_are_in_order(base in numbers(), number in 0..30_u32) {
            let base = dotted(&base);
            let ranks = ["alpha", "beta", "milestone", "rc", "SNAPSHOT", "final", "sp", "xyz"];
            for pair in ranks.windows(2) {
                let lower = order_of(&format!("{base}-{}", pair[0]));
                let higher = order_of(&format!("{base}-{}", pair[1]));
                prop_assert!(lower < higher, "{} {:?}", base, pair);
                let numbered = order_of(&format!("{base}-{}-{number}", pair[0]));
                prop_assert!(numbered < higher || pair[0] == "final");
            }
        }

        #[test]
        fn case_and_zeros_do_not_count_and_the_text_is_plain(version in "[A-Za-z0-9._+-]{1,40}") {
            let order = order_of(&version);
            prop_assert_eq!(&order, &order_of(&version.to_uppercase()));
            prop_assert!(order.bytes().all(|byte| byte.is_ascii_graphic()));
            if version.ends_with(|last: char| last.is_ascii_digit()) {
                prop_assert_eq!(&order, &order_of(&format!("{version}.0")));
            }
        }
    }
}
