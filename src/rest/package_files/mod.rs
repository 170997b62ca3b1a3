//! Files of a package.

mod routes;

pub(crate) use routes::routes;

gateway::operations!(
    "package_files/operations.graphql": RestPackageFiles, RestPackageFile, RestPackageOfFile, RestDestroyPackageFile
);
