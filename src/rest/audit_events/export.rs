//! A whole log, one event a line (ours). Read page by page while the client takes it: its length costs no memory.

use std::io;

use axum::{body::Body, response::Response};
use bytes::Bytes;
use domain::Failure;
use futures::stream;
use gateway::Call;
use http::{HeaderValue, header};

use super::{
    RestAuditEvents, Wanted, event_json,
    rest_audit_events::{AuditEventSort, Variables},
    scope,
};
use crate::{params::Params, shape::Place};

/// Events that are read at a time.
const PAGE: i64 = 1000;

/// What is still to be read.
enum Rest {
    /// The page after this cursor.
    After(Option<String>),
    /// Nothing.
    Nothing,
}

pub(super) async fn export(call: Call, place: Option<Place>) -> Result<Response, Failure> {
    let Wanted { filter, .. } = Wanted::read(&Params::of_query(&call))?;
    let variables = Variables {
        scope: scope(&call, place),
        filter,
        sort: AuditEventSort::CreatedAsc,
        first: PAGE,
        skip: 0,
        after: None,
        count_limit: 0,
    };
    // The first page tells whether the log may be read at all: before the status is sent.
    let first = page(&call, variables.clone()).await?;
    let rest = stream::try_unfold((call, variables, Some(first)), |(call, variables, read)| async move {
        let Some((text, rest)) = read else { return Ok(None) };
        let next = match rest {
            Rest::Nothing => None,
            Rest::After(after) => {
                let variables = Variables { after, ..variables.clone() };
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
async fn page(call: &Call, variables: Variables) -> Result<(String, Rest), Failure> {
    let events = call.run::<RestAuditEvents>(variables).await?.audit_events;
    let mut text = String::new();
    for event in &events.nodes {
        text.push_str(&event_json(event).to_string());
        text.push('\n');
    }
    let more = events.page_info.has_next_page;
    let rest = if more { Rest::After(events.page_info.end_cursor) } else { Rest::Nothing };
    Ok((text, rest))
}
