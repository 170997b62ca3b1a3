//! Cleaning up: of the files of one name that a package has, the newest stay.

use domain::{Failure, JobKind, PackageFileId, PackageFormat, PackageId, ProjectId, rules::RuleBook};
use sea_orm::{FromQueryResult, Value};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{
    destroy::{FILE_DELETED, try_bury_file},
    fragments::ChangedDocuments,
};
use crate::{
    Result, Store, Tx,
    audit_events::{self, Actor},
    cleanup_policies::CADENCE,
    convert::{self, stored},
    jobs::{self, JobSubject, Lease, NewJob},
    retention::{self, Counting, RetentionScope, Sql},
    rows,
};

/// Packages looked at in one transaction.
const PACKAGES: i64 = 500;
/// Files deleted in one transaction (GitLab's batch).
const FILES: i64 = 200;

/// How far a clean-up came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleanupProgress {
    /// The last package that is done with.
    package: i64,
    /// How many files went so far.
    pub files: u64,
    /// Their length together, in bytes. Contents that other files have as well are not freed.
    pub bytes: u64,
    /// Whether nothing is left to do.
    pub is_over: bool,
}

#[derive(FromQueryResult)]
struct Duplicate {
    id: i64,
    package_id: i64,
    file_name: String,
    format: i16,
    size: i64,
}

#[derive(FromQueryResult)]
struct Kept {
    kept: i16,
}

#[derive(FromQueryResult)]
struct Stretch {
    last: Option<i64>,
}

/// Goes on with the clean-up of a project, in the name of `lease`, and gives how far it came: of the files of one name, and one shelf
/// where the format has some, that an installable package has, as many stay as the project's policy says, and all of them where a
/// rule keeps the package from being deleted. What goes, and how far it came, is one transaction. The policy is read in it: one that
/// was switched off ends the clean-up.
pub async fn remove_duplicates(
    store: &Store,
    rules: &RuleBook,
    lease: &Lease,
    (project, progress): (ProjectId, CleanupProgress),
    now: OffsetDateTime,
) -> Result<CleanupProgress> {
    let input = (store.actor(), rules.clone(), lease.clone(), project, progress);
    store
        .write(input, move |tx, (actor, rules, lease, project, progress)| {
            Box::pin(async move {
                let progress = go_on(tx, (actor, rules), *project, *progress, now).await?;
                let told = serde_json::to_value(progress).map_err(|_| Failure::internal())?;
                jobs::advance(tx, lease, &told, now).await?;
                Ok(progress)
            })
        })
        .await
}

async fn go_on(
    tx: &Tx,
    (actor, rules): (&Actor, &RuleBook),
    project: ProjectId,
    mut progress: CleanupProgress,
    now: OffsetDateTime,
) -> Result<CleanupProgress> {
    let kept: Option<Kept> = rows::one_sql(
        tx,
        "SELECT c.keep_n_duplicated_package_files AS kept FROM packages_cleanup_policies c \
         JOIN projects p ON p.id = c.project_id WHERE c.project_id = $1 AND p.deleted_at IS NULL",
        [Value::from(project.0)],
    )
    .await?;
    let kept = kept.map_or(0, |kept| kept.kept);
    let stretch: Option<Stretch> = rows::one_sql(
        tx,
        "SELECT MAX(id) AS last FROM (SELECT id FROM packages WHERE project_id = $1 AND id > $2 ORDER BY id LIMIT $3) \
         AS stretch",
        [Value::from(project.0), progress.package.into(), PACKAGES.into()],
    )
    .await?;
    let (1.., Some(last)) = (kept, stretch.and_then(|stretch| stretch.last)) else {
        progress.is_over = true;
        return Ok(progress);
    };
    let duplicates = duplicates(tx, rules, project, (progress.package, last), kept).await?;
    if i64::try_from(duplicates.len()).unwrap_or(i64::MAX) < FILES {
        progress.package = last;
    }
    let mut changed = ChangedDocuments::default();
    for duplicate in duplicates {
        let format: PackageFormat = convert::format(duplicate.format)?;
        let file = (PackageFileId(duplicate.id), PackageId(duplicate.package_id));
        if !try_bury_file(tx, rules.get(format).ok(), file, now, &mut changed).await? {
            continue; // somebody deleted it just before
        }
        let done = FILE_DELETED.with("file_name", duplicate.file_name);
        audit_events::note(tx, actor, &done, duplicate.package_id, now).await?;
        progress.files += 1;
        progress.bytes += duplicate.size.unsigned_abs();
    }
    changed.raise(tx, now).await?;
    Ok(progress)
}

/// The next files that go, of packages between two. What a rule keeps from being deleted by some stays: a policy is decided by those whom
/// the rule may keep from it. GitLab's clean-up does not ask.
async fn duplicates(
    tx: &Tx,
    rules: &RuleBook,
    project: ProjectId,
    (after, last): (i64, i64),
    kept: i16,
) -> Result<Vec<Duplicate>> {
    let scope = RetentionScope::Project(project);
    let protected = retention::protected_in(tx, (rules, Counting::OfDeletion), scope).await?;
    let mut sql = Sql::default();
    sql.with(
        "SELECT id, package_id, file_name, format, size FROM (SELECT f.id, f.package_id, f.file_name, k.format, b.size, \
         ROW_NUMBER() OVER (PARTITION BY f.package_id, f.file_name, COALESCE(f.channel, '') ORDER BY f.id DESC) AS place \
         FROM packages k JOIN package_files f ON f.package_id = k.id JOIN blobs b ON b.id = f.blob_id \
         WHERE k.deleted_at IS NULL AND k.status IN (0, 1, 5) AND f.deleted_at IS NULL AND f.status = 0 AND k.project_id = ",
        project.0,
    );
    sql.with(" AND k.id > ", after);
    sql.with(" AND k.id <= ", last);
    sql.push(" AND NOT (");
    retention::is_protected_from_deletion(&mut sql, &protected);
    sql.with(")) AS ranked WHERE place > ", i64::from(kept));
    sql.with(" ORDER BY id LIMIT ", FILES);
    sql.all(tx).await
}

/// Puts the clean-ups that are due on the list of jobs, each with its next time. Answers how many there were.
pub async fn request_due_cleanups(store: &Store, lease: &Lease, now: OffsetDateTime) -> Result<u64> {
    #[derive(FromQueryResult)]
    struct Due {
        project_id: i64,
    }
    store
        .write((lease.clone(), now), |tx, (lease, now)| {
            Box::pin(async move {
                jobs::advance(tx, lease, &serde_json::Value::Null, *now).await?;
                let sql = "UPDATE packages_cleanup_policies SET next_run_at = $2 \
                           WHERE next_run_at <= $1 AND keep_n_duplicated_package_files > 0 RETURNING project_id";
                let values = [Value::from(stored(*now)), stored(*now + CADENCE).into()];
                let due: Vec<Due> = rows::all_sql(tx, sql, values).await?;
                for Due { project_id } in &due {
                    let subject = JobSubject::Project(ProjectId(*project_id));
                    let job = NewJob { kind: JobKind::PackageCleanup, subject, every: None, run_at: *now };
                    jobs::request_in(tx, &job, *now).await?;
                }
                Ok(due.len() as u64)
            })
        })
        .await
}
