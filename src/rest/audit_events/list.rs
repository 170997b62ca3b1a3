//! Listing and showing events.

use axum::response::Response;
use domain::{Failure, Subject};
use gateway::{Call, dialect};
use http::StatusCode;
use serde_json::Value;

use super::{RestAuditEvents, Wanted, event_json, paths, rest_audit_events};
use crate::{
    keyset::Keyset,
    pagination::PageNumber,
    params::{Params, path_id},
    shape::Place,
};

pub(super) async fn list(call: Call, place: Option<Place>) -> Result<Response, Failure> {
    let params = Params::of_query(&call);
    let page = PageNumber::of(&params)?;
    let keyset = Keyset::of(&params);
    let wanted = Wanted::read(&params)?;
    let filter = rest_audit_events::AuditEventFilterInput {
        id: None,
        event_names: wanted.event_names,
        author_id: wanted.author_id,
        deploy_token_id: None,
        author_name: wanted.author_name,
        package_type: wanted.package_type,
        package_name: wanted.package_name,
        created_after: wanted.created_after,
        created_before: wanted.created_before,
        entity_type: wanted.entity_type,
        entity_id: wanted.entity_id,
    };
    let variables = variables(&call, place, filter, wanted.sort, page, keyset.as_ref());
    let events = call.run::<RestAuditEvents>(variables).await?.audit_events;
    let rows: Vec<Value> = events.nodes.iter().map(|event| event_json!(event)).collect();
    match keyset {
        None => page.respond(&call, &rows, events.count),
        Some(_) => {
            let next = events.page_info.end_cursor.filter(|_| events.page_info.has_next_page);
            Keyset::respond(&call, &rows, next.as_deref())
        }
    }
}

pub(super) async fn show(call: Call, place: Option<Place>) -> Result<Response, Failure> {
    let id = format!("gid://gitlab/AuditEvent/{}", path_id(&call, "audit_event_id")?);
    let filter = rest_audit_events::AuditEventFilterInput {
        id: Some(id),
        event_names: None,
        author_id: None,
        deploy_token_id: None,
        author_name: None,
        package_type: None,
        package_name: None,
        created_after: None,
        created_before: None,
        entity_type: None,
        entity_id: None,
    };
    let sort = rest_audit_events::AuditEventSort::CreatedDesc;
    let variables = variables(&call, place, filter, sort, PageNumber::of(&Params::default())?, None);
    let events = call.run::<RestAuditEvents>(variables).await?.audit_events;
    let event = events.nodes.first().ok_or_else(|| Failure::not_found(Subject::AuditEvent))?;
    Ok(dialect::answer(StatusCode::OK, &event_json!(event)))
}

fn variables(
    call: &Call,
    place: Option<Place>,
    filter: rest_audit_events::AuditEventFilterInput,
    sort: rest_audit_events::AuditEventSort,
    page: PageNumber,
    keyset: Option<&Keyset>,
) -> rest_audit_events::Variables {
    let (project_path, group_path) = paths(call, place);
    rest_audit_events::Variables {
        scope: rest_audit_events::AuditEventScopeInput { project_path, group_path },
        filter,
        sort,
        first: page.first(),
        skip: if keyset.is_some() { 0 } else { page.skip() },
        after: keyset.and_then(|keyset| keyset.cursor.clone()),
        count_limit: if keyset.is_some() { 0 } else { PageNumber::count_limit() },
    }
}
