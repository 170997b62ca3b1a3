//! Finding users.

use access::Action;
use async_graphql::{Context, Object};
use domain::{Failure, UserId};
use store::{
    Cursor, Page,
    users::{self, UserFilter},
};

use super::types::{CurrentUser, UserCore, UserState};
use crate::{
    context::ContextExt,
    gate,
    limits::connection_complexity,
    outcome::{OrError, Outcome},
    relay::{
        connection::{Connection, Count, PageArguments, connect},
        global_id::UserID,
    },
};

/// Most user names that one list can be asked for.
const MAX_USERNAMES: usize = 100;

#[derive(Default)]
pub(crate) struct UserQuery;

#[Object]
impl UserQuery {
    /// The user who asks. Null for anonymous callers and deploy tokens.
    async fn current_user(&self, ctx: &Context<'_>) -> Outcome<Option<CurrentUser>> {
        let Some(id) = ctx.viewer().user() else { return Ok(None) };
        Ok(users::find(ctx.store(), id).await.or_error()?.map(Into::into))
    }

    /// What whoever asks is called (ours): the user, or the user name of the deploy token, or the trusted publisher. Null for anonymous
    /// callers.
    async fn current_username(&self, ctx: &Context<'_>) -> Option<String> {
        ctx.caller().username.clone()
    }

    /// One user, by id or by name. Null when there is none, and for callers who are not signed in.
    async fn user(
        &self,
        ctx: &Context<'_>,
        id: Option<UserID>,
        username: Option<String>,
    ) -> Outcome<Option<UserCore>> {
        let found = match (id, username) {
            (Some(UserID(id)), None) => find(ctx, id).await,
            (None, Some(username)) => find_by_username(ctx, &username).await,
            (Some(_), Some(_)) | (None, None) => {
                Err(Failure::invalid("id", "Give either an id or a username"))
            }
        };
        Ok(found.or_error()?.map(Into::into))
    }

    /// Users, by id. For signed-in callers. Bots of access tokens are shown to administrators only.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a field")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(desc = "Rows to skip, for numbered pages (ours).")] skip: Option<i32>,
        #[graphql(desc = "Part of the name, user name or mail address.")] search: Option<String>,
        #[graphql(desc = "Only those who may, or may not, use the instance (ours). Not with usernames.")]
        state: Option<UserState>,
        #[graphql(desc = "Only users with these names.")] usernames: Option<Vec<String>>,
    ) -> Outcome<Connection<UserCore, Count>> {
        gate::authorize_instance(ctx, Action::View).or_error()?;
        let arguments = PageArguments { first, last, after, before, skip };
        let (page, count) = match usernames {
            Some(usernames) => named(ctx, usernames, &arguments).await.or_error()?,
            None => searched(ctx, (search, state), &arguments).await.or_error()?,
        };
        Ok(connect(page, "id+", count, |user| Cursor { sort: None, id: user.id.0 }, Into::into))
    }
}

async fn find(ctx: &Context<'_>, id: UserId) -> Result<Option<users::User>, Failure> {
    if gate::authorize_instance(ctx, Action::View).is_err() {
        return Ok(None);
    }
    Ok(users::find(ctx.store(), id).await?)
}

async fn find_by_username(ctx: &Context<'_>, username: &str) -> Result<Option<users::User>, Failure> {
    if gate::authorize_instance(ctx, Action::View).is_err() {
        return Ok(None);
    }
    Ok(users::find_by_username(ctx.store(), username).await?)
}

async fn searched(
    ctx: &Context<'_>,
    (search, state): (Option<String>, Option<UserState>),
    arguments: &PageArguments,
) -> Result<(Page<users::User>, Count), Failure> {
    let search = search.filter(|text| !text.is_empty());
    let by_administrator = ctx.viewer().is_admin();
    let filter = UserFilter {
        search,
        state: state.map(Into::into),
        in_email: by_administrator,
        with_bots: by_administrator,
    };
    let request = arguments.request(ctx, "id+")?;
    let page = users::list(ctx.store(), &filter, &request).await?;
    let count = Count::new(move |state, _| {
        let filter = filter.clone();
        async move { users::count(&state.store, &filter).await }
    });
    Ok((page, count))
}

async fn named(
    ctx: &Context<'_>,
    usernames: Vec<String>,
    arguments: &PageArguments,
) -> Result<(Page<users::User>, Count), Failure> {
    if usernames.len() > MAX_USERNAMES {
        return Err(Failure::invalid("usernames", format!("At most {MAX_USERNAMES} names can be asked for")));
    }
    let mut found = Vec::new();
    for username in usernames {
        found.extend(users::find_by_username(ctx.store(), &username).await?);
    }
    if !ctx.viewer().is_admin() {
        found = users::people_among(ctx.store(), found).await?;
    }
    found.sort_unstable_by_key(|user| user.id);
    found.dedup_by_key(|user| user.id);
    arguments.counted_slice(ctx, found, "id+", |user| user.id.0)
}
