//! What the clean-up of a project keeps.

/// How many files of one name a package keeps, the newest ones (GitLab's choices). The numbers are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum KeptDuplicates {
    /// All of them: nothing is cleaned up.
    #[default]
    All = 0,
    /// One.
    One = 1,
    /// Ten.
    Ten = 10,
    /// Twenty.
    Twenty = 20,
    /// Thirty.
    Thirty = 30,
    /// Forty.
    Forty = 40,
    /// Fifty.
    Fifty = 50,
}

impl KeptDuplicates {
    /// Every choice, all first.
    pub const ALL: &[Self] =
        &[Self::All, Self::One, Self::Ten, Self::Twenty, Self::Thirty, Self::Forty, Self::Fifty];

    /// The stored number.
    pub const fn number(self) -> i16 {
        self as i16
    }

    /// The choice with this stored number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.iter().copied().find(|kept| kept.number() == number)
    }

    /// How many are kept; none for all of them.
    pub const fn limit(self) -> Option<u16> {
        match self {
            Self::All => None,
            limited => Some((limited as i16).unsigned_abs()),
        }
    }

    /// The choice as GitLab stores it: `all`, or the number.
    pub fn name(self) -> String {
        self.limit().map_or_else(|| "all".to_owned(), |limit| limit.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::KeptDuplicates;

    #[test]
    fn numbers_are_what_is_kept() {
        for kept in KeptDuplicates::ALL {
            assert_eq!(KeptDuplicates::from_number(kept.number()), Some(*kept));
        }
        assert_eq!((KeptDuplicates::All.limit(), KeptDuplicates::Ten.limit()), (None, Some(10)));
        assert_eq!(KeptDuplicates::from_number(2), None);
        assert_eq!((KeptDuplicates::All.name(), KeptDuplicates::One.name()), ("all".into(), "1".into()));
    }
}
