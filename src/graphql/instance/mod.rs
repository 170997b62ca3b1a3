//! The instance itself: what it is, and its switches.

mod echo;
mod query;
mod settings;

pub(crate) use echo::EchoMutation;
pub(crate) use query::InstanceQuery;
pub(crate) use settings::InstanceMutation;
