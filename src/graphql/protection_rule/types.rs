//! A rule as it is read.

use access::{Action, Facts, Guarded};
use async_graphql::{Context, ID, Object, connection::EmptyFields};
use domain::Failure;
use store::{
    Cursor,
    members::Place,
    protection_rules::{self, ProtectionRule},
};

use super::inputs::{DeleteLevel, PushLevel, RulePackageType, RuleReach};
use crate::{
    context::ContextExt,
    gate,
    relay::{
        connection::{Connection, PageArguments, connect},
        global_id::{PackagesProtectionRuleID, print},
    },
    scalars::Time,
};

/// A protection rule.
pub(crate) struct PackagesProtectionRule(pub(super) ProtectionRule);

/// Keeps publishing, deleting or both to fewer people, for packages whose names fit a pattern. A deploy token never reaches a
/// level, and nor does a trusted publisher; administrators always do.
#[Object]
impl PackagesProtectionRule {
    async fn id(&self) -> PackagesProtectionRuleID {
        self.0.id.into()
    }
    /// Names that the rule covers, `*` standing for any text, whatever the case.
    async fn package_name_pattern(&self) -> &str {
        &self.0.pattern
    }
    async fn package_type(&self) -> RulePackageType {
        self.0.format.into()
    }
    /// Who may publish. Null leaves it to whoever may publish anyway.
    async fn minimum_access_level_for_push(&self) -> Option<PushLevel> {
        self.0.levels.push.map(Into::into)
    }
    /// Who may delete. Null leaves it to whoever may delete anyway.
    async fn minimum_access_level_for_delete(&self) -> Option<DeleteLevel> {
        self.0.levels.delete.and_then(DeleteLevel::of)
    }
    /// The project that the rule was made for (ours). Null for a rule of a namespace.
    async fn project_id(&self) -> Option<ID> {
        match self.0.place {
            Place::Project(id) => Some(print("Project", id).into()),
            Place::Group(_) => None,
        }
    }
    /// Full path of the group, or user's own namespace, that the rule was made for (ours). Null for a rule of one project.
    async fn namespace_path(&self) -> Option<ID> {
        self.0.namespace_path.clone().map(Into::into)
    }
    /// When it was created (ours).
    async fn created_at(&self) -> Time {
        self.0.created_at.into()
    }
    /// When it was last changed (ours).
    async fn updated_at(&self) -> Time {
        self.0.updated_at.into()
    }
}

/// The rules of the place that `guard` stands for, newest first. None for callers who may not see them.
pub(crate) async fn rules_of(
    ctx: &Context<'_>,
    guard: Guarded<()>,
    reach: RuleReach,
    arguments: &PageArguments,
) -> Result<Option<Connection<PackagesProtectionRule>>, Failure> {
    let facts = guard.facts();
    if gate::visible(ctx, Some(guard), Action::ViewPackageSettings).is_none() {
        return Ok(None);
    }
    let mut rules = protection_rules::list(ctx.store(), gate::place(facts)).await?;
    if reach == RuleReach::Inherited {
        rules.extend(inherited(ctx, facts).await?);
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.id));
    }
    let (page, _) = arguments.counted_slice(ctx, rules, "id-", |rule| rule.id.0)?;
    let cursor = |rule: &ProtectionRule| Cursor { sort: None, id: rule.id.0 };
    Ok(Some(connect(page, "id-", EmptyFields, cursor, PackagesProtectionRule)))
}

async fn inherited(ctx: &Context<'_>, facts: Facts) -> Result<Vec<ProtectionRule>, Failure> {
    match gate::place(facts) {
        Place::Group(id) => Ok(protection_rules::inherited_by_namespace(ctx.store(), id).await?),
        place @ Place::Project(id) => {
            let rules = protection_rules::of_projects(ctx.store(), &[id]).await?;
            Ok(rules.into_iter().map(|(_, rule)| rule).filter(|rule| rule.place != place).collect())
        }
    }
}
