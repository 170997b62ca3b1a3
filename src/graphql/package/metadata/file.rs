//! Metadata that some formats keep with each file, read from the file's properties.

use async_graphql::{Enum, Interface, Json, SimpleObject};
use serde::Deserialize;
use serde_json::Value;
use store::packages::PackageFile;

use super::PackagesConanFileMetadatumID;
use crate::{relay::global_id::print, scalars::Time};

/// Metadata of one file, for the formats that keep some with the file.
#[derive(Interface)]
#[graphql(field(name = "created_at", ty = "&Time"), field(name = "updated_at", ty = "&Time"))]
pub(crate) enum PackageFileMetadata {
    /// Of a file of a Conan recipe or package.
    Conan(ConanFileMetadata),
    /// Of a Helm chart.
    Helm(HelmFileMetadata),
}

/// What a file of Conan belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConanMetadatumFileTypeEnum {
    /// To the recipe.
    RecipeFile,
    /// To a package built from it.
    PackageFile,
}

/// Metadata of a file of a Conan recipe or package.
#[derive(SimpleObject)]
pub(crate) struct ConanFileMetadata {
    id: PackagesConanFileMetadatumID,
    created_at: Time,
    updated_at: Time,
    conan_file_type: ConanMetadatumFileTypeEnum,
    conan_package_reference: Option<String>,
    package_revision: Option<String>,
    recipe_revision: String,
}

/// Metadata of a Helm chart.
#[derive(SimpleObject)]
pub(crate) struct HelmFileMetadata {
    created_at: Time,
    updated_at: Time,
    /// The channel it was published to.
    channel: String,
    metadata: Box<PackageHelmMetadataType>,
}

/// What a `Chart.yaml` says.
#[derive(SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PackageHelmMetadataType {
    api_version: String,
    name: String,
    version: String,
    app_version: Option<String>,
    condition: Option<String>,
    description: Option<String>,
    home: Option<String>,
    icon: Option<String>,
    kube_version: Option<String>,
    tags: Option<String>,
    #[graphql(name = "type")]
    #[serde(rename = "type")]
    kind: Option<String>,
    keywords: Option<Vec<String>>,
    sources: Option<Vec<String>>,
    deprecated: Option<bool>,
    annotations: Option<Json<Value>>,
    dependencies: Option<Vec<PackageHelmDependencyType>>,
    maintainers: Option<Vec<PackageHelmMaintainerType>>,
}

/// A chart that a chart depends on.
#[derive(SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PackageHelmDependencyType {
    name: Option<String>,
    version: Option<String>,
    repository: Option<String>,
    condition: Option<String>,
    alias: Option<String>,
    tags: Option<Vec<String>>,
    enabled: Option<bool>,
    import_values: Option<Vec<Json<Value>>>,
}

/// Somebody who maintains a chart.
#[derive(SimpleObject, Deserialize)]
pub(crate) struct PackageHelmMaintainerType {
    name: Option<String>,
    email: Option<String>,
    url: Option<String>,
}

impl PackageFileMetadata {
    /// The metadata of `file`, if its format keeps what one of the types needs.
    pub(crate) fn of(file: &PackageFile) -> Option<Self> {
        let text = |key: &str| file.properties.get(key).and_then(Value::as_str).map(str::to_owned);
        let (created_at, updated_at) = (file.created_at.into(), file.updated_at.into());
        if let Some(kind) = file.properties.get("conan_file_type") {
            return Some(Self::Conan(ConanFileMetadata {
                id: PackagesConanFileMetadatumID(print(PackagesConanFileMetadatumID::CLASS, file.id)),
                created_at,
                updated_at,
                conan_file_type: serde_json::from_value(kind.clone()).ok()?,
                conan_package_reference: text("conan_package_reference"),
                package_revision: text("package_revision"),
                recipe_revision: text("recipe_revision")?,
            }));
        }
        let chart = file.properties.get("helm_metadata")?;
        Some(Self::Helm(HelmFileMetadata {
            created_at,
            updated_at,
            channel: text("channel")?,
            metadata: serde_json::from_value(chart.clone()).ok()?,
        }))
    }
}
