//! Lists of members. Whoever calls these has asked whether the caller may see members.

use std::sync::Arc;

use async_graphql::{Context, OutputType};
use domain::{Failure, NamespaceId, ProjectId, UserId};
use store::{
    Cursor,
    members::{self, Inheritance, Member, MemberFilter, Place},
};

use super::types::{GroupMember, MemberInterface};
use crate::{
    context::ContextExt,
    relay::connection::{Connection, Count, PageArguments, connect},
};

/// Which members a list shows.
pub(crate) struct MemberArguments {
    /// Only memberships given in the place itself.
    pub(crate) direct: bool,
    /// Part of the name or user name.
    pub(crate) search: Option<String>,
    /// Only this user.
    pub(crate) user_id: Option<UserId>,
    /// Which page.
    pub(crate) page: PageArguments,
}

/// Members of a project.
pub(crate) async fn project_members(
    ctx: &Context<'_>,
    project: ProjectId,
    arguments: MemberArguments,
) -> Result<Connection<MemberInterface, Count>, Failure> {
    connection(ctx, Place::Project(project), arguments).await
}

/// Members of a group.
pub(crate) async fn group_members(
    ctx: &Context<'_>,
    group: NamespaceId,
    arguments: MemberArguments,
) -> Result<Connection<GroupMember, Count>, Failure> {
    connection(ctx, Place::Group(group), arguments).await
}

async fn connection<Node: From<Member> + OutputType>(
    ctx: &Context<'_>,
    place: Place,
    arguments: MemberArguments,
) -> Result<Connection<Node, Count>, Failure> {
    let filter = MemberFilter {
        place,
        inheritance: if arguments.direct { Inheritance::Direct } else { Inheritance::Inherited },
        search: arguments.search.filter(|text| !text.is_empty()),
        user_id: arguments.user_id,
    };
    let now = ctx.now();
    let request = arguments.page.request(ctx, "user+")?;
    let page = members::list(ctx.store(), &filter, &request, now).await?;
    let filter = Arc::new(filter);
    let count = Count::new(move |state, _| {
        let filter = Arc::clone(&filter);
        async move { members::count(&state.store, &filter, now).await }
    });
    Ok(connect(page, "user+", count, |member| Cursor { sort: None, id: member.user.id.0 }, Into::into))
}
