//! Passwords and sessions.

use domain::{Carrier, Credential, Scope, Visibility};
use gateway::Backend as _;
use serde_json::{Value, json};
use testkit::{Person, Trusted, World};
use time::Duration;

use crate::world::{accepted, code};

const SIGN_IN: &str = "mutation S($input: SignInInput!) { signIn(input: $input) { session expiresAt \
    user { username passwordSet } errors } }";
const SET: &str = "mutation P($input: SetUserPasswordInput!) { setUserPassword(input: $input) { user { username } errors } }";
const CHANGE: &str = "mutation C($input: ChangePasswordInput!) { changePassword(input: $input) { errors } }";
const SIGN_OUT: &str =
    "mutation O($input: SignOutInput!) { signOut(input: $input) { clientMutationId errors } }";
const REVOKE: &str =
    "mutation R($input: RevokeUserSessionInput!) { revokeUserSession(input: $input) { errors } }";
const UNLINK: &str =
    "mutation U($input: UnlinkUserIdentityInput!) { unlinkUserIdentity(input: $input) { errors } }";
const ME: &str =
    "{ currentUser { username passwordSet sessions { id current userAgent } identities { id } } }";
const PASSWORD: &str = "correct horse";

fn login(password: &str) -> Value {
    json!({ "login": "owner", "password": password, "userAgent": "Browser" })
}

/// A world whose owner has a password, and is signed in.
async fn world() -> (World, Person) {
    let world = World::new(formats::rules()).await;
    let input = json!({ "username": "owner", "password": PASSWORD });
    accepted(&world, &world.people.administrator, SET, input).await;
    let person = sign_in(&world).await;
    (world, person)
}

async fn sign_in(world: &World) -> Person {
    let done = accepted(world, &world.people.anonymous, SIGN_IN, login(PASSWORD)).await;
    assert_eq!(
        done["user"],
        json!({ "username": "owner", "passwordSet": null }),
        "nobody reads it but the session"
    );
    Person::signed_in(done["session"].as_str().expect("a secret"))
}

#[tokio::test]
async fn a_session_has_the_rights_of_its_user() {
    let (world, person) = world().await;
    let me = world.graphql(&person, ME, json!({})).await;
    let me = &me["data"]["currentUser"];
    assert_eq!(
        (&me["username"], &me["passwordSet"], &me["identities"]),
        (&json!("owner"), &json!(true), &json!([]))
    );
    let sessions = me["sessions"].as_array().expect("sessions");
    assert_eq!(sessions.len(), 1);
    assert_eq!((&sessions[0]["current"], &sessions[0]["userAgent"]), (&json!(true), &json!("Browser")));
    world.group("acme", Visibility::Private).await;
    let create = "mutation P($input: CreateProjectInput!) { createProject(input: $input) { errors } }";
    accepted(&world, &person, create, json!({ "namespacePath": "acme", "path": "web" })).await;
    // What the user may not do, the session may not do either.
    assert_eq!(
        code(&world, &person, SET, json!({ "input": { "username": "guest", "password": PASSWORD } })).await,
        "FORBIDDEN"
    );

    world.clock.advance(Duration::days(7));
    assert_eq!(code(&world, &person, ME, json!({})).await, "UNAUTHENTICATED");
    assert_eq!(world.run_jobs().await, 4, "one of them removes sessions");
}

#[tokio::test]
async fn a_session_travels_in_its_own_carrier_alone_and_nothing_else_in_that() {
    let (world, person) = world().await;
    let token = world.people.owner.secret().expect("a token").to_owned();
    let session = person.secret().expect("a session").to_owned();
    let tried = async |carrier, username: Option<&str>, secret: &str| {
        let username = username.map(str::to_owned);
        let credential = Credential { carrier, username, secret: secret.to_owned() };
        world.model.authenticate(Some(&credential), gateway::Origin::default()).await.is_ok()
    };
    assert!(tried(Carrier::Session, None, &session).await);
    assert!(tried(Carrier::Bearer, None, &token).await);
    assert!(!tried(Carrier::Session, None, &token).await);
    assert!(!tried(Carrier::Session, None, "entps-nobodybeganthissession").await);
    for carrier in [Carrier::Bearer, Carrier::PrivateToken, Carrier::DeployToken, Carrier::JobToken] {
        assert!(!tried(carrier, None, &session).await, "{carrier:?}");
    }
    for username in ["owner", "gitlab-ci-token", "__token__"] {
        assert!(!tried(Carrier::Basic, Some(username), &session).await, "{username}");
    }
    assert!(!tried(Carrier::Basic, Some("owner"), PASSWORD).await, "a password is for signing in");
}

#[tokio::test]
async fn sessions_end_by_themselves_from_elsewhere_and_with_their_user() {
    let (world, here) = world().await;
    let there = sign_in(&world).await;
    let alive = async |person: &Person| code(&world, person, ME, json!({})).await == "OK";
    let listed = world.graphql(&here, ME, json!({})).await;
    let other = listed["data"]["currentUser"]["sessions"][0].clone();
    assert_eq!(other["current"], false, "newest first");
    let id = json!({ "id": other["id"] });
    assert_eq!(code(&world, &world.people.guest, REVOKE, json!({ "input": id })).await, "NOT_FOUND");
    accepted(&world, &here, REVOKE, id).await;
    assert!(alive(&here).await && !alive(&there).await);

    let out = accepted(&world, &here, SIGN_OUT, json!({ "clientMutationId": "x" })).await;
    assert_eq!(out["clientMutationId"], "x");
    assert_eq!(code(&world, &here, SIGN_OUT, json!({ "input": {} })).await, "UNAUTHENTICATED");
    assert_eq!(code(&world, &world.people.owner, SIGN_OUT, json!({ "input": {} })).await, "FORBIDDEN");

    let person = sign_in(&world).await;
    let id = format!("gid://gitlab/User/{}", world.people.owner.user().expect("a user"));
    let block = "mutation B($input: SetUserBlockedInput!) { setUserBlocked(input: $input) { errors } }";
    let administrator = &world.people.administrator;
    accepted(&world, administrator, block, json!({ "id": id, "blocked": true })).await;
    assert!(!alive(&person).await);
    assert_eq!(
        code(&world, &world.people.anonymous, SIGN_IN, json!({ "input": login(PASSWORD) })).await,
        "UNAUTHENTICATED"
    );
    accepted(&world, administrator, block, json!({ "id": id, "blocked": false })).await;
    assert!(!alive(&person).await);

    let person = sign_in(&world).await;
    accepted(&world, administrator, SET, json!({ "username": "owner", "password": "another horse" })).await;
    assert!(!alive(&person).await);
}

#[tokio::test]
async fn what_a_password_has_to_be_is_told_by_its_field() {
    let (world, person) = world().await;
    let told = async |document: &str, input: Value| {
        let answer = world.graphql(&person, document, json!({ "input": input })).await;
        let extensions = &answer["errors"][0]["extensions"];
        assert_eq!(extensions["code"], "INVALID", "{answer}");
        extensions["field"].clone()
    };
    let change = |current: &str, new: &str| json!({ "currentPassword": current, "newPassword": new });
    assert_eq!(told(CHANGE, change(PASSWORD, "short")).await, "newPassword");
    assert_eq!(told(CHANGE, change(PASSWORD, &"x".repeat(129))).await, "newPassword");
    assert_eq!(told(CHANGE, change("wrong horse", "another horse")).await, "currentPassword");
    assert_eq!(told(CHANGE, json!({ "newPassword": "another horse" })).await, "currentPassword");
    accepted(&world, &person, CHANGE, change(PASSWORD, "another horse")).await;
    assert_eq!(code(&world, &person, ME, json!({})).await, "OK", "the session that asks goes on");
    let nobody = json!({ "input": { "username": "nobody", "password": PASSWORD } });
    assert_eq!(code(&world, &world.people.administrator, SET, nobody).await, "NOT_FOUND");
}

#[tokio::test]
async fn one_request_tries_one_password() {
    let (world, _) = world().await;
    let one = "signIn(input: { login: \"owner\", password: \"wrong horse\" }) { session }";
    let document = format!("mutation {{ a: {one} b: {one} }}");
    let answer = world.graphql(&world.people.anonymous, &document, json!({})).await;
    let errors = answer["errors"].as_array().expect("errors");
    let mut codes: Vec<_> = errors.iter().map(|error| error["extensions"]["code"].as_str()).collect();
    codes.sort_unstable();
    assert_eq!(codes, [Some("TOO_LARGE"), Some("UNAUTHENTICATED")]);
}

/// Only a person, with all their rights, changes how they sign in.
#[tokio::test]
async fn tokens_that_are_not_a_persons_own_change_nothing_of_it() {
    let (world, _) = world().await;
    let group = world.group("acme", Visibility::Private).await;
    let project = world.project(&group, "web", Visibility::Private).await;
    let people = &world.people;
    let create =
        "mutation T($input: CreateAccessTokenInput!) { createAccessToken(input: $input) { token errors } }";
    let bot = json!({ "projectPath": project.full_path, "name": "bot", "scopes": ["api"], "accessLevel": "MAINTAINER" });
    let bot = accepted(&world, &people.owner, create, bot).await;
    let bot = Person::bearing(bot["token"].as_str().expect("a secret"));
    let create_personal = "mutation T($input: CreatePersonalAccessTokenInput!) { createPersonalAccessToken(input: $input) { token errors } }";
    let limited = json!({ "name": "limited", "scopes": ["api"], "limits": [{ "namePattern": "web-*" }] });
    let limited = accepted(&world, &people.owner, create_personal, limited).await;
    let limited = Person::bearing(limited["token"].as_str().expect("a secret"));
    let create =
        "mutation J($input: CreateJobTokenInput!) { createJobToken(input: $input) { token errors } }";
    let sha = "0123456789abcdef0123456789abcdef01234567";
    let job = json!({ "projectPath": project.full_path, "ref": "main", "sha": sha });
    let job = accepted(&world, &people.owner, create, job).await;
    let job = Person::bearing(job["token"].as_str().expect("a secret"));
    let deploy = world.deploy_token(&project, Scope::WritePackageRegistry).await;
    for person in [&bot, &limited, &job, &deploy, &people.api_reader, &people.writer] {
        for (document, input) in [
            (CHANGE, json!({ "currentPassword": PASSWORD, "newPassword": "another horse" })),
            (REVOKE, json!({ "id": "gid://gitlab/UserSession/1" })),
            (UNLINK, json!({ "id": "gid://gitlab/UserIdentity/1" })),
            (SIGN_OUT, json!({})),
        ] {
            let outcome = code(&world, person, document, json!({ "input": input })).await;
            assert_eq!(outcome, "FORBIDDEN", "{} {document}", person.name);
        }
    }
    let bots = world
        .graphql(&people.administrator, "{ users(search: \"project_\") { nodes { username } } }", json!({}))
        .await;
    let bots = bots["data"]["users"]["nodes"][0]["username"].clone();
    let input = json!({ "input": { "username": bots, "password": PASSWORD } });
    assert_eq!(code(&world, &people.administrator, SET, input).await, "INVALID", "a bot signs in nowhere");
    // What a token with an end set up would outlive it; not even an administrator's gives a password then.
    let ending = json!({ "name": "ends", "scopes": ["api"], "expiresAt": "2027-01-31" });
    for by in [&people.owner, &people.administrator] {
        let made = accepted(&world, by, create_personal, ending.clone()).await;
        let token = Person::bearing(made["token"].as_str().expect("a secret"));
        let input = json!({ "currentPassword": PASSWORD, "newPassword": "another horse" });
        assert_eq!(code(&world, &token, CHANGE, json!({ "input": input })).await, "FORBIDDEN");
        let input = json!({ "username": "owner", "password": "another horse" });
        assert_eq!(code(&world, &token, SET, json!({ "input": input })).await, "FORBIDDEN");
    }
    // The owner's own token may.
    let input = json!({ "currentPassword": PASSWORD, "newPassword": "another horse" });
    accepted(&world, &people.owner, CHANGE, input).await;
}

/// Whoever signs in again in one browser leaves no session behind that nobody looks for.
#[tokio::test]
async fn a_new_session_takes_the_place_of_the_one_before() {
    let (world, person) = world().await;
    let done = accepted(&world, &person, SIGN_IN, login(PASSWORD)).await;
    assert_eq!(code(&world, &person, ME, json!({})).await, "UNAUTHENTICATED");
    let person = Person::signed_in(done["session"].as_str().expect("a secret"));
    let me = world.graphql(&person, ME, json!({})).await;
    assert_eq!(me["data"]["currentUser"]["sessions"].as_array().map(Vec::len), Some(1), "{me}");
}

#[tokio::test]
async fn passwords_can_be_switched_off() {
    let trusted = Trusted { passwords: false, ..Trusted::default() };
    let world = World::believing(formats::rules(), trusted).await;
    let options = world
        .graphql(&world.people.anonymous, "{ signInOptions { passwords providers { name } } }", json!({}))
        .await;
    assert_eq!(options["data"]["signInOptions"], json!({ "passwords": false, "providers": [] }));
    for (person, document, input) in [
        (&world.people.anonymous, SIGN_IN, login(PASSWORD)),
        (&world.people.owner, CHANGE, json!({ "newPassword": PASSWORD })),
        (&world.people.administrator, SET, json!({ "username": "owner", "password": PASSWORD })),
    ] {
        assert_eq!(
            code(&world, person, document, json!({ "input": input })).await,
            "FORBIDDEN",
            "{document}"
        );
    }
}
