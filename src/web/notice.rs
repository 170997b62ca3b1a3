//! What happened, told on the next page: a form is answered with a redirect, so that a reload does not send it again.

use crate::{cookies::Kind, site::Site};

macro_rules! notices {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal: $text:literal),+ $(,)?) => {
        /// Something that happened. A closed list: a cookie cannot put words into our mouth.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Notice { $($(#[doc = $doc])+ $variant),+ }

        impl Notice {
            /// What the cookie says.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What people read.
            pub(crate) const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

notices! {
    /// The session was ended.
    SignedOut = "signed_out": "You are signed out.",
    /// There is a new password.
    PasswordChanged = "password_changed": "Your password was changed, and your other sessions were ended.",
    /// Another session was ended.
    SessionRevoked = "session_revoked": "The session was ended.",
    /// An account at a provider does not sign in any more.
    IdentityUnlinked = "identity_unlinked": "The account was unlinked.",
    /// A token does not count any more.
    TokenRevoked = "token_revoked": "The token was revoked.",
}

impl Notice {
    /// The one that waits for this page.
    pub(crate) fn of(site: &Site, headers: &http::HeaderMap) -> Option<Self> {
        Self::from_name(&Kind::Notice.read(site, headers)?)
    }
}
