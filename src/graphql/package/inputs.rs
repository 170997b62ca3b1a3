//! Enums and inputs that several operations on packages share.

use async_graphql::{Enum, ID, InputObject};
use domain::PackageFormat;

macro_rules! define_sdl_enum {
    ($(($variant:ident, $slug:literal, $sdl:ident, $number:literal, $title:literal)),+ $(,)?) => {
        /// A package format.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
        #[graphql(name = "PackageTypeEnum")]
        pub(crate) enum PackageTypeEnum {
            $(#[doc = concat!("Packages of the format ", $title, ".")] $variant),+
        }

        impl From<PackageTypeEnum> for PackageFormat {
            fn from(value: PackageTypeEnum) -> Self {
                match value { $(PackageTypeEnum::$variant => Self::$variant),+ }
            }
        }

        impl From<PackageFormat> for PackageTypeEnum {
            fn from(format: PackageFormat) -> Self {
                match format { $(PackageFormat::$variant => Self::$variant),+ }
            }
        }
    };
}

domain::for_each_format!(define_sdl_enum);

/// Where a package is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::PackageStatus")]
pub(crate) enum PackageStatus {
    /// Published and listed.
    Default,
    /// Downloadable, not listed.
    Hidden,
    /// Being extracted.
    Processing,
    /// Its extraction failed.
    Error,
    /// Deleted.
    PendingDestruction,
    /// Published, listed, and advised against.
    Deprecated,
}

/// Where to look for packages. At most one of the two; neither means the whole instance.
#[derive(Clone, Debug, Default, InputObject)]
pub(crate) struct PackageScopeInput {
    /// Full path or decimal id of a project.
    pub(crate) project_path: Option<ID>,
    /// Full path or decimal id of a group; its descendants are included.
    pub(crate) group_path: Option<ID>,
}
