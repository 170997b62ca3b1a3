//! Settings of the whole instance.

use access::InstanceFacts;
use domain::EventKind;
use entity::instance_setting;
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, Set, sea_query::OnConflict};
use time::OffsetDateTime;

use crate::{
    Result, Store, Tx,
    audit_events::{self, Actor, Changes, Entity, Event},
    convert::stored,
};

const REGISTRY_ENABLED: &str = "package_registry_enabled";
const ANYONE_MAY_PULL: &str = "package_registry_allow_anyone_to_pull_option";

/// The instance's settings. What was never set has its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InstanceSettings {
    /// Whether the package registry is on.
    pub package_registry_enabled: bool,
    /// Whether projects may open their registry to everyone.
    pub package_registry_allow_anyone_to_pull_option: bool,
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
    if changes.is_empty() {
        return Ok(());
    }
    let event =
        Event::about(EventKind::InstanceSettingUpdated, Entity::instance(), "Changed application settings");
    audit_events::write(tx, actor, event.with(&changes), now).await
}

/// Reads the settings through `connection`.
pub(crate) async fn read(connection: &impl ConnectionTrait) -> Result<InstanceSettings> {
    let rows = instance_setting::Entity::find()
        .filter(instance_setting::COLUMN.key.is_in([REGISTRY_ENABLED, ANYONE_MAY_PULL]))
        .all(connection)
        .await?;
    let switch = |key: &str| rows.iter().find(|row| row.key == key).and_then(|row| row.value.as_bool());
    Ok(InstanceSettings {
        package_registry_enabled: switch(REGISTRY_ENABLED).unwrap_or(true),
        package_registry_allow_anyone_to_pull_option: switch(ANYONE_MAY_PULL).unwrap_or(true),
    })
}

async fn set(tx: &Tx, key: &str, value: Option<bool>, now: OffsetDateTime) -> Result<()> {
    let Some(value) = value else { return Ok(()) };
    let row = instance_setting::ActiveModel {
        key: Set(key.to_owned()),
        value: Set(value.into()),
        updated_at: Set(now),
    };
    let columns = [instance_setting::Column::Value, instance_setting::Column::UpdatedAt];
    instance_setting::Entity::insert(row)
        .on_conflict(OnConflict::column(instance_setting::Column::Key).update_columns(columns).to_owned())
        .exec_without_returning(tx)
        .await?;
    Ok(())
}
