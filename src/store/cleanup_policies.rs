//! How many duplicated files the packages of a project keep. The setting; what carries it out stands elsewhere.

use domain::{EventKind, KeptDuplicates, ProjectId};
use entity::cleanup_policy;
use sea_orm::{EntityTrait, Set, sea_query::OnConflict};
use time::{Duration, OffsetDateTime};

use crate::{
    Result, Store, StoreError, Tx,
    audit_events::{self, Actor, Changes, Entity, Event},
    convert::stored,
    refusals::lock_project,
};

/// How often a policy is carried out (GitLab's cadence).
pub const CADENCE: Duration = Duration::hours(12);

/// What is kept, and since when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CleanupPolicy {
    /// How many files of one name a package keeps.
    pub kept: KeptDuplicates,
    /// When that is carried out next; never while all are kept.
    pub next_run_at: Option<OffsetDateTime>,
}

impl TryFrom<cleanup_policy::Model> for CleanupPolicy {
    type Error = StoreError;

    fn try_from(row: cleanup_policy::Model) -> Result<Self> {
        let number = row.keep_n_duplicated_package_files;
        let kept = KeptDuplicates::from_number(number).ok_or_else(|| StoreError::Corrupt {
            column: "packages_cleanup_policies.keep_n_duplicated_package_files",
            value: number.to_string(),
        })?;
        Ok(Self { kept, next_run_at: row.next_run_at })
    }
}

/// The policy of a project that was opened for seeing it. Where nobody decided, all are kept.
pub async fn find(store: &Store, project: ProjectId) -> Result<CleanupPolicy> {
    let row = cleanup_policy::Entity::find_by_id(project.0).one(store.reader()).await?;
    Ok(row.map(TryInto::try_into).transpose()?.unwrap_or_default())
}

/// Changes the policy of a project that was opened for it, and gives the one now in force. What is kept already stays so, and is
/// carried out when it would have been.
pub async fn update(
    store: &Store,
    project: ProjectId,
    kept: Option<KeptDuplicates>,
    now: OffsetDateTime,
) -> Result<CleanupPolicy> {
    store
        .write((store.actor(), project, kept, stored(now)), |tx, (actor, project, kept, now)| {
            Box::pin(apply(tx, actor, *project, *kept, *now))
        })
        .await
}

async fn apply(
    tx: &Tx,
    actor: &Actor,
    project: ProjectId,
    kept: Option<KeptDuplicates>,
    now: OffsetDateTime,
) -> Result<CleanupPolicy> {
    let row = lock_project(tx, project.0).await?;
    let before = cleanup_policy::Entity::find_by_id(project.0).one(tx).await?;
    let before = before.map(CleanupPolicy::try_from).transpose()?.unwrap_or_default();
    let Some(kept) = kept.filter(|kept| *kept != before.kept) else { return Ok(before) };
    let next_run_at = kept.limit().map(|_| stored(now + CADENCE));
    let policy = cleanup_policy::ActiveModel {
        project_id: Set(project.0),
        keep_n_duplicated_package_files: Set(kept.number()),
        next_run_at: Set(next_run_at),
        updated_at: Set(now),
    };
    let columns = [
        cleanup_policy::Column::KeepNDuplicatedPackageFiles,
        cleanup_policy::Column::NextRunAt,
        cleanup_policy::Column::UpdatedAt,
    ];
    cleanup_policy::Entity::insert(policy)
        .on_conflict(OnConflict::column(cleanup_policy::Column::ProjectId).update_columns(columns).to_owned())
        .exec_without_returning(tx)
        .await?;
    let mut changes = Changes::default();
    changes.note("keep_n_duplicated_package_files", before.kept.name(), kept.name());
    let message = "Changed the clean-up policy of packages";
    let event = Event::about(EventKind::CleanupPolicyUpdated, Entity::project(&row), message);
    audit_events::write(tx, actor, event.with(&changes), now).await?;
    Ok(CleanupPolicy { kept, next_run_at })
}
