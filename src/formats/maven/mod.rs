//! Maven packages, as Maven, Gradle, sbt and Ivy publish and resolve them. See `README.md`.

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
use gateway::{Descriptor, Dialect, Format, Intent, Levels, RouteTable};
use http::Method;

use crate::shared::index_cache::IndexCache;

gateway::operations!(
    "maven/operations.graphql":
    MavenCreateUpload, MavenPublish, MavenFile, MavenDigests, MavenRevision, MavenIndex, MavenPluginsRevision, MavenPlugins
);

/// The format of Maven packages.
pub(crate) struct Maven;

impl Format for Maven {
    fn descriptor(&self) -> Descriptor {
        Descriptor { format: PackageFormat::Maven, mount: "maven" }
    }

    fn rules(&self) -> &'static dyn FormatRules {
        &rules::MavenRules
    }

    fn dialect(&self) -> Arc<dyn Dialect> {
        Arc::new(error::MavenDialect)
    }

    /// One address for everything: what a path names is in its segments.
    fn routes(&self, table: &mut RouteTable) {
        const PATH: &str = "/{*path}";
        let cache = Arc::new(IndexCache::default());
        table.route(Method::GET, Levels::All, PATH, Intent::Read, move |call| {
            let cache = Arc::clone(&cache);
            async move { routes::read(&call, &cache).await }
        });
        table.route(Method::PUT, Levels::All, PATH, Intent::Write, routes::publish);
    }
}
