//! People and machine accounts.

use domain::{
    EventKind, Failure, NamespaceId, Role, Subject, UserId, Visibility,
    namespace::{validate_display_name, validate_email, validate_top_level},
};
use entity::{bot, member, namespace, namespace_ancestor, user};
use sea_orm::{
    ActiveModelTrait, EntityTrait, IntoActiveModel, QueryFilter, Set,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
};
use time::OffsetDateTime;

use crate::{
    Page, PageRequest, Result, Store, StoreError, Tx,
    address::path_key,
    audit_events::{self, Actor, Changes, Entity, Event},
    convert::stored,
    groups::NamespaceKind,
    page::{Direction, Keyset},
    refusals::{path_is_free, taken},
    rows,
    search::contains,
    sessions,
};

/// Whether a user may use the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum UserState {
    /// May.
    Active = 0,
    /// May not: every credential is refused.
    Blocked = 1,
}

impl UserState {
    /// The state with this stored number.
    fn from_number(number: i16) -> Result<Self> {
        match number {
            0 => Ok(Self::Active),
            1 => Ok(Self::Blocked),
            _ => Err(StoreError::Corrupt { column: "users.state", value: number.to_string() }),
        }
    }

    /// The name in REST and GraphQL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Blocked => "blocked",
        }
    }
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The user name, which is also the path of the user's namespace.
    pub username: String,
    /// The name people read.
    pub name: String,
    /// The mail address.
    pub email: Option<String>,
    /// Whether the user administers the instance.
    pub admin: bool,
    /// Whether the user may use the instance.
    pub state: UserState,
    /// When it was created.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
}

impl TryFrom<user::Model> for User {
    type Error = StoreError;

    fn try_from(row: user::Model) -> Result<Self> {
        Ok(Self {
            id: UserId(row.id),
            username: row.username,
            name: row.name,
            email: row.email,
            admin: row.admin,
            state: UserState::from_number(row.state)?,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// A user to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    /// The user name.
    pub username: String,
    /// The name people read.
    pub name: String,
    /// The mail address.
    pub email: Option<String>,
    /// Whether the user administers the instance.
    pub admin: bool,
}

/// The user with this id, if there is one.
pub async fn find(store: &Store, id: UserId) -> Result<Option<User>> {
    user::Entity::find_by_id(id.0).one(store.reader()).await?.map(User::try_from).transpose()
}

/// The user with this name in any case, if there is one.
pub async fn find_by_username(store: &Store, username: &str) -> Result<Option<User>> {
    let row =
        user::Entity::find().filter(user::COLUMN.username_key.eq(path_key(username))).one(store.reader());
    row.await?.map(User::try_from).transpose()
}

/// The users with these ids, in no order; what does not exist is left out.
pub async fn find_many(store: &Store, ids: &[UserId]) -> Result<Vec<User>> {
    let rows = user::Entity::find().filter(user::COLUMN.id.is_in(ids.iter().map(|id| id.0)));
    rows.all(store.reader()).await?.into_iter().map(User::try_from).collect()
}

/// Which users a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// A part of the name or user name; anything, when there is nothing.
    pub search: Option<String>,
    /// Whether it may be a part of the mail address as well, which is nobody's business but the user's and administrators'.
    pub in_email: bool,
    /// Whether they may use the instance; either, when there is nothing.
    pub state: Option<UserState>,
    /// Whether the bots of access tokens are shown, which tell of projects and groups that may be private.
    pub with_bots: bool,
}

/// Users that `filter` shows, sorted by id.
pub async fn list(store: &Store, filter: &UserFilter, page: &PageRequest) -> Result<Page<User>> {
    let columns =
        ["id", "username", "username_key", "name", "email", "admin", "state", "created_at", "updated_at"];
    let mut select = Query::select();
    select.columns(columns.map(|column| ("u", column))).from_as("users", "u");
    restrict(&mut select, filter);
    let keyset = Keyset { sort: None, id: Expr::col(("u", "id")), direction: Direction::Ascending };
    keyset.apply(&mut select, page)?;
    let rows: Vec<user::Model> = rows::all(store.reader(), &select).await?;
    Keyset::page(rows, page).try_map(User::try_from)
}

/// How many users [`list`] would show in all.
pub async fn count(store: &Store, filter: &UserFilter) -> Result<u64> {
    let mut select = Query::select();
    select.expr(Expr::col(("u", "id")).count()).from_as("users", "u");
    restrict(&mut select, filter);
    rows::number(store.reader(), &select).await
}

/// Those of `users` that are no bots.
pub async fn people_among(store: &Store, mut users: Vec<User>) -> Result<Vec<User>> {
    let bots = bot::Entity::find().filter(bot::COLUMN.user_id.is_in(users.iter().map(|user| user.id.0)));
    let bots = bots.all(store.reader()).await?;
    users.retain(|user| bots.iter().all(|bot| bot.user_id != user.id.0));
    Ok(users)
}

fn restrict(select: &mut SelectStatement, filter: &UserFilter) {
    if !filter.with_bots {
        let mut bot = Query::select();
        bot.expr(Expr::val(1))
            .from_as("bots", "b")
            .and_where(Expr::col(("b", "user_id")).equals(("u", "id")));
        select.and_where(Expr::exists(bot).not());
    }
    if let Some(state) = filter.state {
        select.and_where(Expr::col(("u", "state")).eq(state as i16));
    }
    if let Some(text) = &filter.search {
        let column = |name: &'static str| contains(Expr::col(("u", name)), text);
        let found = column("username_key").or(column("name"));
        select.and_where(if filter.in_email { found.or(column("email")) } else { found });
    }
}

/// Creates a user with a namespace of its own.
pub async fn create(store: &Store, new: NewUser, now: OffsetDateTime) -> Result<User> {
    validate_top_level("username", &new.username)?;
    validate_display_name("name", &new.name)?;
    if let Some(email) = &new.email {
        validate_email(email)?;
    }
    store
        .write((store.actor(), new, stored(now)), |tx, (actor, new, now)| {
            Box::pin(async move {
                let user = insert(tx, new, *now).await?;
                let kind = if user.admin { "administrator" } else { "user" };
                let what = (EventKind::UserCreated, format!("{kind} {} created", user.username));
                note(tx, actor, what, &user, &Changes::default(), *now).await?;
                Ok(user)
            })
        })
        .await
}

/// Writes down what became of a user.
pub(crate) async fn note(
    tx: &Tx,
    actor: &Actor,
    (kind, message): (EventKind, String),
    user: &User,
    changes: &Changes,
    now: OffsetDateTime,
) -> Result<()> {
    let event = Event::about(kind, Entity::user(user.id.0, &user.username), message).with(changes);
    audit_events::write(tx, actor, event, now).await
}

/// Writes the rows of a user.
pub(crate) async fn insert(tx: &Tx, new: &NewUser, now: OffsetDateTime) -> Result<User> {
    let key = path_key(&new.username);
    let name_taken = || taken("username", "Username", &new.username);
    path_is_free(tx, &key, &new.username).await.map_err(|error| match error {
        StoreError::Failure(_) => StoreError::Failure(name_taken()),
        other => other,
    })?;
    let email = new.email.as_ref().map(|email| email.to_lowercase());
    if let Some(email) = &email
        && user::Entity::find().filter(user::COLUMN.email.eq(email.clone())).one(tx).await?.is_some()
    {
        return Err(taken("email", "Email", email).into());
    }
    let row = user::ActiveModel {
        username: Set(new.username.clone()),
        username_key: Set(key),
        name: Set(new.name.clone()),
        email: Set(email),
        admin: Set(new.admin),
        state: Set(UserState::Active as i16),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    let inserted = row.insert(tx).await.map_err(StoreError::from);
    let user = User::try_from(inserted.map_err(|error| error.unique_as(name_taken))?)?;
    own_namespace(tx, &user, now).await.map_err(|error| error.unique_as(name_taken))?;
    Ok(user)
}

/// Creates the namespace of `user`, who owns it like a group: so that every role is looked up in one way.
async fn own_namespace(tx: &Tx, user: &User, now: OffsetDateTime) -> Result<NamespaceId> {
    let namespace = namespace::ActiveModel {
        kind: Set(NamespaceKind::User.number()),
        parent_id: Set(None),
        owner_id: Set(Some(user.id.0)),
        path: Set(user.username.clone()),
        name: Set(user.name.clone()),
        full_path: Set(user.username.clone()),
        full_path_key: Set(path_key(&user.username)),
        description: Set(String::new()),
        visibility: Set(Visibility::Public.number()),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    let id = namespace.insert(tx).await?.id;
    namespace_ancestor::ActiveModel { ancestor_id: Set(id), descendant_id: Set(id), depth: Set(0) }
        .insert(tx)
        .await?;
    member::ActiveModel {
        namespace_id: Set(Some(id)),
        user_id: Set(user.id.0),
        access_level: Set(Role::Owner.number()),
        created_at: Set(now),
        ..Default::default()
    }
    .insert(tx)
    .await?;
    Ok(NamespaceId(id))
}

/// Lets a user use the instance, or no longer.
pub async fn set_state(store: &Store, id: UserId, state: UserState, now: OffsetDateTime) -> Result<User> {
    store
        .write((store.actor(), id, state, stored(now)), |tx, (actor, id, state, now)| {
            Box::pin(async move {
                let row = user::Entity::find_by_id(id.0).one(tx).await?;
                let row = row.ok_or_else(|| Failure::not_found(Subject::User))?;
                let before = UserState::from_number(row.state)?;
                let mut row = row.into_active_model();
                row.state = Set(*state as i16);
                row.updated_at = Set(*now);
                let user = User::try_from(row.update(tx).await?)?;
                if *state == UserState::Blocked {
                    sessions::end_all(tx, *id, None).await?;
                }
                let mut changes = Changes::default();
                changes.note("state", before.name(), state.name());
                if !changes.is_empty() {
                    let what = match state {
                        UserState::Active => (EventKind::UserUnblocked, "Unblocked user".to_owned()),
                        UserState::Blocked => (EventKind::UserBlocked, "Blocked user".to_owned()),
                    };
                    note(tx, actor, what, &user, &changes, *now).await?;
                }
                Ok(user)
            })
        })
        .await
}

/// Refuses every credential of a user from now on.
pub async fn block(store: &Store, id: UserId, now: OffsetDateTime) -> Result<User> {
    set_state(store, id, UserState::Blocked, now).await
}

/// Accepts a blocked user's credentials again.
pub async fn unblock(store: &Store, id: UserId, now: OffsetDateTime) -> Result<User> {
    set_state(store, id, UserState::Active, now).await
}
