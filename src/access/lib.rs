//! The one place that decides who may do what.
//!
//! A decision is a pure function of three things: who asks ([`Viewer`]), what for ([`Action`]) and what must be known of
//! the resource ([`ProjectFacts`], [`GroupFacts`]). Rows reach the `graphql` crate wrapped in [`Guarded`], whose only way
//! out is [`Guarded::authorize`]; lists take a [`Visible`] filter that only this crate can make. So a handler that forgets
//! to ask does not compile.
//!
//! What must not go in here: I/O, SQL, protocols. What a denial looks like to a client is each door's business.

mod action;
mod facts;
mod guarded;
mod packages;
mod policy;
mod protection;
mod scope;
mod viewer;

#[cfg(test)]
mod tests;

pub use action::Action;
pub use facts::{Facts, GroupFacts, InstanceFacts, ProjectFacts};
pub use guarded::Guarded;
pub use packages::Packages;
pub use policy::{Denied, decide, decide_about, decide_instance, decide_packages};
pub use protection::{Protected, decide_protected};
pub use scope::{Purpose, Visible};
pub use viewer::{Holder, Identity, Via, Viewer};
