//! Packages made in code, in memory: no binary stands in the repository.

pub mod npm;
pub mod pypi;
