//! What a client presents to prove who it is, before anybody believed it.

use std::fmt;

/// The header, or other place, a credential arrived in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// `Authorization: Basic`.
    Basic,
    /// `Authorization: Bearer`.
    Bearer,
    /// `PRIVATE-TOKEN`, or the `private_token` query parameter.
    PrivateToken,
    /// `Deploy-Token`.
    DeployToken,
    /// `JOB-TOKEN`, or the `job_token` query parameter.
    JobToken,
    /// The cookie of a browser that is signed in. It carries sessions alone, and they travel nowhere else.
    Session,
}

/// A credential as it arrived. Its `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// Where it was found.
    pub carrier: Carrier,
    /// The user name, for carriers that have one.
    pub username: Option<String>,
    /// The secret.
    pub secret: String,
}

impl fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credential")
            .field("carrier", &self.carrier)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}
