//! Changing the policy.

use access::Action;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::Failure;
use store::cleanup_policies;

use super::types::{KeptDuplicates, PackagesCleanupPolicy};
use crate::{
    context::ContextExt,
    outcome::{OrError, Outcome},
    project,
};

/// What to change; what is left out stays.
#[derive(InputObject)]
pub(crate) struct UpdatePackagesCleanupPolicyInput {
    /// Full path or decimal id of a project.
    project_path: ID,
    /// How many files of one name a package keeps.
    #[graphql(name = "keepNDuplicatedPackageFiles")]
    keep_n_duplicated_package_files: Option<KeptDuplicates>,
    /// Echoed.
    client_mutation_id: Option<String>,
}

/// The policy as it now is.
#[derive(SimpleObject)]
pub(crate) struct UpdatePackagesCleanupPolicyPayload {
    packages_cleanup_policy: Option<PackagesCleanupPolicy>,
    errors: Vec<String>,
    client_mutation_id: Option<String>,
}

async fn update(
    ctx: &Context<'_>,
    input: &UpdatePackagesCleanupPolicyInput,
) -> Result<PackagesCleanupPolicy, Failure> {
    let project = project::open(ctx, &input.project_path, Action::AdministerPackages).await?;
    let kept = input.keep_n_duplicated_package_files.map(Into::into);
    Ok(cleanup_policies::update(ctx.store(), project.id, kept, ctx.now()).await?.into())
}

#[derive(Default)]
pub(crate) struct CleanupPolicyMutation;

#[Object]
impl CleanupPolicyMutation {
    /// Changes how many duplicated files the packages of a project keep. For maintainers.
    async fn update_packages_cleanup_policy(
        &self,
        ctx: &Context<'_>,
        input: UpdatePackagesCleanupPolicyInput,
    ) -> Outcome<Option<UpdatePackagesCleanupPolicyPayload>> {
        let policy = update(ctx, &input).await.or_error()?;
        Ok(Some(UpdatePackagesCleanupPolicyPayload {
            packages_cleanup_policy: Some(policy),
            errors: Vec::new(),
            client_mutation_id: input.client_mutation_id,
        }))
    }
}
