//! Virtual registries and their upstreams, as GitLab's documents select them.

use async_graphql::{ID, SimpleObject};

use crate::scalars::Time;

/// A virtual registry for Maven.
#[derive(SimpleObject)]
pub(super) struct MavenRegistry {
    id: ID,
    name: String,
    description: Option<String>,
    updated_at: Option<Time>,
}

/// An upstream of virtual registries for Maven.
#[derive(SimpleObject)]
pub(super) struct MavenUpstream {
    id: ID,
    name: String,
    description: Option<String>,
    url: String,
    /// The user name at the upstream.
    username: Option<String>,
    /// Hours until a stored file is asked for again.
    cache_validity_hours: i32,
    /// Hours until stored metadata is asked for again.
    metadata_cache_validity_hours: i32,
    /// How many virtual registries use it.
    registries_count: i32,
    /// How many rules say what may come from it.
    rules_count: i32,
}

/// A virtual registry for containers.
#[derive(SimpleObject)]
pub(super) struct ContainerRegistry {
    id: ID,
    name: String,
    description: Option<String>,
    updated_at: Option<Time>,
}

/// An upstream of virtual registries for containers.
#[derive(SimpleObject)]
pub(super) struct ContainerUpstream {
    id: ID,
    name: String,
    description: Option<String>,
    url: String,
    /// The user name at the upstream.
    username: Option<String>,
    /// Hours until a stored file is asked for again.
    cache_validity_hours: i32,
    /// How many virtual registries use it.
    registries_count: i32,
}
