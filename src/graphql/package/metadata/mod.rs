//! Metadata types that GitLab's schema has. Values are read from what the format's inspector kept; a format that does not keep
//! them answers null. Each member has an id scalar of its own, as in GitLab.

mod file;
mod terraform_module;

use async_graphql::{SimpleObject, Union};
use domain::PackageFormat;
use serde_json::Value;
use store::packages::Package;

pub(crate) use file::PackageFileMetadata;
pub(crate) use terraform_module::{TerraformModuleMetadata, TerraformModuleMetadataSharedFields};

use crate::{
    relay::global_id::{parse, print},
    scalars::Time,
};

macro_rules! metadatum_ids {
    ($($scalar:ident = $class:literal),+ $(,)?) => {
        $(
            #[doc = concat!("A global id of `", $class, "`.")]
            #[derive(Clone, Debug)]
            pub(crate) struct $scalar(String);

            #[doc = concat!("A global id of `", $class, "`.")]
            #[async_graphql::Scalar]
            impl async_graphql::ScalarType for $scalar {
                fn parse(value: async_graphql::Value) -> async_graphql::InputValueResult<Self> {
                    match value {
                        async_graphql::Value::String(text) if parse(Self::CLASS, &text).is_some() => Ok(Self(text)),
                        other => Err(async_graphql::InputValueError::expected_type(other)),
                    }
                }
                fn to_value(&self) -> async_graphql::Value {
                    async_graphql::Value::String(self.0.clone())
                }
            }

            impl $scalar {
                const CLASS: &'static str = $class;
            }
        )+
    };
}

/// The id of a package's metadata: there is one per package, so it has the package's number.
macro_rules! id_of {
    ($scalar:ident, $package:expr) => {
        $scalar(print($scalar::CLASS, $package.id))
    };
}

metadatum_ids! {
    PackagesConanMetadatumID = "Packages::Conan::Metadatum",
    PackagesMavenMetadatumID = "Packages::Maven::Metadatum",
    PackagesNugetMetadatumID = "Packages::Nuget::Metadatum",
    PackagesPypiMetadatumID = "Packages::Pypi::Metadatum",
    PackagesConanFileMetadatumID = "Packages::Conan::FileMetadatum",
    PackagesTerraformModuleMetadatumID = "Packages::TerraformModule::Metadatum",
    PackagesNugetDependencyLinkMetadatumID = "Packages::Nuget::DependencyLinkMetadatum",
}

/// Metadata of a package.
#[derive(Union)]
pub(crate) enum PackageMetadata {
    /// Of a Composer package.
    Composer(ComposerMetadata),
    /// Of a Conan recipe.
    Conan(ConanMetadata),
    /// Of a Maven artifact.
    Maven(MavenMetadata),
    /// Of a NuGet package.
    Nuget(NugetMetadata),
    /// Of a Python distribution.
    Pypi(PypiMetadata),
    /// Of a Terraform module.
    TerraformModule(TerraformModuleMetadata),
}

/// Metadata of a dependency.
#[derive(Union)]
pub(crate) enum DependencyLinkMetadata {
    /// Of a dependency of a NuGet package.
    Nuget(NugetDependencyLinkMetadata),
}

/// Metadata of a dependency of a NuGet package.
#[derive(SimpleObject)]
pub(crate) struct NugetDependencyLinkMetadata {
    id: PackagesNugetDependencyLinkMetadatumID,
    target_framework: String,
}

/// Metadata of a Composer package.
#[derive(SimpleObject)]
pub(crate) struct ComposerMetadata {
    target_sha: String,
    composer_json: PackageComposerJsonType,
}

/// What a `composer.json` says.
#[derive(SimpleObject)]
pub(crate) struct PackageComposerJsonType {
    name: Option<String>,
    #[graphql(name = "type")]
    kind: Option<String>,
    license: Option<String>,
    version: Option<String>,
}

/// Metadata of a Conan recipe.
#[derive(SimpleObject)]
pub(crate) struct ConanMetadata {
    id: PackagesConanMetadatumID,
    created_at: Time,
    updated_at: Time,
    package_channel: String,
    package_username: String,
    recipe: String,
    recipe_path: String,
}

/// Metadata of a Maven artifact.
#[derive(SimpleObject)]
pub(crate) struct MavenMetadata {
    id: PackagesMavenMetadatumID,
    created_at: Time,
    updated_at: Time,
    path: String,
    app_group: String,
    app_name: String,
    app_version: Option<String>,
}

/// Metadata of a NuGet package.
#[derive(SimpleObject)]
pub(crate) struct NugetMetadata {
    id: PackagesNugetMetadatumID,
    icon_url: Option<String>,
    license_url: Option<String>,
    project_url: Option<String>,
}

/// Metadata of a Python distribution.
#[derive(SimpleObject)]
pub(crate) struct PypiMetadata {
    id: PackagesPypiMetadatumID,
    author_email: Option<String>,
    description: Option<String>,
    description_content_type: Option<String>,
    keywords: Option<String>,
    metadata_version: Option<String>,
    required_python: Option<String>,
    summary: Option<String>,
}

impl PackageMetadata {
    /// The metadata of `package`, for the formats that have a type and keep what it needs.
    pub(super) fn of(package: &Package) -> Option<Self> {
        let text = |key: &str| package.metadata.get(key).and_then(Value::as_str).map(str::to_owned);
        let (created_at, updated_at) = (package.created_at.into(), package.updated_at.into());
        match package.format {
            PackageFormat::Composer => {
                let json = package.metadata.get("composer_json")?;
                let text_of = |key: &str| json.get(key).and_then(Value::as_str).map(str::to_owned);
                Some(Self::Composer(ComposerMetadata {
                    target_sha: text("target_sha")?,
                    composer_json: PackageComposerJsonType {
                        name: text_of("name"),
                        kind: text_of("type"),
                        license: text_of("license"),
                        version: text_of("version"),
                    },
                }))
            }
            PackageFormat::Conan => Some(Self::Conan(ConanMetadata {
                id: id_of!(PackagesConanMetadatumID, package),
                created_at,
                updated_at,
                package_channel: text("package_channel")?,
                package_username: text("package_username")?,
                recipe: text("recipe")?,
                recipe_path: text("recipe_path")?,
            })),
            // All of it is in the coordinates: a version may have no POM, or not yet.
            PackageFormat::Maven => {
                let (group, artifact) = package.name.rsplit_once('/')?;
                let version = package.version.as_deref();
                Some(Self::Maven(MavenMetadata {
                    id: id_of!(PackagesMavenMetadatumID, package),
                    created_at,
                    updated_at,
                    path: version.map_or_else(
                        || package.name.clone(),
                        |version| format!("{}/{version}", package.name),
                    ),
                    app_group: group.replace('/', "."),
                    app_name: artifact.to_owned(),
                    app_version: package.version.clone(),
                }))
            }
            PackageFormat::Nuget => Some(Self::Nuget(NugetMetadata {
                id: id_of!(PackagesNugetMetadatumID, package),
                icon_url: text("icon_url"),
                license_url: text("license_url"),
                project_url: text("project_url"),
            })),
            PackageFormat::Pypi => Some(Self::Pypi(PypiMetadata {
                id: id_of!(PackagesPypiMetadatumID, package),
                author_email: text("author_email"),
                description: text("description"),
                description_content_type: text("description_content_type"),
                keywords: text("keywords"),
                metadata_version: text("metadata_version"),
                required_python: text("required_python"),
                summary: text("summary"),
            })),
            PackageFormat::TerraformModule => Some(Self::TerraformModule(TerraformModuleMetadata {
                id: id_of!(PackagesTerraformModuleMetadatumID, package),
                created_at,
                updated_at,
                fields: serde_json::from_value(package.metadata.get("fields")?.clone()).ok()?,
            })),
            PackageFormat::Npm
            | PackageFormat::Generic
            | PackageFormat::Golang
            | PackageFormat::Debian
            | PackageFormat::Rubygems
            | PackageFormat::Helm
            | PackageFormat::Rpm
            | PackageFormat::MlModel
            | PackageFormat::Cargo => None,
        }
    }
}
