//! GitLab's REST API around packages, under `/api/v4`: the routes that scripts and python-gitlab use to set things up, list,
//! download and delete.
//!
//! An adapter like any format: each route runs named operations through `gateway` and puts the answer into GitLab's JSON. One
//! folder a noun. What must not go in here: decisions about access, SQL, bytes.

mod access_tokens;
mod application_settings;
mod audit_events;
mod deploy_tokens;
mod error;
mod groups;
mod job;
mod job_token_scope;
mod keyset;
mod members;
mod namespaces;
mod package_files;
mod packages;
mod pagination;
mod paging;
mod params;
mod plan_limits;
mod projects;
mod protection_rules;
mod resource_tokens;
mod shape;
mod token_limits;
mod trusted_publishing;
mod user;
mod users;
mod version;

use std::sync::Arc;

use axum::Router;
use gateway::{Gateway, RouteInfo, RouteTable};

use crate::error::RestDialect;

/// Every route, in one table.
fn table() -> RouteTable {
    let mut table = RouteTable::absolute(Arc::new(RestDialect));
    version::routes(&mut table);
    user::routes(&mut table);
    job::routes(&mut table);
    users::routes(&mut table);
    access_tokens::routes(&mut table);
    namespaces::routes(&mut table);
    groups::routes(&mut table);
    projects::routes(&mut table);
    members::routes(&mut table);
    deploy_tokens::routes(&mut table);
    job_token_scope::routes(&mut table);
    resource_tokens::routes(&mut table);
    trusted_publishing::routes(&mut table);
    audit_events::routes(&mut table);
    application_settings::routes(&mut table);
    plan_limits::routes(&mut table);
    packages::routes(&mut table);
    package_files::routes(&mut table);
    protection_rules::routes(&mut table);
    table
}

/// The router that serves the API.
pub fn router(gateway: &Gateway) -> Router {
    table().into_router(gateway)
}

/// What the router serves, for tests and documentation.
pub fn route_infos() -> Vec<RouteInfo> {
    table().infos().cloned().collect()
}
