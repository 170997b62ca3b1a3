//! Accounts at providers that sign in as users. An account is known by what its issuer calls it, never by a mail address.

use std::net::IpAddr;

use access::Identity;
use domain::{
    ErrorCode, EventKind, Failure, Subject, UserId, UserIdentityId, UserSessionId, namespace::validate_email,
};
use entity::{namespace, user, user_identity, user_password};
use sea_orm::{ActiveModelTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use time::OffsetDateTime;

use crate::{
    Result, Store, StoreError, Tx,
    address::path_key,
    audit_events::{self, Actor, Changes, Entity, Event, Means, Target},
    convert::stored,
    refusals::taken,
    sessions::{self, Begun, NewSession, UserSession},
    users::{self, NewUser, User, UserState},
};

/// How many user names are tried where the first is taken: with the numbers from 1.
const MOST_NAMES: u32 = 100;

/// An account at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name of the provider.
    pub provider: String,
    /// The provider's issuer.
    pub issuer: String,
    /// What the issuer calls the account.
    pub subject: String,
}

/// An account that signs in as a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserIdentity {
    /// The id.
    pub id: UserIdentityId,
    /// The name of the provider.
    pub provider: String,
    /// When it was linked.
    pub created_at: OffsetDateTime,
}

impl From<user_identity::Model> for UserIdentity {
    fn from(row: user_identity::Model) -> Self {
        Self { id: UserIdentityId(row.id), provider: row.provider, created_at: row.created_at }
    }
}

/// Somebody whom a provider knows and this server does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newcomer {
    /// The user name, with a number behind it where it is taken.
    pub username: String,
    /// The name people read.
    pub name: String,
    /// The mail address, once it was confirmed. Left out where it is another user's.
    pub email: Option<String>,
}

/// An account that was proved, and what is to become of it.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The account.
    pub account: Account,
    /// What the browser says it is.
    pub user_agent: Option<String>,
}

/// Begins a session of the user whom an account signs in as; of a new user when there is none and `newcomer` says whom to
/// create. None when there is none.
pub async fn sign_in(
    store: &Store,
    arrival: Arrival,
    newcomer: Option<Newcomer>,
    now: OffsetDateTime,
) -> Result<Option<Begun>> {
    let (new, secret) = NewSession::fresh(&store.actor(), arrival.user_agent)?;
    let account = arrival.account;
    let begun = store.write((account, newcomer, new, now), |tx, (account, newcomer, new, now)| {
        Box::pin(async move {
            let user = match (find(tx, account).await?, newcomer) {
                (Some(identity), _) => user_of(tx, UserId(identity.user_id)).await?,
                (None, Some(newcomer)) => create_user(tx, account, (newcomer, new.address), *now).await?,
                (None, None) => return Ok(None),
            };
            begin(tx, user, account, new, *now).await.map(Some)
        })
    });
    Ok(begun.await?.map(|(session, user)| Begun { session, user, secret }))
}

/// Links an account to a user who is signed in, whose session goes on as a fresh one: the old one ends.
pub async fn link(
    store: &Store,
    arrival: Arrival,
    (user, session): (UserId, Option<UserSessionId>),
    now: OffsetDateTime,
) -> Result<Begun> {
    let (new, secret) = NewSession::fresh(&store.actor(), arrival.user_agent)?;
    let input = (store.actor(), arrival.account, user, session, new, now);
    let (session, user) = store
        .write(input, |tx, (actor, account, user, session, new, now)| {
            Box::pin(async move {
                let user = user_of(tx, *user).await?;
                match find(tx, account).await? {
                    None => insert(tx, actor, &user, account, *now).await?,
                    Some(identity) if identity.user_id == user.id.0 => {}
                    Some(_) => {
                        let message = format!(
                            "The account of '{}' is linked to another user: unlink it there first",
                            account.provider
                        );
                        return Err(Failure::new(ErrorCode::Duplicate, message).into());
                    }
                }
                if let Some(session) = session {
                    sessions::end_one(tx, user.id, *session).await?;
                }
                begin(tx, user, account, new, *now).await
            })
        })
        .await?;
    Ok(Begun { session, user, secret })
}

async fn begin(
    tx: &Tx,
    user: User,
    account: &Account,
    new: &NewSession,
    now: OffsetDateTime,
) -> Result<(UserSession, User)> {
    if user.state != UserState::Active {
        return Err(Failure::forbidden(format!("The user '{}' is blocked", user.username)).into());
    }
    let how = format!("an account of {}", account.provider);
    Ok((sessions::begin(tx, &user, new, &how, now).await?, user))
}

async fn find(tx: &Tx, account: &Account) -> Result<Option<user_identity::Model>> {
    let found = user_identity::Entity::find()
        .filter(user_identity::COLUMN.provider.eq(account.provider.as_str()))
        .filter(user_identity::COLUMN.issuer.eq(account.issuer.as_str()))
        .filter(user_identity::COLUMN.subject.eq(account.subject.as_str()));
    Ok(found.one(tx).await?)
}

async fn user_of(tx: &Tx, id: UserId) -> Result<User> {
    let row = user::Entity::find_by_id(id.0).one(tx).await?;
    row.ok_or_else(|| Failure::not_found(Subject::User))?.try_into()
}

async fn insert(tx: &Tx, actor: &Actor, user: &User, account: &Account, now: OffsetDateTime) -> Result<()> {
    let row = user_identity::ActiveModel {
        user_id: Set(user.id.0),
        provider: Set(account.provider.clone()),
        issuer: Set(account.issuer.clone()),
        subject: Set(account.subject.clone()),
        created_at: Set(stored(now)),
        ..Default::default()
    };
    let row = row.insert(tx).await.map_err(|error| {
        StoreError::from(error).unique_as(|| {
            Failure::new(ErrorCode::Stale, "The account was linked at the same time: sign in again")
        })
    })?;
    let what = format!("Linked an account of {}", account.provider);
    note(tx, actor, (EventKind::UserIdentityLinked, what), user, &row, now).await
}

async fn note(
    tx: &Tx,
    actor: &Actor,
    (kind, message): (EventKind, String),
    user: &User,
    identity: &user_identity::Model,
    now: OffsetDateTime,
) -> Result<()> {
    let details = format!("{} at {}", identity.subject, identity.issuer);
    let target = Target::new("Identity", identity.id, details);
    let event = Event::about(kind, Entity::user(user.id.0, &user.username), message).on(target);
    audit_events::write(tx, actor, event, now).await
}

/// Creates the user whom an account signs in as from now on.
async fn create_user(
    tx: &Tx,
    account: &Account,
    (newcomer, address): (&Newcomer, Option<IpAddr>),
    now: OffsetDateTime,
) -> Result<User> {
    // A provider may call anything an address: what is none, or is another's, is left out.
    let email = match newcomer.email.as_deref().map(str::trim).filter(|email| validate_email(email).is_ok()) {
        Some(email) => {
            let holder = user::Entity::find().filter(user::COLUMN.email.eq(email.to_lowercase()));
            holder.one(tx).await?.is_none().then(|| email.to_owned())
        }
        None => None,
    };
    let username = free_name(tx, &newcomer.username).await?;
    let new = NewUser { username, name: newcomer.name.clone(), email, admin: false };
    let user = users::insert(tx, &new, stored(now)).await?;
    let actor = Actor::of(Identity::User { id: user.id, admin: false }, &user.username);
    let actor = actor.by(Means::Session).at(address);
    let what = format!("user {} created for an account of {}", user.username, account.provider);
    users::note(tx, &actor, (EventKind::UserCreated, what), &user, &Changes::default(), now).await?;
    insert(tx, &actor, &user, account, now).await?;
    Ok(user)
}

/// The name, or the name with a number behind it, that nobody has. Only users and groups stand where users do.
async fn free_name(tx: &Tx, name: &str) -> Result<String> {
    let candidates = || {
        let numbered = (1..MOST_NAMES).map(|number| format!("{name}{number}"));
        std::iter::once(name.to_owned()).chain(numbered)
    };
    let there: Vec<String> = namespace::Entity::find()
        .select_only()
        .column(namespace::Column::FullPathKey)
        .filter(namespace::COLUMN.full_path_key.is_in(candidates().map(|name| path_key(&name))))
        .into_tuple()
        .all(tx)
        .await?;
    let free = candidates().find(|name| !there.contains(&path_key(name)));
    free.ok_or_else(|| taken("username", "Username", name).into())
}

/// As whom an account signs in; none when there is none.
pub async fn holder(store: &Store, id: UserIdentityId) -> Result<Option<UserId>> {
    let row = user_identity::Entity::find_by_id(id.0).one(store.reader()).await?;
    Ok(row.map(|row| UserId(row.user_id)))
}

/// The accounts that sign in as a user, oldest first.
pub async fn list(store: &Store, user: UserId) -> Result<Vec<UserIdentity>> {
    let rows = user_identity::Entity::find()
        .filter(user_identity::COLUMN.user_id.eq(user.0))
        .order_by_asc(user_identity::COLUMN.id);
    Ok(rows.all(store.reader()).await?.into_iter().map(UserIdentity::from).collect())
}

/// Unlinks an account from a user. The last one stays where there is no password that the user could sign in with instead.
pub async fn unlink(
    store: &Store,
    user: UserId,
    id: UserIdentityId,
    with_passwords: bool,
    now: OffsetDateTime,
) -> Result<()> {
    store
        .write((store.actor(), user, id, with_passwords, now), |tx, (actor, user, id, with_passwords, now)| {
            Box::pin(async move {
                // Of two that are unlinked at the same time, one waits here for the other.
                let row = user::Entity::find_by_id(user.0).lock_exclusive().one(tx).await?;
                let user = User::try_from(row.ok_or_else(|| Failure::not_found(Subject::User))?)?;
                let identity = user_identity::Entity::find_by_id(id.0)
                    .filter(user_identity::COLUMN.user_id.eq(user.id.0))
                    .one(tx)
                    .await?
                    .ok_or_else(|| Failure::not_found(Subject::Identity))?;
                let others = user_identity::Entity::find()
                    .filter(user_identity::COLUMN.user_id.eq(user.id.0))
                    .filter(user_identity::COLUMN.id.ne(id.0))
                    .count(tx)
                    .await?;
                let has_password = *with_passwords
                    && user_password::Entity::find_by_id(user.id.0).one(tx).await?.is_some();
                if others == 0 && !has_password {
                    let message = "It is the only way for you to sign in: set a password or link another account first";
                    return Err(Failure::invalid("id", message).into());
                }
                user_identity::Entity::delete_by_id(id.0).exec(tx).await?;
                let what = format!("Unlinked an account of {}", identity.provider);
                note(tx, actor, (EventKind::UserIdentityUnlinked, what), &user, &identity, *now).await
            })
        })
        .await
}
