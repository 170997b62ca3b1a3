//! Events about packages, which are written where the project's own namespace wants them (GitLab's `auditEventsEnabled`).

use domain::{EntityType, EventKind, NamespaceId, PackageFormat, ProjectId};
use sea_orm::{FromQueryResult, Value};
use time::OffsetDateTime;

use super::{Actor, Entity, Event, Target, write};
use crate::{Result, Tx, convert, groups::NamespaceKind, rows};

/// What has to be known of a package and where it stands. There is no row where nobody wants to know.
#[derive(FromQueryResult)]
struct Subject {
    id: i64,
    format: i16,
    name: String,
    version: Option<String>,
    project_id: i64,
    project_path: String,
    namespace_id: i64,
    namespace_path: String,
    namespace_kind: i16,
}

impl Subject {
    /// The group, or the project where it stands in a user's own namespace: as in GitLab.
    fn entity(&self) -> Entity {
        let project = Some(ProjectId(self.project_id));
        if self.namespace_kind == NamespaceKind::Group.number() {
            let id = Some(NamespaceId(self.namespace_id).0);
            Entity { kind: EntityType::Group, id, path: self.namespace_path.clone(), project }
        } else {
            let id = Some(self.project_id);
            Entity { kind: EntityType::Project, id, path: self.project_path.clone(), project }
        }
    }

    fn target(&self, format: PackageFormat) -> Target {
        let details = match &self.version {
            Some(version) => format!("{}/{}-{version}", self.project_path, self.name),
            None => format!("{}/{}", self.project_path, self.name),
        };
        Target::new(format!("Packages::{format:?}::Package"), self.id, details)
    }
}

/// The format as GitLab begins a sentence with it: `Generic`, `Terraform module`.
fn humanized(format: PackageFormat) -> String {
    let slug = format.slug().replace('_', " ");
    let mut letters = slug.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What was done to a package.
pub(crate) struct Done {
    kind: EventKind,
    /// Ends the sentence that begins with the format.
    text: &'static str,
    /// With what.
    detail: Option<(&'static str, String)>,
}

impl Done {
    /// `text` ends the sentence that begins with the format.
    pub(crate) const fn new(kind: EventKind, text: &'static str) -> Self {
        Self { kind, text, detail: None }
    }

    /// The same, with something named `key`.
    pub(crate) fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.detail = Some((key, value.into()));
        self
    }
}

/// Writes down what was done to a package.
pub(crate) async fn note(
    tx: &Tx,
    actor: &Actor,
    done: &Done,
    package: i64,
    now: OffsetDateTime,
) -> Result<()> {
    let sql = "SELECT k.id, k.format, k.name, k.version, p.id AS project_id, p.full_path AS project_path, \
               n.id AS namespace_id, n.full_path AS namespace_path, n.kind AS namespace_kind \
               FROM packages k JOIN projects p ON p.id = k.project_id JOIN namespaces n ON n.id = p.namespace_id \
               JOIN package_settings s ON s.namespace_id = n.id WHERE k.id = $1 AND s.audit_events_enabled";
    let Some(subject) = rows::one_sql::<Subject>(tx, sql, [Value::from(package)]).await? else {
        return Ok(());
    };
    let format = convert::format(subject.format)?;
    let message = format!("{} package {}", humanized(format), done.text);
    let mut event = Event::about(done.kind, subject.entity(), message).on(subject.target(format));
    event.package = Some((format, subject.name));
    if let Some((key, value)) = &done.detail {
        event.details.insert((*key).to_owned(), value.as_str().into());
    }
    write(tx, actor, event, now).await
}
