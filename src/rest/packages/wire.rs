//! GitLab's JSON of packages.

use gateway::scalars::number_of;
use serde_json::{Value, json};

use super::{rest_package, rest_packages};
use crate::shape::id;

/// A package type in REST's spelling.
macro_rules! slug {
    ($kind:expr) => {
        serde_json::to_value($kind)
            .ok()
            .and_then(|value| value.as_str().map(str::to_ascii_lowercase))
            .unwrap_or_default()
    };
}

macro_rules! tags {
    ($package_id:expr, $tags:expr) => {
        $tags
            .into_iter()
            .flat_map(|tags| tags.nodes.into_iter())
            .map(|tag| {
                json!({
                    "id": id(&tag.id),
                    "package_id": id($package_id),
                    "name": tag.name,
                    "created_at": tag.created_at,
                    "updated_at": tag.updated_at,
                })
            })
            .collect::<Vec<_>>()
    };
}

/// A pipeline as every route shows one.
macro_rules! pipeline_json {
    ($pipeline:expr) => {{
        let pipeline = $pipeline;
        let user = pipeline.user.map(|user| {
            serde_json::json!({
                "id": $crate::shape::id(&user.id),
                "username": user.username,
                "name": user.name,
                "state": user.state,
                "avatar_url": user.avatar_url,
                "web_url": user.web_url,
            })
        });
        serde_json::json!({
            "id": $crate::shape::id(&pipeline.id),
            "iid": pipeline.iid.parse::<i64>().ok(),
            "project_id": pipeline.project.map(|project| $crate::shape::id(&project.id)),
            "sha": pipeline.sha,
            "ref": pipeline.ref_,
            "source": pipeline.source,
            "created_at": pipeline.created_at,
            "updated_at": pipeline.updated_at,
            "web_url": pipeline.web_url,
            "user": user,
        })
    }};
}
pub(crate) use pipeline_json;

/// The pipelines of a connection.
macro_rules! pipelines {
    ($pipelines:expr) => {
        $pipelines
            .into_iter()
            .flat_map(|pipelines| pipelines.nodes.into_iter())
            .map(|pipeline| $crate::packages::pipeline_json!(pipeline))
            .collect::<Vec<_>>()
    };
}
pub(super) use pipelines;

/// Where the API deletes a package.
fn delete_api_path(external_url: &str, project: &str, package: &str) -> String {
    let number = |id: &str| number_of(id).unwrap_or_default();
    format!("{external_url}/api/v4/projects/{}/packages/{}", number(project), number(package))
}

/// A package as lists show it. Lists of a group say which project it is in.
pub(super) fn listed(
    package: rest_packages::RestPackagesPackagesNodes,
    external_url: &str,
    of_group: bool,
) -> Value {
    let mut links = serde_json::Map::new();
    links.insert("web_path".to_owned(), package.links.web_path.into());
    if package.user_permissions.destroy_package {
        let path = delete_api_path(external_url, &package.project.id, &package.id);
        links.insert("delete_api_path".to_owned(), path.into());
    }
    let mut json = json!({
        "id": id(&package.id),
        "name": package.name,
        "version": package.version,
        "package_type": slug!(&package.package_type),
        "status": slug!(&package.status),
        "_links": links,
        "created_at": package.created_at,
        "creator_id": package.creator_id.as_deref().map(id),
        "pipelines": pipelines!(package.pipelines),
        "tags": tags!(&package.id, package.tags),
    });
    if of_group {
        json["project_id"] = id(&package.project.id);
        json["project_path"] = package.project.full_path.into();
    }
    json
}

/// A package with its details.
pub(super) fn detailed(package: rest_package::RestPackagePackage, external_url: &str) -> Value {
    let mut links = serde_json::Map::new();
    links.insert("web_path".to_owned(), package.links.web_path.into());
    if package.user_permissions.destroy_package {
        let path = delete_api_path(external_url, &package.project.id, &package.id);
        links.insert("delete_api_path".to_owned(), path.into());
    }
    let versions: Vec<_> = package
        .versions
        .into_iter()
        .flat_map(|versions| versions.nodes.into_iter())
        .map(|version| {
            json!({
                "id": id(&version.id),
                "version": version.version,
                "created_at": version.created_at,
                "tags": tags!(&version.id, version.tags),
                "pipelines": [],
            })
        })
        .collect();
    json!({
        "id": id(&package.id),
        "name": package.name,
        "version": package.version,
        "package_type": slug!(&package.package_type),
        "status": slug!(&package.status),
        "_links": links,
        "created_at": package.created_at,
        "last_downloaded_at": package.last_downloaded_at,
        "creator_id": package.creator_id.as_deref().map(id),
        "pipelines": pipelines!(package.pipelines),
        "tags": tags!(&package.id, package.tags),
        "versions": versions,
    })
}
