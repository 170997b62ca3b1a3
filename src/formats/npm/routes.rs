//! The endpoints, each at project, group and instance level.
//!
//! A scoped name arrives as one segment (`@scope%2Fname`, as clients send it) or as two (`@scope/name`), so that most
//! patterns are there twice. Captures are decoded once, by the router, after it has matched.

mod account;
mod audit;
mod packument;
mod publish;
mod search;
mod tags;
mod tarball;
mod unpublish;

use std::sync::Arc;

use axum::response::Response;
use domain::{ErrorCode, Failure, PackageName, Subject, rules::FormatRules as _};
use gateway::{Call, Intent, Levels, RouteTable};
use http::Method;

use super::rules::NpmRules;
use crate::shared::{index_cache::IndexCache, scope};

const GET: Method = Method::GET;
const PUT: Method = Method::PUT;
const POST: Method = Method::POST;
const DELETE: Method = Method::DELETE;

/// Adds all routes.
pub(super) fn add_to(table: &mut RouteTable) {
    add_documents(table);
    add_packages(table);
    add_services(table);
    for method in [GET, PUT, POST, DELETE] {
        table.route(method, Levels::All, "/-/{*rest}", Intent::Open, |_| async { Err(unknown_route()) });
    }
}

/// What is read through the cache of documents. There is one for each table.
fn add_documents(table: &mut RouteTable) {
    let cache = Arc::new(IndexCache::default());
    for pattern in ["/{name}", "/{first}/{second}", "/{first}/{second}/{third}"] {
        let cache = Arc::clone(&cache);
        table.route(GET, Levels::All, pattern, Intent::Read, move |call| {
            let cache = Arc::clone(&cache);
            async move { packument::read(&call, &cache).await }
        });
    }
}

fn add_packages(table: &mut RouteTable) {
    for name in ["/{name}", "/{first}/{second}"] {
        table.route(PUT, Levels::All, name, Intent::Write, publish::put);
        let file = format!("{name}/-/{{*file}}");
        table.route(GET, Levels::All, &file, Intent::Read, tarball::read);
        table.route(DELETE, Levels::All, &file, Intent::Write, unpublish::tarball);
        let revision = format!("{name}/-rev/{{revision}}");
        table.route(PUT, Levels::All, &revision, Intent::Write, unpublish::packument);
        table.route(DELETE, Levels::All, &revision, Intent::Write, unpublish::package);
    }
}

fn add_services(table: &mut RouteTable) {
    for name in ["{name}", "{first}/{second}"] {
        let tags = format!("/-/package/{name}/dist-tags");
        table.route(GET, Levels::All, &tags, Intent::Read, tags::list);
        let tag = format!("{tags}/{{tag}}");
        table.route(PUT, Levels::All, &tag, Intent::Write, tags::set);
        table.route(POST, Levels::All, &tag, Intent::Write, tags::set);
        table.route(DELETE, Levels::All, &tag, Intent::Write, tags::remove);
        let attestations = format!("/-/npm/v1/attestations/{name}");
        table.route(GET, Levels::All, &attestations, Intent::Read, audit::attestations);
    }
    table.route(GET, Levels::All, "/-/v1/search", Intent::Read, search::search);
    table.route(GET, Levels::All, "/-/whoami", Intent::Identify, account::whoami);
    table.route(GET, Levels::All, "/-/ping", Intent::Open, account::ping);
    table.route(PUT, Levels::All, "/-/user/{user}", Intent::Identify, account::login);
    let bulk = "/-/npm/v1/security/advisories/bulk";
    table.route(POST, Levels::All, bulk, Intent::Open, audit::bulk);
    for quick in ["/-/npm/v1/security/audits/quick", "/-/npm/v1/security/audits"] {
        table.route(POST, Levels::All, quick, Intent::Open, audit::quick);
    }
}

/// The name in the path, as one segment or as two.
fn raw_name(call: &Call) -> String {
    let (first, second) = (call.param("first"), call.param("second"));
    if first.is_empty() { call.param("name").to_owned() } else { format!("{first}/{second}") }
}

/// The name in the path. What is no name of a package is none that exists.
fn existing_name(call: &Call) -> Result<PackageName, Failure> {
    NpmRules.name(&raw_name(call)).map_err(|_| Failure::not_found(Subject::Package))
}

/// Refuses what `errors` of a mutation says.
fn refused(errors: &[String]) -> Result<(), Failure> {
    // All that a removal is refused for in a payload is a protection rule.
    if errors.is_empty() { Ok(()) } else { Err(Failure::new(ErrorCode::Protected, errors.join(", "))) }
}

fn unknown_route() -> Failure {
    Failure::new(ErrorCode::NotFound, "This registry has no such endpoint")
}

/// An answer of JSON.
fn json(body: &serde_json::Value) -> Response {
    gateway::dialect::answer(http::StatusCode::OK, body)
}

/// The answer to a change that npm reads nothing of.
fn done() -> Response {
    json(&serde_json::json!({ "ok": true, "success": true }))
}
