//! Writing an event, in the transaction of its change.

use domain::{AuthorType, EntityType, EventKind, NamespaceId, PackageFormat, ProjectId};
use entity::{audit_event, namespace, project};
use sea_orm::{EntityTrait, Set};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::Actor;
use crate::{Result, Tx, convert::stored, groups::NamespaceKind};

/// What an event belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Entity {
    pub(super) kind: EntityType,
    pub(super) id: Option<i64>,
    pub(super) path: String,
    pub(super) project: Option<ProjectId>,
}

impl Entity {
    /// The instance.
    pub(crate) fn instance() -> Self {
        Self { kind: EntityType::Instance, id: None, path: "gitlab_instance".to_owned(), project: None }
    }

    /// A user.
    pub(crate) fn user(id: i64, username: &str) -> Self {
        Self { kind: EntityType::User, id: Some(id), path: username.to_owned(), project: None }
    }

    /// A group; for a user's own namespace the user.
    pub(crate) fn namespace(row: &namespace::Model) -> Self {
        match row.owner_id.filter(|_| row.kind == NamespaceKind::User.number()) {
            Some(owner) => Self::user(owner, &row.full_path),
            None => {
                Self { kind: EntityType::Group, id: Some(row.id), path: row.full_path.clone(), project: None }
            }
        }
    }

    /// The group with this id, if there is one. Deleted ones are there: what became of them is read by whoever is above.
    pub(crate) async fn of_group(tx: &Tx, id: NamespaceId) -> Result<Option<Self>> {
        Ok(namespace::Entity::find_by_id(id.0).one(tx).await?.as_ref().map(Self::namespace))
    }

    /// The project with this id, if there is one.
    pub(crate) async fn of_project(tx: &Tx, id: ProjectId) -> Result<Option<Self>> {
        Ok(project::Entity::find_by_id(id.0).one(tx).await?.as_ref().map(Self::project))
    }

    /// A project.
    pub(crate) fn project(row: &project::Model) -> Self {
        Self {
            kind: EntityType::Project,
            id: Some(row.id),
            path: row.full_path.clone(),
            project: Some(ProjectId(row.id)),
        }
    }
}

/// What was changed.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// GitLab's name of its class.
    pub(crate) kind: String,
    /// Its id.
    pub(crate) id: Option<i64>,
    /// What it is, for reading.
    pub(crate) details: String,
}

impl Target {
    /// Something of a class that GitLab calls `kind`.
    pub(crate) fn new(kind: impl Into<String>, id: i64, details: impl Into<String>) -> Self {
        Self { kind: kind.into(), id: Some(id), details: details.into() }
    }
}

impl From<&Entity> for Target {
    fn from(entity: &Entity) -> Self {
        Self { kind: entity.kind.name().to_owned(), id: entity.id, details: entity.path.clone() }
    }
}

/// What changed, from what to what. What stayed is left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes(Vec<(String, Value, Value)>);

impl Changes {
    /// Notes that `what` changed, unless it did not.
    pub(crate) fn note(&mut self, what: &str, from: impl Into<Value>, to: impl Into<Value>) {
        let (from, to) = (from.into(), to.into());
        if from != to {
            self.0.push((what.to_owned(), from, to));
        }
    }

    /// Whether nothing changed.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One change in GitLab's keys, several in a list of such.
    fn details(&self) -> Map<String, Value> {
        let detail =
            |(what, from, to): &(String, Value, Value)| json!({ "change": what, "from": from, "to": to });
        let details = match self.0.as_slice() {
            [] => json!({}),
            [only] => detail(only),
            several => json!({ "changes": several.iter().map(detail).collect::<Vec<_>>() }),
        };
        match details {
            Value::Object(details) => details,
            _ => Map::new(),
        }
    }
}

/// An event to write.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) kind: EventKind,
    pub(crate) entity: Entity,
    pub(crate) target: Target,
    pub(crate) package: Option<(PackageFormat, String)>,
    pub(crate) message: String,
    pub(crate) details: Map<String, Value>,
}

impl Event {
    /// An event about the entity itself.
    pub(crate) fn about(kind: EventKind, entity: Entity, message: impl Into<String>) -> Self {
        let target = Target::from(&entity);
        Self { kind, entity, target, package: None, message: message.into(), details: Map::new() }
    }

    /// The same event about something that belongs to the entity.
    pub(crate) fn on(mut self, target: Target) -> Self {
        self.target = target;
        self
    }

    /// The same event with what changed.
    pub(crate) fn with(mut self, changes: &Changes) -> Self {
        self.details = changes.details();
        self
    }
}

/// An attribute that may have changed: the event that says so, its name, what it was and what it is.
pub(crate) type Attribute<'a> = (EventKind, &'static str, &'a str, &'a str);

/// Writes an event for each attribute that changed, as GitLab does.
pub(crate) async fn write_attributes(
    tx: &Tx,
    actor: &Actor,
    entity: Entity,
    attributes: &[Attribute<'_>],
    now: OffsetDateTime,
) -> Result<()> {
    for (kind, what, from, to) in attributes {
        let mut changes = Changes::default();
        changes.note(what, *from, *to);
        if !changes.is_empty() {
            let message = format!("Changed {what} from {from} to {to}");
            write(tx, actor, Event::about(*kind, entity.clone(), message).with(&changes), now).await?;
        }
    }
    Ok(())
}

/// Writes an event.
pub(crate) async fn write(tx: &Tx, actor: &Actor, event: Event, now: OffsetDateTime) -> Result<()> {
    let Event { kind, entity, target, package, message, mut details } = event;
    if let Some(token) = actor.token_type() {
        details.insert("auth_token_type".to_owned(), token.into());
    }
    if let Some(address) = actor.address {
        details.insert("ip_address".to_owned(), address.to_string().into());
    }
    let (format, name) = package.unzip();
    let row = audit_event::ActiveModel {
        name: Set(kind.name().to_owned()),
        entity_type: Set(entity.kind.number()),
        entity_id: Set(entity.id),
        entity_path: Set(entity.path),
        project_id: Set(entity.project.map(|project| project.0)),
        author_type: Set(AuthorType::number(actor.author)),
        author_id: Set(actor.id),
        author_name: Set(actor.name.clone()),
        target_type: Set(target.kind),
        target_id: Set(target.id),
        target_details: Set(target.details),
        package_format: Set(format.map(PackageFormat::number)),
        package_name: Set(name),
        message: Set(message),
        details: Set(Value::Object(details)),
        created_at: Set(stored(now)),
        ..Default::default()
    };
    audit_event::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}
