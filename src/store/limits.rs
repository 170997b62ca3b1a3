//! Limits of the whole instance. They stand among its settings, each in a row of its own under its name: a limit that a later
//! release adds, or that of a new format, needs no new table. What was never set has its default, which the caller knows.

use std::collections::BTreeMap;

use domain::{EventKind, InstanceLimits};
use entity::instance_setting;
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::Value;
use time::OffsetDateTime;

use crate::{
    Result, Store,
    audit_events::{self, Changes, Entity, Event},
    convert::stored,
    instance_settings,
};

/// The limits in force.
pub async fn get(store: &Store, defaults: InstanceLimits) -> Result<InstanceLimits> {
    read(store.reader(), defaults).await
}

/// Changes the settings of `change`, by name, and gives the limits now in force. Refuses what is out of bounds.
pub async fn update(
    store: &Store,
    defaults: InstanceLimits,
    change: BTreeMap<String, Value>,
    now: OffsetDateTime,
) -> Result<InstanceLimits> {
    store
        .write((store.actor(), defaults, change, stored(now)), |tx, (actor, defaults, change, now)| {
            Box::pin(async move {
                let before = read(tx, defaults.clone()).await?;
                let after = before.clone().with(change).check()?;
                let mut changes = Changes::default();
                let mut written = Vec::new();
                for ((name, from), (_, to)) in before.values().into_iter().zip(after.values()) {
                    changes.note(&name, from.clone(), to.clone());
                    if from != to {
                        written.push((name, to));
                    }
                }
                if !written.is_empty() {
                    instance_settings::write(tx, written, *now).await?;
                    let kind = EventKind::InstanceSettingUpdated;
                    let event = Event::about(kind, Entity::instance(), "Changed limits").with(&changes);
                    audit_events::write(tx, actor, event, *now).await?;
                }
                Ok(after)
            })
        })
        .await
}

async fn read(connection: &impl ConnectionTrait, defaults: InstanceLimits) -> Result<InstanceLimits> {
    let rows = instance_setting::Entity::find().all(connection).await?;
    let values = rows.into_iter().map(|row| (row.key, row.value)).collect();
    Ok(defaults.with(&values))
}
