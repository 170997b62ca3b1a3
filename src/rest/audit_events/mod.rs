//! The audit logs of groups, projects and the instance.

mod export;
mod list;

use domain::{EntityType, EventKind, Failure};
use gateway::{Call, Intent, Levels, RouteTable, scalars::number_of};
use http::Method;
use serde_json::{Value, json};

use crate::{
    params::{Direction, Params, enum_named, invalid},
    shape::{Place, id, user_gid},
};

gateway::operations!("audit_events/operations.graphql": RestAuditEvents);

use rest_audit_events::{
    AuditEventEntityType, AuditEventFilterInput, AuditEventScopeInput, AuditEventSort,
    RestAuditEventsAuditEventsNodes as Event,
};

/// An event as every route shows one.
fn event_json(event: &Event) -> Value {
    json!({
        "id": id(&event.id),
        "author_id": author_number(event.author_id.as_deref(), &event.author_class),
        "entity_id": event.entity_id.unwrap_or(THE_INSTANCE),
        "entity_type": event.entity_type,
        "event_name": event.event_name,
        "event_type": event.event_name,
        "author_name": event.author_name,
        "entity_path": event.entity_path,
        "target_type": event.target_type,
        "target_id": event.target_id,
        "target_details": event.target_details,
        "ip_address": event.details["ip_address"],
        "details": event.details,
        "created_at": event.created_at,
    })
}

/// The number that GitLab gives the instance.
const THE_INSTANCE: i64 = 1;

/// Adds the routes of this noun.
pub(crate) fn routes(table: &mut RouteTable) {
    let places = [
        ("/api/v4/audit_events".to_owned(), None),
        (format!("{}/audit_events", Place::Group.prefix()), Some(Place::Group)),
        (format!("{}/audit_events", Place::Project.prefix()), Some(Place::Project)),
    ];
    for (all, place) in places {
        let levels = Levels::Project;
        let one = format!("{all}/{{audit_event_id}}");
        let export = format!("{all}/export.ndjson");
        table.route(Method::GET, levels, &all, Intent::Read, move |call| list::list(call, place));
        table.route(Method::GET, levels, &export, Intent::Read, move |call| export::export(call, place));
        table.route(Method::GET, levels, &one, Intent::Read, move |call| list::show(call, place));
    }
}

/// The id of a user, or GitLab's number for what is none.
fn author_number(author: Option<&str>, class: &str) -> i64 {
    match author.and_then(number_of) {
        Some(number) => number,
        None if class == "Gitlab::Audit::DeployTokenAuthor" => -2,
        None => -1,
    }
}

/// What `projectPath` and `groupPath` of a scope are.
fn scope(call: &Call, place: Option<Place>) -> AuditEventScopeInput {
    let (project_path, group_path) = place.map_or((None, None), |place| place.paths(call));
    AuditEventScopeInput { project_path, group_path }
}

/// What a list is restricted to, and its order. Beside GitLab's parameters: the kind, the author and the package (ours).
struct Wanted {
    filter: AuditEventFilterInput,
    sort: AuditEventSort,
}

impl Wanted {
    fn read(params: &Params) -> Result<Self, Failure> {
        let event_names = params.texts("event_name")?.map(|names| {
            names
                .iter()
                .map(|name| {
                    let known = EventKind::ALL.iter().find(|kind| kind.name() == name);
                    known.and_then(|kind| enum_named(&kind.name().to_ascii_uppercase())).ok_or_else(|| {
                        Failure::invalid("event_name", "event_name does not have a valid value")
                    })
                })
                .collect()
        });
        let entity_type = params.choice("entity_type", |name| {
            enum_named(match EntityType::from_name(name)? {
                EntityType::Instance => "INSTANCE",
                EntityType::User => "USER",
                EntityType::Group => "GROUP",
                EntityType::Project => "PROJECT",
            })
        })?;
        // GitLab numbers the instance; here it has no number.
        let entity_id = match &entity_type {
            Some(AuditEventEntityType::Instance) => None,
            _ => params.number("entity_id")?,
        };
        let entity_id = match entity_id.map(i32::try_from).transpose() {
            Ok(id) => id.map(i64::from),
            Err(_) => return Err(invalid("entity_id")),
        };
        let filter = AuditEventFilterInput {
            id: None,
            event_names: event_names.transpose()?,
            author_id: params.number("author_id")?.map(user_gid),
            deploy_token_id: None,
            author_name: params.text("author_name")?,
            package_type: params.choice("package_type", |name| {
                enum_named(domain::PackageFormat::from_slug(name)?.sdl_name())
            })?,
            package_name: params.text("package_name")?,
            created_after: params.instant("created_after")?,
            created_before: params.instant("created_before")?,
            entity_type,
            entity_id,
        };
        let sort = match params.direction()? {
            Some(Direction::Ascending) => AuditEventSort::CreatedAsc,
            _ => AuditEventSort::CreatedDesc,
        };
        Ok(Self { filter, sort })
    }
}
