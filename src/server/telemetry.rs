//! The log, and the numbers.

use std::{
    io::{self, IsTerminal as _},
    panic,
    sync::OnceLock,
};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt};

use crate::{
    config::{LogFormat, Telemetry},
    stop::Stop,
};

/// Counts requests, by method, route and status.
pub(crate) const REQUESTS: &str = "entrepot_http_requests_total";
/// How long requests take until their answer is sent, by method and route.
pub(crate) const DURATION: &str = "entrepot_http_request_duration_seconds";
/// Requests under way.
pub(crate) const IN_FLIGHT: &str = "entrepot_http_requests_in_flight";
/// Bytes received in bodies, by route.
pub(crate) const RECEIVED: &str = "entrepot_http_received_bytes_total";
/// Bytes sent in bodies, by route.
pub(crate) const SENT: &str = "entrepot_http_sent_bytes_total";
/// Statements that ran in the database.
pub(crate) const STATEMENTS: &str = "entrepot_sql_statements_total";

/// Upper bounds of the histogram of durations, in seconds.
const BUCKETS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0];

/// Starts writing the log, to standard error. Once in a process.
pub(crate) fn start(telemetry: &Telemetry) -> Result<(), Stop> {
    let filter = EnvFilter::try_new(&telemetry.filter).map_err(|error| {
        Stop::usage(format!("the log filter '{}' cannot be read: {error}", telemetry.filter))
    })?;
    let lines = fmt().with_env_filter(filter).with_writer(io::stderr);
    let started = match telemetry.format {
        LogFormat::Json => {
            lines.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
        }
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).with_target(false).try_init(),
    };
    started.map_err(|error| Stop::failed(format!("the log cannot be started: {error}")))?;
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let payload = panic.payload_as_str().unwrap_or_default();
        tracing::error!(place, payload, "a defect of this program: please report it");
    }));
    Ok(())
}

/// The numbers counted in this process, ready to be written out.
pub(crate) fn metrics() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Full(DURATION.to_owned()), &BUCKETS)
            .expect("the list of buckets is not empty")
            .build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("numbers are counted elsewhere in this process: /-/metrics stays empty");
        }
        metrics::describe_counter!(REQUESTS, "Requests, by method, route and status");
        metrics::describe_histogram!(DURATION, "Seconds until the answer is sent, by method and route");
        metrics::describe_gauge!(IN_FLIGHT, "Requests under way");
        metrics::describe_counter!(RECEIVED, "Bytes received in bodies, by route");
        metrics::describe_counter!(SENT, "Bytes sent in bodies, by route");
        metrics::describe_counter!(
            graphql::THROTTLED,
            "Requests that were too many, by what they are counted as"
        );
        metrics::describe_counter!(STATEMENTS, "Statements that ran in the database");
        handle
    })
}
