//! Changing and deleting projects.

use access::Action;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::Failure;
use store::projects::{self, ProjectChange};

use super::{Project, VisibilityLevelsEnum, inputs::PackageRegistryAccessLevel};
use crate::{
    context::ContextExt,
    outcome::{OrError, Outcome},
};

/// What to change of a project; what is left out stays.
#[derive(InputObject)]
pub(crate) struct UpdateProjectInput {
    /// Full path or decimal id.
    full_path: ID,
    /// The last segment of the full path.
    path: Option<String>,
    /// The name people read.
    name: Option<String>,
    description: Option<String>,
    /// Who may know it. For owners.
    visibility: Option<VisibilityLevelsEnum>,
    package_registry_access_level: Option<PackageRegistryAccessLevel>,
}

/// The project as it now is.
#[derive(SimpleObject)]
pub(crate) struct UpdateProjectPayload {
    project: Option<Project>,
    errors: Vec<String>,
}

/// Names the project to delete.
#[derive(InputObject)]
pub(crate) struct DestroyProjectInput {
    /// Full path or decimal id.
    full_path: ID,
}

/// The outcome of deleting a project.
#[derive(SimpleObject)]
pub(crate) struct DestroyProjectPayload {
    errors: Vec<String>,
}

async fn update(ctx: &Context<'_>, input: UpdateProjectInput) -> Result<Option<Project>, Failure> {
    let action = if input.visibility.is_some() { Action::ChangeVisibility } else { Action::Administer };
    let project = super::open(ctx, &input.full_path, action).await?;
    let change = ProjectChange {
        path: input.path,
        name: input.name,
        description: input.description,
        visibility: input.visibility.map(Into::into),
        registry_access_level: input.package_registry_access_level.map(Into::into),
    };
    let project = projects::update(ctx.store(), project.id, change, ctx.now()).await?;
    // Read again: what the caller may do there may have changed with it.
    let found = super::find(ctx, &project.id.to_string()).await?;
    Ok(found.and_then(|project| Project::shown(ctx, project)))
}

async fn destroy(ctx: &Context<'_>, input: DestroyProjectInput) -> Result<(), Failure> {
    let project = super::open(ctx, &input.full_path, Action::Destroy).await?;
    Ok(projects::destroy(ctx.store(), project.id, ctx.now()).await?)
}

#[derive(Default)]
pub(crate) struct ChangeProjectMutation;

#[Object]
impl ChangeProjectMutation {
    /// Changes a project (ours).
    async fn update_project(
        &self,
        ctx: &Context<'_>,
        input: UpdateProjectInput,
    ) -> Outcome<Option<UpdateProjectPayload>> {
        let project = update(ctx, input).await.or_error()?;
        Ok(Some(UpdateProjectPayload { project, errors: Vec::new() }))
    }

    /// Deletes a project with its packages (ours). Tombstones stay.
    async fn destroy_project(
        &self,
        ctx: &Context<'_>,
        input: DestroyProjectInput,
    ) -> Outcome<Option<DestroyProjectPayload>> {
        destroy(ctx, input).await.or_error()?;
        Ok(Some(DestroyProjectPayload { errors: Vec::new() }))
    }
}
