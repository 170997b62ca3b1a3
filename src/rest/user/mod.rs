//! The user who asks.

use axum::response::Response;
use domain::Failure;
use gateway::{Call, Intent, Levels, RouteTable, dialect};
use http::{Method, StatusCode};

use crate::{shape::id, users::user_json};

gateway::operations!("user/operations.graphql": RestCurrentUser);

/// Adds the routes of this noun.
pub(crate) fn routes(table: &mut RouteTable) {
    table.route(Method::GET, Levels::Project, "/api/v4/user", Intent::Identify, show);
}

async fn show(call: Call) -> Result<Response, Failure> {
    let user = call.run::<RestCurrentUser>(rest_current_user::Variables {}).await?.current_user;
    let user = user.ok_or_else(Failure::unauthenticated)?;
    let mut body = user_json!(user);
    body["namespace_id"] = user.namespace.as_ref().map(|namespace| id(&namespace.id)).into();
    // GitLab tells everybody whether they administer; a plain user reads `false` here too.
    body["is_admin"] = user.admin.unwrap_or(false).into();
    Ok(dialect::answer(StatusCode::OK, &body))
}
