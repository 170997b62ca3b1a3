//! Addresses to go on to that a request names. They stay on this server, or anybody could send people on from here to a page
//! that looks like ours.

/// Longest address that is followed, in bytes. Percent-encoded in a cookie it has to stay below the 4096 that browsers keep.
const LONGEST: usize = 1024;

/// A path on this server, with its query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LocalPath(String);

impl LocalPath {
    /// Reads `/x`. Browsers take `//x`, and `/\x`, for another host, and leave tabs and line breaks out before they look; whatever
    /// is no visible ASCII has to be percent-encoded.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let stays = text.starts_with('/') && !text.starts_with("//") && text.len() <= LONGEST;
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let path = text.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase().replace("%2e", ".");
        let climbs = path.split('/').any(|segment| segment == "." || segment == "..");
        (stays && plain && !climbs).then(|| Self(text.to_owned()))
    }

    /// A path that stands in our code.
    pub(crate) fn known(path: &'static str) -> Self {
        Self(path.to_owned())
    }

    /// The path.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::LocalPath;

    #[test]
    fn only_paths_of_this_server_are_followed() {
        let here = Url::parse("http://registry.test/users/sign_in").expect("an address");
        for local in ["/", "/x", "/a?b=c&d=%0A#e", "/a//b", "/@evil.test", "/?next=//evil.test"] {
            let path = LocalPath::parse(local).unwrap_or_else(|| panic!("{local} is refused"));
            let target = here.join(path.as_str()).expect("an address");
            assert_eq!(target.origin(), here.origin(), "{local}");
        }
        for foreign in [
            "",
            "x",
            "//evil.test",
            "/.//x",
            "/..//x",
            "/a/%2E./x",
            "///evil.test",
            "/\\evil.test",
            "\\/evil.test",
            "/x\\..",
            "/\t/evil.test",
            "/\n/evil.test",
            "/\r\nSet-Cookie: a=b",
            "/\u{7f}",
            "/\u{e9}",
            "/a b",
            " /x",
            "http://evil.test",
            "javascript:alert(1)",
        ] {
            assert_eq!(LocalPath::parse(foreign), None, "{foreign:?}");
        }
        assert_eq!(LocalPath::parse(&format!("/{}", "a".repeat(2048))), None);
    }
}
