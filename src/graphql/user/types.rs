//! A user, as others and as the user sees it.

use access::Action;
use async_graphql::{Context, Enum, MergedObject, Object};
use store::users::{User, UserState as StoredState};

use crate::{
    audit_event::{AuditArguments, AuditEvent, AuditEventFilterInput, AuditEventSort, events_of_user},
    context::ContextExt,
    gate,
    group::Namespace,
    limits::connection_complexity,
    outcome::{OrError, Outcome},
    relay::{
        connection::{Connection, Count, PageArguments},
        global_id::UserID,
    },
    scalars::Time,
    sign_in::SignInFields,
    token::{PersonalAccessToken, TokenState, access_tokens_of},
};

/// Whether a user may use the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum UserState {
    /// May.
    #[graphql(name = "active")]
    Active,
    /// May not: every credential is refused.
    #[graphql(name = "blocked")]
    Blocked,
}

impl From<UserState> for store::users::UserState {
    fn from(state: UserState) -> Self {
        match state {
            UserState::Active => Self::Active,
            UserState::Blocked => Self::Blocked,
        }
    }
}

/// A user.
#[derive(MergedObject)]
#[graphql(name = "UserCore")]
pub(crate) struct UserCore(UserFields);

/// The user who asks.
#[derive(MergedObject)]
#[graphql(name = "CurrentUser")]
pub(crate) struct CurrentUser(UserFields, SignInFields);

impl From<User> for UserCore {
    fn from(user: User) -> Self {
        Self(UserFields(user))
    }
}

impl From<User> for CurrentUser {
    fn from(user: User) -> Self {
        let signs_in = SignInFields(user.id);
        Self(UserFields(user), signs_in)
    }
}

struct UserFields(User);

impl UserFields {
    /// Whether the caller may read what is the user's own business.
    fn is_open(&self, ctx: &Context<'_>) -> bool {
        gate::is_self_or_admin(ctx, self.0.id) && gate::authorize_instance(ctx, Action::View).is_ok()
    }
}

#[Object]
impl UserFields {
    async fn id(&self) -> UserID {
        self.0.id.into()
    }
    /// The name to sign in with, and the path of the user's namespace.
    async fn username(&self) -> &str {
        &self.0.username
    }
    /// The name people read.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// The mail address shown to everybody. Nobody can choose one yet.
    async fn public_email(&self) -> Option<&str> {
        None
    }
    /// The mail address (ours). Null for all but the user and administrators.
    async fn email(&self, ctx: &Context<'_>) -> Option<&str> {
        self.0.email.as_deref().filter(|_| self.is_open(ctx))
    }
    /// Whether the user administers the instance (ours). Null for all but the user and administrators.
    async fn admin(&self, ctx: &Context<'_>) -> Option<bool> {
        self.is_open(ctx).then_some(self.0.admin)
    }
    /// Whether the user may use the instance.
    async fn state(&self) -> UserState {
        match self.0.state {
            StoredState::Active => UserState::Active,
            StoredState::Blocked => UserState::Blocked,
        }
    }
    /// Address of the user's page.
    async fn web_url(&self, ctx: &Context<'_>) -> String {
        format!("{}/{}", ctx.state().external_url, self.0.username)
    }
    /// Address of a picture. There are none.
    async fn avatar_url(&self) -> Option<&str> {
        None
    }
    /// When the account was made.
    async fn created_at(&self) -> Option<Time> {
        Some(self.0.created_at.into())
    }
    /// The user's own namespace.
    async fn namespace(&self, ctx: &Context<'_>) -> Outcome<Option<Namespace>> {
        let found =
            store::groups::own_namespace(ctx.store(), ctx.viewer(), self.0.id, ctx.now()).await.or_error()?;
        Ok(Namespace::shown(ctx, found))
    }
    /// The user's personal access tokens, newest first. Null for all but the user and administrators.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a field")]
    async fn personal_access_tokens(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(desc = "Rows to skip, for numbered pages (ours).")] skip: Option<i32>,
        #[graphql(desc = "Only active, or only inactive ones.")] state: Option<TokenState>,
    ) -> Outcome<Option<Connection<PersonalAccessToken, Count>>> {
        if !self.is_open(ctx) {
            return Ok(None);
        }
        let arguments = PageArguments { first, last, after, before, skip };
        access_tokens_of(ctx, self.0.id, state, &arguments).await.map(Some).or_error()
    }
    /// The audit log of the account: its tokens, and whether it may be used (ours). Null for all but the user and administrators.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a field")]
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        filter: Option<AuditEventFilterInput>,
        #[graphql(desc = "CREATED_DESC when left out.")] sort: Option<AuditEventSort>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(desc = "Rows to skip, for numbered pages.")] skip: Option<i32>,
    ) -> Outcome<Option<Connection<AuditEvent, Count>>> {
        if !self.is_open(ctx) {
            return Ok(None);
        }
        let page = PageArguments { first, last, after, before, skip };
        events_of_user(ctx, self.0.id, AuditArguments { filter, sort, page }).await.map(Some).or_error()
    }
}
