//! Retention policies: which versions a project or group lets go, what that would be now, and letting them go.
//!
//! The nearest policy holds: that of a project itself, else that of the nearest group above that has one; one that is switched off
//! keeps those above from holding. What is shown and what is deleted comes from one statement, in `select`.

mod policy;
mod protected;
mod run;
mod select;

use domain::{NamespaceId, PackageFormat, PackageId, ProjectId, RetentionRule};
use time::{Duration, OffsetDateTime};

pub use policy::{RetentionPolicy, RetentionPolicyChange, find, in_force, request_due, update};
pub use protected::protected;
pub(crate) use protected::{Counting, protected_in};
pub use run::{RetentionProgress, run};
pub use select::{Preview, list, preview};
pub(crate) use select::{Sql, is_protected_from_deletion};

use crate::members::Place;

/// How often a policy is carried out.
pub const CADENCE: Duration = Duration::DAY;

/// Whose versions, once it is decided that the caller may see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RetentionScope {
    /// Those of a project.
    Project(ProjectId),
    /// Those of the projects in and below a group for which no nearer policy holds.
    Group(NamespaceId),
}

/// What is let go where, as of when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Where.
    pub scope: RetentionScope,
    /// By which rules.
    pub rules: Vec<RetentionRule>,
    /// What stays whatever the rules say.
    pub protected: Vec<ProtectedNames>,
    /// From when days are counted back.
    pub as_of: OffsetDateTime,
}

/// Names of packages that a protection rule covers, whatever level it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectedNames {
    /// In a project, or in everything below a group.
    pub place: Place,
    /// Of this format.
    pub format: PackageFormat,
    /// In the spelling that the format's names are compared in; `*` stands for any text.
    pub pattern: String,
}

/// A version that would go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The version.
    pub id: PackageId,
    /// Full path of its project.
    pub project_full_path: String,
    /// Its format.
    pub format: PackageFormat,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// When it was published, or got its last file.
    pub published_at: OffsetDateTime,
    /// When one of its files was last downloaded.
    pub last_downloaded_at: Option<OffsetDateTime>,
    /// Length of its files together, in bytes.
    pub size: u64,
}
