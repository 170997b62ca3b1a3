//! What owners of a namespace decide about its packages.

mod types;
mod update;

pub(crate) use types::PackageSettings;
pub(crate) use update::PackageSettingsMutation;

use access::{Action, Guarded};
use async_graphql::Context;
use domain::{Duplicates, Failure, NamespaceId, PackageFormat, rules::Republish};
use store::package_settings;

use crate::{
    context::{ContextExt, State},
    gate,
};

/// The settings of a namespace. None for callers who may not see them: GitLab's pages cope with that.
pub(crate) async fn settings_of(
    ctx: &Context<'_>,
    guard: Guarded<()>,
    namespace: NamespaceId,
) -> Result<Option<PackageSettings>, Failure> {
    if gate::visible(ctx, Some(guard), Action::ViewPackageSettings).is_none() {
        return Ok(None);
    }
    Ok(Some(PackageSettings(package_settings::find(ctx.store(), namespace).await?)))
}

/// What holds for duplicates of a format where no namespace says anything.
pub(crate) fn duplicates_by_default(state: &State, format: PackageFormat) -> Duplicates {
    let allowed = match state.rules.get(format) {
        Ok(rules) => rules.republish() == Republish::LatestWins && !rules.is_named_once(),
        Err(_) => format != PackageFormat::TerraformModule,
    };
    Duplicates::without_exception(allowed)
}
