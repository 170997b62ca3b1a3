//! The web pages: signing in, one's account and tokens, and what one can reach.
//!
//! An adapter like any format: each page runs named operations through `gateway` and puts the answer into HTML. One folder a
//! page: `operations.graphql` asks, `view.rs` turns the answer into what `page.html` shows. Pages work without scripts. What
//! changes something is a form, and every form passes [`form`], which sees to it that the form is ours. What must not
//! go in here: decisions about access, SQL, bytes of packages.
//!
//! Who may use this crate: `server`, to mount the router; the tests of the workspace.

mod accept;
mod account;
mod assets;
mod cookies;
mod error;
mod form;
mod frame;
mod home;
mod local_path;
mod notice;
mod pages;
mod shown;
mod sign_in;
mod site;
mod tokens;

#[cfg(test)]
mod tests;

use axum::{Router, response::Response};
use gateway::{Gateway, RouteInfo};
use serde_json::Value;

pub use accept::prefers_html;

use crate::{pages::Pages, site::Site};

/// Every page, in one table.
fn pages(site: &Site, greeting: Value) -> Pages {
    let mut pages = Pages::new(site.clone());
    assets::routes(&mut pages);
    home::routes(&mut pages, greeting);
    sign_in::routes(&mut pages);
    account::routes(&mut pages);
    tokens::routes(&mut pages);
    pages
}

/// The router that serves the pages. Whoever asks `/` for something other than a page is given `greeting`.
pub fn router(gateway: &Gateway, greeting: Value) -> Router {
    pages(&Site::of(gateway), greeting).into_router(gateway)
}

/// What the router serves, for tests and documentation.
pub fn route_infos() -> Vec<RouteInfo> {
    pages(&Site::default(), Value::Null).infos()
}

/// The answer to a browser that asks for what nobody serves.
pub fn not_found(gateway: &Gateway) -> Response {
    error::not_found(&Site::of(gateway))
}
