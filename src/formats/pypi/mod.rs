//! Python packages, as pip, uv, twine and poetry publish and install them. See `README.md`.

mod document;
mod error;
mod metadata;
mod routes;
mod rules;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use domain::{PackageFormat, rules::FormatRules};
use gateway::{Descriptor, Dialect, Format, RouteTable};

/// What graphql_client looks for as the type of a variable of the built-in type `ID`.
type Id = String;

gateway::operations!(
    "pypi/operations.graphql":
    PypiRevision, PypiIndex, PypiNames, PypiProject, PypiGroup, PypiFile, PypiCoreMetadata, PypiCreateUpload, PypiPublish
);

/// The format of Python packages.
pub(crate) struct Pypi;

impl Format for Pypi {
    fn descriptor(&self) -> Descriptor {
        Descriptor { format: PackageFormat::Pypi, mount: "pypi" }
    }

    fn rules(&self) -> &'static dyn FormatRules {
        &rules::PypiRules
    }

    fn dialect(&self) -> Arc<dyn Dialect> {
        Arc::new(error::PypiDialect)
    }

    fn routes(&self, table: &mut RouteTable) {
        routes::add_to(table);
    }
}
