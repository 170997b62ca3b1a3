//! The one caller of `access` in this crate. Resolvers ask here and nowhere else.

use std::sync::Arc;

use access::{
    Action, Denied, Facts, Guarded, Packages, Viewer, decide, decide_instance, decide_packages,
    decide_protected,
};
use async_graphql::{Context, parser::types::OperationType};
use domain::{ErrorCode, Failure, PackageFormat, Role, Subject, UserId};
use store::{audit_events::Refusal, members::Place, packages::Package, protection_rules::ProtectionRule};

use crate::{context::ContextExt, refusals::Refusals};

/// The value, if the caller may do `action` with it. What does not exist is refused like what is hidden.
pub(crate) fn authorize<T>(
    ctx: &Context<'_>,
    guarded: Option<Guarded<T>>,
    subject: Subject,
    action: Action,
) -> Result<T, Failure> {
    authorize_about(ctx, guarded, subject, action, &Packages::All)
}

/// The package, if the caller may do `action` with it.
pub(crate) fn authorize_package(
    ctx: &Context<'_>,
    guarded: Option<Guarded<Package>>,
    action: Action,
) -> Result<Package, Failure> {
    open(ctx, guarded, Subject::Package, action, |guarded, viewer| {
        guarded.authorize_with(viewer, action, |package| named(ctx, package))
    })
}

/// What a package is to the limits of a token.
pub(crate) fn named<'a>(ctx: &Context<'_>, package: &'a Package) -> Packages<'a> {
    if ctx.viewer().limits().is_empty() {
        return Packages::All; // nobody asks
    }
    let normal = ctx.state().rules.get(package.format).and_then(|rules| rules.name(&package.name));
    let name = normal.map_or(package.name.as_str().into(), |name| name.key.into());
    Packages::Named(package.format, name)
}

/// The value, if the caller may do `action` with it as far as `packages` go.
pub(crate) fn authorize_about<T>(
    ctx: &Context<'_>,
    guarded: Option<Guarded<T>>,
    subject: Subject,
    action: Action,
    packages: &Packages<'_>,
) -> Result<T, Failure> {
    open(ctx, guarded, subject, action, |guarded, viewer| guarded.authorize_about(viewer, action, packages))
}

fn open<T>(
    ctx: &Context<'_>,
    guarded: Option<Guarded<T>>,
    subject: Subject,
    action: Action,
    decide: impl FnOnce(Guarded<T>, &Viewer) -> Result<T, Denied>,
) -> Result<T, Failure> {
    let viewer = ctx.viewer();
    let place = guarded.as_ref().map(|guarded| place(guarded.facts()));
    let opened = match guarded {
        Some(guarded) => decide(guarded, viewer),
        None if viewer.is_anonymous() => Err(Denied::Unauthenticated),
        None => Err(Denied::Hidden),
    };
    if opened.is_ok() {
        note_opened(ctx, place, subject);
    }
    opened.map_err(|denied| {
        tracing::debug!(access.action = ?action, access.denied = ?denied, "refused");
        let failure = denied.into_failure(viewer, subject);
        // What does not exist has nobody who would read of it.
        if place.is_some() {
            note_refusal(ctx, place, subject, failure.code, None);
        }
        failure
    })
}

/// Refuses `action`, which was allowed where `facts` were read, where one of the rules that cover the package keeps it to others.
pub(crate) fn refuse_protected(
    ctx: &Context<'_>,
    facts: Facts,
    action: Action,
    (format, name): (PackageFormat, &str),
    covering: &[ProtectionRule],
) -> Result<(), Failure> {
    let covering = covering.iter().map(|rule| (rule.pattern.as_str(), rule.levels));
    let package = (format, name.to_owned());
    match decide_protected(ctx.viewer(), action, &facts, covering) {
        Ok(()) => {
            if let Some((refusals, key)) = change(ctx) {
                refusals.note_package(key, place(facts), package);
            }
            Ok(())
        }
        Err(protected) => {
            tracing::debug!(access.action = ?action, access.protected = ?protected, "refused");
            // Of a rule, which may be a group's, only those learn who may see it in lists.
            let sees_rules = decide(ctx.viewer(), Action::ViewPackageSettings, &facts).is_ok();
            let failure = if sees_rules { protected.explained(name) } else { protected.into_failure() };
            note_refusal(ctx, Some(place(facts)), Subject::Package, failure.code, Some(package));
            Err(failure)
        }
    }
}

/// Where `facts` were read.
pub(crate) const fn place(facts: Facts) -> Place {
    match facts {
        Facts::Project(facts) => Place::Project(facts.id),
        Facts::Group(facts) => Place::Group(facts.id),
    }
}

/// What becomes of refused changes, and under which name the change stands in the answer; nothing for nobody in particular, who may
/// just try again with a credential, for what a change shows beside, and for what only reads.
fn change<'a>(ctx: &'a Context<'_>) -> Option<(&'a Refusals, &'a str)> {
    let changes = ctx.query_env.operation.node.ty == OperationType::Mutation;
    let root = ctx.path_node.as_ref().filter(|node| node.parent.is_none())?;
    let refusals = ctx.data_opt::<Arc<Refusals>>()?;
    (changes && !ctx.viewer().is_anonymous()).then(|| (&**refusals, root.field_name()))
}

/// Notes what a change was let at, in case it is refused for what it was given.
fn note_opened(ctx: &Context<'_>, place: Option<Place>, subject: Subject) {
    if let Some((refusals, key)) = change(ctx) {
        refusals.note_opened(key, ctx.field().name(), place, subject);
    }
}

/// Notes that somebody was refused a change, for the audit log.
pub(crate) fn note_refusal(
    ctx: &Context<'_>,
    place: Option<Place>,
    subject: Subject,
    code: ErrorCode,
    package: Option<(PackageFormat, String)>,
) {
    if let Some((refusals, _)) = change(ctx) {
        let operation = ctx.field().name().to_owned();
        refusals.note(Refusal { place, operation, code: code.name(), subject, package });
    }
}

/// Notes that a change which the caller may make was refused for what it was given, and says so in its payload. Those that say so in
/// an error are found there.
pub(crate) fn note_refused_input(ctx: &Context<'_>, failure: &Failure) {
    if let Some((refusals, key)) = change(ctx) {
        refusals.note_input(key, failure);
    }
}

/// Whether the limits of the caller's token let it do `action` with `packages`, wherever they are.
pub(crate) fn authorize_packages(
    ctx: &Context<'_>,
    place: Option<Place>,
    action: Action,
    packages: &Packages<'_>,
) -> Result<(), Failure> {
    decide_packages(ctx.viewer(), action, packages).map_err(|denied| {
        let failure = denied.into_failure(ctx.viewer(), Subject::Package);
        note_refusal(ctx, place, Subject::Package, failure.code, None);
        failure
    })
}

/// Whether the caller may know of all packages: for what counts or names them without saying which. A token that is limited to
/// some may not.
pub(crate) fn authorize_all_packages(ctx: &Context<'_>) -> Result<(), Failure> {
    authorize_packages(ctx, None, Action::ViewPackages, &Packages::All)
}

/// The value if the caller may view it, nothing otherwise: for fields that answer null.
pub(crate) fn visible<T>(ctx: &Context<'_>, guarded: Option<Guarded<T>>, action: Action) -> Option<T> {
    guarded?.authorize(ctx.viewer(), action).ok()
}

/// The same as far as `packages` go.
pub(crate) fn visible_about<T>(
    ctx: &Context<'_>,
    guarded: Option<Guarded<T>>,
    action: Action,
    packages: &Packages<'_>,
) -> Option<T> {
    guarded?.authorize_about(ctx.viewer(), action, packages).ok()
}

/// Whether the caller may do `action` with the instance itself.
pub(crate) fn authorize_instance(ctx: &Context<'_>, action: Action) -> Result<(), Failure> {
    let decided = decide_instance(ctx.viewer(), action);
    if decided.is_ok() {
        note_opened(ctx, None, Subject::Instance);
    }
    decided.map_err(|denied| {
        let failure = denied.into_failure(ctx.viewer(), Subject::Instance);
        note_refusal(ctx, None, Subject::Instance, failure.code, None);
        failure
    })
}

/// The user who asks, if there is one and the token lets changes through: for what people do to their own account.
pub(crate) fn signed_in(ctx: &Context<'_>) -> Result<UserId, Failure> {
    // Every signed-in user may create a top-level group, and nobody else may.
    authorize_instance(ctx, Action::CreateGroup)?;
    ctx.viewer().user().ok_or_else(Failure::unauthenticated)
}

/// The caller's account as far as it may read or change somebody's own things: everybody's for administrators.
pub(crate) fn is_self_or_admin(ctx: &Context<'_>, user: UserId) -> bool {
    ctx.viewer().user() == Some(user) || ctx.viewer().is_admin()
}

/// The role the caller has where `facts` were read; administrators count as owners. Only says what is recorded of a grant:
/// whether it may be made is asked with [`authorize`].
pub(crate) fn role(ctx: &Context<'_>, facts: Facts) -> Option<Role> {
    if ctx.viewer().is_admin() {
        return Some(Role::Owner);
    }
    match facts {
        Facts::Project(facts) => facts.role,
        Facts::Group(facts) => facts.role,
    }
}
