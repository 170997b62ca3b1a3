//! How people sign in: with a password, or by way of a provider; and the sessions that come of it.

mod options;
mod password;
mod provider;
mod session;

pub(crate) use options::SignInQuery;
pub(crate) use password::PasswordMutation;
pub(crate) use provider::ProviderMutation;
pub(crate) use session::{SessionMutation, SignInFields};

use oidc::Provider;

/// How people may sign in.
pub struct SignIn {
    /// Whether with a password.
    pub passwords: bool,
    /// With whom else; no two have the same name.
    pub providers: Vec<Provider>,
}

impl SignIn {
    /// The provider called `name`, if there is one.
    fn provider(&self, name: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.name() == name)
    }
}
