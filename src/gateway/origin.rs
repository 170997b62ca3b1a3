//! Where a request comes from, for those who count requests.

use std::net::IpAddr;

use axum::extract::Request;

/// What a request is for, as far as GitLab counts requests apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Traffic {
    /// The API: REST and GraphQL.
    #[default]
    Api,
    /// Package managers, and bytes of packages.
    Packages,
}

/// Where a request comes from, and what it is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The client's address; none where nobody knows.
    pub address: Option<IpAddr>,
    /// What it is for.
    pub traffic: Traffic,
}

/// The client's address, as the server puts it into the extensions of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl Origin {
    /// The origin of `request`.
    pub(crate) fn of(request: &Request, traffic: Traffic) -> Self {
        Self { address: request.extensions().get().map(|ClientAddress(address)| *address), traffic }
    }
}
