//! Personal access tokens.

mod change;
mod list;

pub(crate) use list::state;

use gateway::{Intent, Levels, RouteTable};
use http::Method;

gateway::operations!(
    "access_tokens/operations.graphql":
    RestOwnAccessTokens, RestUserAccessTokens, RestCurrentAccessToken, RestAccessToken, RestCreateAccessToken,
    RestRotateAccessToken, RestRevokeAccessToken
);

/// A token as every route shows one.
macro_rules! token_json {
    ($token:expr) => {
        serde_json::json!({
            "id": $crate::shape::id(&$token.id),
            "name": $token.name,
            "revoked": $token.revoked,
            "created_at": $token.created_at,
            "description": $token.description,
            "scopes": $token.scopes,
            "limits": $crate::token_limits::limits_json!($token.limits),
            "user_id": $crate::shape::id(&$token.user_id),
            "last_used_at": $token.last_used_at,
            "active": $token.active,
            "expires_at": $token.expires_at,
        })
    };
}
pub(crate) use token_json;

/// Adds the routes of this noun.
pub(crate) fn routes(table: &mut RouteTable) {
    let all = "/api/v4/personal_access_tokens";
    let this = format!("{all}/self");
    let one = format!("{all}/{{token_id}}");
    let levels = Levels::Project;
    table.route(Method::GET, levels, all, Intent::Read, list::list);
    table.route(Method::GET, levels, &this, Intent::Identify, list::show_current);
    table.route(Method::GET, levels, &one, Intent::Read, list::show);
    table.route(Method::DELETE, levels, &this, Intent::Write, change::revoke_current);
    table.route(Method::DELETE, levels, &one, Intent::Write, change::revoke);
    table.route(Method::POST, levels, &format!("{this}/rotate"), Intent::Write, change::rotate_current);
    table.route(Method::POST, levels, &format!("{one}/rotate"), Intent::Write, change::rotate);
    let own = "/api/v4/user/personal_access_tokens";
    table.route(Method::POST, levels, own, Intent::Write, change::create);
    let of_user = "/api/v4/users/{user_id}/personal_access_tokens";
    table.route(Method::POST, levels, of_user, Intent::Write, change::create_for_user);
}

/// The global id of the token with this number.
fn token_gid(number: i64) -> String {
    format!("gid://gitlab/PersonalAccessToken/{number}")
}
