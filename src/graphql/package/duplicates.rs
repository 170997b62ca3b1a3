//! What a second publish means here: the format's rule, unless the namespaces above the project say otherwise.

use async_graphql::Context;
use domain::{
    ErrorCode, Failure, PackageName, PackageVersion, Subject,
    rules::{FormatRules, Republish},
};
use store::{package_settings, projects::Project};

use crate::context::ContextExt;

/// What a second publish of the version in `project` means. Refuses a name that stands for something else.
pub(super) async fn republish(
    ctx: &Context<'_>,
    project: &Project,
    rules: &'static dyn FormatRules,
    name: &PackageName,
    version: Option<&PackageVersion>,
) -> Result<Republish, Failure> {
    let said = package_settings::duplicates(ctx.store(), project.namespace_id, rules.format()).await?;
    if rules.is_named_once() {
        // Whoever allows it, allows it: as in GitLab, a group need not be asked by those below.
        let allowed = said.iter().any(|duplicates| duplicates.allow(&name.display, None));
        if !allowed {
            let (project, namespace) = (project.id, project.namespace_id);
            let format = rules.format();
            if package_settings::is_name_taken(ctx.store(), project, namespace, format, &name.key).await? {
                let message = "A package with the same name already exists in the namespace";
                return Err(Failure::new(ErrorCode::Duplicate, message).about(Subject::Package));
            }
        }
        return Ok(rules.republish());
    }
    let (Some(duplicates), Some(version)) = (said.first(), version) else { return Ok(rules.republish()) };
    Ok(if duplicates.allow(&name.display, Some(&version.display)) {
        Republish::LatestWins
    } else {
        rules.republish_refused()
    })
}
