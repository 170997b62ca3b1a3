//! Protection rules: who may publish and delete packages whose names fit a pattern.

mod change;
mod covering;
mod inputs;
mod types;

pub(crate) use change::ProtectionRuleMutation;
pub(crate) use covering::{authorize_package, authorize_project, is_covered, refuse_protected};
pub(crate) use inputs::RuleReach;
pub(crate) use types::{PackagesProtectionRule, rules_of};
