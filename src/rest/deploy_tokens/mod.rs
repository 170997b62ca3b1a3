//! Deploy tokens of projects and groups.

mod routes;

pub(crate) use routes::routes;

use crate::shape::Id;

gateway::operations!(
    "deploy_tokens/operations.graphql":
    RestDeployTokens, RestProjectDeployTokens, RestGroupDeployTokens, RestCreateDeployToken, RestRevokeDeployToken
);
