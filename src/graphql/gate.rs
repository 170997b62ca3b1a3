//! The one caller of `access` in this crate. Resolvers ask here and nowhere else.

use access::{Action, Denied, Facts, Guarded, decide_instance};
use async_graphql::Context;
use domain::{Failure, Role, Subject, UserId};

use crate::context::ContextExt;

/// The value, if the caller may do `action` with it. What does not exist is refused like what is hidden.
pub(crate) fn authorize<T>(
    ctx: &Context<'_>,
    guarded: Option<Guarded<T>>,
    subject: Subject,
    action: Action,
) -> Result<T, Failure> {
    let viewer = ctx.viewer();
    match guarded {
        Some(guarded) => guarded.authorize(viewer, action),
        None if viewer.is_anonymous() => Err(Denied::Unauthenticated),
        None => Err(Denied::Hidden),
    }
    .map_err(|denied| {
        tracing::debug!(access.action = ?action, access.denied = ?denied, "refused");
        denied.into_failure(subject)
    })
}

/// The value if the caller may view it, nothing otherwise: for fields that answer null.
pub(crate) fn visible<T>(ctx: &Context<'_>, guarded: Option<Guarded<T>>, action: Action) -> Option<T> {
    guarded?.authorize(ctx.viewer(), action).ok()
}

/// Whether the caller may do `action` with the instance itself.
pub(crate) fn authorize_instance(ctx: &Context<'_>, action: Action) -> Result<(), Failure> {
    decide_instance(ctx.viewer(), action).map_err(|denied| denied.into_failure(Subject::Instance))
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
