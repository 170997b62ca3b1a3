//! No token outlives the one that made it, and the audit log says how far each goes.

use domain::{Role, Visibility};
use serde_json::{Value, json};
use testkit::{Client, Person, World};

use crate::world::{accepted, code, world};

const CREATE: &str = "mutation C($input: CreatePersonalAccessTokenInput!) { createPersonalAccessToken(input: $input) { \
    token personalAccessToken { id expiresAt } errors } }";
const ROTATE: &str = "mutation R($input: RotatePersonalAccessTokenInput!) { rotatePersonalAccessToken(input: $input) { \
    token personalAccessToken { id userId expiresAt } errors } }";
const ROTATE_BOT: &str = "mutation R($input: RotateAccessTokenInput!) { rotateAccessToken(input: $input) { \
    token accessToken { id expiresAt } errors } }";
const OF_PROJECT: &str =
    "mutation A($input: CreateAccessTokenInput!) { createAccessToken(input: $input) { token errors } }";
const SELF: &str = "query S { currentAccessToken { id } currentUser { id } }";
/// A week after the day of the tests.
const IN_A_WEEK: &str = "2026-11-30";

/// A token of the owner that ends on `day`.
async fn ending(world: &World, day: &str) -> (Person, Value) {
    let input = json!({ "name": "ends", "scopes": ["api"], "expiresAt": day });
    let made = accepted(world, &world.people.owner, CREATE, input).await;
    (Person::bearing(made["token"].as_str().expect("a token")), made["personalAccessToken"]["id"].clone())
}

async fn last_day(world: &World, by: &Person, document: &str, input: Value) -> Value {
    let made = accepted(world, by, document, input).await;
    let token = made.get("personalAccessToken").or_else(|| made.get("accessToken")).expect("a token");
    token["expiresAt"].clone()
}

#[tokio::test]
async fn a_token_with_an_end_makes_none_that_ends_later() {
    let (world, _) = world().await;
    let new = |fields: Value| {
        let mut input = json!({ "name": "child", "scopes": ["api"] });
        input.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
        input
    };
    let (token, _) = ending(&world, "2027-01-31").await;
    assert_eq!(last_day(&world, &token, CREATE, new(json!({}))).await, "2027-01-31");
    assert_eq!(
        last_day(&world, &token, CREATE, new(json!({ "expiresAt": "2027-01-30" }))).await,
        "2027-01-30"
    );
    let later = json!({ "input": new(json!({ "expiresAt": "2027-02-01" })) });
    assert_eq!(code(&world, &token, CREATE, later).await, "INVALID");
    let without = last_day(&world, &world.people.owner, CREATE, new(json!({}))).await;
    assert!(without.is_null(), "a token without end makes others: {without}");
}

#[tokio::test]
async fn a_rotated_token_lasts_a_week_unless_more_is_asked_for_and_allowed() {
    let (world, client) = world().await;
    let owner = &world.people.owner;
    let (_, id) = ending(&world, "2026-12-31").await;
    assert_eq!(last_day(&world, owner, ROTATE, json!({ "id": id })).await, IN_A_WEEK);
    let (_, id) = ending(&world, "2026-12-31").await;
    let wanted = json!({ "id": id, "expiresAt": "2027-12-31" });
    assert_eq!(
        last_day(&world, owner, ROTATE, wanted).await,
        "2027-12-31",
        "another may give it a longer life"
    );

    // Another one is not rotated to outlive the one in use; itself it renews, and goes.
    let (token, _) = ending(&world, "2026-12-31").await;
    let (_, other) = ending(&world, "2026-12-31").await;
    let later = json!({ "input": { "id": other, "expiresAt": "2027-01-01" } });
    assert_eq!(code(&world, &token, ROTATE, later).await, "INVALID");
    let rotate = "/api/v4/personal_access_tokens/self/rotate";
    let renewed = client.post(rotate).by(&token).send().await.expect(200).json();
    assert_eq!(renewed["expires_at"], IN_A_WEEK);
    client.get("/api/v4/user").by(&token).send().await.expect(401);
    let (token, _) = ending(&world, "2026-11-25").await;
    let wanted = json!({ "expires_at": "2027-01-01" });
    let renewed = client.post(rotate).json(&wanted).by(&token).send().await.expect(200).json();
    assert_eq!(renewed["expires_at"], "2027-01-01");
}

/// A bot of a new project, with the role.
async fn bot(world: &World, path: &str) -> (Person, testkit::Project) {
    let group = world.group(path, Visibility::Private).await;
    let project = world.project(&group, "web", Visibility::Private).await;
    (world.project_bot(&project, Role::Maintainer).await, project)
}

#[tokio::test]
async fn a_bot_renews_its_token_and_gets_no_second_one() {
    let (world, client): (World, Client) = world().await;
    let (bot, project) = bot(&world, "acme").await;
    let mine = world.graphql(&bot, SELF, json!({})).await["data"].clone();
    let user = &mine["currentUser"]["id"];
    for by in [&world.people.administrator, &world.people.owner, &bot] {
        let input = json!({ "input": { "name": "second", "scopes": ["api"], "userId": user } });
        let told = code(&world, by, CREATE, input).await;
        assert_eq!(told, if by.name == "administrator" { "INVALID" } else { "FORBIDDEN" }, "{}", by.name);
    }
    let rotate = "/api/v4/personal_access_tokens/self/rotate";
    let renewed = client.post(rotate).by(&bot).send().await.expect(200).json();
    assert_eq!(renewed["expires_at"], IN_A_WEEK);
    client.get("/api/v4/user").by(&bot).send().await.expect(401);
    let second = Person::bearing(renewed["token"].as_str().expect("a token"));
    let now = world.graphql(&second, SELF, json!({})).await["data"].clone();
    assert_eq!(&now["currentUser"]["id"], user, "the bot stays");
    let of_person = json!({ "id": now["currentAccessToken"]["id"] });
    let rotated = last_day(&world, &world.people.owner, ROTATE_BOT, of_person).await;
    assert_eq!(rotated, IN_A_WEEK);
    let events =
        format!("/api/v4/projects/{}/audit_events?event_name=project_access_token_rotated", project.id);
    let events = client.get(events).by(&world.people.owner).send().await.expect(200).json();
    assert_eq!(events.as_array().map(Vec::len), Some(2), "both are the project's events: {events}");
    let job = world.job(&project, &world.people.maintainer).await;
    client.post(rotate).by(&job).send().await.expect(401);
}

#[tokio::test]
async fn a_deploy_token_that_a_bot_makes_ends_with_the_bots_own() {
    let (world, client) = world().await;
    let (usual, project) = bot(&world, "acme").await;
    let input = json!({ "projectPath": project.full_path, "name": "ci", "scopes": ["api"], "accessLevel": "MAINTAINER",
        "expiresAt": "2026-12-31" });
    let made = accepted(&world, &world.people.maintainer, OF_PROJECT, input).await;
    let ending = Person::bearing(made["token"].as_str().expect("a token"));
    let path = format!("/api/v4/projects/{}/deploy_tokens", project.id);
    let token = json!({ "name": "ci", "scopes": ["read_package_registry"] });
    let dated = |day: &str| json!({ "name": "ci", "scopes": ["read_package_registry"], "expires_at": day });
    for (by, body, end) in [
        (&usual, token.clone(), json!("2027-11-23T00:00:00.000Z")),
        (&ending, token.clone(), json!("2026-12-31T00:00:00.000Z")),
        (&ending, dated("2026-12-01"), json!("2026-12-01T00:00:00.000Z")),
    ] {
        let made = client.post(&path).json(&body).by(by).send().await.expect(201).json();
        assert_eq!(made["expires_at"], end, "{body}");
    }
    let told = client.post(&path).json(&dated("2027-01-01")).by(&ending).send().await.expect(400).text();
    assert!(told.contains("2026-12-31"), "{told}");
    client.get(&path).by(&usual).send().await.expect(200);
    let job = world.job(&project, &world.people.maintainer).await;
    client.post(&path).json(&token).by(&job).send().await.expect(403);
}

#[tokio::test]
async fn a_deploy_token_is_not_called_like_a_user() {
    let (world, client) = world().await;
    let (_, project) = bot(&world, "acme").await;
    let path = format!("/api/v4/projects/{}/deploy_tokens", project.id);
    let mut named = json!({ "name": "ci", "scopes": ["read_package_registry"] });
    named["username"] = "Owner".into();
    let told = client.post(&path).json(&named).by(&world.people.maintainer).send().await.expect(400).text();
    assert!(told.contains("name of a user"), "{told}");
}

#[tokio::test]
async fn the_log_says_how_far_a_new_token_goes() {
    let (world, client) = world().await;
    let people = &world.people;
    let (_, project) = bot(&world, "acme").await;
    let limits = json!([{ "packageType": "NPM", "namePattern": "@acme/*" }]);
    let owner = format!("gid://gitlab/User/{}", people.owner.user().expect("a user"));
    let input = json!({ "name": "ci", "scopes": ["read_api"], "limits": limits, "expiresAt": "2027-01-31",
        "userId": owner });
    accepted(&world, &people.administrator, CREATE, input).await;
    let body = json!({ "name": "cd", "scopes": ["write_package_registry"], "expires_at": "2027-02-28" });
    let path = format!("/api/v4/projects/{}/deploy_tokens", project.id);
    client.post(path).json(&body).by(&people.owner).send().await.expect(201);
    let messages = |kind: &'static str| {
        let client = client.clone();
        let by = people.administrator.clone();
        async move {
            let path = format!("/api/v4/audit_events?event_name={kind}");
            let events = client.get(path).by(&by).send().await.expect(200).json();
            events[0]["details"]["custom_message"].as_str().unwrap_or_default().to_owned()
        }
    };
    assert_eq!(
        messages("personal_access_token_created").await,
        "Created personal access token ci with scopes read_api, limited to npm packages named '@acme/*', \
         until 2027-01-31, of owner"
    );
    assert_eq!(
        messages("deploy_token_created").await,
        "Created deploy token cd with scopes write_package_registry, until 2027-02-28"
    );
}
