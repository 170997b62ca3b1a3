//! Packages: one row per version, with files, tags, dependencies and ready-made pieces of index documents.
//!
//! Functions that take a [`PackageScope`] or a [`Package`] rest on a decision that was made already: a scope of a project
//! is made from an opened project, the others carry an [`access::Visible`] filter. Functions that start from an id answer
//! [`access::Guarded`] values.

mod dependencies;
mod deprecate;
mod destroy;
mod documents;
mod duplicates;
mod files;
mod find;
mod flags;
mod fragments;
mod index;
mod list;
mod publish;
mod republish;
mod rows;
mod tags;

use access::Visible;
use domain::{
    DeployTokenId, Digests, NamespaceId, PackageFileId, PackageFormat, PackageId, PackageNameId,
    PackageStatus, PackageTagId, PipelineId, ProjectId, UserId,
};
use serde_json::Value;
use time::OffsetDateTime;

pub use dependencies::{DependencyLink, list as dependencies};
pub use deprecate::{Deprecation, deprecate};
pub use destroy::{DoomedFile, destroy, destroy_file, destroy_files, destroy_many, destroy_names};
pub(crate) use destroy::{bury_versions, lock_names_of};
pub use documents::{IndexDocument, document, document_entries};
pub use duplicates::{CleanupProgress, remove_duplicates, request_due_cleanups};
pub use files::{FileFilter, FileSort, count as count_files, list as files};
pub use find::{
    FileCoordinates, files_of_project, find, find_file, find_file_by_id, find_many, find_version,
};
pub use flags::{FlagChange, FlagState, flags_of, set_flags};
pub use index::{
    IndexEntry, IndexName, NameFilter, count_names, index_entries, index_names, index_tags, latest_versions,
    list_names,
};
pub use list::{PackageFilter, PackageSort, Versionless, count, list};
pub use publish::{NewFile, NewPublication, Published, ReplacedFile, publish};
pub use republish::check;
pub use tags::{remove_tag, set_tag, tags_of};

/// Notes that a file of a package was downloaded: written down within seconds, in bulk.
pub fn note_download(store: &crate::Store, package: PackageId, now: OffsetDateTime) {
    store.usage().note(crate::usage::Token::Package(package.0), None, now);
}

/// Where packages are looked for, once it is decided that the caller may look there.
#[derive(Clone, Debug)]
pub enum PackageScope {
    /// In one project that was opened for viewing packages.
    Project(ProjectId),
    /// In the projects of a group and its descendants that the filter lets through.
    Group {
        /// The group.
        group: NamespaceId,
        /// The projects the caller may see.
        visible: Visible,
    },
    /// In all projects that the filter lets through.
    Instance {
        /// The projects the caller may see.
        visible: Visible,
        /// Only in projects below this top-level namespace, given by its path.
        root: Option<String>,
    },
}

/// One version of a package.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its id.
    pub id: PackageId,
    /// The name it stands under.
    pub name_id: PackageNameId,
    /// Its format.
    pub format: PackageFormat,
    /// Its name, as published.
    pub name: String,
    /// Its version, as published.
    pub version: Option<String>,
    /// Where it is in its life.
    pub status: PackageStatus,
    /// What went wrong, for status error.
    pub status_message: Option<String>,
    /// What the format knows of it.
    pub metadata: Value,
    /// Why it is deprecated.
    pub deprecation: Option<String>,
    /// Who published it.
    pub creator: Option<UserId>,
    /// When it was published.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
    /// When one of its files was last downloaded.
    pub last_downloaded_at: Option<OffsetDateTime>,
    /// The project it is in.
    pub project: ProjectSummary,
}

/// What every package knows of its project.
#[derive(Clone, Debug)]
pub struct ProjectSummary {
    /// Its id.
    pub id: ProjectId,
    /// The group or user namespace it is in.
    pub namespace_id: NamespaceId,
    /// Its own path segment.
    pub path: String,
    /// Its full path.
    pub full_path: String,
}

/// A file of a package.
#[derive(Clone, Debug)]
pub struct PackageFile {
    /// Its id.
    pub id: PackageFileId,
    /// The package it belongs to.
    pub package_id: PackageId,
    /// The project the package is in.
    pub project_id: ProjectId,
    /// Full path of the project.
    pub project_full_path: String,
    /// Its name.
    pub file_name: String,
    /// The shelf it stands on, in formats that have some.
    pub channel: Option<String>,
    /// Length in bytes.
    pub size: u64,
    /// Digests of its content.
    pub digests: Digests,
    /// Named properties.
    pub properties: Value,
    /// The pipeline whose job published it.
    pub pipeline_id: Option<PipelineId>,
    /// When it was published.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
}

/// A movable name for a version.
#[derive(Clone, Debug)]
pub struct PackageTag {
    /// Its id.
    pub id: PackageTagId,
    /// The package it points at.
    pub package_id: PackageId,
    /// Its name.
    pub name: String,
    /// When it was made or last moved.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
}

/// Who publishes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Author {
    /// A user.
    pub user: Option<UserId>,
    /// Or a deploy token.
    pub deploy_token: Option<DeployTokenId>,
    /// The pipeline in whose job it happens.
    pub pipeline: Option<PipelineId>,
}
