//! Pipelines of CI: which branch and commit, in whose name, and what they published.

mod jobs;
mod list;

use domain::{PipelineId, ProjectId, UserId};
use time::OffsetDateTime;

pub use jobs::{Authenticated, Job, NewJob, NewPipeline, Run, authenticate, create, end, find_job};
pub use list::{count_of_package, find_many, newest_of_packages, of_package};

/// A run of CI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// The id.
    pub id: PipelineId,
    /// Its number in the project.
    pub iid: i64,
    /// The project whose code it runs.
    pub project_id: ProjectId,
    /// Full path of the project.
    pub project_full_path: String,
    /// The branch or tag.
    pub reference: String,
    /// The commit.
    pub sha: String,
    /// What started it.
    pub source: String,
    /// Where it is on the web.
    pub web_url: Option<String>,
    /// Who started it.
    pub user_id: Option<UserId>,
    /// When it was created.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
}
