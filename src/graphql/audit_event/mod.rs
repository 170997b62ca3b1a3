//! The audit log.

mod inputs;
mod list;
mod types;

pub(crate) use inputs::{AuditEventFilterInput, AuditEventSort};
pub(crate) use list::{AuditArguments, AuditEventQuery, events_of_place, events_of_user};
pub(crate) use types::AuditEvent;
