//! OpenID Connect: ID tokens whose keys are fetched, and whose signatures, times and audience are checked; and the way of a
//! person through a provider, which ends with such a token.
//!
//! Used by `graphql` for trusted publishing, where CI brings ID tokens, and for signing in. Only issuers that the administrator
//! named are ever asked, so that no request makes the server fetch an address of the caller's choice. What must not go in here:
//! who may publish what and who signs in as whom (that is `store`'s and `graphql`'s), the memory of tokens that were used and of
//! attempts under way (the database's), protocols of our own.

mod discovery;
mod fetch;
mod issuer;
mod keys;
mod provider;
mod ring_provider;
mod verify;

pub use issuer::check_issuer;
pub use oauth2::ClientSecret;
pub use provider::{Departure, Profile, Provider, ProviderSettings, Return};
pub use verify::{IdToken, Verifier};
