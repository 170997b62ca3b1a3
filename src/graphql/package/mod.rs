//! Packages: reading, publishing, tagging, deprecating, destroying.

mod deprecate;
mod destroy;
mod file;
mod index;
mod inputs;
mod list;
mod metadata;
mod publish;
mod query;
mod scope;
mod tag;
mod types;

pub(crate) use deprecate::DeprecateMutation;
pub(crate) use destroy::DestroyMutation;
pub(crate) use list::{GroupPackageSort, ListArguments, PackageSortArgument, list};
pub(crate) use publish::PublishMutation;
pub(crate) use query::PackageQuery;
pub(crate) use scope::open_project;
pub(crate) use tag::TagMutation;
pub(crate) use types::{Package, PackageStatus, PackageTypeEnum};
