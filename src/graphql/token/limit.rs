//! What tokens are limited to, in inputs and answers.

use async_graphql::{InputObject, SimpleObject};
use domain::{Failure, TokenLimits};

use crate::package::PackageTypeEnum;

/// Packages that a token reaches: those of a format whose name fits a pattern (ours).
#[derive(SimpleObject)]
pub(crate) struct TokenLimit {
    /// The format; any, when null.
    package_type: Option<PackageTypeEnum>,
    /// The pattern of names, in which `*` stands for any text; any name, when null.
    name_pattern: Option<String>,
}

/// Packages that a token is to reach. At least one of the two is given.
#[derive(InputObject)]
pub(crate) struct TokenLimitInput {
    /// The format; any, when left out.
    package_type: Option<PackageTypeEnum>,
    /// A name in the normal form of its format, in which `*` stands for any text; any name, when left out.
    name_pattern: Option<String>,
}

/// Reads limits; none where none are given. An empty list is refused: it could be meant as "nothing" as well as "anything".
pub(crate) fn limits(input: Option<Vec<TokenLimitInput>>) -> Result<TokenLimits, Failure> {
    if input.as_ref().is_some_and(Vec::is_empty) {
        return Err(Failure::invalid(
            "limits",
            "An empty list limits to nothing: leave it out for a token without limits",
        ));
    }
    let limits = input.unwrap_or_default().into_iter().map(|limit| domain::TokenLimit {
        format: limit.package_type.map(Into::into),
        name_pattern: limit.name_pattern,
    });
    TokenLimits::new(limits.collect())
}

/// Limits for reading.
pub(crate) fn shown(limits: &TokenLimits) -> Vec<TokenLimit> {
    limits
        .iter()
        .map(|limit| TokenLimit {
            package_type: limit.format.map(Into::into),
            name_pattern: limit.name_pattern.clone(),
        })
        .collect()
}
