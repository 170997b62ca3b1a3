//! Policies, rules and what they let go, as they are read.

use async_graphql::SimpleObject;
use domain::RetentionRule;
use store::retention::{Candidate, RetentionPolicy};

use crate::{package::PackageTypeEnum, relay::global_id::PackagesPackageID, scalars::Time};

/// A rule of a retention policy (ours): see `PackageRetentionRuleInput`.
#[derive(SimpleObject)]
pub(crate) struct PackageRetentionRule {
    /// Only packages of this type. Null for all of them.
    package_type: Option<PackageTypeEnum>,
    /// Only packages whose name fits.
    name_pattern: String,
    /// Only versions that fit.
    version_pattern: String,
    /// Keeps this many versions of each name, those that were published last.
    keep_last: Option<u32>,
    /// Keeps what was published, or got its last file, less than this many days ago.
    younger_than_days: Option<u32>,
    /// Keeps what was downloaded less than this many days ago.
    downloaded_within_days: Option<u32>,
}

impl From<RetentionRule> for PackageRetentionRule {
    fn from(rule: RetentionRule) -> Self {
        Self {
            package_type: rule.format.map(Into::into),
            name_pattern: rule.name_pattern,
            version_pattern: rule.version_pattern,
            keep_last: rule.keep_last,
            younger_than_days: rule.younger_than_days,
            downloaded_within_days: rule.downloaded_within_days,
        }
    }
}

/// Which versions of packages a project, or the projects in and below a group, let go (ours). The nearest policy holds, be it switched
/// off. What a protection rule covers, whatever level it asks for, stays.
#[derive(SimpleObject)]
pub(crate) struct PackageRetentionPolicy {
    /// Whether it is carried out, once a day.
    enabled: bool,
    /// Its rules. What one of them lets go goes.
    rules: Vec<PackageRetentionRule>,
    /// When it is carried out next.
    next_run_at: Option<Time>,
}

impl From<RetentionPolicy> for PackageRetentionPolicy {
    fn from(policy: RetentionPolicy) -> Self {
        Self {
            enabled: policy.enabled,
            rules: policy.rules.into_iter().map(Into::into).collect(),
            next_run_at: policy.next_run_at.map(Into::into),
        }
    }
}

/// A version that a retention policy would let go (ours).
#[derive(SimpleObject)]
pub(crate) struct PackageRetentionCandidate {
    /// The id of the package.
    id: PackagesPackageID,
    /// Full path of its project.
    project_path: String,
    /// Its type.
    package_type: PackageTypeEnum,
    /// Its name.
    name: String,
    /// Its version.
    version: String,
    /// When it was published, or got its last file.
    published_at: Time,
    /// When one of its files was last downloaded.
    last_downloaded_at: Option<Time>,
    /// Length of its files together, in bytes. What is freed may be less: see `exclusiveBytes`.
    size: f64,
}

impl From<Candidate> for PackageRetentionCandidate {
    fn from(candidate: Candidate) -> Self {
        Self {
            id: candidate.id.into(),
            project_path: candidate.project_full_path,
            package_type: candidate.format.into(),
            name: candidate.name,
            version: candidate.version,
            published_at: candidate.published_at.into(),
            last_downloaded_at: candidate.last_downloaded_at.map(Into::into),
            size: bytes(candidate.size),
        }
    }
}

/// A number of bytes as GitLab's schema gives it: it has no integers that large. Exact up to 8 PiB.
#[expect(clippy::cast_precision_loss, reason = "what is said above")]
pub(crate) const fn bytes(number: u64) -> f64 {
    number as f64
}
