//! The policy as it is read.

use async_graphql::{Enum, SimpleObject};
use store::cleanup_policies::CleanupPolicy;

use crate::scalars::Time;

/// How many files of one name a package keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "PackagesCleanupKeepDuplicatedPackageFilesEnum")]
pub(crate) enum KeptDuplicates {
    /// All of them.
    AllPackageFiles,
    /// The newest one.
    OnePackageFile,
    /// The newest ten.
    TenPackageFiles,
    /// The newest twenty.
    TwentyPackageFiles,
    /// The newest thirty.
    ThirtyPackageFiles,
    /// The newest forty.
    FortyPackageFiles,
    /// The newest fifty.
    FiftyPackageFiles,
}

impl From<domain::KeptDuplicates> for KeptDuplicates {
    fn from(kept: domain::KeptDuplicates) -> Self {
        match kept {
            domain::KeptDuplicates::All => Self::AllPackageFiles,
            domain::KeptDuplicates::One => Self::OnePackageFile,
            domain::KeptDuplicates::Ten => Self::TenPackageFiles,
            domain::KeptDuplicates::Twenty => Self::TwentyPackageFiles,
            domain::KeptDuplicates::Thirty => Self::ThirtyPackageFiles,
            domain::KeptDuplicates::Forty => Self::FortyPackageFiles,
            domain::KeptDuplicates::Fifty => Self::FiftyPackageFiles,
        }
    }
}

impl From<KeptDuplicates> for domain::KeptDuplicates {
    fn from(kept: KeptDuplicates) -> Self {
        match kept {
            KeptDuplicates::AllPackageFiles => Self::All,
            KeptDuplicates::OnePackageFile => Self::One,
            KeptDuplicates::TenPackageFiles => Self::Ten,
            KeptDuplicates::TwentyPackageFiles => Self::Twenty,
            KeptDuplicates::ThirtyPackageFiles => Self::Thirty,
            KeptDuplicates::FortyPackageFiles => Self::Forty,
            KeptDuplicates::FiftyPackageFiles => Self::Fifty,
        }
    }
}

/// How many duplicated files the packages of a project keep.
#[derive(SimpleObject)]
pub(crate) struct PackagesCleanupPolicy {
    /// How many files of one name a package keeps.
    #[graphql(name = "keepNDuplicatedPackageFiles")]
    keep_n_duplicated_package_files: KeptDuplicates,
    /// When that is carried out next. Null while all are kept.
    next_run_at: Option<Time>,
}

impl From<CleanupPolicy> for PackagesCleanupPolicy {
    fn from(policy: CleanupPolicy) -> Self {
        Self {
            keep_n_duplicated_package_files: policy.kept.into(),
            next_run_at: policy.next_run_at.map(Into::into),
        }
    }
}
