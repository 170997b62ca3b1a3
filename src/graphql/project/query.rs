//! Finding projects.

use async_graphql::{Context, ID, Object};
use domain::Role;
use store::projects::ProjectFilter;

use super::{
    Project, VisibilityLevelsEnum,
    list::{ProjectSort, project_connection},
};
use crate::{
    limits::connection_complexity,
    member::AccessLevelEnum,
    outcome::{OrError, Outcome},
    relay::connection::{Connection, Count, PageArguments},
};

#[derive(Default)]
pub(crate) struct ProjectQuery;

#[Object]
impl ProjectQuery {
    /// A project by full path or decimal id. Null when there is none or the caller may see neither it nor its packages.
    async fn project(&self, ctx: &Context<'_>, full_path: ID) -> Outcome<Option<Project>> {
        let found = super::find(ctx, full_path.as_str()).await.or_error()?;
        Ok(found.and_then(|project| Project::shown(ctx, project)))
    }

    /// Projects that the caller may see.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a field")]
    async fn projects(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(desc = "Rows to skip, for numbered pages (ours).")] skip: Option<i32>,
        #[graphql(desc = "Part of the name or full path.")] search: Option<String>,
        #[graphql(default, desc = "Only projects that the caller is a member of.")] membership: bool,
        #[graphql(desc = "Only projects where the caller has at least this role.")] min_access_level: Option<
            AccessLevelEnum,
        >,
        #[graphql(desc = "Only projects with this visibility.")] visibility_level: Option<
            VisibilityLevelsEnum,
        >,
        #[graphql(desc = "Ours.")] sort: Option<ProjectSort>,
    ) -> Outcome<Connection<Project, Count>> {
        let membership = membership.then_some(Role::Guest);
        let filter = ProjectFilter {
            search,
            namespace: None,
            minimum_role: min_access_level.map(Into::into).or(membership),
            visibility: visibility_level.map(Into::into),
        };
        let arguments = PageArguments { first, last, after, before, skip };
        project_connection(ctx, filter, sort.unwrap_or(ProjectSort::IdDesc), &arguments).await.or_error()
    }
}
