//! The instance itself: what it is, its switches and its limits.

mod echo;
mod limits;
mod query;
mod settings;

pub(crate) use echo::EchoMutation;
pub(crate) use limits::{LimitsMutation, LimitsQuery};
pub(crate) use query::InstanceQuery;
pub(crate) use settings::InstanceMutation;
