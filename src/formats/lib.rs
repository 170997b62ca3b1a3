//! Package formats: one folder each, translating a client's protocol into operations of the schema.
//!
//! A format sees [`domain`] and [`gateway`] and nothing else of ours: no database, no storage, no GraphQL server. What it
//! may decide is how things are named, read and worded; who may do what, and what exists, is asked of the model with every
//! request. The [`router`] serves all of them, and [`rules`] hands the model what it calls inside publish. `README.md` says
//! how one is added.
//!
//! Who may use this crate: `server`, to mount the router; the tests of the workspace.

mod generic;
mod maven;
mod npm;
mod pypi;
mod shared;

use axum::Router;
use domain::rules::RuleBook;
use gateway::{Format, Gateway, RouteInfo, RouteTable};

/// Every format of this server. Adding one adds its line.
static FORMATS: &[&dyn Format] = &[
    &generic::Generic, //
    &maven::Maven,
    &npm::Npm,
    &pypi::Pypi,
];

/// Every format of this server.
pub fn all() -> &'static [&'static dyn Format] {
    FORMATS
}

/// The rules of every format, for the model.
pub fn rules() -> RuleBook {
    RuleBook::new(all().iter().map(|format| format.rules()))
}

/// The router of every format at every level, asking `gateway`.
pub fn router(gateway: &Gateway) -> Router {
    tables().fold(Router::new(), |router, table| router.merge(table.into_router(gateway)))
}

/// The routes of every format, for tests and documentation.
pub fn route_infos() -> Vec<RouteInfo> {
    tables().flat_map(|table| table.infos().cloned().collect::<Vec<_>>()).collect()
}

fn tables() -> impl Iterator<Item = RouteTable> {
    all().iter().map(|format| {
        let mut table = RouteTable::for_format(format.descriptor().mount, format.dialect());
        format.routes(&mut table);
        table
    })
}
