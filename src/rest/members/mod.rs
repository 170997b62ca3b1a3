//! Members of projects and groups.

mod change;
mod list;

use gateway::{Intent, Levels, RouteTable};
use http::Method;

use crate::shape::{Id, Place};

gateway::operations!(
    "members/operations.graphql":
    RestProjectMembers, RestGroupMembers, RestProjectMemberUpdatedAt, RestGroupMemberUpdatedAt, RestAddMember,
    RestUpdateMember, RestUpdateMemberWithoutEnd, RestRemoveMember
);

/// A member as every route shows one.
macro_rules! member_json {
    ($member:expr) => {{
        let user = $member.user.as_ref();
        let state = user.map(|user| serde_json::to_value(&user.state).unwrap_or_default());
        serde_json::json!({
            "id": user.map(|user| $crate::shape::id(&user.id)),
            "username": user.map(|user| &user.username),
            "name": user.map(|user| &user.name),
            "state": state,
            "locked": false,
            "avatar_url": null,
            "web_url": user.map(|user| &user.web_url),
            "access_level": $member.access_level.as_ref().and_then(|level| level.integer_value),
            "created_at": $member.created_at,
            "expires_at": $member.expires_at.as_deref().map($crate::shape::day),
            "membership_state": "active",
        })
    }};
}
use member_json;

/// Adds the routes of this noun.
pub(crate) fn routes(table: &mut RouteTable) {
    use list::Relations::{Direct, Inherited};
    for place in Place::ALL {
        let members = format!("{}/members", place.prefix());
        let one = format!("{members}/{{user_id}}");
        let everybody = format!("{members}/all");
        let any = format!("{everybody}/{{user_id}}");
        let levels = Levels::Project;
        table.route(Method::GET, levels, &members, Intent::Read, move |call| list::list(call, place, Direct));
        table.route(Method::GET, levels, &everybody, Intent::Read, move |call| {
            list::list(call, place, Inherited)
        });
        table.route(Method::GET, levels, &one, Intent::Read, move |call| list::show(call, place, Direct));
        table.route(Method::GET, levels, &any, Intent::Read, move |call| list::show(call, place, Inherited));
        table.route(Method::POST, levels, &members, Intent::Write, move |call| change::add(call, place));
        table.route(Method::PUT, levels, &one, Intent::Write, move |call| change::update(call, place));
        table.route(Method::DELETE, levels, &one, Intent::Write, move |call| change::remove(call, place));
    }
}
