//! The only door for adapters.
//!
//! Formats, the REST API and the web pages translate a client's protocol into named GraphQL operations and run them here,
//! in process. This crate holds what they need for that and nothing that could lead past the schema: an opaque
//! [`Session`], the [`Gateway`] that runs operations, staged uploads and ticketed reads of bytes, the table of routes,
//! proof that a request with a cookie comes from a page of ours ([`csrf`]), and [`serve`], which answers a download with
//! ranges and conditional requests.
//!
//! What must not go in here: decisions about access, knowledge of any one protocol, SQL, storage.

mod backend;
mod call;
pub mod cookies;
mod credentials;
pub mod csrf;
pub mod dialect;
mod failure;
mod format;
mod operation;
mod origin;
mod range;
mod readers;
mod route;
pub mod scalars;
pub mod serve;
mod session;
mod throttled;

#[cfg(test)]
mod tests;

pub use backend::{Backend, ByteStream, OpenedBlob, StageWriter, StagedBlob};
pub use call::{Call, PathParams, QueryPairs};
pub use credentials::{CredentialPolicy, Leniency, SessionCookie};
pub use csrf::CsrfToken;
pub use format::{Descriptor, Format};
pub use operation::{Operation, ParsedDocument};
pub use origin::{ClientAddress, Origin, Traffic};
pub use route::{Dialect, FailedRequest, Intent, Levels, RouteInfo, RouteTable};
pub use session::{Gateway, Session};

#[doc(hidden)]
pub use graphql_client;
