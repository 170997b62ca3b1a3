//! Policies as they are decided.

use domain::{EventKind, Failure, JobKind, NamespaceId, ProjectId, RetentionRule, retention};
use sea_orm::{ConnectionTrait, FromQueryResult, Value};
use time::OffsetDateTime;

use super::{CADENCE, RetentionScope};
use crate::{
    Result, Store, StoreError, Tx,
    audit_events::{self, Actor, Changes, Entity, Event},
    convert::stored,
    jobs::{self, JobSubject, Lease, NewJob},
    members::Place,
    refusals::{lock_namespace, lock_project},
    rows,
};

/// What a project or group has decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetentionPolicy {
    /// Whether it is carried out.
    pub enabled: bool,
    /// Its rules.
    pub rules: Vec<RetentionRule>,
    /// When it is carried out next; never while it is switched off.
    pub next_run_at: Option<OffsetDateTime>,
}

/// What to decide; what is `None` stays. Where nothing was decided yet, a policy is switched on and has no rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetentionPolicyChange {
    /// Whether it is carried out.
    pub enabled: Option<bool>,
    /// Its rules, all of them.
    pub rules: Option<Vec<RetentionRule>>,
}

#[derive(FromQueryResult)]
struct Row {
    enabled: bool,
    rules: serde_json::Value,
    next_run_at: Option<OffsetDateTime>,
}

impl TryFrom<Row> for RetentionPolicy {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let rules = serde_json::from_value(row.rules).map_err(|error| StoreError::Corrupt {
            column: "package_retention_policies.rules",
            value: error.to_string(),
        })?;
        Ok(Self { enabled: row.enabled, rules, next_run_at: row.next_run_at })
    }
}

const OF_PROJECT: &str =
    "SELECT enabled, rules, next_run_at FROM package_retention_policies WHERE project_id = $1";
const OF_GROUP: &str =
    "SELECT enabled, rules, next_run_at FROM package_retention_policies WHERE namespace_id = $1";
const IN_FORCE: &str = "SELECT q.enabled, q.rules, q.next_run_at FROM package_retention_policies q \
    JOIN namespace_ancestors a ON a.ancestor_id = q.namespace_id JOIN projects p ON p.namespace_id = a.descendant_id \
    WHERE p.id = $1 ORDER BY a.depth LIMIT 1";

async fn read(connection: &impl ConnectionTrait, place: Place) -> Result<Option<RetentionPolicy>> {
    let (sql, id) = match place {
        Place::Project(id) => (OF_PROJECT, id.0),
        Place::Group(id) => (OF_GROUP, id.0),
    };
    let row: Option<Row> = rows::one_sql(connection, sql, [Value::from(id)]).await?;
    row.map(RetentionPolicy::try_from).transpose()
}

/// What a place that was opened for seeing it has decided itself.
pub async fn find(store: &Store, place: Place) -> Result<Option<RetentionPolicy>> {
    read(store.reader(), place).await
}

/// The policy that holds for a place: its own, or for a project that of the nearest group above that has one.
pub async fn in_force(store: &Store, place: Place) -> Result<Option<RetentionPolicy>> {
    match (find(store, place).await?, place) {
        (None, Place::Project(id)) => {
            let row: Option<Row> = rows::one_sql(store.reader(), IN_FORCE, [Value::from(id.0)]).await?;
            row.map(RetentionPolicy::try_from).transpose()
        }
        (policy, _) => Ok(policy),
    }
}

/// Decides for a place that was opened for it, and gives what now holds.
pub async fn update(
    store: &Store,
    place: Place,
    change: RetentionPolicyChange,
    now: OffsetDateTime,
) -> Result<RetentionPolicy> {
    if let Some(rules) = &change.rules {
        retention::check(rules)?;
    }
    store
        .write((store.actor(), place, change, stored(now)), |tx, (actor, place, change, now)| {
            Box::pin(apply(tx, actor, *place, change, *now))
        })
        .await
}

async fn apply(
    tx: &Tx,
    actor: &Actor,
    place: Place,
    change: &RetentionPolicyChange,
    now: OffsetDateTime,
) -> Result<RetentionPolicy> {
    let (entity, project, namespace) = match place {
        Place::Project(id) => (Entity::project(&lock_project(tx, id.0).await?), Some(id.0), None),
        Place::Group(id) => (Entity::namespace(&lock_namespace(tx, id.0).await?), None, Some(id.0)),
    };
    let before = read(tx, place).await?;
    let enabled = change.enabled.or(before.as_ref().map(|before| before.enabled)).unwrap_or(true);
    let rules =
        change.rules.clone().or(before.as_ref().map(|before| before.rules.clone())).unwrap_or_default();
    // What is switched on anew is not carried out at once: there is time to look at what would go, and to think better of it.
    let next_run_at = match before.as_ref().and_then(|before| before.next_run_at) {
        Some(next) if enabled => Some(next),
        _ => enabled.then(|| stored(now + CADENCE)),
    };
    let told = |rules: &[RetentionRule]| serde_json::to_value(rules).map_err(|_| Failure::internal());
    let mut changes = Changes::default();
    changes.note("enabled", before.as_ref().map(|before| before.enabled), enabled);
    let old_rules = before.as_ref().map(|before| told(&before.rules)).transpose()?;
    changes.note("rules", old_rules, told(&rules)?);
    if !changes.is_empty() {
        let values = [
            Value::from(project),
            namespace.into(),
            enabled.into(),
            told(&rules)?.into(),
            next_run_at.into(),
            now.into(),
        ];
        let sql = match before {
            Some(_) => {
                "UPDATE package_retention_policies SET enabled = $3, rules = $4, next_run_at = $5, updated_at = $6 \
                 WHERE project_id = $1 OR namespace_id = $2"
            }
            None => {
                "INSERT INTO package_retention_policies (project_id, namespace_id, enabled, rules, next_run_at, \
                 created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6)"
            }
        };
        rows::execute(tx, sql, values).await?;
        let event = Event::about(
            EventKind::RetentionPolicyUpdated,
            entity,
            "Changed the retention policy of packages",
        );
        audit_events::write(tx, actor, event.with(&changes), now).await?;
    }
    Ok(RetentionPolicy { enabled, rules, next_run_at })
}

#[derive(FromQueryResult)]
struct Due {
    project_id: Option<i64>,
    namespace_id: Option<i64>,
}

/// Puts the policies that are due on the list of jobs, each with its next time. Answers how many there were.
pub async fn request_due(store: &Store, lease: &Lease, now: OffsetDateTime) -> Result<u64> {
    store
        .write((lease.clone(), now), |tx, (lease, now)| {
            Box::pin(async move {
                jobs::advance(tx, lease, &serde_json::Value::Null, *now).await?;
                let sql = "UPDATE package_retention_policies SET next_run_at = $2 WHERE next_run_at <= $1 AND enabled \
                           RETURNING project_id, namespace_id";
                let values = [Value::from(stored(*now)), stored(*now + CADENCE).into()];
                let due: Vec<Due> = rows::all_sql(tx, sql, values).await?;
                for policy in &due {
                    let subject = match (policy.project_id, policy.namespace_id) {
                        (Some(id), _) => JobSubject::Project(ProjectId(id)),
                        (None, id) => JobSubject::Group(NamespaceId(id.unwrap_or_default())),
                    };
                    let job = NewJob { kind: JobKind::PackageRetention, subject, every: None, run_at: *now };
                    jobs::request_in(tx, &job, *now).await?;
                }
                Ok(due.len() as u64)
            })
        })
        .await
}

impl From<Place> for RetentionScope {
    fn from(place: Place) -> Self {
        match place {
            Place::Project(id) => Self::Project(id),
            Place::Group(id) => Self::Group(id),
        }
    }
}
