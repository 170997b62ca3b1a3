//! Projects.

mod change;
mod list;

use gateway::{Intent, Levels, RouteTable};
use http::Method;

use crate::shape::Id;

gateway::operations!(
    "projects/operations.graphql":
    RestProjects, RestGroupProjects, RestProject, RestProjectUpdatedAt, RestCreateProject, RestUpdateProject,
    RestDestroyProject
);

/// A project as every route shows one.
macro_rules! project_json {
    ($project:expr, $external_url:expr) => {{
        let id = $crate::shape::id(&$project.id);
        let level = serde_json::to_value(&$project.package_registry_access_level).unwrap_or_default();
        let level = level.as_str().map(str::to_ascii_lowercase);
        let namespace = $project.namespace.as_ref();
        let web_url = $project.web_url.clone().unwrap_or_default();
        let this = format!("{}/api/v4/projects/{id}", $external_url);
        serde_json::json!({
            "id": id,
            "description": $project.description,
            "name": $project.name,
            "name_with_namespace": $project.name_with_namespace,
            "path": $project.path,
            "path_with_namespace": $project.full_path,
            "created_at": $project.created_at,
            "default_branch": null,
            "tag_list": [],
            "topics": [],
            "http_url_to_repo": format!("{web_url}.git"),
            "web_url": web_url,
            "readme_url": null,
            "avatar_url": null,
            "forks_count": 0,
            "star_count": 0,
            "last_activity_at": $project.updated_at,
            "updated_at": $project.updated_at,
            "namespace": namespace
                .map(|namespace| $crate::namespaces::namespace_json!(namespace, namespace.kind)),
            "_links": { "self": this, "members": format!("{this}/members") },
            "packages_enabled": level.as_deref().is_some_and(|level| level != "disabled"),
            "package_registry_access_level": level,
            "empty_repo": true,
            "archived": false,
            "visibility": $project.visibility,
            "creator_id": $project.creator_id.as_deref().map($crate::shape::id),
            "import_status": "none",
        })
    }};
}
use project_json;

/// Adds the routes of this noun.
pub(crate) fn routes(table: &mut RouteTable) {
    let (all, one) = ("/api/v4/projects", "/api/v4/projects/{id}");
    table.route(Method::GET, Levels::Project, all, Intent::Read, list::list);
    table.route(Method::POST, Levels::Project, all, Intent::Write, change::create);
    table.route(Method::GET, Levels::Project, one, Intent::Read, list::show);
    table.route(Method::PUT, Levels::Project, one, Intent::Write, change::update);
    table.route(Method::DELETE, Levels::Project, one, Intent::Write, change::destroy);
    let of_group = "/api/v4/groups/{id}/projects";
    table.route(Method::GET, Levels::Project, of_group, Intent::Read, list::of_group);
}
