//! When unused files of virtual registries are removed.

use access::Action;
use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use domain::{ErrorCode, Failure};

use crate::{
    group,
    outcome::{OrError, Outcome},
    scalars::Time,
};

/// What the clean-up of virtual registries is doing.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum VirtualRegistryCleanupPolicyStatus {
    Scheduled,
    Running,
    Failed,
}

/// When unused files of virtual registries are removed.
#[derive(SimpleObject)]
pub(crate) struct VirtualRegistryCleanupPolicy {
    group_id: ID,
    enabled: bool,
    status: VirtualRegistryCleanupPolicyStatus,
    /// Days between two runs.
    cadence: i32,
    /// Days that a file is kept after it was last downloaded.
    #[graphql(name = "keepNDaysAfterDownload")]
    keep_n_days_after_download: i32,
    notify_on_failure: bool,
    notify_on_success: bool,
    last_run_at: Option<Time>,
    next_run_at: Option<Time>,
    /// Bytes that the last run removed.
    last_run_deleted_size: Option<i32>,
    /// Files that the last run removed.
    last_run_deleted_entries_count: Option<i32>,
    failure_message: Option<String>,
    created_at: Time,
    updated_at: Time,
}

/// When to remove unused files of virtual registries.
#[derive(InputObject)]
pub(crate) struct VirtualRegistriesCleanupPolicyUpsertInput {
    /// Full path or decimal id of a group.
    full_path: ID,
    enabled: Option<bool>,
    /// Days between two runs: 1, 7, 14, 30 or 90.
    cadence: Option<i32>,
    /// Days to keep a file after it was last downloaded, 1 to 365.
    #[graphql(name = "keepNDaysAfterDownload")]
    keep_n_days_after_download: Option<i32>,
    notify_on_failure: Option<bool>,
    notify_on_success: Option<bool>,
    /// Echoed.
    client_mutation_id: Option<String>,
}

/// The policy as it now is.
#[derive(SimpleObject)]
pub(crate) struct VirtualRegistriesCleanupPolicyUpsertPayload {
    virtual_registries_cleanup_policy: Option<VirtualRegistryCleanupPolicy>,
    errors: Vec<String>,
    client_mutation_id: Option<String>,
}

#[derive(Default)]
pub(crate) struct VirtualRegistriesCleanupPolicyMutation;

#[Object]
impl VirtualRegistriesCleanupPolicyMutation {
    /// Decides when unused files of virtual registries are removed. Refused to everybody: there are no virtual registries.
    async fn virtual_registries_cleanup_policy_upsert(
        &self,
        ctx: &Context<'_>,
        input: VirtualRegistriesCleanupPolicyUpsertInput,
    ) -> Outcome<VirtualRegistriesCleanupPolicyUpsertPayload> {
        group::open(ctx, &input.full_path, Action::AdministerPackages).await.or_error()?;
        Err(Failure::new(ErrorCode::NotFound, "There are no virtual registries on this server")).or_error()
    }
}
