//! How projects and groups are named from outside.

/// A project or group by its id or by its full path, as in GitLab's URLs. No path consists of digits only, so one text can
/// carry either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdOrPath<'a> {
    /// The id.
    Id(i64),
    /// The full path, in any case.
    Path(&'a str),
}

impl<'a> From<&'a str> for IdOrPath<'a> {
    fn from(text: &'a str) -> Self {
        text.parse().map_or(Self::Path(text), Self::Id)
    }
}

/// Whether a list of what stands in a group goes down into its subgroups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Depth {
    /// Only what stands in the group itself.
    Direct,
    /// Everything below.
    Descendants,
}

/// The key under which a full path is unique.
pub(crate) fn path_key(full_path: &str) -> String {
    full_path.to_lowercase()
}

/// What the key of something deleted becomes, so that its path is free again. No path holds a `#`.
pub(crate) fn deleted_key(key: &str, id: i64) -> String {
    format!("{key}#deleted-{id}")
}
