//! Deleting several packages or files at once, as GitLab's lists do.
//!
//! What may be deleted is decided for each; then all of it goes in one transaction, or nothing does.

use std::collections::BTreeMap;

use access::{Action, Guarded, Packages};
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::{ErrorCode, Failure, PackageFileId, PackageId, PackageStatus, ProjectId, Subject};
use store::{
    IdOrPath,
    packages::{self, DoomedFile},
    protection_rules::{self, ProtectionRule},
};

use super::scope::open_project;
use crate::{
    context::ContextExt,
    gate,
    outcome::{OrError, Outcome},
    protection_rule::is_covered,
    relay::global_id::{PackagesPackageFileID, PackagesPackageID},
};

/// Most packages or files that are deleted at once (GitLab's limit).
const MOST: usize = 100;

/// Names the packages to delete.
#[derive(InputObject)]
pub(crate) struct DestroyPackagesInput {
    /// At most 100. Those that no list shows are passed over.
    ids: Vec<PackagesPackageID>,
    /// Echoed.
    client_mutation_id: Option<String>,
}

/// The outcome of deleting packages.
#[derive(SimpleObject)]
pub(crate) struct DestroyPackagesPayload {
    client_mutation_id: Option<String>,
    errors: Vec<String>,
}

/// Names the files to delete.
#[derive(InputObject)]
pub(crate) struct DestroyPackageFilesInput {
    /// Full path or decimal id of the project that all of them belong to.
    project_path: ID,
    /// At most 100.
    ids: Vec<PackagesPackageFileID>,
    /// Echoed.
    client_mutation_id: Option<String>,
}

/// The outcome of deleting files.
#[derive(SimpleObject)]
pub(crate) struct DestroyPackageFilesPayload {
    client_mutation_id: Option<String>,
    errors: Vec<String>,
}

/// The packages that may be deleted, and why others may not.
struct Opened {
    packages: Vec<packages::Package>,
    errors: Vec<String>,
    /// How many the caller may know of.
    known: usize,
}

/// Decides for each package whether the caller may delete it. One that is protected is left out, with GitLab's text; one that the
/// caller may not know of counts as one that is not there; one that the caller may know and not delete ends it all. One statement.
async fn open(ctx: &Context<'_>, found: Vec<Guarded<packages::Package>>) -> Result<Opened, Failure> {
    let mut opened = Opened { packages: Vec::new(), errors: Vec::new(), known: 0 };
    let mut allowed = Vec::new();
    for package in found {
        let facts = package.facts();
        match gate::authorize_package(ctx, Some(package), Action::DestroyPackages) {
            Ok(package) => allowed.push((package, facts)),
            Err(failure) if failure.code == ErrorCode::NotFound => {}
            Err(failure) => return Err(failure),
        }
    }
    opened.known = allowed.len();
    let mut projects: Vec<_> = allowed.iter().map(|(package, _)| package.project.id).collect();
    projects.sort_unstable();
    projects.dedup();
    let rules = protection_rules::of_projects(ctx.store(), &projects).await?;
    for (package, facts) in allowed {
        let named = (package.format, package.name.as_str());
        let covers = |(project, rule): &&(ProjectId, ProtectionRule)| {
            *project == package.project.id && is_covered(ctx.state(), rule, named)
        };
        let covering: Vec<_> = rules.iter().filter(covers).map(|(_, rule)| rule.clone()).collect();
        if gate::refuse_protected(ctx, facts, Action::DestroyPackages, named, &covering).is_ok() {
            opened.packages.push(package);
            continue;
        }
        let text = format!("Package '{}' is deletion protected.", package.name);
        if !opened.errors.contains(&text) {
            opened.errors.push(text);
        }
    }
    Ok(opened)
}

/// Refuses more than can be deleted at once.
fn bounded(ids: usize, what: &str) -> Result<(), Failure> {
    if ids <= MOST {
        return Ok(());
    }
    Err(Failure::invalid("ids", format!("Cannot delete more than {MOST} {what}")).about(Subject::Package))
}

async fn destroy_packages(ctx: &Context<'_>, ids: &[PackagesPackageID]) -> Result<Vec<String>, Failure> {
    if ctx.viewer().is_anonymous() {
        return Err(Failure::unauthenticated().about(Subject::Package));
    }
    // Nothing is opened yet, so that this is written down here.
    bounded(ids.len(), "packages").inspect_err(|failure| {
        gate::note_refusal(ctx, None, Subject::Package, failure.code, None);
    })?;
    let ids: Vec<PackageId> = ids.iter().map(|id| id.0).collect();
    let found = packages::find_many(ctx.store(), ctx.viewer(), &ids, ctx.now()).await?;
    let Opened { mut packages, errors, known } = open(ctx, found).await?;
    if known == 0 && !ids.is_empty() {
        return Err(Failure::not_found(Subject::Package));
    }
    packages.retain(|package| PackageStatus::DISPLAYABLE.contains(&package.status));
    packages::destroy_many(ctx.store(), &packages, ctx.now()).await?;
    Ok(errors)
}

async fn destroy_files(
    ctx: &Context<'_>,
    project: &ID,
    ids: &[PackagesPackageFileID],
) -> Result<Vec<String>, Failure> {
    let address = IdOrPath::from(project.as_str());
    // Which packages it is about is known once the files are: each is asked for then.
    let project = open_project(ctx, address, Action::DestroyPackages, Packages::Any).await?;
    bounded(ids.len(), "files")?;
    let mut ids: Vec<PackageFileId> = ids.iter().map(|id| id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let (files, known) = packages::files_of_project(ctx.store(), project.id, &ids).await?;
    // Whether a file is elsewhere or nowhere is not told apart.
    if usize::try_from(known) != Ok(ids.len()) {
        return Err(Failure::invalid("ids", "All files must be in the requested project"));
    }
    let mut of_packages: Vec<_> = files.iter().map(|file| file.package_id).collect();
    of_packages.sort_unstable();
    of_packages.dedup();
    let found = packages::find_many(ctx.store(), ctx.viewer(), &of_packages, ctx.now()).await?;
    let Opened { packages, errors, .. } = open(ctx, found).await?;
    let formats: BTreeMap<_, _> = packages.iter().map(|package| (package.id, package.format)).collect();
    let doomed = files.into_iter().filter_map(|file| {
        let format = *formats.get(&file.package_id)?;
        Some(DoomedFile { file, rules: ctx.state().rules.get(format).ok() })
    });
    packages::destroy_files(ctx.store(), doomed.collect(), ctx.now()).await?;
    Ok(errors)
}

#[derive(Default)]
pub(crate) struct DestroyManyMutation;

#[Object]
impl DestroyManyMutation {
    /// Deletes versions, of any project. Those that are protected stay, and are named in `errors`.
    async fn destroy_packages(
        &self,
        ctx: &Context<'_>,
        input: DestroyPackagesInput,
    ) -> Outcome<Option<DestroyPackagesPayload>> {
        let errors = destroy_packages(ctx, &input.ids).await.or_error()?;
        Ok(Some(DestroyPackagesPayload { client_mutation_id: input.client_mutation_id, errors }))
    }

    /// Deletes files of packages of one project. Those of protected packages stay, and the packages are named in `errors`.
    async fn destroy_package_files(
        &self,
        ctx: &Context<'_>,
        input: DestroyPackageFilesInput,
    ) -> Outcome<Option<DestroyPackageFilesPayload>> {
        let errors = destroy_files(ctx, &input.project_path, &input.ids).await.or_error()?;
        Ok(Some(DestroyPackageFilesPayload { client_mutation_id: input.client_mutation_id, errors }))
    }
}
