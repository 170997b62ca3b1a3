//! The three types of a package, made of shared parts.

use std::{collections::HashMap, sync::Arc};

use access::{Action, Guarded};
use async_graphql::{ComplexObject, Context, Enum, ID, MergedObject, Object, SimpleObject};
use domain::{PackageId, ProjectId, RegistryAccessLevel, Visibility};
use store::{
    Direction, IdOrPath,
    packages::{self, FileFilter, FileSort, PackageFilter, PackageScope, PackageSort},
};

pub(crate) use super::inputs::{PackageStatus, PackageTypeEnum};
use super::{file::PackageFile, metadata::PackageMetadata};
use crate::{
    context::ContextExt,
    limits::connection_complexity,
    outcome::{OrError, Outcome},
    project::Project,
    relay::{
        connection::{Connection, Count, PageArguments, connect},
        global_id::{PackagesDependencyID, PackagesDependencyLinkID, PackagesPackageID, print},
    },
    scalars::Time,
};

/// What the parent loaded for all packages of a list at once.
#[derive(Default)]
pub(crate) struct Prefetched {
    pub(crate) projects: HashMap<ProjectId, Guarded<store::projects::Project>>,
    pub(crate) tags: Option<HashMap<PackageId, Vec<packages::PackageTag>>>,
}

/// A package with what its parent loaded.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) package: Arc<packages::Package>,
    pub(crate) prefetched: Arc<Prefetched>,
}

impl Node {
    pub(crate) fn alone(package: packages::Package) -> Self {
        Self { package: Arc::new(package), prefetched: Arc::default() }
    }

    /// The project, which a visible package always has.
    async fn project(&self, ctx: &Context<'_>) -> Outcome<Guarded<store::projects::Project>> {
        let id = self.package.project.id;
        if let Some(project) = self.prefetched.projects.get(&id) {
            return Ok(project.clone());
        }
        let found = store::projects::find(ctx.store(), ctx.viewer(), IdOrPath::Id(id.0), ctx.now())
            .await
            .or_error()?;
        found.ok_or_else(|| domain::Failure::not_found(domain::Subject::Project)).or_error()
    }
}

/// A package.
#[derive(MergedObject)]
#[graphql(name = "Package")]
pub(crate) struct Package(CommonFields, PipelinesField);

/// A package, as a version of another one.
#[derive(MergedObject)]
#[graphql(name = "PackageBase")]
pub(crate) struct PackageBase(CommonFields);

/// A package with its details.
#[derive(MergedObject)]
#[graphql(name = "PackageDetailsType")]
pub(crate) struct PackageDetails(CommonFields, PipelinesField, DetailFields, UrlFields);

impl From<Node> for Package {
    fn from(node: Node) -> Self {
        Self(CommonFields(node), PipelinesField)
    }
}

impl From<Node> for PackageBase {
    fn from(node: Node) -> Self {
        Self(CommonFields(node))
    }
}

impl From<Node> for PackageDetails {
    fn from(node: Node) -> Self {
        Self(CommonFields(node.clone()), PipelinesField, DetailFields(node.clone()), UrlFields(node))
    }
}

/// Where a package is on the web.
#[derive(SimpleObject)]
struct PackageLinks {
    /// Path of its page. Null unless its status has details.
    web_path: Option<String>,
}

/// What the caller may do with a package.
#[derive(SimpleObject)]
struct PackagePermissions {
    /// Delete it.
    destroy_package: bool,
}

/// A movable name for a version.
#[derive(SimpleObject)]
pub(crate) struct PackageTag {
    id: ID,
    name: String,
    created_at: Time,
    updated_at: Time,
}

impl From<packages::PackageTag> for PackageTag {
    fn from(tag: packages::PackageTag) -> Self {
        Self {
            id: print("Packages::Tag", tag.id).into(),
            name: tag.name,
            created_at: tag.created_at.into(),
            updated_at: tag.updated_at.into(),
        }
    }
}

struct CommonFields(Node);

#[Object]
impl CommonFields {
    async fn id(&self) -> PackagesPackageID {
        self.0.package.id.into()
    }
    /// Name, as published.
    async fn name(&self) -> &str {
        &self.0.package.name
    }
    /// Version, as published.
    async fn version(&self) -> Option<&str> {
        self.0.package.version.as_deref()
    }
    /// Format.
    async fn package_type(&self) -> PackageTypeEnum {
        self.0.package.format.into()
    }
    /// Where it is in its life.
    async fn status(&self) -> PackageStatus {
        self.0.package.status.into()
    }
    /// What went wrong, for status ERROR.
    async fn status_message(&self) -> Option<&str> {
        self.0.package.status_message.as_deref()
    }
    /// When it was published.
    async fn created_at(&self) -> Time {
        self.0.package.created_at.into()
    }
    /// When it was last changed.
    async fn updated_at(&self) -> Time {
        self.0.package.updated_at.into()
    }
    /// The project it is in.
    async fn project(&self, ctx: &Context<'_>) -> Outcome<Project> {
        Project::of_package(ctx, self.0.project(ctx).await?).or_error()
    }
    /// Whether a protection rule covers the name. No rule can be made yet.
    async fn protection_rule_exists(&self) -> bool {
        false
    }
    /// Metadata of the formats for which GitLab's schema has a type; null for others.
    async fn metadata(&self) -> Option<PackageMetadata> {
        PackageMetadata::of(&self.0.package)
    }
    /// The format's own metadata of the version, as the archive and the client told it (ours).
    async fn raw_metadata(&self) -> async_graphql::Json<&serde_json::Value> {
        async_graphql::Json(&self.0.package.metadata)
    }
    /// Why it is advised against (ours). Null when it is not.
    async fn deprecation(&self) -> Option<&str> {
        self.0.package.deprecation.as_deref()
    }
    /// The user who published it (ours). Null for tokens that are nobody.
    async fn creator_id(&self) -> Option<crate::relay::global_id::UserID> {
        self.0.package.creator.map(Into::into)
    }
    /// Tags that point at it, by name.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    async fn tags(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Outcome<Option<Connection<PackageTag>>> {
        let tags = match &self.0.prefetched.tags {
            Some(tags) => tags.get(&self.0.package.id).cloned().unwrap_or_default(),
            None => packages::tags_of(ctx.store(), &[self.0.package.id]).await.or_error()?,
        };
        let arguments = PageArguments { first, last, after, before, skip: None };
        let page = arguments.slice(ctx, tags, |tag| tag.id.0).or_error()?;
        Ok(Some(connect(
            page,
            "tag",
            async_graphql::connection::EmptyFields,
            |tag| cursor_of(tag.id.0),
            Into::into,
        )))
    }
    /// Where it is on the web.
    #[graphql(name = "_links")]
    async fn links(&self) -> PackageLinks {
        let package = &self.0.package;
        let detailed = domain::PackageStatus::DETAILED.contains(&package.status);
        PackageLinks {
            web_path: detailed.then(|| format!("/{}/-/packages/{}", package.project.full_path, package.id)),
        }
    }
    /// What the caller may do with it.
    async fn user_permissions(&self, ctx: &Context<'_>) -> Outcome<PackagePermissions> {
        let project = self.0.project(ctx).await?;
        Ok(PackagePermissions { destroy_package: project.permits(ctx.viewer(), Action::DestroyPackages) })
    }
}

fn cursor_of(id: i64) -> store::Cursor {
    store::Cursor { sort: None, id }
}

/// A pipeline of CI. Nothing records one yet.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct Pipeline {
    id: ID,
    /// The branch or tag.
    #[graphql(name = "ref")]
    reference: Option<String>,
    path: Option<String>,
    commit_path: Option<String>,
    created_at: Time,
}

#[ComplexObject]
impl Pipeline {
    /// The commit.
    async fn sha(&self, #[graphql(default)] format: Option<String>) -> Option<String> {
        let _ = format;
        None
    }
}

#[derive(Clone, Copy)]
struct PipelinesField;

#[Object]
impl PipelinesField {
    /// Pipelines that published it, newest first. Empty: packages are not tied to pipelines yet.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    async fn pipelines(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Outcome<Option<Connection<Pipeline, Count>>> {
        PageArguments { first, last, after, before, skip: None }.request(ctx, "pipeline").or_error()?;
        let count = Count::new(|_, _| async { Ok(0) });
        Ok(Some(connect(
            store::Page::<Pipeline>::empty(),
            "pipeline",
            count,
            |_| cursor_of(0),
            |pipeline| pipeline,
        )))
    }
}

/// What files are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum PackageFileSort {
    /// Oldest id first.
    IdAsc,
    /// Newest id first.
    IdDesc,
    /// Oldest first.
    CreatedAsc,
    /// Newest first.
    CreatedDesc,
    /// By name.
    FileNameAsc,
    /// By name, backwards.
    FileNameDesc,
}

impl PackageFileSort {
    const fn order(self) -> (FileSort, Direction, &'static str) {
        match self {
            Self::IdAsc => (FileSort::Id, Direction::Ascending, "id+"),
            Self::IdDesc => (FileSort::Id, Direction::Descending, "id-"),
            Self::CreatedAsc => (FileSort::Created, Direction::Ascending, "created+"),
            Self::CreatedDesc => (FileSort::Created, Direction::Descending, "created-"),
            Self::FileNameAsc => (FileSort::FileName, Direction::Ascending, "file+"),
            Self::FileNameDesc => (FileSort::FileName, Direction::Descending, "file-"),
        }
    }
}

/// How a version depends on another package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::rules::DependencyType")]
pub(crate) enum PackageDependencyType {
    /// Needed to run.
    Dependencies,
    /// Needed to develop.
    DevDependencies,
    /// Shipped inside.
    BundleDependencies,
    /// Expected of whoever uses it.
    PeerDependencies,
}

/// A name and the accepted versions.
#[derive(SimpleObject)]
pub(crate) struct PackageDependency {
    id: PackagesDependencyID,
    name: String,
    version_pattern: String,
}

/// A version's dependency.
#[derive(SimpleObject)]
pub(crate) struct PackageDependencyLink {
    id: PackagesDependencyLinkID,
    dependency: Option<PackageDependency>,
    dependency_type: PackageDependencyType,
    metadata: Option<super::metadata::DependencyLinkMetadata>,
}

impl From<packages::DependencyLink> for PackageDependencyLink {
    fn from(link: packages::DependencyLink) -> Self {
        Self {
            id: link.id.into(),
            dependency: Some(PackageDependency {
                id: link.dependency_id.into(),
                name: link.name,
                version_pattern: link.version_pattern,
            }),
            dependency_type: link.kind.into(),
            metadata: None,
        }
    }
}

struct DetailFields(Node);

#[Object]
impl DetailFields {
    /// When one of its files was last downloaded.
    async fn last_downloaded_at(&self) -> Option<Time> {
        self.0.package.last_downloaded_at.map(Into::into)
    }
    /// Whether anybody can pull it.
    async fn public_package(&self, ctx: &Context<'_>) -> Outcome<bool> {
        let access::Facts::Project(facts) = self.0.project(ctx).await?.facts() else { return Ok(false) };
        let open = facts.registry == RegistryAccessLevel::Public && facts.instance.anyone_may_pull;
        Ok(open || (facts.visibility == Visibility::Public && facts.registry == RegistryAccessLevel::Enabled))
    }
    /// The other displayable versions under the same name in the same project, by version as a string.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    async fn versions(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Outcome<Option<Connection<PackageBase, Count>>> {
        let package = &self.0.package;
        let scope = PackageScope::Project(package.project.id);
        let filter = PackageFilter {
            exact_name: Some(package.name.clone()),
            format: Some(package.format),
            except: Some(package.id),
            ..PackageFilter::default()
        };
        let request =
            PageArguments { first, last, after, before, skip: None }.request(ctx, "version+").or_error()?;
        let order = (PackageSort::Version, Direction::Ascending);
        let page =
            packages::list(ctx.store(), &scope, &filter, order, &request, ctx.now()).await.or_error()?;
        super::list::package_connection(ctx, page, scope, filter, PackageSort::Version, "version+")
            .await
            .map(Some)
    }
    /// Its files that can be installed.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    async fn package_files(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(desc = "Rows to skip, for numbered pages (ours).")] skip: Option<i32>,
        #[graphql(desc = "Ours.")] sort: Option<PackageFileSort>,
    ) -> Outcome<Option<Connection<PackageFile, Count>>> {
        let (sort, direction, order) = sort.unwrap_or(PackageFileSort::IdAsc).order();
        let filter = FileFilter { package: self.0.package.id };
        let request = PageArguments { first, last, after, before, skip }.request(ctx, order).or_error()?;
        let page = packages::files(ctx.store(), filter, (sort, direction), &request).await.or_error()?;
        let count = Count::new(move |state, limit| async move {
            packages::count_files(&state.store, filter, limit).await
        });
        Ok(Some(connect(
            page,
            order,
            count,
            |file| store::Cursor { sort: sort.value(file), id: file.id.0 },
            PackageFile,
        )))
    }
    /// What it depends on, as declared.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    async fn dependency_links(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Outcome<Option<Connection<PackageDependencyLink>>> {
        let request =
            PageArguments { first, last, after, before, skip: None }.request(ctx, "dependency").or_error()?;
        let page = packages::dependencies(ctx.store(), self.0.package.id, &request).await.or_error()?;
        let none = async_graphql::connection::EmptyFields;
        Ok(Some(connect(page, "dependency", none, packages::DependencyLink::cursor, Into::into)))
    }
}

struct UrlFields(Node);

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
    async fn pypi_url(&self, ctx: &Context<'_>) -> Option<String> {
        let url = self.project_url(ctx, "pypi/simple");
        Some(url.replacen("://", "://__token__:<your_personal_token>@", 1))
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
