//! Packages: reading, publishing, tagging, flagging, deprecating, destroying.

mod deprecate;
mod destroy;
mod destroy_many;
mod details;
mod document;
mod duplicates;
mod file;
mod flag;
mod index;
mod inputs;
mod list;
mod metadata;
mod publish;
mod query;
mod scope;
mod tag;
mod types;
mod urls;

pub(crate) use deprecate::DeprecateMutation;
pub(crate) use destroy::DestroyMutation;
pub(crate) use destroy_many::DestroyManyMutation;
pub(crate) use flag::FlagMutation;
pub(crate) use list::{GroupPackageSort, ListArguments, PackageSortArgument, list};
pub(crate) use metadata::TerraformModuleMetadataSharedFields;
pub(crate) use publish::PublishMutation;
pub(crate) use query::PackageQuery;
pub(crate) use scope::packages_named;
pub(crate) use tag::TagMutation;
pub(crate) use types::{Package, PackageStatus, PackageTypeEnum};
