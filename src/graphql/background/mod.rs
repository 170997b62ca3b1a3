//! What servers do beside requests: the work itself, and how it is shown.
//!
//! A server calls [`Model::run_next_job`](crate::Model::run_next_job) again and again. Which work there is, and who does it, stands
//! in the database: see `store::jobs`.

mod collect;
mod list;
mod policies;
mod types;
mod work;

pub use collect::{Collected, CollectionRules, collect, collectable};
pub(crate) use list::{BackgroundJobQuery, runs_of_place};
pub(crate) use types::BackgroundJobRun;
pub use work::Worker;
