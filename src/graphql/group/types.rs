//! A group.

use access::{Action, Facts, Guarded, Packages, Purpose, Visible};
use async_graphql::{Context, ID, Object, SimpleObject};
use domain::{Role, Subject};
use store::{
    Depth, IdOrPath,
    groups::{GroupFilter, NamespaceKind, Within},
    members::Place,
    packages::PackageScope,
    projects::ProjectFilter,
};

use super::list::{GroupSort, group_connection};
use crate::{
    audit_event::{AuditArguments, AuditEvent, AuditEventFilterInput, AuditEventSort, events_of_place},
    background::{BackgroundJobRun, runs_of_place},
    context::ContextExt,
    gate,
    limits::{Once, connection_complexity, once},
    member::{GroupMember, GroupMemberRelation, MemberArguments, group_members},
    outcome::{OrError, Outcome},
    package::{GroupPackageSort, ListArguments, Package, PackageStatus, PackageTypeEnum},
    package_settings::{PackageSettings, settings_of},
    project::{Project, ProjectSort, project_connection},
    protection_rule::{PackagesProtectionRule, RuleReach, rules_of},
    relay::{
        connection::{Connection, Count, PageArguments},
        global_id::{UserID, print},
    },
    retention::{PackageRetentionPolicy, retention_of},
    scalars::Time,
    storage::{PackageStorage, storage_of},
    token::{AccessToken, DeployToken, TokenState, deploy_tokens_of, resource_tokens_of},
    virtual_registry::GroupVirtualRegistries,
};

/// A group.
pub(crate) struct Group {
    pub(super) row: store::groups::Group,
    guard: Guarded<()>,
    /// Whether the caller may know more than that the packages below are open to everybody.
    full: bool,
}

impl Group {
    /// The group, if the caller may view it or its packages, and it is no user's namespace.
    pub(crate) fn shown(ctx: &Context<'_>, group: Guarded<store::groups::Group>) -> Option<Self> {
        let guard = group.clone().map(|_| ());
        let full = guard.permits(ctx.viewer(), Action::View);
        let action = if full { Action::View } else { Action::ViewPackages };
        let row = gate::visible_about(ctx, Some(group), action, &Packages::Any)?;
        (row.kind == NamespaceKind::Group).then_some(Self { row, guard, full })
    }
}

/// The names of the groups above and the group's own, for reading.
pub(super) fn full_name(group: &store::groups::Group) -> String {
    match group.full_path.rsplit_once('/') {
        Some((above, _)) => format!("{} / {}", above.replace('/', " / "), group.name),
        None => group.name.clone(),
    }
}

/// Whether a group proxies container images. It does not.
#[derive(SimpleObject)]
struct DependencyProxySetting {
    enabled: bool,
    /// The user name at the upstream.
    identity: Option<String>,
}

/// How long proxied container images are kept.
#[derive(SimpleObject)]
struct DependencyProxyImageTtlGroupPolicy {
    enabled: bool,
    /// Days.
    ttl: Option<i32>,
}

/// A group.
#[Object]
impl Group {
    async fn id(&self) -> ID {
        print("Group", self.row.id).into()
    }
    /// The name people read.
    async fn name(&self) -> Option<&str> {
        Some(&self.row.name)
    }
    /// The last segment of the full path.
    async fn path(&self) -> &str {
        &self.row.path
    }
    /// The paths from the top down, joined by slashes.
    async fn full_path(&self) -> ID {
        self.row.full_path.clone().into()
    }
    /// The groups above and the name, for reading.
    async fn full_name(&self) -> String {
        full_name(&self.row)
    }
    /// What people wrote about it.
    async fn description(&self) -> Option<&str> {
        self.full.then_some(self.row.description.as_str())
    }
    /// Who may know it: `private`, `internal` or `public`.
    async fn visibility(&self) -> Option<&str> {
        self.full.then(|| self.row.visibility.name())
    }
    /// Whether the package registry is on, as far as the group itself decides (ours). Off, it is off in everything below.
    async fn package_registry_enabled(&self) -> Option<bool> {
        self.full.then_some(self.row.package_registry_enabled)
    }
    /// Whether the package registry is on, all told: in the group, in those above and in the instance (ours).
    async fn package_registry_available(&self) -> bool {
        match self.guard.facts() {
            Facts::Group(facts) => facts.groups_enabled && facts.instance.registry_enabled,
            Facts::Project(_) => false,
        }
    }
    /// Address of its page.
    async fn web_url(&self, ctx: &Context<'_>) -> String {
        format!("{}/groups/{}", ctx.state().external_url, self.row.full_path)
    }
    /// When it was created.
    async fn created_at(&self) -> Option<Time> {
        self.full.then(|| self.row.created_at.into())
    }
    /// When it was last changed.
    async fn updated_at(&self) -> Option<Time> {
        self.full.then(|| self.row.updated_at.into())
    }
    /// The group above.
    async fn parent(&self, ctx: &Context<'_>) -> Outcome<Option<Group>> {
        let Some(parent) = self.row.parent_id else { return Ok(None) };
        let found = super::find(ctx, IdOrPath::Id(parent.0)).await.or_error()?;
        Ok(found.and_then(|group| Group::shown(ctx, group)))
    }
    /// The id of the group above (ours): without asking whether the caller may see it.
    async fn parent_id(&self) -> Option<ID> {
        self.row.parent_id.map(|parent| print("Group", parent).into())
    }
    /// The group at the top.
    async fn root_group(&self, ctx: &Context<'_>) -> Outcome<Option<Group>> {
        let root = self.row.full_path.split('/').next().unwrap_or_default();
        let found = super::find(ctx, IdOrPath::Path(root)).await.or_error()?;
        Ok(found.and_then(|group| Group::shown(ctx, group)))
    }
    /// Projects in the group that the caller may see.
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
        #[graphql(default, desc = "Go down into subgroups.")] include_subgroups: bool,
        #[graphql(desc = "Part of the name or full path.")] search: Option<String>,
        #[graphql(desc = "Ours.")] sort: Option<ProjectSort>,
    ) -> Outcome<Connection<Project, Count>> {
        let depth = if include_subgroups { Depth::Descendants } else { Depth::Direct };
        let filter =
            ProjectFilter { search, namespace: Some((self.row.id, depth)), ..ProjectFilter::default() };
        let arguments = PageArguments { first, last, after, before, skip };
        project_connection(ctx, filter, sort.unwrap_or(ProjectSort::IdDesc), &arguments).await.or_error()
    }
    /// Groups below that the caller may see.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a field")]
    async fn descendant_groups(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(desc = "Rows to skip, for numbered pages (ours).")] skip: Option<i32>,
        #[graphql(default = true, desc = "All groups below instead of those in this group itself.")]
        include_parent_descendants: bool,
        #[graphql(desc = "Part of the name or full path.")] search: Option<String>,
        #[graphql(default, desc = "Only groups that the caller owns.")] owned: bool,
        #[graphql(desc = "Ours.")] sort: Option<GroupSort>,
    ) -> Outcome<Connection<Group, Count>> {
        let depth = if include_parent_descendants { Depth::Descendants } else { Depth::Direct };
        let within = Within::Group(self.row.id, depth);
        let filter = GroupFilter { search, within, minimum_role: owned.then_some(Role::Owner) };
        let arguments = PageArguments { first, last, after, before, skip };
        group_connection(ctx, filter, sort.unwrap_or(GroupSort::NameAsc), &arguments).await.or_error()
    }
    /// Packages of the projects below that the caller may see. Null when the registry is off.
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
        #[graphql(default = true, desc = "Go down into subgroups (ours).")] include_subgroups: bool,
        sort: Option<GroupPackageSort>,
    ) -> Outcome<Option<Connection<Package, Count>>> {
        let about = package_type.map_or(Packages::All, |format| Packages::AllOf(format.into()));
        if gate::visible_about(ctx, Some(self.guard.clone()), Action::ViewPackages, &about).is_none() {
            return Ok(None);
        }
        once(ctx, Once::GroupPackages).or_error()?;
        let instance = ctx.store().instance_facts().await.or_error()?;
        let visible = Visible::to(ctx.viewer(), Purpose::Packages, instance);
        let scope = PackageScope::Group { group: self.row.id, visible };
        let arguments = ListArguments {
            package_name,
            package_type,
            package_version,
            status,
            include_versionless: include_versionless.unwrap_or_default(),
            direct_only: (!include_subgroups).then_some(self.row.id),
            page: PageArguments { first, last, after, before, skip },
        };
        let order = sort.unwrap_or(GroupPackageSort::CreatedDesc).into();
        crate::package::list(ctx, scope, order, arguments).await.map(Some)
    }
    /// Which versions of packages it lets go (ours): what it has decided itself. Null where it has not, and for callers who may
    /// not see it.
    async fn package_retention_policy(&self, ctx: &Context<'_>) -> Outcome<Option<PackageRetentionPolicy>> {
        retention_of(ctx, self.guard.clone(), Place::Group(self.row.id)).await.or_error()
    }
    /// How much room the packages take (ours). Null for callers who may not see the package settings.
    async fn package_storage(&self, ctx: &Context<'_>) -> Outcome<Option<PackageStorage>> {
        storage_of(ctx, self.guard.clone(), Place::Group(self.row.id)).await.or_error()
    }
    /// What was last done beside requests for the group itself, newest first (ours): what is remembered of it. Null for callers
    /// who may not see its package settings.
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
    /// Members. Null for callers who may not see them.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a field")]
    async fn group_members(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(desc = "Rows to skip, for numbered pages (ours).")] skip: Option<i32>,
        #[graphql(desc = "Part of the name or user name.")] search: Option<String>,
        #[graphql(desc = "Where the membership was given; here and above when left out.")] relations: Option<
            Vec<GroupMemberRelation>,
        >,
        #[graphql(desc = "Only this user (ours).")] user_id: Option<UserID>,
    ) -> Outcome<Option<Connection<GroupMember, Count>>> {
        if gate::visible(ctx, Some(self.guard.clone()), Action::ViewMembers).is_none() {
            return Ok(None);
        }
        let page = PageArguments { first, last, after, before, skip };
        let direct = relations.is_some_and(|relations| !relations.contains(&GroupMemberRelation::Inherited));
        let arguments = MemberArguments { direct, search, user_id: user_id.map(|UserID(id)| id), page };
        group_members(ctx, self.row.id, arguments).await.map(Some).or_error()
    }
    /// Deploy tokens made for the group itself (ours). An error for callers who may not manage them.
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
        gate::authorize(ctx, guard, Subject::Group, Action::ManageDeployTokens).or_error()?;
        let arguments = PageArguments { first, last, after, before, skip };
        deploy_tokens_of(ctx, access::Holder::Group(self.row.id), active, &arguments).await.or_error()
    }
    /// Rules that keep publishing or deleting of some packages in every project below to fewer people, newest first (ours). Null
    /// for callers who may not see them.
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
    /// Access tokens made for the group itself, newest first (ours). An error for callers who may not manage them.
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
        gate::authorize(ctx, guard, Subject::Group, Action::ManageAccessTokens).or_error()?;
        let arguments = PageArguments { first, last, after, before, skip };
        resource_tokens_of(ctx, access::Holder::Group(self.row.id), state, &arguments).await.or_error()
    }
    /// The audit log of the group (ours): everything for owners, what they did themselves for others from Developer on.
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
        events_of_place(ctx, self.guard.clone(), Place::Group(self.row.id), arguments).await.or_error()
    }
    /// What owners decide about the packages below. Null for everybody else.
    async fn package_settings(&self, ctx: &Context<'_>) -> Outcome<Option<PackageSettings>> {
        settings_of(ctx, self.guard.clone(), self.row.id).await.or_error()
    }
    /// Whether the group proxies container images. It does not.
    async fn dependency_proxy_setting(&self) -> Option<DependencyProxySetting> {
        Some(DependencyProxySetting { enabled: false, identity: None })
    }
    /// How long proxied container images are kept.
    async fn dependency_proxy_image_ttl_policy(&self) -> Option<DependencyProxyImageTtlGroupPolicy> {
        Some(DependencyProxyImageTtlGroupPolicy { enabled: false, ttl: None })
    }
    #[graphql(flatten)]
    async fn virtual_registries(&self) -> GroupVirtualRegistries {
        GroupVirtualRegistries
    }
}
