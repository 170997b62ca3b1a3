//! Listing and showing events.

use axum::response::Response;
use domain::{Failure, Subject};
use gateway::{Call, dialect};
use http::StatusCode;
use serde_json::Value;

use super::{RestAuditEvents, Wanted, event_json, rest_audit_events::Variables, scope};
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
    let variables = variables(&call, place, Wanted::read(&params)?, page, keyset.as_ref());
    let events = call.run::<RestAuditEvents>(variables).await?.audit_events;
    let rows: Vec<Value> = events.nodes.iter().map(event_json).collect();
    match keyset {
        None => page.respond(&call, &rows, events.count),
        Some(_) => {
            let next = events.page_info.end_cursor.filter(|_| events.page_info.has_next_page);
            Keyset::respond(&call, &rows, next.as_deref())
        }
    }
}

pub(super) async fn show(call: Call, place: Option<Place>) -> Result<Response, Failure> {
    let mut wanted = Wanted::read(&Params::default())?;
    wanted.filter.id = Some(format!("gid://gitlab/AuditEvent/{}", path_id(&call, "audit_event_id")?));
    let variables = variables(&call, place, wanted, PageNumber::of(&Params::default())?, None);
    let events = call.run::<RestAuditEvents>(variables).await?.audit_events;
    let event = events.nodes.first().ok_or_else(|| Failure::not_found(Subject::AuditEvent))?;
    Ok(dialect::answer(StatusCode::OK, &event_json(event)))
}

fn variables(
    call: &Call,
    place: Option<Place>,
    Wanted { filter, sort }: Wanted,
    page: PageNumber,
    keyset: Option<&Keyset>,
) -> Variables {
    Variables {
        scope: scope(call, place),
        filter,
        sort,
        first: page.first(),
        skip: if keyset.is_some() { 0 } else { page.skip() },
        after: keyset.and_then(|keyset| keyset.cursor.clone()),
        count_limit: if keyset.is_some() { 0 } else { PageNumber::count_limit() },
    }
}
