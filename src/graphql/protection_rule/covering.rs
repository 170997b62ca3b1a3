//! Which rules cover a package, asked wherever one is changed.

use access::{Action, Facts, Guarded, Packages};
use async_graphql::Context;
use domain::{Failure, NamePattern, PackageFormat, Subject};
use store::{
    members::Place,
    packages::Package,
    projects::Project,
    protection_rules::{self, ProtectionRule},
};

use crate::{
    context::{ContextExt, State},
    gate,
};

/// Whether a rule covers the package called `name`, in whatever spelling the name comes.
pub(crate) fn is_covered(
    state: &State,
    rule: &ProtectionRule,
    (format, name): (PackageFormat, &str),
) -> bool {
    if rule.format != format {
        return false;
    }
    // A pattern was checked when it was set. Should a later release refuse it, it is compared as it is written.
    let (pattern, key) = match state.rules.get(format) {
        Ok(rules) => (
            NamePattern::of(&rule.pattern, rules).unwrap_or_else(|_| NamePattern::verbatim(&rule.pattern)),
            rules.name(name).map_or_else(|_| name.to_owned(), |name| name.key),
        ),
        Err(_) => (NamePattern::verbatim(&rule.pattern), name.to_owned()),
    };
    pattern.covers(&key)
}

/// Refuses `action`, which was allowed where `facts` were read, where a rule keeps it to others. One statement.
pub(crate) async fn refuse_protected(
    ctx: &Context<'_>,
    facts: Facts,
    action: Action,
    package: (PackageFormat, &str),
) -> Result<(), Failure> {
    let Place::Project(project) = gate::place(facts) else { return Ok(()) };
    let rules =
        protection_rules::of_projects(ctx.store(), &[project]).await?.into_iter().map(|(_, rule)| rule);
    let covering: Vec<_> = rules.filter(|rule| is_covered(ctx.state(), rule, package)).collect();
    gate::refuse_protected(ctx, facts, action, package, &covering)
}

/// The package, if the caller may do `action` with it and no rule keeps that to others.
pub(crate) async fn authorize_package(
    ctx: &Context<'_>,
    guarded: Option<Guarded<Package>>,
    action: Action,
) -> Result<Package, Failure> {
    let facts = guarded.as_ref().map(Guarded::facts);
    let package = gate::authorize_package(ctx, guarded, action)?;
    if let Some(facts) = facts {
        refuse_protected(ctx, facts, action, (package.format, &package.name)).await?;
    }
    Ok(package)
}

/// The project, if the caller may do `action` in it, and with the package called so, which is `about` to the limits of a token.
pub(crate) async fn authorize_project(
    ctx: &Context<'_>,
    guarded: Option<Guarded<Project>>,
    action: Action,
    package: (PackageFormat, &str),
    about: &Packages<'_>,
) -> Result<Project, Failure> {
    let facts = guarded.as_ref().map(Guarded::facts);
    let project = gate::authorize_about(ctx, guarded, Subject::Project, action, about)?;
    if let Some(facts) = facts {
        refuse_protected(ctx, facts, action, package).await?;
    }
    Ok(project)
}
