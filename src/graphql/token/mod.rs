//! Personal access tokens, those of projects and groups, and deploy tokens.

mod access_token;
mod deploy_token;
mod limit;
mod resource_token;

pub(crate) use limit::{TokenLimit, TokenLimitInput, limits, shown};

pub(crate) use access_token::{
    AccessTokenMutation, AccessTokenQuery, PersonalAccessToken, TokenState, access_tokens_of,
    end_of_token_in_use,
};
pub(crate) use deploy_token::{DeployToken, DeployTokenMutation, DeployTokenQuery, deploy_tokens_of};
pub(crate) use resource_token::{AccessToken, ResourceTokenMutation, resource_tokens_of};

use domain::{Failure, Scope, Scopes};

/// Reads the names of scopes; one that nobody knows is refused.
fn scopes(names: &[String]) -> Result<Scopes, Failure> {
    names
        .iter()
        .map(|name| {
            Scope::from_name(name).ok_or_else(|| {
                Failure::invalid(
                    "scopes",
                    format!("'{name}' is not a scope: api and read_package_registry are"),
                )
            })
        })
        .collect()
}

/// The names of scopes.
fn scope_names(scopes: Scopes) -> Vec<&'static str> {
    scopes.iter().map(Scope::name).collect()
}
