//! The three types of a package, made of shared parts.

use std::{collections::HashMap, sync::Arc};

use access::{Action, Facts, Guarded};
use async_graphql::{Context, ID, MergedObject, Object, SimpleObject};
use domain::{PackageId, ProjectId, RegistryAccessLevel, Visibility};
use store::{
    IdOrPath, packages,
    protection_rules::{self, ProtectionRule},
};

pub(crate) use super::inputs::{PackageStatus, PackageTypeEnum};
use super::{details::DetailFields, metadata::PackageMetadata, urls::UrlFields};
use crate::{
    context::ContextExt,
    gate,
    limits::connection_complexity,
    outcome::{OrError, Outcome},
    pipeline::{Pipeline, pipelines_of},
    project::Project,
    protection_rule::is_covered,
    relay::{
        connection::{Connection, Count, PageArguments, connect},
        global_id::{PackagesPackageID, print},
    },
    scalars::Time,
};

/// What the parent loaded for all packages of a list at once.
#[derive(Default)]
pub(crate) struct Prefetched {
    pub(crate) projects: HashMap<ProjectId, Guarded<store::projects::Project>>,
    pub(crate) tags: Option<HashMap<PackageId, Vec<packages::PackageTag>>>,
    /// The protection rules that hold in the projects.
    pub(crate) rules: Option<HashMap<ProjectId, Vec<ProtectionRule>>>,
    pub(crate) pipelines: Option<HashMap<PackageId, Vec<Pipeline>>>,
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
    pub(super) async fn project(&self, ctx: &Context<'_>) -> Outcome<Guarded<store::projects::Project>> {
        let id = self.package.project.id;
        if let Some(project) = self.prefetched.projects.get(&id) {
            return Ok(project.clone());
        }
        let found = store::projects::find(ctx.store(), ctx.viewer(), IdOrPath::Id(id.0), ctx.now())
            .await
            .or_error()?;
        found.ok_or_else(|| domain::Failure::not_found(domain::Subject::Project)).or_error()
    }

    /// Whether anybody can pull it.
    pub(super) async fn is_public(&self, ctx: &Context<'_>) -> Outcome<bool> {
        let Facts::Project(facts) = self.project(ctx).await?.facts() else { return Ok(false) };
        let open = facts.registry == RegistryAccessLevel::Public && facts.instance.anyone_may_pull;
        Ok(open || (facts.visibility == Visibility::Public && facts.registry == RegistryAccessLevel::Enabled))
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
        Self(CommonFields(node.clone()), PipelinesField(node))
    }
}

impl From<Node> for PackageBase {
    fn from(node: Node) -> Self {
        Self(CommonFields(node))
    }
}

impl From<Node> for PackageDetails {
    fn from(node: Node) -> Self {
        let [common, pipelines, details] = [node.clone(), node.clone(), node.clone()];
        Self(CommonFields(common), PipelinesField(pipelines), DetailFields(details), UrlFields(node))
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
    /// Whether a protection rule covers the name, be it for publishing or for deleting: the project's own, or one of the groups
    /// above.
    async fn protection_rule_exists(&self, ctx: &Context<'_>) -> Outcome<bool> {
        let package = &self.0.package;
        let named = (package.format, package.name.as_str());
        let covers = |rule: &ProtectionRule| is_covered(ctx.state(), rule, named);
        if let Some(rules) = &self.0.prefetched.rules {
            return Ok(rules.get(&package.project.id).is_some_and(|rules| rules.iter().any(covers)));
        }
        let rules = protection_rules::of_projects(ctx.store(), &[package.project.id]).await.or_error()?;
        Ok(rules.iter().any(|(_, rule)| covers(rule)))
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
    /// Whether the caller may delete it.
    #[graphql(deprecation = "Select userPermissions { destroyPackage } instead.")]
    async fn can_destroy(&self, ctx: &Context<'_>) -> Outcome<bool> {
        let about = gate::named(ctx, &self.0.package);
        let project = self.0.project(ctx).await?;
        Ok(project.permits_about(ctx.viewer(), Action::DestroyPackages, &about))
    }
    /// What the caller may do with it.
    async fn user_permissions(&self, ctx: &Context<'_>) -> Outcome<PackagePermissions> {
        let project = self.0.project(ctx).await?;
        let about = gate::named(ctx, &self.0.package);
        let destroy_package = project.permits_about(ctx.viewer(), Action::DestroyPackages, &about);
        Ok(PackagePermissions { destroy_package })
    }
}

fn cursor_of(id: i64) -> store::Cursor {
    store::Cursor { sort: None, id }
}

struct PipelinesField(Node);

#[Object]
impl PipelinesField {
    /// Pipelines that published it, newest first, as far as the caller may see their projects; 20 a page at most.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    async fn pipelines(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Outcome<Option<Connection<Pipeline, Count>>> {
        let package = self.0.package.id;
        let prefetched = self.0.prefetched.pipelines.as_ref();
        let newest = prefetched.map(|pipelines| pipelines.get(&package).map_or(&[][..], Vec::as_slice));
        let arguments = PageArguments { first, last, after, before, skip: None };
        pipelines_of(ctx, package, newest, &arguments).await.map(Some).or_error()
    }
}
