//! Groups.

mod change;
mod list;

use gateway::{Intent, Levels, RouteTable};
use http::Method;

use crate::shape::Id;

gateway::operations!(
    "groups/operations.graphql":
    RestGroups, RestGroup, RestGroupUpdatedAt, RestSubgroups, RestCreateGroup, RestUpdateGroup, RestDestroyGroup
);

/// A group as every route shows one.
macro_rules! group_json {
    ($group:expr) => {
        serde_json::json!({
            "id": $crate::shape::id(&$group.id),
            "web_url": $group.web_url,
            "name": $group.name,
            "path": $group.path,
            "description": $group.description,
            "visibility": $group.visibility,
            "avatar_url": null,
            "full_name": $group.full_name,
            "full_path": $group.full_path,
            "created_at": $group.created_at,
            "package_registry_enabled": $group.package_registry_enabled,
            "parent_id": $group.parent_id.as_deref().map($crate::shape::id),
        })
    };
}
use group_json;

/// Adds the routes of this noun.
pub(crate) fn routes(table: &mut RouteTable) {
    let (all, one) = ("/api/v4/groups", "/api/v4/groups/{id}");
    table.route(Method::GET, Levels::Project, all, Intent::Read, list::list);
    table.route(Method::POST, Levels::Project, all, Intent::Write, change::create);
    table.route(Method::GET, Levels::Project, one, Intent::Read, list::show);
    table.route(Method::PUT, Levels::Project, one, Intent::Write, change::update);
    table.route(Method::DELETE, Levels::Project, one, Intent::Write, change::destroy);
    table.route(Method::GET, Levels::Project, &format!("{one}/subgroups"), Intent::Read, |call| {
        list::subgroups(call, list::Depth::Children)
    });
    table.route(Method::GET, Levels::Project, &format!("{one}/descendant_groups"), Intent::Read, |call| {
        list::subgroups(call, list::Depth::Descendants)
    });
}
