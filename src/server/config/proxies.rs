//! Proxies whose word is taken for where a request comes from.

use std::{net::IpAddr, sync::Arc};

use ipnet::IpNet;

use crate::stop::Stop;

/// The networks of proxies that are trusted.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    /// The networks, each written as `10.0.0.0/8`, or as an address of its own.
    pub(crate) fn parse(given: Option<Vec<String>>) -> Result<Self, Stop> {
        let network = |text: String| {
            let address = text.parse::<IpAddr>().map(IpNet::from);
            text.parse::<IpNet>().or(address).map_err(|_| {
                let message =
                    format!("trusted_proxies: '{text}' is no network, such as 10.0.0.0/8, and no address");
                Stop::usage(message)
            })
        };
        Ok(Self(given.unwrap_or_default().into_iter().map(network).collect::<Result<_, _>>()?))
    }

    /// Whether what this address says is believed.
    pub(crate) fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}
