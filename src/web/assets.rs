//! The stylesheet, at an address that changes with it, so that browsers may keep it.

use std::sync::LazyLock;

use axum::{body::Body, response::Response};
use http::{HeaderValue, header};
use sha2::{Digest as _, Sha256};

use crate::pages::Pages;

const STYLES: &str = include_str!("assets/app.css");

/// The path of the stylesheet.
pub(crate) static STYLESHEET: LazyLock<String> =
    LazyLock::new(|| format!("/assets/app-{}.css", &hex::encode(Sha256::digest(STYLES))[..16]));

/// Adds the routes of the assets.
pub(crate) fn routes(pages: &mut Pages) {
    pages.asset(&STYLESHEET, || {
        let mut response = Response::new(Body::from(STYLES));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"));
        let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
        headers.insert(header::CACHE_CONTROL, kept);
        response
    });
}
