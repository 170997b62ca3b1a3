//! Carrying out what projects and groups decided about their packages.

use domain::{Failure, JobKind};
use serde_json::json;
use store::{
    Store,
    audit_events::Actor,
    jobs::{Ending, JobSubject},
    members::Place,
    packages::{self, CleanupProgress},
    retention::{self, RetentionProgress, Selection},
};

use super::work::Run;

/// The database, in the name of the policy: that is what the audit log shows.
fn store_of(run: &Run<'_>) -> Store {
    let name = match run.lease.kind {
        JobKind::PackageCleanup => "Clean-up policy",
        JobKind::PackageRetention => "Retention policy",
        JobKind::UploadSweep | JobKind::BlobCollection | JobKind::SessionSweep | JobKind::PolicySchedule => {
            "System"
        }
    };
    run.state.store.on_behalf_of(Actor::system(name))
}

/// Puts what is due on the list.
pub(super) async fn schedule(run: &Run<'_>) -> Result<Ending, Failure> {
    let now = run.state.clock.now();
    let cleanups = packages::request_due_cleanups(&run.state.store, run.lease, now).await?;
    let retentions = retention::request_due(&run.state.store, run.lease, now).await?;
    Ok(Ending::Done(json!({ "cleanup_policies": cleanups, "retention_policies": retentions })))
}

/// Deletes duplicated files of a project.
pub(super) async fn clean_up(run: &Run<'_>) -> Result<Ending, Failure> {
    let JobSubject::Project(project) = run.lease.subject else { return Err(Failure::internal()) };
    let store = store_of(run);
    let told =
        |progress: &CleanupProgress| json!({ "files_deleted": progress.files, "bytes": progress.bytes });
    let mut progress: CleanupProgress =
        serde_json::from_value(run.lease.progress.clone()).unwrap_or_default();
    while !progress.is_over {
        if run.is_over() {
            let result = told(&progress);
            let progress = serde_json::to_value(progress).map_err(|_| Failure::internal())?;
            return Ok(Ending::Paused { progress, result });
        }
        let now = run.state.clock.now();
        let (rules, lease) = (&run.state.rules, run.lease);
        progress = packages::remove_duplicates(&store, rules, lease, (project, progress), now).await?;
    }
    Ok(Ending::Done(told(&progress)))
}

/// Lets versions go, some at a time, each time by the policy as it is by then.
pub(super) async fn retain(run: &Run<'_>) -> Result<Ending, Failure> {
    let place = match run.lease.subject {
        JobSubject::Project(id) => Place::Project(id),
        JobSubject::Group(id) => Place::Group(id),
        JobSubject::Instance => return Err(Failure::internal()),
    };
    let store = store_of(run);
    let told = |progress: &RetentionProgress| {
        let planned = progress.planned();
        json!({
            "versions_planned": planned.versions,
            "versions_deleted": progress.deleted,
            "exclusive_bytes": planned.exclusive_bytes,
            "shared_bytes": planned.shared_bytes,
        })
    };
    let mut progress: RetentionProgress =
        serde_json::from_value(run.lease.progress.clone()).unwrap_or_default();
    let Some(policy) = retention::find(&store, place).await?.filter(|policy| policy.enabled) else {
        return Ok(Ending::Done(told(&progress)));
    };
    let mut selection = Selection {
        scope: place.into(),
        rules: policy.rules,
        protected: Vec::new(), // each step reads what is protected for itself
        as_of: run.state.clock.now(),
    };
    while !progress.is_over {
        if run.is_over() {
            let result = told(&progress);
            let progress = serde_json::to_value(progress).map_err(|_| Failure::internal())?;
            return Ok(Ending::Paused { progress, result });
        }
        let (rules, now) = (&run.state.rules, run.state.clock.now());
        progress = retention::run(&store, run.lease, (selection.clone(), progress), rules, now).await?;
        // Asked each time: a policy that is switched off, or lets less go, is so at once.
        match retention::find(&store, place).await?.filter(|policy| policy.enabled) {
            Some(policy) => selection.rules = policy.rules,
            None => break,
        }
    }
    Ok(Ending::Done(told(&progress)))
}
