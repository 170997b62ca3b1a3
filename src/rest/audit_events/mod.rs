//! The audit logs of groups, projects and the instance.

mod export;
mod list;

use domain::{EntityType, EventKind, Failure};
use gateway::{Call, Intent, Levels, RouteTable, scalars::number_of};
use http::Method;

use crate::{
    params::{Direction, Params, enum_named},
    shape::{Place, user_gid},
};

gateway::operations!("audit_events/operations.graphql": RestAuditEvents, RestExportAuditEvents);

/// An event as every route shows one.
macro_rules! event_json {
    ($event:expr) => {{
        let event = $event;
        serde_json::json!({
            "id": $crate::shape::id(&event.id),
            "author_id": $crate::audit_events::author_number(event.author_id.as_deref(), &event.author_class),
            "entity_id": event.entity_id.unwrap_or($crate::audit_events::THE_INSTANCE),
            "entity_type": event.entity_type,
            "event_name": event.event_name,
            "event_type": event.event_name,
            "author_name": event.author_name,
            "entity_path": event.entity_path,
            "target_type": event.target_type,
            "target_id": event.target_id,
            "target_details": event.target_details,
            "ip_address": null,
            "details": event.details,
            "created_at": event.created_at,
        })
    }};
}
use event_json;

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
fn paths(call: &Call, place: Option<Place>) -> (Option<String>, Option<String>) {
    place.map_or((None, None), |place| place.paths(call))
}

/// What a list is restricted to. Beside GitLab's parameters: the kind, the author and the package (ours).
struct Wanted {
    event_names: Option<Vec<rest_audit_events::AuditEventName>>,
    author_id: Option<String>,
    author_name: Option<String>,
    package_type: Option<rest_audit_events::PackageTypeEnum>,
    package_name: Option<String>,
    created_after: Option<String>,
    created_before: Option<String>,
    entity_type: Option<rest_audit_events::AuditEventEntityType>,
    entity_id: Option<i64>,
    sort: rest_audit_events::AuditEventSort,
}

impl Wanted {
    fn read(params: &Params) -> Result<Self, Failure> {
        let event_names = params.texts("event_name").map(|names| {
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
        let oldest_first = params.direction()? == Some(Direction::Ascending);
        Ok(Self {
            event_names: event_names.transpose()?,
            author_id: params.number("author_id")?.map(user_gid),
            author_name: params.text("author_name"),
            package_type: params.choice("package_type", |name| {
                enum_named(domain::PackageFormat::from_slug(name)?.sdl_name())
            })?,
            package_name: params.text("package_name"),
            created_after: params.instant("created_after")?,
            created_before: params.instant("created_before")?,
            // GitLab numbers the instance; here it has no number.
            entity_id: match &entity_type {
                Some(rest_audit_events::AuditEventEntityType::Instance) => None,
                _ => params.number("entity_id")?,
            },
            entity_type,
            sort: if oldest_first {
                rest_audit_events::AuditEventSort::CreatedAsc
            } else {
                rest_audit_events::AuditEventSort::CreatedDesc
            },
        })
    }
}
