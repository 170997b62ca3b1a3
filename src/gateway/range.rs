//! The `Range` of a request (RFC 9110 §14.1.2). The known crates refuse ranges that have to be ignored, and numbers beyond 64
//! bits, which mean "to the end".

use std::ops::Range;

/// What a request asks for, of a representation of known size.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it: the header is no range of bytes, or several. Nobody here needs `multipart/byteranges`, and the whole is
    /// always a right answer (§14.2).
    Everything,
    /// These bytes.
    Range(Range<u64>),
    /// None of it: the range begins behind the end.
    Unsatisfiable,
}

impl Wanted {
    /// What `value` asks for, of `size` bytes.
    pub(crate) fn parse(value: &str, size: u64) -> Self {
        Self::one(value, size).unwrap_or(Self::Everything)
    }

    fn one(value: &str, size: u64) -> Option<Self> {
        let (unit, set) = value.split_once('=')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        let mut ranges = set.split(',').map(str::trim).filter(|range| !range.is_empty());
        let (Some(range), None) = (ranges.next(), ranges.next()) else { return None };
        let (first, last) = range.split_once('-')?;
        if !(first.bytes().chain(last.bytes())).all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number = |text: &str| text.parse().unwrap_or(u64::MAX);
        match (first.is_empty(), last.is_empty()) {
            (true, true) => None,
            (true, false) => Some(match number(last).min(size) {
                0 => Self::Unsatisfiable,
                length => Self::Range(size - length..size),
            }),
            (false, is_open) => {
                let first = number(first);
                let last = if is_open { u64::MAX } else { number(last) };
                if last < first {
                    return None;
                }
                Some(if first < size {
                    Self::Range(first..last.min(size - 1) + 1)
                } else {
                    Self::Unsatisfiable
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Wanted::{self, Everything, Range, Unsatisfiable};

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        let table = [
            ("bytes=0-4", Range(0..5)),
            ("BYTES = 1-2", Range(1..3)),
            ("bytes=2-", Range(2..5)),
            ("bytes=-2", Range(3..5)),
            ("bytes=-9", Range(0..5)),
            ("bytes=4-4", Range(4..5)),
            ("bytes=0-99999999999999999999", Range(0..5)),
            ("bytes=5-", Unsatisfiable),
            ("bytes=99999999999999999999-", Unsatisfiable),
            ("bytes=-0", Unsatisfiable),
            ("bytes=3-1", Everything),
            ("bytes=9-3", Everything),
            ("bytes=0-1,3-4", Everything),
            ("bytes=-", Everything),
            ("bytes=", Everything),
            ("bytes=a-b", Everything),
            ("bytes=+1-2", Everything),
            ("lines=0-1", Everything),
            ("0-1", Everything),
        ];
        for (value, wanted) in table {
            assert_eq!(Wanted::parse(value, 5), wanted, "{value}");
        }
        assert_eq!(Wanted::parse("bytes=0-0", 0), Unsatisfiable);
        assert_eq!(Wanted::parse("bytes=-1", 0), Unsatisfiable);
    }
}
