//! ID tokens of OpenID Connect issuers: whose keys are fetched, and whose signatures, times and audience are checked.
//!
//! Used by `graphql` for trusted publishing. Only issuers that the administrator named are ever asked for their keys, so that
//! no request makes the server fetch an address of the caller's choice. What must not go in here: who may publish what (that is
//! `store`'s and `graphql`'s), the memory of tokens that were used (the database's), protocols of our own.

mod fetch;
mod issuer;
mod keys;
mod ring_provider;
mod verify;

pub use issuer::check_issuer;
pub use verify::{IdToken, Verifier};
