//! Settings of the whole instance.

use access::InstanceFacts;
use domain::{EventKind, PackageFormat};
use entity::instance_setting;
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, Set, sea_query::OnConflict};
use serde_json::Value;
use time::OffsetDateTime;

use crate::{
    Result, Store, Tx,
    audit_events::{self, Actor, Changes, Entity, Event},
    convert::stored,
    rows,
};

const REGISTRY_ENABLED: &str = "package_registry_enabled";
const ANYONE_MAY_PULL: &str = "package_registry_allow_anyone_to_pull_option";

/// The formats for which GitLab forwards requests.
pub const FORWARDED: [PackageFormat; 4] =
    [PackageFormat::Maven, PackageFormat::Npm, PackageFormat::Pypi, PackageFormat::Rubygems];

/// What the instance says of forwarding requests for what is not here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Forwarding {
    /// Whether they are forwarded where no namespace says otherwise. None where nobody decided.
    pub enabled: Option<bool>,
    /// Whether no namespace may say otherwise.
    pub locked: bool,
}

/// What to change of it; what is `None` stays, and `Some(None)` leaves it undecided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ForwardingChange {
    /// See [`Forwarding::enabled`].
    pub enabled: Option<Option<bool>>,
    /// See [`Forwarding::locked`].
    pub locked: Option<bool>,
}

fn forwarding_key(format: PackageFormat) -> String {
    format!("{}_package_requests_forwarding", format.slug())
}

fn lock_key(format: PackageFormat) -> String {
    format!("lock_{}", forwarding_key(format))
}

/// The instance's settings. What was never set has its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InstanceSettings {
    /// Whether the package registry is on.
    pub package_registry_enabled: bool,
    /// Whether projects may open their registry to everyone.
    pub package_registry_allow_anyone_to_pull_option: bool,
    /// What is said of the formats of [`FORWARDED`], in their order.
    pub forwarding: [Forwarding; FORWARDED.len()],
}

impl InstanceSettings {
    /// The part of the settings that decisions need.
    pub const fn facts(self) -> InstanceFacts {
        InstanceFacts {
            registry_enabled: self.package_registry_enabled,
            anyone_may_pull: self.package_registry_allow_anyone_to_pull_option,
        }
    }
}

/// Settings to change; what is `None` stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InstanceSettingsChange {
    /// See [`InstanceSettings::package_registry_enabled`].
    pub package_registry_enabled: Option<bool>,
    /// See [`InstanceSettings::package_registry_allow_anyone_to_pull_option`].
    pub package_registry_allow_anyone_to_pull_option: Option<bool>,
    /// See [`InstanceSettings::forwarding`].
    pub forwarding: [ForwardingChange; FORWARDED.len()],
}

/// The settings in force.
pub async fn get(store: &Store) -> Result<InstanceSettings> {
    read(store.reader()).await
}

/// Changes settings and gives those now in force. Other replicas follow within a second.
pub async fn update(
    store: &Store,
    change: InstanceSettingsChange,
    now: OffsetDateTime,
) -> Result<InstanceSettings> {
    let settings = store
        .write((store.actor(), change, stored(now)), |tx, (actor, change, now)| {
            Box::pin(async move {
                let before = read(tx).await?;
                set(tx, REGISTRY_ENABLED, change.package_registry_enabled, *now).await?;
                set(tx, ANYONE_MAY_PULL, change.package_registry_allow_anyone_to_pull_option, *now).await?;
                for (format, change) in FORWARDED.into_iter().zip(&change.forwarding) {
                    match change.enabled {
                        Some(None) => unset(tx, &forwarding_key(format)).await?,
                        enabled => set(tx, &forwarding_key(format), enabled.flatten(), *now).await?,
                    }
                    set(tx, &lock_key(format), change.locked, *now).await?;
                }
                let after = read(tx).await?;
                note(tx, actor, before, after, *now).await?;
                Ok(after)
            })
        })
        .await;
    store.forget_instance_facts();
    settings
}

/// Writes down which switches were thrown.
async fn note(
    tx: &Tx,
    actor: &Actor,
    before: InstanceSettings,
    after: InstanceSettings,
    now: OffsetDateTime,
) -> Result<()> {
    let mut changes = Changes::default();
    let registry = |settings: InstanceSettings| settings.package_registry_enabled;
    changes.note(REGISTRY_ENABLED, registry(before), registry(after));
    let option = |settings: InstanceSettings| settings.package_registry_allow_anyone_to_pull_option;
    changes.note(ANYONE_MAY_PULL, option(before), option(after));
    for (format, (before, after)) in
        FORWARDED.into_iter().zip(before.forwarding.iter().zip(&after.forwarding))
    {
        changes.note(&forwarding_key(format), before.enabled, after.enabled);
        changes.note(&lock_key(format), before.locked, after.locked);
    }
    if changes.is_empty() {
        return Ok(());
    }
    let event =
        Event::about(EventKind::InstanceSettingUpdated, Entity::instance(), "Changed application settings");
    audit_events::write(tx, actor, event.with(&changes), now).await
}

/// Reads the settings through `connection`.
pub(crate) async fn read(connection: &impl ConnectionTrait) -> Result<InstanceSettings> {
    let mut keys = vec![REGISTRY_ENABLED.to_owned(), ANYONE_MAY_PULL.to_owned()];
    keys.extend(FORWARDED.into_iter().flat_map(|format| [forwarding_key(format), lock_key(format)]));
    let rows = instance_setting::Entity::find()
        .filter(instance_setting::COLUMN.key.is_in(keys))
        .all(connection)
        .await?;
    let switch = |key: &str| rows.iter().find(|row| row.key == key).and_then(|row| row.value.as_bool());
    Ok(InstanceSettings {
        package_registry_enabled: switch(REGISTRY_ENABLED).unwrap_or(true),
        package_registry_allow_anyone_to_pull_option: switch(ANYONE_MAY_PULL).unwrap_or(true),
        forwarding: FORWARDED.map(|format| Forwarding {
            enabled: switch(&forwarding_key(format)),
            locked: switch(&lock_key(format)).unwrap_or(false),
        }),
    })
}

async fn unset(tx: &Tx, key: &str) -> Result<()> {
    rows::execute(tx, "DELETE FROM instance_settings WHERE key = $1", [key.into()]).await?;
    Ok(())
}

async fn set(tx: &Tx, key: &str, value: Option<bool>, now: OffsetDateTime) -> Result<()> {
    let Some(value) = value else { return Ok(()) };
    write(tx, [(key.to_owned(), value.into())], now).await
}

/// Writes the values of settings, of one at least, over those they had.
pub(crate) async fn write(
    tx: &Tx,
    values: impl IntoIterator<Item = (String, Value)>,
    now: OffsetDateTime,
) -> Result<()> {
    let row = |(key, value)| instance_setting::ActiveModel {
        key: Set(key),
        value: Set(value),
        updated_at: Set(now),
    };
    let columns = [instance_setting::Column::Value, instance_setting::Column::UpdatedAt];
    instance_setting::Entity::insert_many(values.into_iter().map(row))
        .on_conflict(OnConflict::column(instance_setting::Column::Key).update_columns(columns).to_owned())
        .exec_without_returning(tx)
        .await?;
    Ok(())
}
