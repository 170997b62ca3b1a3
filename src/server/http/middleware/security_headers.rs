//! Headers that keep an artefact from being taken for a page of this site.

use axum::response::Response;
use http::{HeaderValue, header};

/// Adds them.
pub(crate) fn add(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::X_FRAME_OPTIONS).or_insert(HeaderValue::from_static("SAMEORIGIN"));
}
