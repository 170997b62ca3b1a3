//! Creating, changing and deleting rules.

use access::Action;
use async_graphql::{Context, ID, Object, SimpleObject};
use domain::{ErrorCode, Failure, NamePattern, PackageFormat, ProtectionLevels, Subject};
use store::{
    IdOrPath,
    members::Place,
    protection_rules::{self, NewProtectionRule, ProtectionRule, ProtectionRuleChange},
};

use super::{
    PackagesProtectionRule,
    inputs::{
        CreatePackagesProtectionRuleInput, DeletePackagesProtectionRuleInput,
        UpdatePackagesProtectionRuleInput,
    },
};
use crate::{
    context::ContextExt,
    gate, group,
    outcome::{OrError, Outcome},
    project,
};

/// The rule that was created.
#[derive(SimpleObject)]
pub(crate) struct CreatePackagesProtectionRulePayload {
    package_protection_rule: Option<PackagesProtectionRule>,
    errors: Vec<String>,
    client_mutation_id: Option<String>,
}

/// The rule as it now is.
#[derive(SimpleObject)]
pub(crate) struct UpdatePackagesProtectionRulePayload {
    package_protection_rule: Option<PackagesProtectionRule>,
    errors: Vec<String>,
    client_mutation_id: Option<String>,
}

/// The rule as it was.
#[derive(SimpleObject)]
pub(crate) struct DeletePackagesProtectionRulePayload {
    package_protection_rule: Option<PackagesProtectionRule>,
    errors: Vec<String>,
    client_mutation_id: Option<String>,
}

/// The place that an input names, opened for deciding about its packages.
async fn open(ctx: &Context<'_>, project: Option<&ID>, namespace: Option<&ID>) -> Result<Place, Failure> {
    let action = Action::AdministerPackages;
    match (project, namespace) {
        (Some(address), None) => Ok(Place::Project(project::open(ctx, address, action).await?.id)),
        (None, Some(address)) => {
            let found = group::find(ctx, IdOrPath::from(address.as_str())).await?;
            Ok(Place::Group(gate::authorize(ctx, found, Subject::Group, action)?.id))
        }
        (Some(_), Some(_)) | (None, None) => {
            Err(Failure::invalid("projectPath", "Give either projectPath or namespacePath"))
        }
    }
}

/// The rule with this id, its place opened. Any other, also one of another place than expected, is not found.
async fn open_rule(
    ctx: &Context<'_>,
    id: domain::ProtectionRuleId,
    project: Option<&ID>,
    namespace: Option<&ID>,
) -> Result<ProtectionRule, Failure> {
    let missing = || Failure::not_found(Subject::ProtectionRule);
    if project.is_some() || namespace.is_some() {
        let place = open(ctx, project, namespace).await?;
        let found = protection_rules::find(ctx.store(), id).await?;
        return found.filter(|rule| rule.place == place).ok_or_else(missing);
    }
    gate::signed_in(ctx)?;
    let rule = protection_rules::find(ctx.store(), id).await?.ok_or_else(missing)?;
    let (project, namespace) = match rule.place {
        Place::Project(id) => (Some(ID::from(id.0)), None),
        Place::Group(id) => (None, Some(ID::from(id.0))),
    };
    // Who may not decide there need not learn that there is a rule with this id.
    let opened = open(ctx, project.as_ref(), namespace.as_ref()).await;
    opened.map_err(|failure| match failure.code {
        ErrorCode::Forbidden | ErrorCode::NotFound => missing(),
        _ => failure,
    })?;
    Ok(rule)
}

/// Refuses a pattern that fits no name, where the format wants one that does.
fn check_pattern(ctx: &Context<'_>, format: PackageFormat, pattern: &str) -> Result<(), Failure> {
    match ctx.state().rules.get(format) {
        Ok(rules) => NamePattern::of(pattern, rules).map(|_| ()),
        Err(_) => Ok(()),
    }
}

/// What a payload says: the rule, or why it may not be so. GitLab tells that in `errors`; it is written down as refused.
fn told(
    ctx: &Context<'_>,
    outcome: Result<ProtectionRule, Failure>,
) -> Outcome<(Option<PackagesProtectionRule>, Vec<String>)> {
    match outcome {
        Ok(rule) => Ok((Some(PackagesProtectionRule(rule)), Vec::new())),
        Err(failure) => match failure.code {
            ErrorCode::Invalid | ErrorCode::Duplicate | ErrorCode::Quota => {
                gate::note_refused_input(ctx, &failure.clone().about(Subject::ProtectionRule));
                Ok((None, vec![failure.message.into_owned()]))
            }
            _ => Err(failure).or_error(),
        },
    }
}

async fn create(ctx: &Context<'_>, new: NewProtectionRule) -> Result<ProtectionRule, Failure> {
    // What is too long or blank is told by those words first.
    protection_rules::check(&new.pattern, new.levels)?;
    check_pattern(ctx, new.format, &new.pattern)?;
    Ok(protection_rules::create(ctx.store(), new, ctx.now()).await?)
}

async fn update(
    ctx: &Context<'_>,
    rule: &ProtectionRule,
    change: ProtectionRuleChange,
) -> Result<ProtectionRule, Failure> {
    if change.pattern.is_some() || change.format.is_some() {
        let pattern = change.pattern.as_deref().unwrap_or(&rule.pattern);
        protection_rules::check(pattern, rule.levels)?;
        check_pattern(ctx, change.format.unwrap_or(rule.format), pattern)?;
    }
    Ok(protection_rules::update(ctx.store(), rule.id, change, ctx.now()).await?)
}

#[derive(Default)]
pub(crate) struct ProtectionRuleMutation;

#[Object]
impl ProtectionRuleMutation {
    /// Keeps publishing or deleting of packages whose names fit a pattern to fewer people: in a project, for maintainers; in
    /// everything below a group or a user's own namespace, for owners (ours). Rules add up: of all that cover a name, the
    /// strictest counts.
    async fn create_packages_protection_rule(
        &self,
        ctx: &Context<'_>,
        input: CreatePackagesProtectionRuleInput,
    ) -> Outcome<Option<CreatePackagesProtectionRulePayload>> {
        let opened = open(ctx, input.project_path.as_ref(), input.namespace_path.as_ref()).await;
        let place = opened.or_error()?;
        let new = NewProtectionRule {
            place,
            format: input.package_type.into(),
            pattern: input.package_name_pattern,
            levels: ProtectionLevels {
                push: input.minimum_access_level_for_push.map(Into::into),
                delete: input.minimum_access_level_for_delete.map(Into::into),
            },
        };
        let (package_protection_rule, errors) = told(ctx, create(ctx, new).await)?;
        let client_mutation_id = input.client_mutation_id;
        Ok(Some(CreatePackagesProtectionRulePayload { package_protection_rule, errors, client_mutation_id }))
    }

    /// Changes a protection rule. For those who may create one there.
    async fn update_packages_protection_rule(
        &self,
        ctx: &Context<'_>,
        input: UpdatePackagesProtectionRuleInput,
    ) -> Outcome<Option<UpdatePackagesProtectionRulePayload>> {
        let (project, namespace) = (input.project_path.as_ref(), input.namespace_path.as_ref());
        let rule = open_rule(ctx, input.id.0, project, namespace).await.or_error()?;
        let push = input.minimum_access_level_for_push;
        let delete = input.minimum_access_level_for_delete;
        let change = ProtectionRuleChange {
            format: input.package_type.map(Into::into),
            pattern: input.package_name_pattern,
            push: push.as_opt_ref().map(|level| level.copied().map(Into::into)),
            delete: delete.as_opt_ref().map(|level| level.copied().map(Into::into)),
        };
        let outcome = update(ctx, &rule, change).await;
        let (package_protection_rule, errors) = told(ctx, outcome)?;
        let client_mutation_id = input.client_mutation_id;
        Ok(Some(UpdatePackagesProtectionRulePayload { package_protection_rule, errors, client_mutation_id }))
    }

    /// Deletes a protection rule. For those who may create one there.
    async fn delete_packages_protection_rule(
        &self,
        ctx: &Context<'_>,
        input: DeletePackagesProtectionRuleInput,
    ) -> Outcome<Option<DeletePackagesProtectionRulePayload>> {
        let (project, namespace) = (input.project_path.as_ref(), input.namespace_path.as_ref());
        let rule = open_rule(ctx, input.id.0, project, namespace).await.or_error()?;
        let deleted = protection_rules::delete(ctx.store(), rule.id, ctx.now()).await.or_error()?;
        Ok(Some(DeletePackagesProtectionRulePayload {
            package_protection_rule: Some(PackagesProtectionRule(deleted)),
            errors: Vec::new(),
            client_mutation_id: input.client_mutation_id,
        }))
    }
}
