//! npm packages, as npm, yarn, pnpm and bun publish and install them. See `README.md`.

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

gateway::operations!(
    "npm/operations.graphql":
    NpmRevision, NpmIndex, NpmTags, NpmTarball, NpmVersion, NpmMetadata, NpmSearch, NpmWhoami, NpmCreateUpload,
    NpmPublish, NpmSetTag, NpmRemoveTag, NpmDeprecate, NpmUnpublishVersion, NpmUnpublish
);

/// The format of npm packages.
pub(crate) struct Npm;

impl Format for Npm {
    fn descriptor(&self) -> Descriptor {
        Descriptor { format: PackageFormat::Npm, mount: "npm" }
    }

    fn rules(&self) -> &'static dyn FormatRules {
        &rules::NpmRules
    }

    fn dialect(&self) -> Arc<dyn Dialect> {
        Arc::new(error::NpmDialect)
    }

    fn routes(&self, table: &mut RouteTable) {
        routes::add_to(table);
    }
}
