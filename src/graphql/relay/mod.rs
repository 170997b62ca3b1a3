//! What Relay asks of a schema: global ids, cursors, connections.

pub(crate) mod connection;
pub(crate) mod global_id;
