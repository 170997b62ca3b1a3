//! Who is at the other end: the address of the connection, or what proxies that are trusted say of it.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use gateway::ClientAddress;

use crate::config::TrustedProxies;

/// What proxies write down: who came to them, behind whom others wrote down before.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The other end of the connection, as it is put into the extensions of its requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Finds the client's address, and puts it into the extensions of `request`.
pub(crate) fn find(request: &mut Request, proxies: &TrustedProxies) -> Option<IpAddr> {
    let Peer(peer) = *request.extensions().get()?;
    let values = request.headers().get_all(FORWARDED_FOR);
    let written: Vec<&str> = values.iter().map(|value| value.to_str().unwrap_or_default()).collect();
    let address = client(peer, &written, proxies);
    request.extensions_mut().insert(ClientAddress(address));
    Some(address)
}

/// The last of those who are not trusted, from `peer` back through what was written down. Anybody can write down anything before
/// that, so it is not read. Where somebody trusted wrote what is no address, that one is as far as anybody knows.
fn client(peer: IpAddr, written: &[&str], proxies: &TrustedProxies) -> IpAddr {
    let mut known = peer.to_canonical();
    for entry in written.iter().rev().flat_map(|value| value.rsplit(',')) {
        if !proxies.trust(known) {
            break;
        }
        let Some(address) = address(entry.trim()) else { break };
        known = address.to_canonical();
    }
    known
}

/// An address, perhaps with a port, as some proxies write it.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

#[cfg(test)]
mod tests {
    use super::client;
    use crate::config::TrustedProxies;

    fn proxies(networks: &[&str]) -> TrustedProxies {
        let networks = networks.iter().map(|network| (*network).to_owned()).collect();
        TrustedProxies::parse(Some(networks)).expect("networks")
    }

    #[test]
    fn only_those_who_are_trusted_are_believed() {
        let inside = &["10.0.0.0/8", "2001:db8::/32", "127.0.0.1"][..];
        for (trusted, peer, written, expected) in [
            (&[][..], "10.0.0.1", &["203.0.113.7"][..], "10.0.0.1"),
            (inside, "10.0.0.1", &["203.0.113.7"], "203.0.113.7"),
            (inside, "::ffff:10.0.0.1", &["203.0.113.7"], "203.0.113.7"),
            // A client that writes something itself: the proxy writes behind it whom it saw.
            (inside, "10.0.0.1", &["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
            (inside, "10.0.0.1", &["198.51.100.1", "203.0.113.7"], "203.0.113.7"),
            (inside, "10.0.0.1", &["127.0.0.1, 203.0.113.7,10.0.0.2"], "203.0.113.7"),
            (inside, "203.0.113.9", &["198.51.100.1"], "203.0.113.9"),
            // Everybody is trusted: the first of them is the client.
            (inside, "10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            (inside, "10.0.0.1", &[], "10.0.0.1"),
            (inside, "10.0.0.1", &["198.51.100.1, unknown"], "10.0.0.1"),
            (inside, "10.0.0.1", &["198.51.100.1, unknown, 10.0.0.2"], "10.0.0.2"),
            (inside, "10.0.0.1", &["203.0.113.7:4711"], "203.0.113.7"),
            (inside, "2001:db8::1", &["[2001:db9::7]:4711"], "2001:db9::7"),
            (inside, "2001:db8::1", &["[2001:db9::7]"], "2001:db9::7"),
        ] {
            let found = client(peer.parse().expect("an address"), written, &proxies(trusted));
            assert_eq!(found.to_string(), expected, "{peer} {written:?}");
        }
    }
}
