//! Lists of events.

use std::sync::Arc;

use access::{Action, Guarded};
use async_graphql::{Context, Object};
use domain::{AuthorType, Failure, Subject, UserId};
use store::{
    Cursor, Direction, IdOrPath,
    audit_events::{self, AuditFilter, AuditScope},
    members::Place,
};

use super::{
    AuditEvent,
    inputs::{AuditEventFilterInput, AuditEventScopeInput, AuditEventSort},
};
use crate::{
    context::ContextExt,
    gate, group,
    limits::connection_complexity,
    outcome::{OrError, Outcome},
    project,
    relay::connection::{Connection, Count, PageArguments, connect},
};

/// The arguments of a list of events.
pub(crate) struct AuditArguments {
    pub(crate) filter: Option<AuditEventFilterInput>,
    pub(crate) sort: Option<AuditEventSort>,
    pub(crate) page: PageArguments,
}

type Events = Connection<AuditEvent, Count>;

/// Which events the caller may see of a place: all of them, or only what they did themselves (GitLab's rule).
fn restrict(
    ctx: &Context<'_>,
    guard: Guarded<()>,
    subject: Subject,
    filter: &mut AuditFilter,
) -> Result<(), Failure> {
    if guard.permits(ctx.viewer(), Action::ViewAuditEvents) {
        return Ok(());
    }
    gate::authorize(ctx, Some(guard), subject, Action::ViewOwnAuditEvents)?;
    let own = ctx.viewer().user().map(|user| (AuthorType::User, user.0));
    if filter.author.is_some() && filter.author != own {
        return Err(Failure::forbidden("You are allowed to see only what you did yourself").about(subject));
    }
    filter.author = own;
    Ok(())
}

/// The log of a group or project.
pub(crate) async fn events_of_place(
    ctx: &Context<'_>,
    guard: Guarded<()>,
    place: Place,
    arguments: AuditArguments,
) -> Result<Events, Failure> {
    let (subject, scope) = match place {
        Place::Group(group) => (Subject::Group, AuditScope::Group(group)),
        Place::Project(project) => (Subject::Project, AuditScope::Project(project)),
    };
    let mut filter = arguments.filter.unwrap_or_default().into_filter()?;
    restrict(ctx, guard, subject, &mut filter)?;
    events(ctx, scope, filter, arguments.sort, &arguments.page).await
}

/// The log of a user's own account. Whoever calls this has asked whether the caller may see it.
pub(crate) async fn events_of_user(
    ctx: &Context<'_>,
    user: UserId,
    arguments: AuditArguments,
) -> Result<Events, Failure> {
    let filter = arguments.filter.unwrap_or_default().into_filter()?;
    events(ctx, AuditScope::User(user), filter, arguments.sort, &arguments.page).await
}

async fn events(
    ctx: &Context<'_>,
    scope: AuditScope,
    filter: AuditFilter,
    sort: Option<AuditEventSort>,
    page: &PageArguments,
) -> Result<Events, Failure> {
    let (direction, order) = match sort.unwrap_or_default() {
        AuditEventSort::CreatedAsc => (Direction::Ascending, "event+"),
        AuditEventSort::CreatedDesc => (Direction::Descending, "event-"),
    };
    let request = page.request(ctx, order)?;
    let page = audit_events::list(ctx.store(), scope, &filter, direction, &request).await?;
    let filter = Arc::new(filter);
    let count = Count::new(move |state, limit| {
        let filter = Arc::clone(&filter);
        async move { audit_events::count(&state.store, scope, &filter, limit).await }
    });
    Ok(connect(page, order, count, |event| Cursor { sort: None, id: event.id.0 }, AuditEvent))
}

async fn in_scope(
    ctx: &Context<'_>,
    scope: &AuditEventScopeInput,
    arguments: AuditArguments,
) -> Result<Events, Failure> {
    match (&scope.project_path, &scope.group_path) {
        (Some(_), Some(_)) => Err(Failure::invalid("scope", "projectPath and groupPath exclude each other")),
        (Some(address), None) => {
            let found = project::find(ctx, address).await?;
            let guard = found.clone().map(|project| project.map(|_| ()));
            let project = gate::authorize(ctx, found, Subject::Project, Action::View)?;
            let guard = guard.ok_or_else(|| Failure::not_found(Subject::Project))?;
            events_of_place(ctx, guard, Place::Project(project.id), arguments).await
        }
        (None, Some(address)) => {
            let found = group::find(ctx, IdOrPath::from(address.as_str())).await?;
            let guard = found.clone().map(|group| group.map(|_| ()));
            let group = gate::authorize(ctx, found, Subject::Group, Action::View)?;
            let guard = guard.ok_or_else(|| Failure::not_found(Subject::Group))?;
            events_of_place(ctx, guard, Place::Group(group.id), arguments).await
        }
        (None, None) => {
            gate::authorize_instance(ctx, Action::ViewAuditEvents)?;
            let filter = arguments.filter.unwrap_or_default().into_filter()?;
            events(ctx, AuditScope::Instance, filter, arguments.sort, &arguments.page).await
        }
    }
}

#[derive(Default)]
pub(crate) struct AuditEventQuery;

#[Object]
impl AuditEventQuery {
    /// The audit log of a project, a group or the instance (ours): like `auditEvents` of a project or group, with an error that
    /// says why when it is refused. The instance's is for administrators.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a field")]
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        scope: AuditEventScopeInput,
        filter: Option<AuditEventFilterInput>,
        #[graphql(desc = "CREATED_DESC when left out.")] sort: Option<AuditEventSort>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(desc = "Rows to skip, for numbered pages.")] skip: Option<i32>,
    ) -> Outcome<Connection<AuditEvent, Count>> {
        let page = PageArguments { first, last, after, before, skip };
        in_scope(ctx, &scope, AuditArguments { filter, sort, page }).await.or_error()
    }
}
