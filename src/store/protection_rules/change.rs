//! Creating, changing and deleting rules.

use domain::{
    ErrorCode, EventKind, Failure, PackageFormat, ProtectionLevel, ProtectionLevels, ProtectionRuleId,
    Subject, protection::MAX_PATTERN_LENGTH,
};
use entity::protection_rule;
use sea_orm::{
    ActiveModelTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QuerySelect, Set,
};
use time::OffsetDateTime;

use super::{ProtectionRule, find::read, levels};
use crate::{
    Result, Store, StoreError, Tx,
    audit_events::{self, Actor, Changes, Entity, Event, Target},
    convert::{self, stored},
    members::Place,
    refusals::{lock_namespace, lock_project},
};

/// Most rules of one place: every publish reads them.
pub const MOST_RULES: u64 = 500;

/// A rule to create. Whether the pattern fits the format's names is asked by whoever knows the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProtectionRule {
    /// Where it shall hold.
    pub place: Place,
    /// The format of the packages it covers.
    pub format: PackageFormat,
    /// Their names.
    pub pattern: String,
    /// What it asks for.
    pub levels: ProtectionLevels,
}

/// What to change of a rule; what is `None` stays, and `Some(None)` asks for nothing any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProtectionRuleChange {
    /// The format.
    pub format: Option<PackageFormat>,
    /// The pattern.
    pub pattern: Option<String>,
    /// Who may publish.
    pub push: Option<Option<ProtectionLevel>>,
    /// Who may delete.
    pub delete: Option<Option<ProtectionLevel>>,
}

/// Refuses what can be no rule of any format, in GitLab's words. [`create`] and [`update`] ask again.
pub fn check(pattern: &str, levels: ProtectionLevels) -> Result<()> {
    let refuse = |field: &'static str, message: String| Err(Failure::invalid(field, message).into());
    if pattern.trim().is_empty() {
        return refuse("packageNamePattern", "Package name pattern can't be blank".to_owned());
    }
    if pattern.chars().count() > MAX_PATTERN_LENGTH {
        let message =
            format!("Package name pattern is too long (maximum is {MAX_PATTERN_LENGTH} characters)");
        return refuse("packageNamePattern", message);
    }
    if pattern.chars().any(char::is_control) {
        let message = "Package name pattern is invalid: it holds a control character".to_owned();
        return refuse("packageNamePattern", message);
    }
    if levels == ProtectionLevels::default() {
        let message = "A rule must have at least a minimum access role for push or delete.".to_owned();
        return refuse("minimumAccessLevelForPush", message);
    }
    Ok(())
}

fn taken() -> Failure {
    Failure {
        field: Some("packageNamePattern".into()),
        ..Failure::new(ErrorCode::Duplicate, "Package name pattern has already been taken")
    }
}

/// Creates a rule in a place that was opened for it.
pub async fn create(store: &Store, new: NewProtectionRule, now: OffsetDateTime) -> Result<ProtectionRule> {
    check(&new.pattern, new.levels)?;
    store
        .write((store.actor(), new, stored(now)), |tx, (actor, new, now)| {
            Box::pin(insert(tx, actor, new, *now))
        })
        .await
}

/// The place's ids, its row locked until the end of the transaction, and what its events belong to.
async fn lock(tx: &Tx, place: Place) -> Result<(Option<i64>, Option<i64>, Entity)> {
    Ok(match place {
        Place::Project(id) => {
            let row = lock_project(tx, id.0).await?;
            (Some(row.id), None, Entity::project(&row))
        }
        Place::Group(id) => {
            let row = lock_namespace(tx, id.0).await?;
            (None, Some(row.id), Entity::namespace(&row))
        }
    })
}

async fn insert(
    tx: &Tx,
    actor: &Actor,
    new: &NewProtectionRule,
    now: OffsetDateTime,
) -> Result<ProtectionRule> {
    let (project_id, namespace_id, entity) = lock(tx, new.place).await?;
    let of_place = match (project_id, namespace_id) {
        (Some(id), _) => protection_rule::COLUMN.project_id.eq(id),
        (None, id) => protection_rule::COLUMN.namespace_id.eq(id),
    };
    if protection_rule::Entity::find().filter(of_place).count(tx).await? >= MOST_RULES {
        let message = format!(
            "There are {MOST_RULES} protection rules here already: delete some, or write wider patterns"
        );
        return Err(Failure::new(ErrorCode::Quota, message).into());
    }
    let row = protection_rule::ActiveModel {
        project_id: Set(project_id),
        namespace_id: Set(namespace_id),
        format: Set(new.format.number()),
        pattern: Set(new.pattern.clone()),
        push_level: Set(new.levels.push.map(ProtectionLevel::number)),
        delete_level: Set(new.levels.delete.map(ProtectionLevel::number)),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    let inserted = row.insert(tx).await.map_err(StoreError::from);
    let row = inserted.map_err(|error| error.unique_as(taken))?;
    let done =
        Done { kind: EventKind::ProtectionRuleCreated, what: "Created", changes: changes(None, Some(&row))? };
    note(tx, actor, entity, &row, done, now).await?;
    gone_or(read(tx, ProtectionRuleId(row.id)).await?)
}

fn missing() -> StoreError {
    Failure::not_found(Subject::ProtectionRule).into()
}

fn gone_or(rule: Option<ProtectionRule>) -> Result<ProtectionRule> {
    rule.ok_or_else(missing)
}

/// The row of a rule, locked, with what its events belong to.
async fn lock_rule(tx: &Tx, id: ProtectionRuleId) -> Result<(protection_rule::Model, Entity)> {
    let row =
        protection_rule::Entity::find_by_id(id.0).lock_exclusive().one(tx).await?.ok_or_else(missing)?;
    let entity = match (row.project_id, row.namespace_id) {
        (Some(id), _) => Entity::of_project(tx, domain::ProjectId(id)).await?,
        (None, id) => Entity::of_group(tx, domain::NamespaceId(id.unwrap_or_default())).await?,
    };
    Ok((row, entity.ok_or_else(missing)?))
}

/// Changes a rule whose place was opened for it, and gives it as it now is.
pub async fn update(
    store: &Store,
    id: ProtectionRuleId,
    change: ProtectionRuleChange,
    now: OffsetDateTime,
) -> Result<ProtectionRule> {
    store
        .write((store.actor(), id, change, stored(now)), |tx, (actor, id, change, now)| {
            Box::pin(apply(tx, actor, *id, change, *now))
        })
        .await
}

async fn apply(
    tx: &Tx,
    actor: &Actor,
    id: ProtectionRuleId,
    change: &ProtectionRuleChange,
    now: OffsetDateTime,
) -> Result<ProtectionRule> {
    let (old, entity) = lock_rule(tx, id).await?;
    let held = levels(old.push_level, old.delete_level)?;
    let wanted = ProtectionLevels {
        push: change.push.unwrap_or(held.push),
        delete: change.delete.unwrap_or(held.delete),
    };
    check(change.pattern.as_deref().unwrap_or(&old.pattern), wanted)?;
    let mut row = old.clone().into_active_model();
    if let Some(format) = change.format {
        row.format = Set(format.number());
    }
    if let Some(pattern) = &change.pattern {
        row.pattern = Set(pattern.clone());
    }
    row.push_level = Set(wanted.push.map(ProtectionLevel::number));
    row.delete_level = Set(wanted.delete.map(ProtectionLevel::number));
    row.updated_at = Set(now);
    let updated = row.update(tx).await.map_err(StoreError::from);
    let new = updated.map_err(|error| error.unique_as(taken))?;
    let changes = changes(Some(&old), Some(&new))?;
    if !changes.is_empty() {
        let done = Done { kind: EventKind::ProtectionRuleUpdated, what: "Changed", changes };
        note(tx, actor, entity, &new, done, now).await?;
    }
    gone_or(read(tx, id).await?)
}

/// Deletes a rule whose place was opened for it, and gives it as it was.
pub async fn delete(store: &Store, id: ProtectionRuleId, now: OffsetDateTime) -> Result<ProtectionRule> {
    store
        .write((store.actor(), id, stored(now)), |tx, (actor, id, now)| {
            Box::pin(async move {
                let (row, entity) = lock_rule(tx, *id).await?;
                let rule = gone_or(read(tx, *id).await?)?;
                protection_rule::Entity::delete_by_id(id.0).exec(tx).await?;
                let changes = changes(Some(&row), None)?;
                let done = Done { kind: EventKind::ProtectionRuleDeleted, what: "Deleted", changes };
                note(tx, actor, entity, &row, done, *now).await?;
                Ok(rule)
            })
        })
        .await
}

/// What became different, from nothing for a new rule and to nothing for a deleted one.
fn changes(old: Option<&protection_rule::Model>, new: Option<&protection_rule::Model>) -> Result<Changes> {
    type Shown = (Option<String>, Option<&'static str>, Option<&'static str>, Option<&'static str>);
    let shown = |row: Option<&protection_rule::Model>| -> Result<Shown> {
        let Some(row) = row else { return Ok((None, None, None, None)) };
        let ProtectionLevels { push, delete } = levels(row.push_level, row.delete_level)?;
        let format = convert::format(row.format)?.slug();
        let name = |level: Option<ProtectionLevel>| level.map(ProtectionLevel::name);
        Ok((Some(row.pattern.clone()), Some(format), name(push), name(delete)))
    };
    let (old, new) = (shown(old)?, shown(new)?);
    let mut changes = Changes::default();
    changes.note("package_name_pattern", old.0, new.0);
    changes.note("package_type", old.1, new.1);
    changes.note("minimum_access_level_for_push", old.2, new.2);
    changes.note("minimum_access_level_for_delete", old.3, new.3);
    Ok(changes)
}

/// What became of a rule.
struct Done {
    kind: EventKind,
    /// Begins the sentence.
    what: &'static str,
    changes: Changes,
}

/// Writes down what became of a rule.
async fn note(
    tx: &Tx,
    actor: &Actor,
    entity: Entity,
    row: &protection_rule::Model,
    Done { kind, what, changes }: Done,
    now: OffsetDateTime,
) -> Result<()> {
    let format = convert::format(row.format)?;
    let message = format!("{what} protection rule {} of {} packages", row.pattern, format.title());
    let target = Target::new("Packages::Protection::Rule", row.id, &row.pattern);
    let mut event = Event::about(kind, entity, message).on(target).with(&changes);
    event.package = Some((format, row.pattern.clone()));
    audit_events::write(tx, actor, event, now).await
}
