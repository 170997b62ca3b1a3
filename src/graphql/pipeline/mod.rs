//! Pipelines of CI, the tokens of their jobs, and whose jobs a project lets in.

mod current;
mod job;
mod scope;
mod types;

pub(crate) use current::CurrentJobQuery;
pub(crate) use job::JobMutation;
pub(crate) use scope::{CiJobTokenScope, JobTokenScopeMutation};
pub(crate) use types::{Pipeline, newest_of_packages, pipelines_of, pipelines_with_ids};
