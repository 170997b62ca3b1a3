//! Passwords: setting one, changing it, and signing in with it.
//!
//! Ten wrong ones in a row lock a password for ten minutes (GitLab's rule), on all servers. What is wrong is counted and written
//! down in a transaction of its own: the refusal comes after it.

mod hashing;

use domain::{ErrorCode, EventKind, Failure, Subject, UserId, UserSessionId, password::validate_password};
use entity::{bot, user, user_password};
use sea_orm::{ActiveModelTrait, EntityTrait, FromQueryResult, IntoActiveModel, QuerySelect, Set, Value};
use time::{Duration, OffsetDateTime};

use crate::{
    Result, Secret, Store, Tx,
    address::path_key,
    audit_events::{Actor, Changes},
    convert::stored,
    passwords::hashing::Comparison,
    rows,
    sessions::{self, Begun, NewSession},
    sign_in_attempts,
    users::{self, User, UserState},
};

/// How many wrong ones in a row lock a password.
const MOST_FAILURES: i16 = 10;
/// For how long.
const LOCKED_FOR: Duration = Duration::minutes(10);

/// Whoever says that they are a user.
#[derive(Clone, Debug)]
pub struct Claimant {
    /// The user name or mail address.
    pub login: String,
    /// The password.
    pub password: Secret,
    /// What the browser says it is.
    pub user_agent: Option<String>,
}

/// A password that was compared with what is stored, before that is looked at again in the transaction.
struct Compared {
    user: UserId,
    /// What it was compared with.
    stored: String,
    comparison: Comparison,
}

/// What a password is in the end.
enum Verdict {
    Right,
    Wrong,
    /// No password is accepted for a while. Nothing was compared, as far as anybody may learn.
    Locked,
}

fn refused() -> Failure {
    Failure::new(ErrorCode::Unauthenticated, "Invalid login or password.")
}

/// Whether a user has a password.
pub async fn is_set(store: &Store, user: UserId) -> Result<bool> {
    Ok(user_password::Entity::find_by_id(user.0).one(store.reader()).await?.is_some())
}

/// Begins a session of whoever gives the right password. One answer for everything else, whether there is such a user or not.
pub async fn sign_in(store: &Store, claimant: Claimant, now: OffsetDateTime) -> Result<Begun> {
    #[derive(FromQueryResult)]
    struct Row {
        user_id: i64,
        hash: String,
    }
    let login = path_key(claimant.login.trim());
    // Every mail address holds an @, and no user name does.
    let sql = if login.contains('@') {
        "SELECT p.user_id, p.hash FROM users u JOIN user_passwords p ON p.user_id = u.id WHERE u.email = $1"
    } else {
        "SELECT p.user_id, p.hash FROM users u JOIN user_passwords p ON p.user_id = u.id WHERE u.username_key = $1"
    };
    let row: Option<Row> = rows::one_sql(store.reader(), sql, [login.into()]).await?;
    let comparison = hashing::compare(&claimant.password, row.as_ref().map(|row| row.hash.clone())).await?;
    let Some(Row { user_id, hash }) = row else {
        sign_in_attempts::pass(store, now).await?;
        return Err(refused().into());
    };
    let compared = Compared { user: UserId(user_id), stored: hash, comparison };
    let (new, secret) = NewSession::fresh(&store.actor(), claimant.user_agent)?;
    let begun = store
        .write((store.actor(), compared, new, now), |tx, (actor, compared, new, now)| {
            Box::pin(async move {
                let Some((user, verdict)) = judge(tx, actor, compared, *now).await? else { return Ok(None) };
                if !matches!(verdict, Verdict::Right) {
                    return Ok(None);
                }
                let session = sessions::begin(tx, &user, new, "a password", *now).await?;
                Ok(Some((session, user)))
            })
        })
        .await?;
    let (session, user) = begun.ok_or_else(refused)?;
    Ok(Begun { session, user, secret })
}

/// What a compared password is in the end, with its user; none when the user has none any more. Counts wrong ones, and locks.
async fn judge(
    tx: &Tx,
    actor: &Actor,
    compared: &Compared,
    now: OffsetDateTime,
) -> Result<Option<(User, Verdict)>> {
    let password = user_password::Entity::find_by_id(compared.user.0).lock_exclusive().one(tx).await?;
    let Some(password) = password else { return Ok(None) };
    let user = find(tx, compared.user).await?;
    let none = Changes::default();
    if password.locked_until.is_some_and(|until| until > stored(now)) {
        // Written down as often as it takes to lock one, so that nobody fills the log; counted always, so that it takes as long.
        let tries = password.failures;
        let mut row = password.into_active_model();
        row.failures = Set(tries.saturating_add(1));
        row.update(tx).await?;
        if tries < MOST_FAILURES {
            let what = "A password was given while passwords were locked".to_owned();
            users::note(tx, actor, (EventKind::LoginFailed, what), &user, &none, now).await?;
        }
        return Ok(Some((user, Verdict::Locked)));
    }
    // One that was changed meanwhile is not the one that was compared.
    let is_same = compared.comparison.matches && password.hash == compared.stored;
    // What was tried while it was locked does not count once that is over.
    let failures = if password.locked_until.is_some() { 0 } else { password.failures };
    let mut row = password.into_active_model();
    if is_same && user.state == UserState::Active {
        if let Some(renewed) = &compared.comparison.renewed {
            row.hash = Set(renewed.clone());
        }
        row.failures = Set(0);
        row.locked_until = Set(None);
        row.update(tx).await?;
        return Ok(Some((user, Verdict::Right)));
    }
    let locks = failures + 1 >= MOST_FAILURES;
    row.failures = Set(if locks { 0 } else { failures + 1 });
    row.locked_until = Set(locks.then(|| stored(now + LOCKED_FOR)));
    row.update(tx).await?;
    let what = (EventKind::LoginFailed, "A wrong password was given".to_owned());
    users::note(tx, actor, what, &user, &none, now).await?;
    if locks {
        let minutes = LOCKED_FOR.whole_minutes();
        let what = format!("The password was locked for {minutes} minutes after {MOST_FAILURES} wrong ones");
        users::note(tx, actor, (EventKind::UserAccessLocked, what), &user, &none, now).await?;
    }
    Ok(Some((user, Verdict::Wrong)))
}

async fn find(tx: &Tx, id: UserId) -> Result<User> {
    let row = user::Entity::find_by_id(id.0).one(tx).await?;
    row.ok_or_else(|| Failure::not_found(Subject::User))?.try_into()
}

/// A change of one's own password.
#[derive(Clone, Debug)]
pub struct PasswordChange {
    /// Whose.
    pub user: UserId,
    /// The one so far; has to be given where there is one.
    pub current: Option<Secret>,
    /// Its successor.
    pub new: Secret,
    /// The session that asks, which goes on.
    pub session: Option<UserSessionId>,
}

/// Changes one's own password, and ends all sessions but the one that asks.
pub async fn change(store: &Store, change: PasswordChange, now: OffsetDateTime) -> Result<()> {
    let user = users::find(store, change.user).await?.ok_or_else(|| Failure::not_found(Subject::User))?;
    validate_password("newPassword", change.new.expose(), &user.username)?;
    let there = user_password::Entity::find_by_id(user.id.0).one(store.reader()).await?;
    let compared = match (there, &change.current) {
        (None, _) => None,
        (Some(_), None) => {
            return Err(Failure::invalid("currentPassword", "Give the password so far as well").into());
        }
        (Some(row), Some(current)) => {
            let comparison = hashing::compare(current, Some(row.hash.clone())).await?;
            Some(Compared { user: user.id, stored: row.hash, comparison })
        }
    };
    let hash = hashing::hash(&change.new).await?;
    let input = (store.actor(), user, compared, hash, change.session, now);
    let verdict = store.write(input, |tx, (actor, user, compared, hash, session, now)| {
        Box::pin(async move {
            let verdict = match compared {
                Some(compared) => judge(tx, actor, compared, *now).await?.map(|(_, verdict)| verdict),
                None => is_without(tx, user.id).await?.then_some(Verdict::Right),
            };
            let verdict = verdict.ok_or_else(|| {
                Failure::new(ErrorCode::Stale, "The password was changed at the same time: try again")
            })?;
            if matches!(verdict, Verdict::Right) {
                put(tx, actor, user, hash, ("Changed the password", *session), *now).await?;
            }
            Ok(verdict)
        })
    });
    match verdict.await? {
        Verdict::Right => Ok(()),
        Verdict::Wrong => {
            Err(Failure::invalid("currentPassword", "The password so far is another one").into())
        }
        Verdict::Locked => {
            let minutes = LOCKED_FOR.whole_minutes();
            let message =
                format!("The password is locked after too many wrong ones: try again in {minutes} minutes");
            Err(Failure::new(ErrorCode::RateLimited, message).into())
        }
    }
}

async fn is_without(tx: &Tx, user: UserId) -> Result<bool> {
    Ok(user_password::Entity::find_by_id(user.0).one(tx).await?.is_none())
}

/// Gives a user a password, and ends the user's sessions, but for `session`: the one that asks, where it is the user's own.
pub async fn set(
    store: &Store,
    user: UserId,
    password: Secret,
    session: Option<UserSessionId>,
    now: OffsetDateTime,
) -> Result<User> {
    let user = users::find(store, user).await?.ok_or_else(|| Failure::not_found(Subject::User))?;
    if bot::Entity::find_by_id(user.id.0).one(store.reader()).await?.is_some() {
        let message = format!("'{}' is a bot, which has tokens alone", user.username);
        return Err(Failure::invalid("username", message).into());
    }
    validate_password("password", password.expose(), &user.username)?;
    let hash = hashing::hash(&password).await?;
    let input = (store.actor(), user, hash, session, now);
    store
        .write(input, |tx, (actor, user, hash, session, now)| {
            Box::pin(async move {
                put(tx, actor, user, hash, ("Set the password", *session), *now).await?;
                Ok(user.clone())
            })
        })
        .await
}

/// Writes a password, unlocks it, and ends the sessions of its user, but for one.
async fn put(
    tx: &Tx,
    actor: &Actor,
    user: &User,
    hash: &str,
    (what, session): (&str, Option<UserSessionId>),
    now: OffsetDateTime,
) -> Result<()> {
    let sql = "INSERT INTO user_passwords (user_id, hash, failures, locked_until, changed_at) VALUES ($1, $2, 0, NULL, $3) \
        ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, failures = 0, locked_until = NULL, \
        changed_at = excluded.changed_at";
    rows::execute(tx, sql, [Value::from(user.id.0), hash.into(), stored(now).into()]).await?;
    let ended = sessions::end_all(tx, user.id, session).await?;
    let message = match ended {
        0 => what.to_owned(),
        ended => format!("{what}, which ended {ended} sessions"),
    };
    users::note(tx, actor, (EventKind::UserPasswordUpdated, message), user, &Changes::default(), now).await
}
