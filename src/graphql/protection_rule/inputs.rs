//! Enums and inputs of rules.

use async_graphql::{Enum, ID, InputObject, MaybeUndefined};
use domain::{PackageFormat, ProtectionLevel};

use crate::relay::global_id::PackagesProtectionRuleID;

macro_rules! define_sdl_enum {
    ($(($variant:ident, $slug:literal, $sdl:ident, $number:literal, $title:literal)),+ $(,)?) => {
        /// A package format that a rule can cover. GitLab has eight of them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
        #[graphql(name = "PackagesProtectionRulePackageType")]
        pub(crate) enum RulePackageType {
            $(#[doc = concat!("Packages of the format ", $title, ".")] $variant),+
        }

        impl From<RulePackageType> for PackageFormat {
            fn from(value: RulePackageType) -> Self {
                match value { $(RulePackageType::$variant => Self::$variant),+ }
            }
        }

        impl From<PackageFormat> for RulePackageType {
            fn from(format: PackageFormat) -> Self {
                match format { $(PackageFormat::$variant => Self::$variant),+ }
            }
        }
    };
}

domain::for_each_format!(define_sdl_enum);

/// Who may publish what a rule covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "PackagesProtectionRuleAccessLevel")]
pub(crate) enum PushLevel {
    /// Maintainers and owners.
    Maintainer,
    /// Owners.
    Owner,
    /// Administrators of the instance.
    Admin,
}

impl From<PushLevel> for ProtectionLevel {
    fn from(level: PushLevel) -> Self {
        match level {
            PushLevel::Maintainer => Self::Maintainer,
            PushLevel::Owner => Self::Owner,
            PushLevel::Admin => Self::Administrator,
        }
    }
}

impl From<ProtectionLevel> for PushLevel {
    fn from(level: ProtectionLevel) -> Self {
        match level {
            ProtectionLevel::Maintainer => Self::Maintainer,
            ProtectionLevel::Owner => Self::Owner,
            ProtectionLevel::Administrator => Self::Admin,
        }
    }
}

/// Who may delete what a rule covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "PackagesProtectionRuleAccessLevelForDelete")]
pub(crate) enum DeleteLevel {
    /// Owners.
    Owner,
    /// Administrators of the instance.
    Admin,
}

impl From<DeleteLevel> for ProtectionLevel {
    fn from(level: DeleteLevel) -> Self {
        match level {
            DeleteLevel::Owner => Self::Owner,
            DeleteLevel::Admin => Self::Administrator,
        }
    }
}

impl DeleteLevel {
    /// The level; none for the lowest, which is what deleting needs anyway.
    pub(crate) const fn of(level: ProtectionLevel) -> Option<Self> {
        match level {
            ProtectionLevel::Maintainer => None,
            ProtectionLevel::Owner => Some(Self::Owner),
            ProtectionLevel::Administrator => Some(Self::Admin),
        }
    }
}

/// Which rules a list shows (ours).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
#[graphql(name = "PackagesProtectionRuleReach")]
pub(crate) enum RuleReach {
    /// Those that were made for the place itself.
    #[default]
    Own,
    /// Those of the groups above as well: all that hold here.
    Inherited,
}

/// A rule to create.
#[derive(InputObject)]
pub(crate) struct CreatePackagesProtectionRuleInput {
    /// Full path or decimal id of the project that it shall hold in; either this or namespacePath.
    pub(super) project_path: Option<ID>,
    /// Full path or decimal id of the group, or user's own namespace, below which it shall hold in every project (ours); either
    /// this or projectPath.
    pub(super) namespace_path: Option<ID>,
    /// Names that the rule covers, `*` standing for any text, whatever the case. At most 255 characters.
    pub(super) package_name_pattern: String,
    pub(super) package_type: RulePackageType,
    /// Who may publish. Left to whoever may publish anyway when null.
    pub(super) minimum_access_level_for_push: Option<PushLevel>,
    /// Who may delete. Left to whoever may delete anyway when null.
    pub(super) minimum_access_level_for_delete: Option<DeleteLevel>,
    /// Echoed.
    pub(super) client_mutation_id: Option<String>,
}

/// What to change of a rule; what is left out stays.
#[derive(InputObject)]
pub(crate) struct UpdatePackagesProtectionRuleInput {
    pub(super) id: PackagesProtectionRuleID,
    /// Where it is expected: a rule of another project is then not found (ours).
    pub(super) project_path: Option<ID>,
    /// Where it is expected: a rule of another namespace is then not found (ours).
    pub(super) namespace_path: Option<ID>,
    pub(super) package_name_pattern: Option<String>,
    pub(super) package_type: Option<RulePackageType>,
    /// Null leaves it to whoever may publish anyway.
    pub(super) minimum_access_level_for_push: MaybeUndefined<PushLevel>,
    /// Null leaves it to whoever may delete anyway.
    pub(super) minimum_access_level_for_delete: MaybeUndefined<DeleteLevel>,
    /// Echoed.
    pub(super) client_mutation_id: Option<String>,
}

/// Names the rule to delete.
#[derive(InputObject)]
pub(crate) struct DeletePackagesProtectionRuleInput {
    pub(super) id: PackagesProtectionRuleID,
    /// Where it is expected: a rule of another project is then not found (ours).
    pub(super) project_path: Option<ID>,
    /// Where it is expected: a rule of another namespace is then not found (ours).
    pub(super) namespace_path: Option<ID>,
    /// Echoed.
    pub(super) client_mutation_id: Option<String>,
}
