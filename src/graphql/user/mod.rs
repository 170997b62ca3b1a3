//! People and machine accounts.

mod create;
mod query;
mod types;

pub(crate) use create::UserMutation;
pub(crate) use query::UserQuery;
pub(crate) use types::{CurrentUser, UserCore};
