//! The instance itself: what it is, and its switches.

mod query;
mod settings;

pub(crate) use query::InstanceQuery;
pub(crate) use settings::InstanceMutation;
