//! Metadata of Terraform modules: what the configuration in the archive declares.

use async_graphql::{Interface, SimpleObject};
use serde::Deserialize;

use super::PackagesTerraformModuleMetadatumID;
use crate::scalars::Time;

/// Metadata of a Terraform module.
#[derive(SimpleObject)]
pub(crate) struct TerraformModuleMetadata {
    pub(super) id: PackagesTerraformModuleMetadatumID,
    pub(super) created_at: Time,
    pub(super) updated_at: Time,
    pub(super) fields: TerraformModuleMetadataFields,
}

/// The module itself, the modules inside it, and its examples.
#[derive(SimpleObject, Deserialize)]
pub(crate) struct TerraformModuleMetadataFields {
    root: TerraformModuleMetadataRoot,
    #[serde(default)]
    submodules: Option<Vec<TerraformModuleMetadataSubmodule>>,
    #[serde(default)]
    examples: Option<Vec<TerraformModuleMetadataExample>>,
}

/// What a root module, a submodule and an example all have.
#[derive(Interface)]
#[graphql(
    field(name = "readme", ty = "&Option<String>"),
    field(name = "readme_html", ty = "&Option<String>"),
    field(name = "inputs", ty = "&Option<Vec<TerraformModuleMetadataInput>>"),
    field(name = "outputs", ty = "&Option<Vec<TerraformModuleMetadataOutput>>")
)]
pub(crate) enum TerraformModuleMetadataSharedFields {
    /// The module itself.
    Root(TerraformModuleMetadataRoot),
    /// A module inside it.
    Submodule(TerraformModuleMetadataSubmodule),
    /// An example of its use.
    Example(TerraformModuleMetadataExample),
}

/// The module itself.
#[derive(SimpleObject, Deserialize)]
pub(crate) struct TerraformModuleMetadataRoot {
    readme: Option<String>,
    readme_html: Option<String>,
    inputs: Option<Vec<TerraformModuleMetadataInput>>,
    outputs: Option<Vec<TerraformModuleMetadataOutput>>,
    resources: Option<Vec<String>>,
    dependencies: Option<TerraformModuleMetadataDependencies>,
}

/// A module inside the module.
#[derive(SimpleObject, Deserialize)]
pub(crate) struct TerraformModuleMetadataSubmodule {
    name: String,
    readme: Option<String>,
    readme_html: Option<String>,
    inputs: Option<Vec<TerraformModuleMetadataInput>>,
    outputs: Option<Vec<TerraformModuleMetadataOutput>>,
    resources: Option<Vec<String>>,
    dependencies: Option<TerraformModuleMetadataDependencies>,
}

/// An example of the module's use.
#[derive(SimpleObject, Deserialize)]
pub(crate) struct TerraformModuleMetadataExample {
    name: String,
    readme: Option<String>,
    readme_html: Option<String>,
    inputs: Option<Vec<TerraformModuleMetadataInput>>,
    outputs: Option<Vec<TerraformModuleMetadataOutput>>,
}

/// What a module needs.
#[derive(SimpleObject, Deserialize)]
pub(crate) struct TerraformModuleMetadataDependencies {
    modules: Option<Vec<TerraformModuleMetadataDependency>>,
    providers: Option<Vec<TerraformModuleMetadataDependency>>,
}

/// A module or provider that is needed.
#[derive(SimpleObject, Deserialize)]
pub(crate) struct TerraformModuleMetadataDependency {
    name: String,
    source: Option<String>,
    version: Option<String>,
}

/// A variable of a module.
#[derive(SimpleObject, Deserialize)]
pub(crate) struct TerraformModuleMetadataInput {
    name: String,
    #[graphql(name = "type")]
    #[serde(rename = "type")]
    kind: String,
    description: Option<String>,
    default: Option<String>,
}

/// An output of a module.
#[derive(SimpleObject, Deserialize)]
pub(crate) struct TerraformModuleMetadataOutput {
    name: String,
    description: Option<String>,
}
