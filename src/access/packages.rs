//! Which packages an action is about: what limited tokens are asked for.

use std::borrow::Cow;

use domain::{PackageFormat, TokenLimits};

/// The packages that an action is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packages<'a> {
    /// All there are.
    All,
    /// Some of them: it is asked again once it is known which.
    Any,
    /// All of a format.
    AllOf(PackageFormat),
    /// Some of a format: it is asked again once it is known which.
    AnyOf(PackageFormat),
    /// Those of a name, in the normal form of their format.
    Named(PackageFormat, Cow<'a, str>),
}

impl Packages<'_> {
    /// Whether a token with these limits reaches them.
    pub(crate) fn are_within(&self, limits: &TokenLimits) -> bool {
        match self {
            Self::All => limits.is_empty(),
            Self::Any => true,
            Self::AllOf(format) => limits.reach_all_of(*format),
            Self::AnyOf(format) => limits.reach_some_of(*format),
            Self::Named(format, name) => limits.reach(*format, name),
        }
    }
}
