//! Addresses of issuers.

use url::{Host, Url};

/// Checks the address of an issuer as an administrator gave it: HTTPS, or HTTP on this machine; no user, query or fragment.
/// Says what is wrong with it.
pub fn check_issuer(issuer: &str) -> Result<(), String> {
    let refused = |why: &str| Err(format!("'{issuer}' is no issuer: {why}"));
    let Ok(url) = Url::parse(issuer) else { return refused("it is not an address") };
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return refused("it has a user name, a query or a fragment");
    }
    if is_safe(&url) { Ok(()) } else { refused("it has to begin with https://, or be on this machine") }
}

/// Whether keys may be fetched from an address: over TLS, or from this machine.
pub(crate) fn is_safe(url: &Url) -> bool {
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && here)
}

#[cfg(test)]
mod tests {
    use super::check_issuer;

    #[test]
    fn only_tls_or_this_machine() {
        for accepted in [
            "https://ci.example.org",
            "https://ci.example.org/",
            "https://ci.example.org/realms/one",
            "http://127.0.0.1:9",
            "http://[::1]:9",
            "http://localhost:9",
        ] {
            assert_eq!(check_issuer(accepted), Ok(()), "{accepted}");
        }
        for refused in [
            "",
            "ci.example.org",
            "http://ci.example.org",
            "http://10.0.0.1",
            "file:///etc/passwd",
            "ftp://ci.example.org",
            "https://user@ci.example.org",
            "https://ci.example.org?a=b",
            "https://ci.example.org#a",
        ] {
            assert!(check_issuer(refused).is_err(), "{refused}");
        }
    }
}
