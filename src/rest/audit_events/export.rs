//! A whole log, one event a line (ours). Read page by page while the client takes it: its length costs no memory.

use std::io;

use axum::{body::Body, response::Response};
use bytes::Bytes;
use domain::Failure;
use futures::stream;
use gateway::Call;
use http::{HeaderValue, header};

use super::{RestExportAuditEvents, Wanted, event_json, paths, rest_export_audit_events};
use crate::{
    params::{Params, enum_named},
    shape::Place,
};

/// What is still to be read.
enum Rest {
    /// The page after this cursor.
    After(Option<String>),
    /// Nothing.
    Nothing,
}

pub(super) async fn export(call: Call, place: Option<Place>) -> Result<Response, Failure> {
    let wanted = Wanted::read(&Params::of_query(&call))?;
    let (project_path, group_path) = paths(&call, place);
    let variables = rest_export_audit_events::Variables {
        scope: rest_export_audit_events::AuditEventScopeInput { project_path, group_path },
        filter: filter(wanted),
        sort: rest_export_audit_events::AuditEventSort::CreatedAsc,
        after: None,
    };
    // The first page tells whether the log may be read at all: before the status is sent.
    let first = page(&call, variables.clone()).await?;
    let rest = stream::try_unfold((call, variables, Some(first)), |(call, variables, read)| async move {
        let Some((text, rest)) = read else { return Ok(None) };
        let next = match rest {
            Rest::Nothing => None,
            Rest::After(after) => {
                let variables = rest_export_audit_events::Variables { after, ..variables.clone() };
                Some(page(&call, variables).await.map_err(|failure| io::Error::other(failure.message))?)
            }
        };
        Ok::<_, io::Error>(Some((Bytes::from(text), (call, variables, next))))
    });
    let mut response = Response::new(Body::from_stream(rest));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let attachment = HeaderValue::from_static("attachment; filename=\"audit_events.ndjson\"");
    headers.insert(header::CONTENT_DISPOSITION, attachment);
    Ok(response)
}

/// One page as text, and what is after it.
async fn page(
    call: &Call,
    variables: rest_export_audit_events::Variables,
) -> Result<(String, Rest), Failure> {
    let events = call.run::<RestExportAuditEvents>(variables).await?.audit_events;
    let mut text = String::new();
    for event in &events.nodes {
        text.push_str(&event_json!(event).to_string());
        text.push('\n');
    }
    let more = events.page_info.has_next_page;
    let rest = if more { Rest::After(events.page_info.end_cursor) } else { Rest::Nothing };
    Ok((text, rest))
}

/// The same filter in the types of this operation.
fn filter(wanted: Wanted) -> rest_export_audit_events::AuditEventFilterInput {
    let same = |value: serde_json::Value| value.as_str().and_then(enum_named);
    rest_export_audit_events::AuditEventFilterInput {
        id: None,
        event_names: wanted.event_names.map(|names| {
            names
                .iter()
                .filter_map(|name| serde_json::to_value(name).ok()?.as_str().and_then(enum_named))
                .collect()
        }),
        author_id: wanted.author_id,
        deploy_token_id: None,
        author_name: wanted.author_name,
        package_type: wanted.package_type.and_then(|kind| same(serde_json::to_value(kind).ok()?)),
        package_name: wanted.package_name,
        created_after: wanted.created_after,
        created_before: wanted.created_before,
        entity_type: wanted
            .entity_type
            .and_then(|kind| serde_json::to_value(kind).ok()?.as_str().and_then(enum_named)),
        entity_id: wanted.entity_id,
    }
}
