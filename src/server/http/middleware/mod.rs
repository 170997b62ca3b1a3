//! What happens around every request, in one layer: it gets an id and a line in the log, it is counted, it may neither hang
//! nor take the process down.

mod body;
mod client_address;
mod observation;
mod panics;
mod request_id;
mod security_headers;
mod timeouts;

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use tracing::Instrument as _;

pub(crate) use self::client_address::Peer;
use self::{body::Pausing, observation::Observation, request_id::RequestId};
use crate::{
    config::{HttpLimits, TrustedProxies},
    telemetry,
};

/// Puts the layer around `router`.
pub(crate) fn around(router: Router, limits: HttpLimits, proxies: TrustedProxies) -> Router {
    telemetry::metrics();
    router.layer(middleware::from_fn_with_state((limits, proxies), handle))
}

async fn handle(
    State((limits, proxies)): State<(HttpLimits, TrustedProxies)>,
    mut request: Request,
    next: Next,
) -> Response {
    let client = client_address::find(&mut request, &proxies);
    let id = RequestId::of(&request);
    let span = tracing::info_span!("request", request.id = %id.as_str());
    let mut observation = Observation::begin(&request, client, span.clone());
    let patience = timeouts::patience(&request, limits);
    let request = Pausing::around(request, limits.idle_timeout, observation.received());
    let answer = timeouts::bounded(patience, next.run(request));
    let mut response = panics::caught(answer).instrument(span).await;
    id.stamp(&mut response);
    security_headers::add(&mut response);
    observation.answered(response.status());
    observation.until_sent(response)
}
