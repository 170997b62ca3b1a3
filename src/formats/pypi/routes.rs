//! The endpoints, each at project, group and instance level. An upload is possible in projects only.

mod file;
mod simple;
mod upload;

use std::sync::Arc;

use domain::{Failure, RegistryScope, Subject};
use gateway::{Call, Intent, Levels, RouteTable, scalars::number_of};
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{PypiGroup, PypiProject, pypi_group, pypi_project};
use crate::shared::{index_cache::IndexCache, scope};

/// What a segment of a path keeps as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Adds all routes. twine sends the slash at the end of an address or leaves it out as it was told, pip always has one.
pub(super) fn add_to(table: &mut RouteTable) {
    for pattern in ["", "/"] {
        table.route(Method::POST, Levels::All, pattern, Intent::Write, upload::publish);
    }
    // In GitLab the way from its proxy to its application; here there is none between.
    table.route(Method::POST, Levels::Project, "/authorize", Intent::Open, |_| async {
        Err(Failure::forbidden("Uploads are sent as they are: POST /api/v4/projects/:id/packages/pypi"))
    });
    for pattern in ["/simple", "/simple/"] {
        table.route(Method::GET, Levels::All, pattern, Intent::Read, |call| async move {
            simple::list(&call).await
        });
    }
    // One for each table.
    let cache = Arc::new(IndexCache::default());
    table.route(Method::GET, Levels::All, "/simple/{*name}", Intent::Read, move |call| {
        let cache = Arc::clone(&cache);
        async move { simple::page(&call, &cache).await }
    });
    table.route(Method::GET, Levels::All, "/files/{sha256}/{*file}", Intent::Read, file::read);
}

/// There is no such package, as far as the caller may know.
fn no_package() -> Failure {
    Failure::not_found(Subject::Package)
}

/// The address of the index that was asked, as the request named it.
fn requested_base(call: &Call) -> String {
    match &call.scope {
        RegistryScope::Project(id) => base_of(call, "projects", id),
        RegistryScope::Group(id) => base_of(call, "groups", id),
        RegistryScope::Instance => format!("{}/api/v4/packages/pypi", call.gateway.external_url()),
    }
}

fn base_of(call: &Call, holders: &str, id: &str) -> String {
    let (host, id) = (call.gateway.external_url(), utf8_percent_encode(id, SEGMENT));
    let mark = if holders == "groups" { "/-" } else { "" };
    format!("{host}/api/v4/{holders}/{id}{mark}/packages/pypi")
}

/// The address of the index that was asked, which links in it begin with. Projects and groups are in it by number, as GitLab
/// has it, whatever the request named them by.
async fn base(call: &Call) -> Result<String, Failure> {
    let is_number = |id: &str| id.bytes().all(|byte| byte.is_ascii_digit());
    let (holders, id) = match &call.scope {
        RegistryScope::Project(path) if !is_number(path) => {
            let variables = pypi_project::Variables { path: path.clone() };
            ("projects", call.run::<PypiProject>(variables).await?.project.map(|project| project.id))
        }
        RegistryScope::Group(path) if !is_number(path) => {
            let variables = pypi_group::Variables { path: path.clone() };
            ("groups", call.run::<PypiGroup>(variables).await?.group.map(|group| group.id))
        }
        _ => return Ok(requested_base(call)),
    };
    let number = id.as_deref().and_then(number_of);
    Ok(number.map_or_else(|| requested_base(call), |number| base_of(call, holders, &number.to_string())))
}
