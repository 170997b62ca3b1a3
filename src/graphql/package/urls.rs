//! Addresses that a package's details give for setting up clients.

use async_graphql::{Context, Object};

use super::types::Node;
use crate::{context::ContextExt, outcome::Outcome};

/// Addresses of the registries of a package's project and group, whatever the package's format.
pub(super) struct UrlFields(pub(super) Node);

impl UrlFields {
    fn project_url(&self, ctx: &Context<'_>, rest: &str) -> String {
        format!("{}/api/v4/projects/{}/packages/{rest}", ctx.state().external_url, self.0.package.project.id)
    }
}

#[Object]
impl UrlFields {
    /// Address of the npm registry of the project.
    async fn npm_url(&self, ctx: &Context<'_>) -> Option<String> {
        Some(self.project_url(ctx, "npm"))
    }
    /// Address of the Maven repository of the project.
    async fn maven_url(&self, ctx: &Context<'_>) -> Option<String> {
        Some(self.project_url(ctx, "maven"))
    }
    /// Address of the Conan remote of the project.
    async fn conan_url(&self, ctx: &Context<'_>) -> Option<String> {
        Some(self.project_url(ctx, "conan"))
    }
    /// Address of the NuGet source of the project.
    async fn nuget_url(&self, ctx: &Context<'_>) -> Option<String> {
        Some(self.project_url(ctx, "nuget/index.json"))
    }
    /// Address of the Python index of the project, with a place for a token where one is needed.
    async fn pypi_url(&self, ctx: &Context<'_>) -> Outcome<Option<String>> {
        let url = self.project_url(ctx, "pypi/simple");
        if self.0.is_public(ctx).await? {
            return Ok(Some(url));
        }
        Ok(Some(url.replacen("://", "://__token__:<your_personal_token>@", 1)))
    }
    /// Address for uploads of Python packages to the project.
    async fn pypi_setup_url(&self, ctx: &Context<'_>) -> Option<String> {
        Some(self.project_url(ctx, "pypi"))
    }
    /// Address of the Composer repository of the group.
    async fn composer_url(&self, ctx: &Context<'_>) -> Option<String> {
        let group = self.0.package.project.namespace_id;
        Some(format!("{}/api/v4/group/{group}/-/packages/composer/packages.json", ctx.state().external_url))
    }
    /// Name of the Composer repository in its configuration: the host and the group's id.
    async fn composer_config_repository_url(&self, ctx: &Context<'_>) -> Option<String> {
        let external_url = &ctx.state().external_url;
        let host = external_url.split_once("://").map_or(external_url.as_ref(), |(_, host)| host);
        Some(format!("{host}/{}", self.0.package.project.namespace_id))
    }
}
