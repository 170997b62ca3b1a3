//! The audit log.

mod inputs;
mod list;
mod types;

pub(crate) use inputs::{AuditEventFilterInput, AuditEventSort};
pub(crate) use list::{AuditArguments, AuditEventQuery, events_of_group, events_of_project, events_of_user};
pub(crate) use types::AuditEvent;
