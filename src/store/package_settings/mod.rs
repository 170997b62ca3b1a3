//! What owners of a namespace decide about its packages.
//!
//! What is said for one format holds in everything below, until a namespace there says otherwise. Whether packages are audited
//! is each namespace's own affair, as in GitLab.

mod change;

use std::collections::BTreeMap;

use domain::{Duplicates, NamespaceId, PackageFormat, ProjectId};
use entity::package_setting;
use sea_orm::{ConnectionTrait, EntityTrait, FromQueryResult, Value};

pub use change::{FormatChange, PackageSettingsChange, update};

use crate::{
    Result, Store, convert,
    instance_settings::{self, FORWARDED},
    rows,
};

/// The settings of a namespace, with what those above say filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackageSettings {
    /// Whether publishing and deleting in the namespace's own projects is audited.
    pub audit_events_enabled: bool,
    /// Whether symbols of NuGet packages are served.
    pub nuget_symbol_server_enabled: bool,
    formats: BTreeMap<PackageFormat, FormatSettings>,
}

/// What holds for one format in a namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormatSettings {
    /// Whether the same thing may be published twice, and who says so. None where nobody does.
    pub duplicates: Option<Decided<Duplicates>>,
    /// Whether requests for what is not here are forwarded. None where nobody says.
    pub forwarding: Option<bool>,
    /// Whether the namespace keeps those below from deciding about forwarding.
    pub forwarding_locked: bool,
    /// Whether a namespace above, or the instance, keeps this one from it.
    pub forwarding_locked_above: bool,
}

/// Something that was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided<T> {
    /// What.
    pub value: T,
    /// Whether by a namespace above.
    pub inherited: bool,
}

impl PackageSettings {
    /// What holds for `format`.
    pub fn of(&self, format: PackageFormat) -> FormatSettings {
        self.formats.get(&format).cloned().unwrap_or_default()
    }
}

/// What one namespace says about one format, and how far above the namespace in question it stands.
#[derive(Clone, Debug, FromQueryResult)]
struct Said {
    depth: i32,
    format: i16,
    duplicates_allowed: Option<bool>,
    duplicate_exception: String,
    forwarding: Option<bool>,
    forwarding_locked: bool,
}

const SAID: &str = "SELECT a.depth, f.format, f.duplicates_allowed, f.duplicate_exception, f.forwarding, \
    f.forwarding_locked FROM namespace_ancestors a JOIN format_settings f ON f.namespace_id = a.ancestor_id \
    WHERE a.descendant_id = $1 ORDER BY a.depth";

/// The settings of a namespace that was opened for seeing them.
pub async fn find(store: &Store, namespace: NamespaceId) -> Result<PackageSettings> {
    read(store.reader(), namespace).await
}

async fn read(connection: &impl ConnectionTrait, namespace: NamespaceId) -> Result<PackageSettings> {
    let own = package_setting::Entity::find_by_id(namespace.0).one(connection).await?;
    let mut settings = PackageSettings {
        audit_events_enabled: own.as_ref().is_some_and(|own| own.audit_events_enabled),
        nuget_symbol_server_enabled: own.is_some_and(|own| own.nuget_symbol_server_enabled),
        formats: BTreeMap::new(),
    };
    // From the namespace itself upwards: the first to say something is heard, but for a lock, where the highest is.
    for said in rows::all_sql::<Said>(connection, SAID, [Value::from(namespace.0)]).await? {
        let inherited = said.depth > 0;
        let format = settings.formats.entry(convert::format(said.format)?).or_default();
        if let Some(allowed) = said.duplicates_allowed.filter(|_| format.duplicates.is_none()) {
            let value = Duplicates { allowed, exception: said.duplicate_exception };
            format.duplicates = Some(Decided { value, inherited });
        }
        if format.forwarding.is_none() || (inherited && said.forwarding_locked) {
            format.forwarding = said.forwarding;
        }
        if inherited {
            format.forwarding_locked_above |= said.forwarding_locked;
        } else {
            format.forwarding_locked = said.forwarding_locked;
        }
    }
    // Above them all stands the instance.
    let instance = instance_settings::read(connection).await?;
    for (format, said) in FORWARDED.into_iter().zip(instance.forwarding) {
        let format = settings.formats.entry(format).or_default();
        if format.forwarding.is_none() || said.locked {
            format.forwarding = said.enabled;
        }
        format.forwarding_locked_above |= said.locked;
    }
    Ok(settings)
}

/// What the namespaces over a project say about duplicates of one format, nearest first. One statement.
pub async fn duplicates(
    store: &Store,
    namespace: NamespaceId,
    format: PackageFormat,
) -> Result<Vec<Duplicates>> {
    #[derive(FromQueryResult)]
    struct Row {
        duplicates_allowed: bool,
        duplicate_exception: String,
    }
    let sql = "SELECT f.duplicates_allowed, f.duplicate_exception FROM namespace_ancestors a \
               JOIN format_settings f ON f.namespace_id = a.ancestor_id AND f.format = $2 \
               WHERE a.descendant_id = $1 AND f.duplicates_allowed IS NOT NULL ORDER BY a.depth";
    let values = [Value::from(namespace.0), format.number().into()];
    let said = rows::all_sql::<Row>(store.reader(), sql, values).await?;
    let duplicates = said
        .into_iter()
        .map(|row| Duplicates { allowed: row.duplicates_allowed, exception: row.duplicate_exception });
    Ok(duplicates.collect())
}

/// Whether another project below the top-level namespace of `project` has a package of this name.
pub async fn is_name_taken(
    store: &Store,
    project: ProjectId,
    namespace: NamespaceId,
    format: PackageFormat,
    name_key: &str,
) -> Result<bool> {
    #[derive(FromQueryResult)]
    struct Taken {
        #[expect(dead_code, reason = "that there is a row is the answer")]
        id: i64,
    }
    let sql = "SELECT k.id FROM namespace_ancestors up JOIN namespaces top ON top.id = up.ancestor_id \
               JOIN namespace_ancestors down ON down.ancestor_id = top.id \
               JOIN projects p ON p.namespace_id = down.descendant_id \
               JOIN package_names n ON n.project_id = p.id AND n.format = $3 AND n.name_key = $4 \
               JOIN packages k ON k.name_id = n.id AND k.deleted_at IS NULL \
               WHERE up.descendant_id = $1 AND top.parent_id IS NULL AND p.id <> $2 AND p.deleted_at IS NULL LIMIT 1";
    let values = [namespace.0.into(), project.0.into(), format.number().into(), name_key.into()];
    Ok(rows::one_sql::<Taken>(store.reader(), sql, values).await?.is_some())
}
