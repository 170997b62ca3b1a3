//! GitLab's virtual registries, which group upstreams behind one address: an experiment there, behind a flag. There are none
//! here, and the schema answers what GitLab answers while the flag is off, so that its documents run unchanged: null for the
//! lists and the policy, `NOT_FOUND` for the mutation.

mod cleanup_policy;
mod types;

pub(crate) use cleanup_policy::{VirtualRegistriesCleanupPolicyMutation, VirtualRegistryCleanupPolicy};

use async_graphql::{Object, SimpleObject};
use types::{ContainerRegistry, ContainerUpstream, MavenRegistry, MavenUpstream};

use crate::relay::connection::{Connection, Count};

/// Whether a group has virtual registries.
#[derive(SimpleObject)]
struct VirtualRegistriesSetting {
    enabled: bool,
}

/// What a group tells of its virtual registries: part of the group.
pub(crate) struct GroupVirtualRegistries;

/// The standard arguments are there for documents that send them: there is nothing to page through.
#[expect(unused_variables, reason = "the arguments of fields that are null")]
#[Object]
impl GroupVirtualRegistries {
    /// Whether the group has virtual registries. It has none.
    async fn virtual_registries_setting(&self) -> Option<VirtualRegistriesSetting> {
        Some(VirtualRegistriesSetting { enabled: false })
    }
    /// When unused files of virtual registries are removed. Null: there are none.
    async fn virtual_registries_cleanup_policy(&self) -> Option<VirtualRegistryCleanupPolicy> {
        None
    }
    /// The virtual registries for Maven. Null: there are none.
    async fn virtual_registries_packages_maven_registries(
        &self,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Option<Connection<MavenRegistry, Count>> {
        None
    }
    /// The upstreams of virtual registries for Maven. Null: there are none.
    async fn virtual_registries_packages_maven_upstreams(
        &self,
        #[graphql(desc = "Part of the name.")] upstream_name: Option<String>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Option<Connection<MavenUpstream, Count>> {
        None
    }
    /// The virtual registries for containers. Null: there are none.
    async fn virtual_registries_container_registries(
        &self,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Option<Connection<ContainerRegistry, Count>> {
        None
    }
    /// The upstreams of virtual registries for containers. Null: there are none.
    async fn virtual_registries_container_upstreams(
        &self,
        #[graphql(desc = "Part of the name.")] upstream_name: Option<String>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Option<Connection<ContainerUpstream, Count>> {
        None
    }
}
