//! One request as the log and the numbers see it: by the pattern of its route, never by its path or query, which name
//! people's packages and may hold tokens.

use std::{
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    body::Body,
    extract::{MatchedPath, Request},
    response::Response,
};
use bytes::Bytes;
use http::{Method, StatusCode, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tracing::Span;

use crate::telemetry;

/// Status in the log of a request whose client went away before the answer (as nginx has it).
const CLIENT_WENT_AWAY: u16 = 499;
/// Characters of the client's name that are kept.
const USER_AGENT_LENGTH: usize = 200;

/// A request under way. Dropped when its answer is sent, or when nobody waits for it any more, it writes its line.
pub(crate) struct Observation {
    span: Span,
    begun: Instant,
    method: &'static str,
    route: Option<MatchedPath>,
    client: Option<IpAddr>,
    user_agent: String,
    received: Arc<AtomicU64>,
    sent: u64,
    status: Option<StatusCode>,
}

impl Observation {
    /// Begins to look at `request` of a client with this address.
    pub(crate) fn begin(request: &Request, client: Option<IpAddr>, span: Span) -> Self {
        metrics::gauge!(telemetry::IN_FLIGHT).increment(1.0);
        let user_agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Self {
            span,
            begun: Instant::now(),
            method: method(request.method()),
            route: request.extensions().get().cloned(),
            client,
            user_agent: user_agent.unwrap_or_default().chars().take(USER_AGENT_LENGTH).collect(),
            received: Arc::default(),
            sent: 0,
            status: None,
        }
    }

    /// Where bytes of the body are counted.
    pub(crate) const fn received(&self) -> &Arc<AtomicU64> {
        &self.received
    }

    /// Notes the status of the answer.
    pub(crate) fn answered(&mut self, status: StatusCode) {
        self.status = Some(status);
    }

    /// The same answer, watched until its last byte.
    pub(crate) fn until_sent(self, response: Response) -> Response {
        response.map(|inner| Body::new(Watched { inner, observation: self }))
    }

    fn route(&self) -> &str {
        self.route.as_ref().map_or("unmatched", MatchedPath::as_str)
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        let status = self.status.map_or(CLIENT_WENT_AWAY, |status| status.as_u16());
        let elapsed = self.begun.elapsed();
        let received = self.received.load(Ordering::Relaxed);
        let labels = [("method", self.method.to_owned()), ("route", self.route().to_owned())];
        metrics::gauge!(telemetry::IN_FLIGHT).decrement(1.0);
        metrics::histogram!(telemetry::DURATION, &labels).record(elapsed);
        metrics::counter!(telemetry::RECEIVED, &labels[1..]).increment(received);
        metrics::counter!(telemetry::SENT, &labels[1..]).increment(self.sent);
        let [method, route] = labels;
        metrics::counter!(telemetry::REQUESTS, &[method, route, ("status", status.to_string())]).increment(1);
        tracing::info!(
            parent: &self.span,
            http.method = self.method,
            http.route = self.route(),
            http.status = status,
            duration_ms = (elapsed.as_secs_f64() * 1e6).round() / 1e3,
            received_bytes = received,
            sent_bytes = self.sent,
            client.address = self.client.map(tracing::field::display),
            user_agent = %self.user_agent,
            "answered"
        );
    }
}

/// The method, if it is one that routes have: others are made up by clients, and would each be a series of numbers.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

/// The body of an answer.
struct Watched {
    inner: Body,
    observation: Observation,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            self.observation.sent += data.len() as u64;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
