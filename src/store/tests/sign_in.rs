//! Passwords, sessions, accounts at providers, and attempts.

use domain::{ErrorCode, EventKind, UserId, UserIdentityId, UserSessionId};
use time::{Duration, OffsetDateTime};

use super::{NOW, TestStore, accounts::refusal, test_store, world::user};
use crate::{
    Direction, PageRequest, Result, Secret, Store,
    audit_events::{self, AuditFilter, AuditScope},
    identities::{self, Account, Arrival, Newcomer},
    passwords::{self, Claimant, PasswordChange},
    sessions::{self, Begun, IDLE, LIFETIME},
    sign_in_attempts::{self, Attempt},
    users::{self, NewUser, User},
};

const PASSWORD: &str = "correct horse";

async fn sign_in(store: &Store, login: &str, password: &str, now: OffsetDateTime) -> Result<Begun> {
    let claimant = Claimant {
        login: login.to_owned(),
        password: Secret::given(password),
        user_agent: Some("Browser\n1".to_owned()),
    };
    passwords::sign_in(store, claimant, now).await
}

async fn ann() -> (TestStore, User) {
    let store = test_store().await;
    let new = NewUser {
        username: "Ann".into(),
        name: "Ann".into(),
        email: Some("ann@example.org".into()),
        admin: false,
    };
    let ann = users::create(&store, new, NOW).await.expect("a user");
    passwords::set(&store, ann.id, Secret::given(PASSWORD), None, NOW).await.expect("a password");
    (store, ann)
}

async fn proves(store: &Store, begun: &Begun, now: OffsetDateTime) -> bool {
    let proved = sessions::authenticate(store, &begun.secret.hash(), now).await.expect("a question");
    proved.is_some_and(|proved| {
        (proved.user.id, proved.session_id) == (begun.user.id, begun.session.id)
            && proved.viewer().user() == Some(begun.user.id)
    })
}

/// The kinds of the events of a user, newest first.
async fn events(store: &Store, user: UserId) -> Vec<String> {
    let request = PageRequest::first(100);
    let (scope, filter) = (AuditScope::User(user), AuditFilter::default());
    let page =
        audit_events::list(store, scope, &filter, Direction::Descending, &request).await.expect("a log");
    page.rows.into_iter().map(|event| event.name).collect()
}

async fn count(store: &Store, user: UserId, kind: EventKind) -> usize {
    events(store, user).await.iter().filter(|name| *name == kind.name()).count()
}

#[tokio::test]
async fn a_password_signs_in_by_name_and_by_mail_address() {
    let (store, ann) = ann().await;
    for login in ["Ann", " aNN ", "ann@example.org", "ANN@example.org"] {
        let begun = sign_in(&store, login, PASSWORD, NOW).await.expect("a session");
        assert!(begun.secret.expose().starts_with("entps-"));
        assert_eq!(begun.session.user_agent.as_deref(), Some("Browser1"));
        assert!(proves(&store, &begun, NOW).await, "{login}");
    }
    let other = user(&store, "other").await;
    for (login, password) in [("Ann", "wrong horse"), ("other", PASSWORD), ("nobody", PASSWORD), ("", "")] {
        let refused = refusal(sign_in(&store, login, password, NOW).await);
        assert_eq!(
            (refused.code, refused.message.as_ref()),
            (ErrorCode::Unauthenticated, "Invalid login or password.")
        );
    }
    assert_eq!(count(&store, ann.id, EventKind::UserLoggedIn).await, 4);
    assert_eq!(count(&store, ann.id, EventKind::LoginFailed).await, 1);
    assert_eq!(count(&store, other.id, EventKind::LoginFailed).await, 0, "there is no password to guess");
    users::block(&store, ann.id, NOW).await.expect("blocked");
    assert_eq!(refusal(sign_in(&store, "Ann", PASSWORD, NOW).await).message, "Invalid login or password.");
}

#[tokio::test]
async fn ten_wrong_passwords_in_a_row_lock_it_for_ten_minutes() {
    let (store, ann) = ann().await;
    let wrong = async |times: usize, now| {
        for _ in 0..times {
            refusal(sign_in(&store, "ann", "wrong horse", now).await);
        }
    };
    wrong(9, NOW).await;
    sign_in(&store, "ann", PASSWORD, NOW).await.expect("not yet");
    wrong(9, NOW).await;
    sign_in(&store, "ann", PASSWORD, NOW).await.expect("a right one sets the count back");
    wrong(10, NOW).await;
    assert_eq!(count(&store, ann.id, EventKind::UserAccessLocked).await, 1);
    assert_eq!(events(&store, ann.id).await[0], EventKind::UserAccessLocked.name());
    let locked = NOW + Duration::minutes(10) - Duration::SECOND;
    let told = refusal(sign_in(&store, "ann", PASSWORD, locked).await);
    assert_eq!(told.message, "Invalid login or password.", "the answer says nothing of it");
    let change = PasswordChange {
        user: ann.id,
        current: Some(Secret::given(PASSWORD)),
        new: Secret::given("another horse"),
        session: None,
    };
    assert_eq!(refusal(passwords::change(&store, change, locked).await).code, ErrorCode::RateLimited);
    wrong(20, locked).await;
    assert_eq!(
        count(&store, ann.id, EventKind::LoginFailed).await,
        28 + 10,
        "what is tried meanwhile is written down as often as it takes to lock one"
    );
    let after = NOW + Duration::minutes(10);
    wrong(9, after).await;
    sign_in(&store, "ann", PASSWORD, after).await.expect("counted anew");

    wrong(10, after).await;
    passwords::set(&store, ann.id, Secret::given(PASSWORD), None, after).await.expect("set");
    sign_in(&store, "ann", PASSWORD, after).await.expect("a new password is not locked");
}

#[tokio::test]
async fn of_many_guesses_at_once_none_gets_past_the_lock() {
    let (store, ann) = ann().await;
    let guesses = futures::future::join_all((0..40).map(|_| sign_in(&store, "ann", "wrong horse", NOW)));
    assert!(guesses.await.iter().all(Result::is_err));
    refusal(sign_in(&store, "ann", PASSWORD, NOW).await);
    // Ten that lock it, and as many of those that came after.
    assert_eq!(count(&store, ann.id, EventKind::LoginFailed).await, 20);
    assert_eq!(count(&store, ann.id, EventKind::UserAccessLocked).await, 1);
}

#[tokio::test]
async fn changing_a_password_asks_for_the_old_one_and_ends_the_other_sessions() {
    let (store, ann) = ann().await;
    let here = sign_in(&store, "ann", PASSWORD, NOW).await.expect("a session");
    let there = sign_in(&store, "ann", PASSWORD, NOW).await.expect("a session");
    let change = |current: Option<&str>, new: &str| PasswordChange {
        user: ann.id,
        current: current.map(Secret::given),
        new: Secret::given(new),
        session: Some(here.session.id),
    };
    for (current, new, field) in [
        (None, "another horse", "currentPassword"),
        (Some("wrong horse"), "another horse", "currentPassword"),
        (Some(PASSWORD), "short", "newPassword"),
        (Some(PASSWORD), "ann", "newPassword"),
    ] {
        let refused = refusal(passwords::change(&store, change(current, new), NOW).await);
        assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::Invalid, Some(field)), "{refused}");
    }
    assert_eq!(count(&store, ann.id, EventKind::LoginFailed).await, 1, "guesses are counted here too");
    passwords::change(&store, change(Some(PASSWORD), "another horse"), NOW).await.expect("changed");
    assert!(proves(&store, &here, NOW).await && !proves(&store, &there, NOW).await);
    refusal(sign_in(&store, "ann", PASSWORD, NOW).await);
    sign_in(&store, "ann", "another horse", NOW).await.expect("a session");
    assert_eq!(count(&store, ann.id, EventKind::UserPasswordUpdated).await, 2);
    passwords::set(&store, ann.id, Secret::given(PASSWORD), None, NOW).await.expect("set");
    assert!(!proves(&store, &here, NOW).await, "somebody else set it");

    let ben = user(&store, "ben").await.id;
    assert!(!passwords::is_set(&store, ben).await.expect("a question"));
    let first = PasswordChange { user: ben, current: None, session: None, ..change(None, "a first horse") };
    passwords::change(&store, first, NOW).await.expect("a first one needs no other");
    assert!(passwords::is_set(&store, ben).await.expect("a question"));
}

#[tokio::test]
async fn a_session_lives_until_it_ends() {
    let (store, ann) = ann().await;
    let begin = async |now| sign_in(&store, "ann", PASSWORD, now).await.expect("a session");
    let begun = begin(NOW).await;
    let before = store.statements();
    assert!(proves(&store, &begun, NOW).await);
    assert_eq!(store.statements() - before, 1);
    let unused = sessions::authenticate(&store, &begun.secret.hash(), NOW + IDLE).await.expect("a question");
    assert!(unused.is_none(), "a week without use");
    // Used every six days, until a month is over.
    let mut now = NOW;
    while now + Duration::days(6) < NOW + LIFETIME {
        now += Duration::days(6);
        assert!(proves(&store, &begun, now).await, "{now}");
        store.write_down_uses().await;
    }
    let listed = sessions::list(&store, ann.id, now).await.expect("a list");
    assert!(listed[0].last_used_at.is_some_and(|used| (now - used).abs() < Duration::SECOND));
    assert!(!proves(&store, &begun, NOW + LIFETIME).await);
    assert_eq!(sessions::list(&store, ann.id, NOW + LIFETIME).await.expect("a list"), []);

    let [one, two, three] = [begin(now).await, begin(now).await, begin(now).await];
    let stranger = user(&store, "stranger").await.id;
    let other = sessions::revoke(&store, stranger, one.session.id, now).await;
    assert_eq!(refusal(other).code, ErrorCode::NotFound);
    sessions::revoke(&store, ann.id, one.session.id, now).await.expect("ended");
    sessions::sign_out(&store, ann.id, two.session.id, now).await.expect("signed out");
    assert_eq!(
        refusal(sessions::revoke(&store, ann.id, two.session.id, now).await).code,
        ErrorCode::NotFound
    );
    assert!(!proves(&store, &one, now).await && !proves(&store, &two, now).await);
    assert!(proves(&store, &three, now).await);
    let log = events(&store, ann.id).await;
    assert_eq!(log[..2], [EventKind::UserLoggedOut.name(), EventKind::UserSessionRevoked.name()]);
    users::block(&store, ann.id, now).await.expect("blocked");
    users::unblock(&store, ann.id, now).await.expect("unblocked");
    assert!(!proves(&store, &three, now).await, "who was blocked signs in again");
    let last = begin(now).await;
    assert_eq!(sessions::remove_ended(&store, now).await.expect("removed"), 0);
    assert!(proves(&store, &last, now).await);
    assert_eq!(sessions::remove_ended(&store, now + IDLE).await.expect("removed"), 1);
    assert_eq!(sessions::remove_ended(&store, now + IDLE).await.expect("removed"), 0);
}

#[tokio::test]
async fn the_oldest_of_a_hundred_sessions_makes_room() {
    let store = test_store().await;
    let ann = user(&store, "ann").await;
    let first = link(&store, "1", ann.id).await.expect("a session");
    for _ in 1..100 {
        arrive(&store, "1", None).await.expect("an answer").expect("a session");
    }
    assert!(proves(&store, &first, NOW).await);
    arrive(&store, "1", None).await.expect("an answer").expect("a session");
    assert!(!proves(&store, &first, NOW).await);
    assert_eq!(sessions::list(&store, ann.id, NOW).await.expect("a list").len(), 100);
}

fn arrival(subject: &str) -> Arrival {
    let account = Account {
        provider: "people".to_owned(),
        issuer: "https://people.example.org".to_owned(),
        subject: subject.to_owned(),
    };
    Arrival { account, user_agent: None }
}

async fn arrive(store: &Store, subject: &str, newcomer: Option<Newcomer>) -> Result<Option<Begun>> {
    identities::sign_in(store, arrival(subject), newcomer, NOW).await
}

async fn link(store: &Store, subject: &str, user: UserId) -> Result<Begun> {
    identities::link(store, arrival(subject), (user, None), NOW).await
}

fn newcomer(username: &str, email: Option<&str>) -> Newcomer {
    let email = email.map(str::to_owned);
    Newcomer { username: username.to_owned(), name: "New".to_owned(), email }
}

#[tokio::test]
async fn an_account_signs_in_as_the_user_it_is_linked_to() {
    let (store, ann) = ann().await;
    let ben = user(&store, "ben").await;
    assert!(arrive(&store, "1", None).await.expect("an answer").is_none(), "nobody knows it");
    let here = sign_in(&store, "ann", PASSWORD, NOW).await.expect("a session");
    let linked =
        identities::link(&store, arrival("1"), (ann.id, Some(here.session.id)), NOW).await.expect("linked");
    assert!(
        proves(&store, &linked, NOW).await && !proves(&store, &here, NOW).await,
        "one takes the other's place"
    );
    link(&store, "1", ann.id).await.expect("again is nothing new");
    assert_eq!(refusal(link(&store, "1", ben.id).await).code, ErrorCode::Duplicate);
    let begun =
        arrive(&store, "1", Some(newcomer("other", None))).await.expect("an answer").expect("a session");
    assert_eq!(begun.user.id, ann.id);
    // The same name for another issuer, or another name, is somebody else.
    for change in [
        |account: &mut Account| account.issuer.push('/'),
        |account: &mut Account| account.provider.push('2'),
        |account: &mut Account| account.subject.push(' '),
    ] {
        let mut stranger = arrival("1");
        change(&mut stranger.account);
        assert!(identities::sign_in(&store, stranger, None, NOW).await.expect("an answer").is_none());
    }
    users::block(&store, ann.id, NOW).await.expect("blocked");
    assert_eq!(refusal(arrive(&store, "1", None).await).code, ErrorCode::Forbidden);
    assert_eq!(count(&store, ann.id, EventKind::UserIdentityLinked).await, 1);
}

#[tokio::test]
async fn whom_only_the_provider_knows_becomes_a_user_of_a_free_name() {
    let (store, ann) = ann().await;
    let create = async |subject, newcomer| {
        arrive(&store, subject, Some(newcomer)).await.expect("an answer").expect("a session").user
    };
    let first = create("1", newcomer("ANN", Some("ANN@example.org"))).await;
    assert_eq!((first.username.as_str(), first.email), ("ANN1", None), "a mail address is not taken over");
    assert!(first.id != ann.id && !first.admin);
    let second = create("2", newcomer("ann", Some("New@example.org"))).await;
    assert_eq!((second.username.as_str(), second.email.as_deref()), ("ann2", Some("new@example.org")));
    assert_eq!(create("2", newcomer("other", None)).await, second, "the second time it is there");
    let log = events(&store, second.id).await;
    let expected = [
        EventKind::UserLoggedIn,
        EventKind::UserLoggedIn,
        EventKind::UserIdentityLinked,
        EventKind::UserCreated,
    ];
    assert_eq!(log, expected.map(EventKind::name));
    let at_once =
        futures::future::join_all((0..4).map(|_| arrive(&store, "3", Some(newcomer("many", None))))).await;
    let users: Vec<_> = at_once.into_iter().flatten().flatten().map(|begun| begun.user.username).collect();
    assert!(!users.is_empty() && users.iter().all(|name| name == "many"), "one user at most: {users:?}");
}

#[tokio::test]
async fn the_last_way_to_sign_in_stays() {
    let (store, ann) = ann().await;
    for subject in ["1", "2"] {
        link(&store, subject, ann.id).await.expect("linked");
    }
    let ids: Vec<UserIdentityId> =
        identities::list(&store, ann.id).await.expect("a list").into_iter().map(|one| one.id).collect();
    let stranger = user(&store, "stranger").await.id;
    let unlink =
        async |user, id, with_passwords| identities::unlink(&store, user, id, with_passwords, NOW).await;
    assert_eq!(refusal(unlink(stranger, ids[0], true).await).code, ErrorCode::NotFound);
    unlink(ann.id, ids[0], false).await.expect("there is another");
    assert_eq!(
        refusal(unlink(ann.id, ids[1], false).await).code,
        ErrorCode::Invalid,
        "passwords are switched off"
    );
    unlink(ann.id, ids[1], true).await.expect("there is a password");
    assert_eq!(refusal(unlink(ann.id, ids[1], true).await).code, ErrorCode::NotFound);
    assert_eq!(identities::list(&store, ann.id).await.expect("a list"), []);
    assert_eq!(count(&store, ann.id, EventKind::UserIdentityUnlinked).await, 2);
    link(&store, "3", stranger).await.expect("linked");
    let only = identities::list(&store, stranger).await.expect("a list")[0].id;
    assert_eq!(refusal(unlink(stranger, only, true).await).code, ErrorCode::Invalid, "there is no password");
}

#[tokio::test]
async fn an_attempt_is_taken_once_within_ten_minutes() {
    let store = test_store().await;
    let attempt = Attempt { provider: "people".to_owned(), nonce: "n".to_owned(), ..Attempt::default() };
    let begin = async |now| sign_in_attempts::begin(&store, attempt.clone(), now).await.expect("an attempt");
    let take = async |secret: &Secret, now| {
        sign_in_attempts::take(&store, &secret.hash(), now).await.expect("an answer").map(|taken| taken.nonce)
    };
    let one = begin(NOW).await;
    let at_once = futures::future::join_all((0..8).map(|_| take(&one, NOW))).await;
    assert_eq!(at_once.iter().flatten().collect::<Vec<_>>(), ["n"]);
    let end = NOW + Duration::minutes(10);
    let (late, early) = (begin(NOW).await, begin(NOW).await);
    assert_eq!(take(&late, end).await, None);
    assert_eq!(take(&late, NOW).await, None, "and then it is gone");
    begin(end).await;
    assert_eq!(take(&early, NOW).await, None, "the next one sweeps it away");
}

#[tokio::test]
async fn a_bot_and_nobody_have_no_password() {
    let store = test_store().await;
    let nobody = passwords::set(&store, UserId(4711), Secret::given(PASSWORD), None, NOW).await;
    assert_eq!(refusal(nobody).code, ErrorCode::NotFound);
    let ann = user(&store, "ann").await.id;
    assert_eq!(refusal(sessions::revoke(&store, ann, UserSessionId(1), NOW).await).code, ErrorCode::NotFound);
    let short = passwords::set(&store, ann, Secret::given("short"), None, NOW).await;
    assert_eq!(refusal(short).field.as_deref(), Some("password"));
}
