//! What there is to choose from.

use async_graphql::{Context, Object, SimpleObject};

use crate::context::ContextExt;

/// How people may sign in.
#[derive(SimpleObject)]
struct SignInOptions {
    /// Whether with a password.
    passwords: bool,
    /// With whom else.
    providers: Vec<SignInProvider>,
}

/// Somebody who tells who people are.
#[derive(SimpleObject)]
struct SignInProvider {
    /// What addresses carry.
    name: String,
    /// What people read.
    label: String,
}

#[derive(Default)]
pub(crate) struct SignInQuery;

#[Object]
impl SignInQuery {
    /// How people may sign in here (ours).
    async fn sign_in_options(&self, ctx: &Context<'_>) -> SignInOptions {
        let sign_in = &ctx.state().sign_in;
        let providers = sign_in.providers.iter().map(|provider| SignInProvider {
            name: provider.name().to_owned(),
            label: provider.label().to_owned(),
        });
        SignInOptions { passwords: sign_in.passwords, providers: providers.collect() }
    }
}
