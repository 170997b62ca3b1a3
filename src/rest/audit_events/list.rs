//! Listing and showing events.

use axum::response::Response;
use domain::{Failure, Subject};
use gateway::{Call, dialect};
use http::StatusCode;
use serde_json::Value;

use super::{RestAuditEvents, Wanted, event_json, rest_audit_events::Variables, scope};
use crate::{
    paging::{Paging, next_of},
    params::{Params, path_id},
    shape::Place,
};

pub(super) async fn list(call: Call, place: Option<Place>) -> Result<Response, Failure> {
    let params = Params::of_query(&call);
    let page = Paging::of(&params)?;
    let variables = variables(&call, place, Wanted::read(&params)?, &page);
    let events = call.run::<RestAuditEvents>(variables).await?.audit_events;
    let rows: Vec<Value> = events.nodes.iter().map(event_json).collect();
    page.respond(&call, &rows, events.count, next_of!(events))
}

pub(super) async fn show(call: Call, place: Option<Place>) -> Result<Response, Failure> {
    let mut wanted = Wanted::read(&Params::default())?;
    wanted.filter.id = Some(format!("gid://gitlab/AuditEvent/{}", path_id(&call, "audit_event_id")?));
    let variables = variables(&call, place, wanted, &Paging::of(&Params::default())?);
    let events = call.run::<RestAuditEvents>(variables).await?.audit_events;
    let event = events.nodes.first().ok_or_else(|| Failure::not_found(Subject::AuditEvent))?;
    Ok(dialect::answer(StatusCode::OK, &event_json(event)))
}

fn variables(call: &Call, place: Option<Place>, Wanted { filter, sort }: Wanted, page: &Paging) -> Variables {
    Variables {
        scope: scope(call, place),
        filter,
        sort,
        first: page.first(),
        skip: page.skip(),
        after: page.after(),
        count_limit: page.count_limit(),
    }
}
