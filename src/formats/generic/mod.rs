//! Generic packages: any file under a name and a version, as GitLab has them. See `README.md`.

mod error;
mod metadata;
mod routes;
mod rules;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use domain::{PackageFormat, rules::FormatRules};
use gateway::{Descriptor, Dialect, Format, Intent, Levels, RouteTable};
use http::Method;

gateway::operations!("generic/operations.graphql": GenericCreateUpload, GenericPublish, GenericFile);

/// The format of generic packages.
pub(crate) struct Generic;

impl Format for Generic {
    fn descriptor(&self) -> Descriptor {
        Descriptor { format: PackageFormat::Generic, mount: "generic" }
    }

    fn rules(&self) -> &'static dyn FormatRules {
        &rules::GenericRules
    }

    fn dialect(&self) -> Arc<dyn Dialect> {
        Arc::new(error::GenericDialect)
    }

    fn routes(&self, table: &mut RouteTable) {
        const FILE: &str = "/{name}/{version}/{*file}";
        table.route(Method::GET, Levels::All, FILE, Intent::Read, routes::download);
        table.route(Method::PUT, Levels::All, FILE, Intent::Write, routes::publish);
    }
}
