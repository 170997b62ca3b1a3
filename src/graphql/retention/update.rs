//! Deciding.

use access::Action;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::Failure;
use store::retention::{self, RetentionPolicyChange};

use super::{
    inputs::{PackageRetentionRuleInput, rules_of},
    open_place,
    types::PackageRetentionPolicy,
};
use crate::{
    context::ContextExt,
    outcome::{OrError, Outcome},
};

/// What to decide, for a project or a group; what is left out stays (ours).
#[derive(InputObject)]
pub(crate) struct UpdatePackageRetentionPolicyInput {
    /// Full path or decimal id of the project.
    project_path: Option<ID>,
    /// Full path or decimal id of the group, or of a user's own namespace.
    group_path: Option<ID>,
    /// Whether it is carried out. It is, unless that was decided otherwise.
    enabled: Option<bool>,
    /// Its rules, all of them.
    rules: Option<Vec<PackageRetentionRuleInput>>,
    /// Echoed.
    client_mutation_id: Option<String>,
}

/// The policy as it now is (ours).
#[derive(SimpleObject)]
pub(crate) struct UpdatePackageRetentionPolicyPayload {
    package_retention_policy: Option<PackageRetentionPolicy>,
    errors: Vec<String>,
    client_mutation_id: Option<String>,
}

async fn update(
    ctx: &Context<'_>,
    input: UpdatePackageRetentionPolicyInput,
) -> Result<PackageRetentionPolicy, Failure> {
    let paths = (input.project_path.as_ref(), input.group_path.as_ref());
    let place = open_place(ctx, paths, Action::AdministerPackages).await?;
    let rules = input.rules.map(rules_of).transpose()?;
    let change = RetentionPolicyChange { enabled: input.enabled, rules };
    Ok(retention::update(ctx.store(), place, change, ctx.now()).await?.into())
}

#[derive(Default)]
pub(crate) struct RetentionMutation;

#[Object]
impl RetentionMutation {
    /// Decides which versions of packages a project or group lets go (ours). For maintainers of the project, owners of the group. It is
    /// carried out a day later for the first time: until then `packageRetentionPreview` says what goes.
    async fn update_package_retention_policy(
        &self,
        ctx: &Context<'_>,
        input: UpdatePackageRetentionPolicyInput,
    ) -> Outcome<Option<UpdatePackageRetentionPolicyPayload>> {
        let client_mutation_id = input.client_mutation_id.clone();
        let package_retention_policy = Some(update(ctx, input).await.or_error()?);
        Ok(Some(UpdatePackageRetentionPolicyPayload {
            package_retention_policy,
            errors: Vec::new(),
            client_mutation_id,
        }))
    }
}
