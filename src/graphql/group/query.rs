//! Finding groups and namespaces.

use access::Action;
use async_graphql::{Context, ID, Object};
use domain::{Failure, Role, Subject};
use store::{
    Depth, IdOrPath,
    groups::{GroupFilter, Within},
};

use super::{
    Group, Namespace,
    list::{GroupSort, group_connection},
};
use crate::{
    gate,
    limits::connection_complexity,
    outcome::{OrError, Outcome},
    relay::connection::{Connection, Count, PageArguments},
};

#[derive(Default)]
pub(crate) struct GroupQuery;

#[Object]
impl GroupQuery {
    /// A group by full path or decimal id. Null when there is none or the caller may see neither it nor its packages.
    async fn group(&self, ctx: &Context<'_>, full_path: ID) -> Outcome<Option<Group>> {
        let found = super::find(ctx, IdOrPath::from(full_path.as_str())).await.or_error()?;
        Ok(found.and_then(|group| Group::shown(ctx, group)))
    }

    /// A group or a user's own namespace by full path or decimal id. Null when the caller may not see it.
    async fn namespace(&self, ctx: &Context<'_>, full_path: ID) -> Outcome<Option<Namespace>> {
        let found = super::find(ctx, IdOrPath::from(full_path.as_str())).await.or_error()?;
        Ok(Namespace::shown(ctx, found))
    }

    /// Groups that the caller may see.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a field")]
    async fn groups(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(desc = "Rows to skip, for numbered pages (ours).")] skip: Option<i32>,
        #[graphql(desc = "Part of the name or full path.")] search: Option<String>,
        #[graphql(default, desc = "Only groups at the top.")] top_level_only: bool,
        #[graphql(default, desc = "Only groups that the caller owns.")] owned_only: bool,
        #[graphql(desc = "Only groups below this one, by full path or decimal id.")] parent_path: Option<ID>,
        #[graphql(default, desc = "Only groups that the caller is a member of (ours).")] membership: bool,
        #[graphql(desc = "Ours.")] sort: Option<GroupSort>,
    ) -> Outcome<Connection<Group, Count>> {
        let within = match (parent_path, top_level_only) {
            (Some(_), true) => {
                let message = "parentPath and topLevelOnly exclude each other";
                return Err(Failure::invalid("parentPath", message)).or_error();
            }
            (Some(parent), false) => {
                let found = super::find(ctx, IdOrPath::from(parent.as_str())).await.or_error()?;
                let parent = gate::authorize(ctx, found, Subject::Group, Action::View).or_error()?;
                Within::Group(parent.id, Depth::Descendants)
            }
            (None, true) => Within::TopLevel,
            (None, false) => Within::Instance,
        };
        let minimum_role = match (owned_only, membership) {
            (true, _) => Some(Role::Owner),
            (false, true) => Some(Role::Guest),
            (false, false) => None,
        };
        let filter = GroupFilter { search, within, minimum_role };
        let arguments = PageArguments { first, last, after, before, skip };
        group_connection(ctx, filter, sort.unwrap_or(GroupSort::NameAsc), &arguments).await.or_error()
    }
}
