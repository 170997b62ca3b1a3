//! What every namespace shows, be it a group or a user's own.

use access::{Action, Guarded};
use async_graphql::{Context, ID, Object};
use store::groups::NamespaceKind;

use super::types::full_name;
use crate::{
    context::ContextExt,
    gate,
    limits::connection_complexity,
    outcome::{OrError, Outcome},
    package_settings::{PackageSettings, settings_of},
    protection_rule::{PackagesProtectionRule, RuleReach, rules_of},
    relay::{
        connection::{Connection, PageArguments},
        global_id::print,
    },
};

/// A group or a user's own namespace, which the caller may view.
pub(crate) struct Namespace {
    row: store::groups::Group,
    guard: Guarded<()>,
}

impl Namespace {
    /// The namespace, if there is one and the caller may view it.
    pub(crate) fn shown(ctx: &Context<'_>, namespace: Option<Guarded<store::groups::Group>>) -> Option<Self> {
        let guard = namespace.clone()?.map(|_| ());
        let row = gate::visible(ctx, namespace, Action::View)?;
        Some(Self { row, guard })
    }
}

/// A group or a user's own namespace.
#[Object]
impl Namespace {
    async fn id(&self) -> ID {
        let class = match self.row.kind {
            NamespaceKind::Group => "Group",
            NamespaceKind::User => "Namespaces::UserNamespace",
        };
        print(class, self.row.id).into()
    }
    /// The name people read.
    async fn name(&self) -> &str {
        &self.row.name
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
    /// What it is (ours): `group` or `user`.
    async fn kind(&self) -> &str {
        self.row.kind.name()
    }
    /// What people wrote about it.
    async fn description(&self) -> Option<&str> {
        Some(&self.row.description)
    }
    /// Who may know it: `private`, `internal` or `public`.
    async fn visibility(&self) -> Option<&str> {
        Some(self.row.visibility.name())
    }
    /// The id of the group above (ours).
    async fn parent_id(&self) -> Option<ID> {
        self.row.parent_id.map(|parent| print("Group", parent).into())
    }
    /// Address of its page.
    async fn web_url(&self, ctx: &Context<'_>) -> String {
        let folder = match self.row.kind {
            NamespaceKind::Group => "groups/",
            NamespaceKind::User => "",
        };
        format!("{}/{folder}{}", ctx.state().external_url, self.row.full_path)
    }
    /// What the owner decides about the packages below. Null for everybody else.
    async fn package_settings(&self, ctx: &Context<'_>) -> Outcome<Option<PackageSettings>> {
        settings_of(ctx, self.guard.clone(), self.row.id).await.or_error()
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
}
