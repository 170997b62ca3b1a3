//! Users.

mod routes;

pub(crate) use routes::routes;

gateway::operations!("users/operations.graphql": RestUsers, RestUser, RestCreateUser, RestSetUserBlocked);

/// A user as every route shows one; mail address and administration only where the model tells them.
macro_rules! user_json {
    ($user:expr) => {{
        let state = serde_json::to_value(&$user.state).unwrap_or_default();
        let mut json = serde_json::json!({
            "id": $crate::shape::id(&$user.id),
            "username": $user.username,
            "public_email": $user.public_email,
            "name": $user.name,
            "state": state,
            "locked": false,
            "avatar_url": $user.avatar_url,
            "web_url": $user.web_url,
            "created_at": $user.created_at,
            "bio": "",
            "location": "",
            "bot": false,
        });
        if let Some(email) = &$user.email {
            json["email"] = email.clone().into();
            json["commit_email"] = email.clone().into();
        }
        if let Some(admin) = $user.admin {
            json["is_admin"] = admin.into();
            json["external"] = false.into();
            json["two_factor_enabled"] = false.into();
            json["can_create_group"] = true.into();
            json["can_create_project"] = true.into();
        }
        json
    }};
}
pub(crate) use user_json;
