//! A project.

use std::{collections::HashMap, sync::Arc};

use access::{Action, Guarded, Holder, Packages};
use async_graphql::{Context, ID, Object, SimpleObject};
use domain::{Failure, NamespaceId, Subject};
use store::{IdOrPath, members::Place, packages::PackageScope};

use super::inputs::PackageRegistryAccessLevel;
use crate::{
    audit_event::{AuditArguments, AuditEvent, AuditEventFilterInput, AuditEventSort, events_of_place},
    background::{BackgroundJobRun, runs_of_place},
    cleanup_policy::{PackagesCleanupPolicy, policy_of},
    context::ContextExt,
    gate,
    group::{self, Group, Namespace},
    limits::connection_complexity,
    member::{MemberArguments, MemberInterface, ProjectMemberRelation, project_members},
    outcome::{OrError, Outcome},
    package::{ListArguments, Package, PackageSortArgument, PackageStatus, PackageTypeEnum},
    pipeline::CiJobTokenScope,
    protection_rule::{PackagesProtectionRule, RuleReach, rules_of},
    relay::{
        connection::{Connection, Count, PageArguments},
        global_id::{UserID, print},
    },
    retention::{PackageRetentionPolicy, retention_of},
    scalars::Time,
    storage::{PackageStorage, ProjectStatistics, statistics_of, storage_of},
    token::{AccessToken, DeployToken, TokenState, deploy_tokens_of, resource_tokens_of},
    trusted_publishing::{TrustedPublisher, publishers_of},
};

/// The namespaces of the projects of a list, loaded at once.
#[derive(Default)]
pub(super) struct Namespaces(HashMap<NamespaceId, Guarded<store::groups::Group>>);

impl Namespaces {
    pub(super) async fn load(ctx: &Context<'_>, projects: &[Project]) -> Result<Self, Failure> {
        let mut ids: Vec<_> = projects.iter().map(|project| project.row.namespace_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut namespaces = HashMap::new();
        for namespace in store::groups::find_many(ctx.store(), ctx.viewer(), &ids, ctx.now()).await? {
            // The id is read from a copy: what is guarded stays so.
            if let Some(group) = gate::visible(ctx, Some(namespace.clone()), Action::View) {
                namespaces.insert(group.id, namespace);
            }
        }
        Ok(Self(namespaces))
    }
}

/// Whether a project proxies packages of an upstream. It does not.
#[derive(Default, SimpleObject)]
struct DependencyProxyPackagesSetting {
    enabled: bool,
    maven_external_registry_url: Option<String>,
    maven_external_registry_username: Option<String>,
}

/// A project.
pub(crate) struct Project {
    pub(super) row: store::projects::Project,
    guard: Guarded<()>,
    /// Whether the caller may know more than what its packages tell anyway.
    full: bool,
    /// Loaded by the list, if it did.
    namespaces: Option<Arc<Namespaces>>,
}

impl Project {
    /// The project, if the caller may view it or its packages.
    pub(crate) fn shown(ctx: &Context<'_>, project: Guarded<store::projects::Project>) -> Option<Self> {
        let guard = project.clone().map(|_| ());
        let full = guard.permits(ctx.viewer(), Action::View);
        let action = if full { Action::View } else { Action::ViewPackages };
        let row = gate::visible_about(ctx, Some(project), action, &Packages::Any)?;
        Some(Self { row, guard, full, namespaces: None })
    }

    /// The project of a package that the caller may see. Of a project that itself is hidden it shows the names only, since
    /// packages may be open to more people than their project.
    pub(crate) fn of_package(
        ctx: &Context<'_>,
        project: Guarded<store::projects::Project>,
    ) -> Result<Self, Failure> {
        Self::shown(ctx, project).ok_or_else(|| Failure::not_found(Subject::Project))
    }

    /// Hands over what a list loaded.
    pub(super) fn prefetched(&mut self, namespaces: &Arc<Namespaces>) {
        self.namespaces = Some(Arc::clone(namespaces));
    }

    async fn find_namespace(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Option<Guarded<store::groups::Group>>, Failure> {
        match &self.namespaces {
            Some(namespaces) => Ok(namespaces.0.get(&self.row.namespace_id).cloned()),
            None => group::find(ctx, IdOrPath::Id(self.row.namespace_id.0)).await,
        }
    }
}

/// What the caller may do in a project.
#[derive(SimpleObject)]
#[expect(clippy::struct_excessive_bools, reason = "one for each thing that can be allowed")]
struct ProjectPermissions {
    /// Know its attributes.
    read_project: bool,
    /// Change it.
    admin_project: bool,
    /// Delete it.
    remove_project: bool,
    /// See its packages (ours).
    read_package: bool,
    /// Publish packages (ours).
    create_package: bool,
    /// Delete packages (ours).
    destroy_package: bool,
    /// Manage its members (ours).
    admin_project_member: bool,
    /// Manage its deploy tokens (ours).
    manage_deploy_tokens: bool,
}

/// A project.
#[Object]
impl Project {
    async fn id(&self) -> ID {
        print("Project", self.row.id).into()
    }
    /// The name people read.
    async fn name(&self) -> &str {
        &self.row.name
    }
    /// The last segment of the full path.
    async fn path(&self) -> &str {
        &self.row.path
    }
    /// The namespace's full path, a slash, the path.
    async fn full_path(&self) -> ID {
        self.row.full_path.clone().into()
    }
    /// The namespaces above and the name, for reading.
    async fn name_with_namespace(&self) -> String {
        format!("{} / {}", self.row.namespace_path().replace('/', " / "), self.row.name)
    }
    /// What people wrote about it.
    async fn description(&self) -> Option<&str> {
        self.full.then_some(self.row.description.as_str())
    }
    /// Who may know it: `private`, `internal` or `public`.
    async fn visibility(&self) -> Option<&str> {
        self.full.then(|| self.row.visibility.name())
    }
    /// Address of its page.
    async fn web_url(&self, ctx: &Context<'_>) -> Option<String> {
        Some(format!("{}/{}", ctx.state().external_url, self.row.full_path))
    }
    /// When it was created.
    async fn created_at(&self) -> Option<Time> {
        self.full.then(|| self.row.created_at.into())
    }
    /// When it was last changed.
    async fn updated_at(&self) -> Option<Time> {
        self.full.then(|| self.row.updated_at.into())
    }
    /// Who may use its package registry (ours).
    async fn package_registry_access_level(&self) -> Option<PackageRegistryAccessLevel> {
        self.full.then(|| self.row.registry_access_level.into())
    }
    /// The user who created it (ours).
    async fn creator_id(&self) -> Option<UserID> {
        self.row.creator_id.filter(|_| self.full).map(Into::into)
    }
    /// The group it stands in. Null when it stands in a user's namespace, or the caller may not see the group.
    async fn group(&self, ctx: &Context<'_>) -> Outcome<Option<Group>> {
        let found = self.find_namespace(ctx).await.or_error()?;
        Ok(found.and_then(|group| Group::shown(ctx, group)))
    }
    /// The group or user's namespace it stands in. Null when the caller may not see it.
    async fn namespace(&self, ctx: &Context<'_>) -> Outcome<Option<Namespace>> {
        Ok(Namespace::shown(ctx, self.find_namespace(ctx).await.or_error()?))
    }
    /// The group at the top.
    async fn root_group(&self, ctx: &Context<'_>) -> Outcome<Option<Group>> {
        let root = self.row.full_path.split('/').next().unwrap_or_default();
        let found = group::find(ctx, IdOrPath::Path(root)).await.or_error()?;
        Ok(found.and_then(|group| Group::shown(ctx, group)))
    }
    /// What the caller may do.
    async fn user_permissions(&self, ctx: &Context<'_>) -> ProjectPermissions {
        let may = |action| self.guard.permits(ctx.viewer(), action);
        ProjectPermissions {
            read_project: may(Action::View),
            admin_project: may(Action::Administer),
            remove_project: may(Action::Destroy),
            read_package: may(Action::ViewPackages),
            create_package: may(Action::PublishPackages),
            destroy_package: may(Action::DestroyPackages),
            admin_project_member: may(Action::ManageMembers),
            manage_deploy_tokens: may(Action::ManageDeployTokens),
        }
    }
    /// Its packages. Null when the registry is off, or the caller may not see packages.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a field")]
    async fn packages(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(desc = "Rows to skip, for numbered pages (ours).")] skip: Option<i32>,
        #[graphql(desc = "Part of the name, whatever the case.")] package_name: Option<String>,
        #[graphql(desc = "The format. Without it, Terraform modules are left out.")] package_type: Option<
            PackageTypeEnum,
        >,
        #[graphql(desc = "The version, exactly.")] package_version: Option<String>,
        #[graphql(desc = "The status. Without it, displayable ones.")] status: Option<PackageStatus>,
        #[graphql(desc = "Also packages without a version. False when left out.")]
        include_versionless: Option<bool>,
        sort: Option<PackageSortArgument>,
    ) -> Outcome<Option<Connection<Package, Count>>> {
        let about = package_type.map_or(Packages::All, |format| Packages::AllOf(format.into()));
        if gate::visible_about(ctx, Some(self.guard.clone()), Action::ViewPackages, &about).is_none() {
            return Ok(None);
        }
        let arguments = ListArguments {
            package_name,
            package_type,
            package_version,
            status,
            include_versionless: include_versionless.unwrap_or_default(),
            direct_only: None,
            page: PageArguments { first, last, after, before, skip },
        };
        let order = sort.unwrap_or(PackageSortArgument::CreatedDesc).into();
        crate::package::list(ctx, PackageScope::Project(self.row.id), order, arguments).await.map(Some)
    }
    /// Which versions of packages it lets go (ours): what it has decided itself. Null where it has not, and for callers who may
    /// not see it.
    async fn package_retention_policy(&self, ctx: &Context<'_>) -> Outcome<Option<PackageRetentionPolicy>> {
        retention_of(ctx, self.guard.clone(), Place::Project(self.row.id)).await.or_error()
    }
    /// How much room the packages take (ours). Null for callers who may not see the package settings.
    async fn package_storage(&self, ctx: &Context<'_>) -> Outcome<Option<PackageStorage>> {
        storage_of(ctx, self.guard.clone(), Place::Project(self.row.id)).await.or_error()
    }
    /// How much room it takes. Null for callers who may not see the package settings.
    async fn statistics(&self, ctx: &Context<'_>) -> Outcome<Option<ProjectStatistics>> {
        statistics_of(ctx, self.guard.clone(), Place::Project(self.row.id)).await.or_error()
    }
    /// What was last done beside requests for the project, newest first (ours): what is remembered of it. Null for callers who
    /// may not see the settings of its packages.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    async fn background_job_runs(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Outcome<Option<Connection<BackgroundJobRun, Count>>> {
        let page = PageArguments { first, last, after, before, skip: None };
        runs_of_place(ctx, self.guard.clone(), &page).await.or_error()
    }
    /// How many duplicated files its packages keep. Null for callers who may not see that.
    async fn packages_cleanup_policy(&self, ctx: &Context<'_>) -> Outcome<Option<PackagesCleanupPolicy>> {
        policy_of(ctx, self.guard.clone(), self.row.id).await.or_error()
    }
    /// Whether the project proxies packages of an upstream. It does not.
    async fn dependency_proxy_packages_setting(&self) -> Option<DependencyProxyPackagesSetting> {
        Some(DependencyProxyPackagesSetting::default())
    }
    /// Members, those of the groups above included. Null for callers who may not see them.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a field")]
    async fn project_members(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(desc = "Rows to skip, for numbered pages (ours).")] skip: Option<i32>,
        #[graphql(desc = "Part of the name or user name.")] search: Option<String>,
        #[graphql(desc = "Where the membership was given; here and above when left out.")] relations: Option<
            Vec<ProjectMemberRelation>,
        >,
        #[graphql(desc = "Only this user (ours).")] user_id: Option<UserID>,
    ) -> Outcome<Option<Connection<MemberInterface, Count>>> {
        if gate::visible(ctx, Some(self.guard.clone()), Action::ViewMembers).is_none() {
            return Ok(None);
        }
        let page = PageArguments { first, last, after, before, skip };
        let direct =
            relations.is_some_and(|relations| !relations.contains(&ProjectMemberRelation::Inherited));
        let arguments = MemberArguments { direct, search, user_id: user_id.map(|UserID(id)| id), page };
        project_members(ctx, self.row.id, arguments).await.map(Some).or_error()
    }
    /// Deploy tokens made for the project itself (ours). An error for callers who may not manage them.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a field")]
    async fn deploy_tokens(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(desc = "Rows to skip, for numbered pages (ours).")] skip: Option<i32>,
        #[graphql(desc = "Only active, or only inactive ones.")] active: Option<bool>,
    ) -> Outcome<Connection<DeployToken, Count>> {
        let guard = Some(self.guard.clone());
        gate::authorize(ctx, guard, Subject::Project, Action::ManageDeployTokens).or_error()?;
        let arguments = PageArguments { first, last, after, before, skip };
        deploy_tokens_of(ctx, Holder::Project(self.row.id), active, &arguments).await.or_error()
    }
    /// Rules that keep publishing or deleting of some packages to fewer people, newest first. Null for callers who may not see
    /// them.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    async fn packages_protection_rules(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(default_with = "RuleReach::default()", desc = "Ours.")] reach: RuleReach,
    ) -> Outcome<Option<Connection<PackagesProtectionRule>>> {
        let arguments = PageArguments { first, last, after, before, skip: None };
        rules_of(ctx, self.guard.clone(), reach, &arguments).await.or_error()
    }
    /// Access tokens made for the project itself, newest first (ours). An error for callers who may not manage them.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a field")]
    async fn access_tokens(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(desc = "Rows to skip, for numbered pages (ours).")] skip: Option<i32>,
        #[graphql(desc = "Only active, or only inactive ones.")] state: Option<TokenState>,
    ) -> Outcome<Connection<AccessToken, Count>> {
        let guard = Some(self.guard.clone());
        gate::authorize(ctx, guard, Subject::Project, Action::ManageAccessTokens).or_error()?;
        let arguments = PageArguments { first, last, after, before, skip };
        resource_tokens_of(ctx, Holder::Project(self.row.id), state, &arguments).await.or_error()
    }
    /// Whose ID tokens are exchanged for tokens of the project, oldest first (ours). An error for callers who may not manage them.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    async fn trusted_publishers(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Outcome<Connection<TrustedPublisher, Count>> {
        let guard = Some(self.guard.clone());
        gate::authorize(ctx, guard, Subject::Project, Action::ManageAccessTokens).or_error()?;
        let arguments = PageArguments { first, last, after, before, skip: None };
        publishers_of(ctx, self.row.id, &arguments).await.or_error()
    }
    /// Whose CI jobs it lets in. Null for callers who may not administer it.
    async fn ci_job_token_scope(&self, ctx: &Context<'_>) -> Option<CiJobTokenScope> {
        gate::visible(ctx, Some(self.guard.clone()), Action::Administer)?;
        Some(CiJobTokenScope(self.row.id))
    }
    /// The audit log of the project (ours): everything for maintainers, what they did themselves for others from Developer on.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a field")]
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        filter: Option<AuditEventFilterInput>,
        #[graphql(desc = "CREATED_DESC when left out.")] sort: Option<AuditEventSort>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(desc = "Rows to skip, for numbered pages.")] skip: Option<i32>,
    ) -> Outcome<Connection<AuditEvent, Count>> {
        let page = PageArguments { first, last, after, before, skip };
        let arguments = AuditArguments { filter, sort, page };
        events_of_place(ctx, self.guard.clone(), Place::Project(self.row.id), arguments).await.or_error()
    }
}
