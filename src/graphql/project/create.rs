//! Creating projects.

use access::{Action, Guarded};
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::{Failure, RegistryAccessLevel, Subject, Visibility};
use store::{
    IdOrPath,
    groups::Group,
    projects::{self, NewProject},
};

use super::{Project, VisibilityLevelsEnum, inputs::PackageRegistryAccessLevel};
use crate::{
    context::ContextExt,
    gate, group,
    outcome::{OrError, Outcome},
};

/// A project to create.
#[derive(InputObject)]
pub(crate) struct CreateProjectInput {
    /// The group or user's namespace it is to stand in, by full path or decimal id; the caller's own when left out.
    namespace_path: Option<ID>,
    /// The last segment of the full path.
    path: String,
    /// The name people read; the path when left out.
    name: Option<String>,
    description: Option<String>,
    /// Private when left out.
    visibility: Option<VisibilityLevelsEnum>,
    /// Enabled when left out.
    package_registry_access_level: Option<PackageRegistryAccessLevel>,
}

/// The project that was created.
#[derive(SimpleObject)]
pub(crate) struct CreateProjectPayload {
    project: Option<Project>,
    errors: Vec<String>,
}

async fn namespace_for(ctx: &Context<'_>, address: Option<&str>) -> Result<Option<Guarded<Group>>, Failure> {
    if let Some(address) = address {
        return group::find(ctx, IdOrPath::from(address)).await;
    }
    let user = gate::signed_in(ctx)?;
    Ok(store::groups::own_namespace(ctx.store(), ctx.viewer(), user, ctx.now()).await?)
}

async fn create(ctx: &Context<'_>, input: CreateProjectInput) -> Result<Option<Project>, Failure> {
    let namespace = namespace_for(ctx, input.namespace_path.as_deref().map(String::as_str)).await?;
    let namespace = gate::authorize(ctx, namespace, Subject::Group, Action::CreateProject)?;
    let new = NewProject {
        namespace_id: namespace.id,
        name: input.name.unwrap_or_else(|| input.path.clone()),
        path: input.path,
        description: input.description.unwrap_or_default(),
        visibility: input.visibility.map_or(Visibility::Private, Into::into),
        registry_access_level: input
            .package_registry_access_level
            .map_or(RegistryAccessLevel::Enabled, Into::into),
        creator_id: ctx.viewer().user(),
    };
    let created = projects::create(ctx.store(), new, ctx.now()).await?;
    let found = super::find(ctx, &created.id.to_string()).await?;
    Ok(found.and_then(|project| Project::shown(ctx, project)))
}

#[derive(Default)]
pub(crate) struct CreateProjectMutation;

#[Object]
impl CreateProjectMutation {
    /// Creates a project (ours).
    async fn create_project(
        &self,
        ctx: &Context<'_>,
        input: CreateProjectInput,
    ) -> Outcome<Option<CreateProjectPayload>> {
        let project = create(ctx, input).await.or_error()?;
        Ok(Some(CreateProjectPayload { project, errors: Vec::new() }))
    }
}
