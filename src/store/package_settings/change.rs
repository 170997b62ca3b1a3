//! Changing what holds for a namespace's packages.

use domain::{Duplicates, EventKind, Failure, NamespaceId, PackageFormat, duplicates::check_pattern};
use entity::{format_setting, package_setting};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, Set};
use time::OffsetDateTime;

use super::{FormatSettings, PackageSettings, read};
use crate::{
    Result, Store, Tx,
    audit_events::{self, Actor, Changes, Entity, Event},
    convert::stored,
    refusals::lock_namespace,
};

/// What to change; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackageSettingsChange {
    /// See [`PackageSettings::audit_events_enabled`].
    pub audit_events_enabled: Option<bool>,
    /// See [`PackageSettings::nuget_symbol_server_enabled`].
    pub nuget_symbol_server_enabled: Option<bool>,
    /// What to change of formats, each of them once.
    pub formats: Vec<FormatChange>,
}

/// What to change for one format; what is `None` stays, and `Some(None)` leaves it to the namespaces above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatChange {
    /// The format.
    pub format: PackageFormat,
    /// What holds where nobody has said anything about duplicates.
    pub duplicates_by_default: bool,
    /// Whether the same thing may be published twice.
    pub duplicates_allowed: Option<Option<bool>>,
    /// A pattern of names and versions for which the opposite holds; empty for none.
    pub duplicate_exception: Option<String>,
    /// Whether requests for what is not here are forwarded.
    pub forwarding: Option<Option<bool>>,
    /// Whether those below may not decide otherwise.
    pub forwarding_locked: Option<bool>,
}

impl FormatChange {
    /// No change.
    pub const fn none(format: PackageFormat, duplicates_by_default: bool) -> Self {
        Self {
            format,
            duplicates_by_default,
            duplicates_allowed: None,
            duplicate_exception: None,
            forwarding: None,
            forwarding_locked: None,
        }
    }

    /// Whether it changes nothing.
    pub const fn is_empty(&self) -> bool {
        self.duplicates_allowed.is_none()
            && self.duplicate_exception.is_none()
            && self.forwarding.is_none()
            && self.forwarding_locked.is_none()
    }
}

/// Changes the settings of a namespace that was opened for it, and gives those now in force.
pub async fn update(
    store: &Store,
    namespace: NamespaceId,
    change: PackageSettingsChange,
    now: OffsetDateTime,
) -> Result<PackageSettings> {
    for format in &change.formats {
        if let Some(Err(reason)) = format.duplicate_exception.as_deref().map(check_pattern) {
            return Err(Failure::invalid("duplicate_exception", reason).into());
        }
    }
    store
        .write((store.actor(), namespace, change, stored(now)), |tx, (actor, namespace, change, now)| {
            Box::pin(apply(tx, actor, *namespace, change, *now))
        })
        .await
}

async fn apply(
    tx: &Tx,
    actor: &Actor,
    namespace: NamespaceId,
    change: &PackageSettingsChange,
    now: OffsetDateTime,
) -> Result<PackageSettings> {
    let row = lock_namespace(tx, namespace.0).await?;
    let before = read(tx, namespace).await?;
    set_own(tx, namespace, change, now).await?;
    for format in change.formats.iter().filter(|format| !format.is_empty()) {
        set_format(tx, namespace, &before, format).await?;
    }
    let after = read(tx, namespace).await?;
    let changes = changes(change, &before, &after);
    if !changes.is_empty() {
        let event = Event::about(
            EventKind::PackageSettingsUpdated,
            Entity::namespace(&row),
            "Changed package settings",
        );
        audit_events::write(tx, actor, event.with(&changes), now).await?;
    }
    Ok(after)
}

/// What became different.
fn changes(change: &PackageSettingsChange, before: &PackageSettings, after: &PackageSettings) -> Changes {
    let mut changes = Changes::default();
    changes.note("audit_events_enabled", before.audit_events_enabled, after.audit_events_enabled);
    changes.note(
        "nuget_symbol_server_enabled",
        before.nuget_symbol_server_enabled,
        after.nuget_symbol_server_enabled,
    );
    for format in &change.formats {
        let slug = format.format.slug();
        let (before, after) = (before.of(format.format), after.of(format.format));
        let duplicates = |settings: &FormatSettings| {
            let decided = settings.duplicates.as_ref();
            decided.map(|decided| (decided.value.allowed, decided.value.exception.clone())).unzip()
        };
        let ((allowed_before, exception_before), (allowed_after, exception_after)) =
            (duplicates(&before), duplicates(&after));
        changes.note(&format!("{slug}_duplicates_allowed"), allowed_before, allowed_after);
        changes.note(&format!("{slug}_duplicate_exception_regex"), exception_before, exception_after);
        let what = format!("{slug}_package_requests_forwarding");
        changes.note(&what, before.forwarding, after.forwarding);
        changes.note(&format!("lock_{what}"), before.forwarding_locked, after.forwarding_locked);
    }
    changes
}

async fn set_own(
    tx: &Tx,
    namespace: NamespaceId,
    change: &PackageSettingsChange,
    now: OffsetDateTime,
) -> Result<()> {
    let old = package_setting::Entity::find_by_id(namespace.0).one(tx).await?;
    let is_new = old.is_none();
    let mut row = old.map_or_else(
        || package_setting::ActiveModel {
            namespace_id: Set(namespace.0),
            audit_events_enabled: Set(false),
            nuget_symbol_server_enabled: Set(false),
            ..Default::default()
        },
        IntoActiveModel::into_active_model,
    );
    if let Some(enabled) = change.audit_events_enabled {
        row.audit_events_enabled = Set(enabled);
    }
    if let Some(enabled) = change.nuget_symbol_server_enabled {
        row.nuget_symbol_server_enabled = Set(enabled);
    }
    row.updated_at = Set(now);
    if is_new {
        row.insert(tx).await?
    } else {
        row.update(tx).await?
    };
    Ok(())
}

async fn set_format(
    tx: &Tx,
    namespace: NamespaceId,
    before: &PackageSettings,
    change: &FormatChange,
) -> Result<()> {
    let held = before.of(change.format);
    let decides = change.forwarding.is_some() || change.forwarding_locked.is_some();
    if decides && held.forwarding_locked_above {
        let message = format!(
            "{} package requests forwarding cannot be changed because it is locked by an ancestor or by the instance",
            change.format.title()
        );
        return Err(Failure::invalid("forwarding", message).into());
    }
    let key = (namespace.0, change.format.number());
    let old = format_setting::Entity::find_by_id(key).one(tx).await?;
    let is_new = old.is_none();
    let mut row = old.map_or_else(
        || format_setting::ActiveModel {
            namespace_id: Set(key.0),
            format: Set(key.1),
            duplicates_allowed: Set(None),
            duplicate_exception: Set(String::new()),
            forwarding: Set(None),
            forwarding_locked: Set(false),
        },
        IntoActiveModel::into_active_model,
    );
    if change.duplicates_allowed == Some(None) {
        row.duplicates_allowed = Set(None);
        row.duplicate_exception = Set(String::new());
    } else if change.duplicates_allowed.is_some() || change.duplicate_exception.is_some() {
        // Whoever says one half takes over the other as it held here so far.
        let so_far = held.duplicates.map_or_else(
            || Duplicates::without_exception(change.duplicates_by_default),
            |decided| decided.value,
        );
        row.duplicates_allowed = Set(Some(change.duplicates_allowed.flatten().unwrap_or(so_far.allowed)));
        row.duplicate_exception = Set(change.duplicate_exception.clone().unwrap_or(so_far.exception));
    }
    if let Some(forwarding) = change.forwarding {
        row.forwarding = Set(forwarding);
    }
    if let Some(locked) = change.forwarding_locked {
        row.forwarding_locked = Set(locked);
    }
    if is_new {
        row.insert(tx).await?
    } else {
        row.update(tx).await?
    };
    Ok(())
}
