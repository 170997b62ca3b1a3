//! A pipeline, and those that published a package.

use std::collections::HashMap;

use access::Guarded;
use async_graphql::{Context, Enum, ID, Object};
use domain::{Failure, PackageId, PipelineId};
use store::{Cursor, Page, pipelines, projects, users::User};

use crate::{
    context::ContextExt,
    project::Project,
    relay::{
        connection::{Connection, Count, PageArguments, connect},
        global_id::CiPipelineID,
    },
    scalars::Time,
    user::UserCore,
};

/// Most pipelines of a page (GitLab's limit).
const PAGE: u64 = 20;

/// How much of a commit's name is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum ShaFormat {
    /// All of it.
    Long,
    /// Its first eight digits.
    Short,
}

/// A pipeline with its user and project, loaded for a whole list at once.
#[derive(Clone)]
pub(crate) struct Pipeline {
    row: pipelines::Pipeline,
    user: Option<User>,
    project: Option<Guarded<projects::Project>>,
}

/// A run of CI.
#[Object]
impl Pipeline {
    async fn id(&self) -> CiPipelineID {
        self.row.id.into()
    }
    /// Its number in the project.
    async fn iid(&self) -> ID {
        self.row.iid.into()
    }
    /// The branch or tag.
    #[graphql(name = "ref")]
    async fn reference(&self) -> Option<&str> {
        Some(&self.row.reference)
    }
    /// The commit.
    async fn sha(&self, format: Option<ShaFormat>) -> Option<&str> {
        match format {
            Some(ShaFormat::Short) => self.row.sha.get(..8),
            Some(ShaFormat::Long) | None => Some(&self.row.sha),
        }
    }
    /// What started it.
    async fn source(&self) -> Option<&str> {
        Some(&self.row.source)
    }
    /// Path of its page.
    async fn path(&self) -> Option<String> {
        Some(format!("/{}/-/pipelines/{}", self.row.project_full_path, self.row.id))
    }
    /// Path of the page of the commit.
    async fn commit_path(&self) -> Option<String> {
        Some(format!("/{}/-/commit/{}", self.row.project_full_path, self.row.sha))
    }
    /// Where it is on the web, as whoever made its first job said (ours).
    async fn web_url(&self) -> Option<&str> {
        self.row.web_url.as_deref()
    }
    async fn created_at(&self) -> Time {
        self.row.created_at.into()
    }
    async fn updated_at(&self) -> Time {
        self.row.updated_at.into()
    }
    /// Who started it.
    async fn user(&self) -> Option<UserCore> {
        self.user.clone().map(Into::into)
    }
    /// The project whose code it runs.
    async fn project(&self, ctx: &Context<'_>) -> Option<Project> {
        Project::shown(ctx, self.project.clone()?)
    }
}

impl Pipeline {
    /// Loads what goes with pipelines: two statements, however many there are.
    pub(super) async fn load(
        ctx: &Context<'_>,
        rows: Vec<pipelines::Pipeline>,
    ) -> Result<Vec<Self>, Failure> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut users: Vec<_> = rows.iter().filter_map(|row| row.user_id).collect();
        users.sort_unstable();
        users.dedup();
        let users = store::users::find_many(ctx.store(), &users).await?;
        let users: HashMap<_, _> = users.into_iter().map(|user| (user.id, user)).collect();
        let mut projects: Vec<_> = rows.iter().map(|row| row.project_id).collect();
        projects.sort_unstable();
        projects.dedup();
        let projects = projects::find_many(ctx.store(), ctx.viewer(), &projects, ctx.now()).await?;
        let loaded = rows.into_iter().map(|row| Self {
            user: row.user_id.and_then(|id| users.get(&id).cloned()),
            project: projects.get(&row.project_id).cloned(),
            row,
        });
        Ok(loaded.collect())
    }
}

/// The newest pipelines of each of these packages: as many as a page has, and one more. Three statements.
pub(crate) async fn newest_of_packages(
    ctx: &Context<'_>,
    packages: &[PackageId],
) -> Result<HashMap<PackageId, Vec<Pipeline>>, Failure> {
    let found =
        pipelines::newest_of_packages(ctx.store(), ctx.viewer(), packages, PAGE + 1, ctx.now()).await?;
    let lengths: Vec<_> = found.iter().map(|(id, rows)| (*id, rows.len())).collect();
    let rows = lengths.iter().flat_map(|(id, _)| found.get(id).into_iter().flatten().cloned()).collect();
    let mut loaded = Pipeline::load(ctx, rows).await?.into_iter();
    Ok(lengths.into_iter().map(|(id, length)| (id, loaded.by_ref().take(length).collect())).collect())
}

/// The pipelines with these ids, as far as the caller may know their projects. Three statements.
pub(crate) async fn pipelines_with_ids(
    ctx: &Context<'_>,
    ids: &[PipelineId],
) -> Result<HashMap<PipelineId, Pipeline>, Failure> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = pipelines::find_many(ctx.store(), ctx.viewer(), ids, ctx.now()).await?;
    let loaded = Pipeline::load(ctx, found).await?;
    Ok(loaded.into_iter().map(|pipeline| (pipeline.row.id, pipeline)).collect())
}

/// The pipelines that published a package. `prefetched` are its newest, where a list loaded them.
pub(crate) async fn pipelines_of(
    ctx: &Context<'_>,
    package: PackageId,
    prefetched: Option<&[Pipeline]>,
    arguments: &PageArguments,
) -> Result<Connection<Pipeline, Count>, Failure> {
    let mut request = arguments.request(ctx, "pipeline-")?;
    request.limit = request.limit.min(PAGE);
    let from_start = arguments.after.is_none() && arguments.before.is_none() && arguments.last.is_none();
    let page = match prefetched.filter(|_| from_start) {
        Some(newest) => {
            let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
            let rows = newest.iter().take(limit).cloned().collect();
            Page { rows, has_next: newest.len() > limit, has_previous: false }
        }
        None => {
            let page = pipelines::of_package(ctx.store(), ctx.viewer(), package, &request, ctx.now()).await?;
            let Page { rows, has_next, has_previous } = page;
            Page { rows: Pipeline::load(ctx, rows).await?, has_next, has_previous }
        }
    };
    let (viewer, now) = (ctx.viewer().clone(), ctx.now());
    let count = Count::new(move |state, limit| {
        let viewer = viewer.clone();
        async move { pipelines::count_of_package(&state.store, &viewer, package, limit, now).await }
    });
    let cursor = |pipeline: &Pipeline| Cursor { sort: None, id: pipeline.row.id.0 };
    Ok(connect(page, "pipeline-", count, cursor, |pipeline| pipeline))
}
