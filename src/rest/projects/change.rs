//! Creating, changing and deleting projects.

use axum::response::Response;
use domain::{Failure, RegistryAccessLevel};
use gateway::{Call, dialect};
use http::StatusCode;
use serde::de::DeserializeOwned;

use super::{
    RestCreateProject, RestDestroyProject, RestProjectUpdatedAt, RestUpdateProject, project_json,
    rest_create_project, rest_destroy_project, rest_project_updated_at, rest_update_project,
};
use crate::{
    params::{Params, enum_named, visibility},
    shape::{accepted, refuse_changed},
};

pub(super) async fn create(mut call: Call) -> Result<Response, Failure> {
    let params = Params::read(&mut call).await?;
    let (name, path) = match (params.text("name")?, params.text("path")?) {
        (Some(name), Some(path)) => (name, path),
        (Some(name), None) => {
            let path = path_of(&name);
            (name, path)
        }
        (None, Some(path)) => (path.clone(), path),
        (None, None) => {
            let message = "name, path are missing, at least one parameter must be provided";
            return Err(Failure::invalid("name", message));
        }
    };
    let input = rest_create_project::CreateProjectInput {
        name: Some(name),
        path,
        namespace_path: params.filled("namespace_id")?,
        description: params.text("description")?,
        visibility: visibility(&params)?,
        package_registry_access_level: registry_access_level(&params)?,
    };
    let created = call.run::<RestCreateProject>(rest_create_project::Variables { input }).await?;
    let project = created.create_project.and_then(|payload| payload.project).ok_or_else(Failure::internal)?;
    Ok(dialect::answer(StatusCode::CREATED, &project_json!(project, call.gateway.external_url())))
}

pub(super) async fn update(mut call: Call) -> Result<Response, Failure> {
    let params = Params::read(&mut call).await?;
    let input = rest_update_project::UpdateProjectInput {
        full_path: call.param("id").to_owned(),
        name: params.text("name")?,
        path: params.text("path")?,
        description: params.text("description")?,
        visibility: visibility(&params)?,
        package_registry_access_level: registry_access_level(&params)?,
    };
    let updated = call.run::<RestUpdateProject>(rest_update_project::Variables { input }).await?;
    let project = updated.update_project.and_then(|payload| payload.project).ok_or_else(Failure::internal)?;
    Ok(dialect::answer(StatusCode::OK, &project_json!(project, call.gateway.external_url())))
}

pub(super) async fn destroy(call: Call) -> Result<Response, Failure> {
    let full_path = call.param("id").to_owned();
    refuse_changed(&call, || async {
        let variables = rest_project_updated_at::Variables { full_path: full_path.clone() };
        Ok(call.run::<RestProjectUpdatedAt>(variables).await?.project.and_then(|project| project.updated_at))
    })
    .await?;
    let input = rest_destroy_project::DestroyProjectInput { full_path };
    call.run::<RestDestroyProject>(rest_destroy_project::Variables { input }).await?;
    Ok(accepted())
}

/// `package_registry_access_level`, or what the older switch `packages_enabled` amounts to.
fn registry_access_level<Level: DeserializeOwned>(params: &Params) -> Result<Option<Level>, Failure> {
    let level = params.choice("package_registry_access_level", |name| {
        enum_named(&RegistryAccessLevel::from_name(name)?.name().to_ascii_uppercase())
    })?;
    if level.is_some() {
        return Ok(level);
    }
    Ok(params.flag("packages_enabled")?.and_then(|on| enum_named(if on { "ENABLED" } else { "DISABLED" })))
}

/// The path that GitLab makes of a name: lower case, with a hyphen for whatever a path cannot hold.
fn path_of(name: &str) -> String {
    let mut path = String::with_capacity(name.len());
    for letter in name.trim().to_lowercase().chars() {
        if letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.') {
            path.push(letter);
        } else if !path.ends_with('-') {
            path.push('-');
        }
    }
    path.trim_matches(['-', '.']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::path_of;

    #[test]
    fn a_name_becomes_a_path() {
        for (name, path) in
            [("My App", "my-app"), (" a -- b ", "a-b"), ("x.y_z", "x.y_z"), ("\u{e9}t\u{e9}!", "t")]
        {
            assert_eq!(path_of(name), path);
        }
    }
}
