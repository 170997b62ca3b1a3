//! The one caller of `access` in this crate. Resolvers ask here and nowhere else.

use access::{Action, Denied, Guarded, decide_instance};
use async_graphql::Context;
use domain::{Failure, Subject};

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
