//! Access tokens of projects and groups.

mod routes;

pub(crate) use routes::routes;

use crate::shape::Id;

gateway::operations!(
    "resource_tokens/operations.graphql":
    RestProjectAccessTokens, RestGroupAccessTokens, RestCreateResourceAccessToken, RestRotateResourceAccessToken,
    RestRevokeResourceAccessToken
);
