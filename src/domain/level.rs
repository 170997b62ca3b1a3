//! The three levels at which every format answers.

use std::fmt;

/// Where a request looks for packages: one project, one group with everything below it, or the whole instance.
///
/// Projects and groups are named the way GitLab names them in URLs: by a decimal id or by the full path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RegistryScope {
    /// One project.
    Project(String),
    /// A group and all its descendants.
    Group(String),
    /// Everything the caller may see.
    Instance,
}

impl fmt::Display for RegistryScope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Project(name) => write!(formatter, "project {name}"),
            Self::Group(name) => write!(formatter, "group {name}"),
            Self::Instance => formatter.write_str("instance"),
        }
    }
}
