//! Packages of a project or group.

mod routes;
mod wire;

pub(crate) use routes::{project_package, routes};
pub(crate) use wire::pipeline_json;

gateway::operations!("packages/operations.graphql":
    RestPackages, RestPackage, RestPackagePipelines, RestProjectOfPackages, RestDestroyPackage
);
