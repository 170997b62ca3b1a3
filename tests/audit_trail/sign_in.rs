//! Signing in once each way: who does it, who is refused, and what is written down of it.

use serde_json::json;
use testkit::Person;

use super::{Step, Trail, code, document};
use crate::sign_in::Browser;

pub(super) async fn sign_in(trail: &mut Trail) {
    let people = trail.world.people.clone();
    let (owner, administrator) = (&people.owner, &people.administrator);
    let step =
        |mutation, input, by, refused, events| Step { mutation, input, selection: "", by, refused, events };
    let password = json!({ "username": "outsider", "password": "correct horse" });
    trail.step(step("setUserPassword", password, administrator, owner, &["user_password_updated"])).await;

    // Whoever signs in is nobody before: the user is who did it.
    let mutation = "signIn";
    let input = |password: &str| json!({ "input": { "login": "outsider", "password": password } });
    let before = trail.newest().await;
    let by = &people.anonymous;
    let told = code(&trail.world, by, &document(mutation, "session"), input("wrong horse")).await;
    assert_eq!(told, "UNAUTHENTICATED");
    trail.expect(mutation, &before, &["login_failed_with_standard_authentication"], by).await;
    let answer = trail.world.graphql(by, &document(mutation, "session"), input("correct horse")).await;
    let secret = answer["data"][mutation]["session"].as_str().unwrap_or_else(|| panic!("{answer}"));
    let before = trail.log().await[1]["id"].clone();
    trail.expect(mutation, &before, &["user_logged_in"], &people.outsider).await;
    let mut person = Person::signed_in(secret);
    person.name.clone_from(&people.outsider.name);
    // Nobody but a person with all rights changes anything of it.
    let bot = &people.api_reader;
    let change = json!({ "currentPassword": "correct horse", "newPassword": "another horse" });
    trail.step(step("changePassword", change, &person, bot, &["user_password_updated"])).await;
    let written = trail.log().await[0].clone();
    assert_eq!(written["details"].get("auth_token_type"), None, "no token was used: {written}");

    let browser = Browser::begin(&trail.world, &person).await;
    let input = browser.come_back(&trail.issuer, &trail.world, "1", "code", json!({}));
    let before = trail.newest().await;
    let mutation = "completeProviderSignIn";
    let selection = "session user { identities { id } sessions { id } }";
    let answer =
        trail.world.graphql(&person, &document(mutation, selection), json!({ "input": input })).await;
    let done = &answer["data"][mutation];
    let secret = done["session"].as_str().unwrap_or_else(|| panic!("{answer}"));
    trail.expect(mutation, &before, &["user_identity_linked", "user_logged_in"], &person).await;
    let mut person = Person::signed_in(secret);
    person.name.clone_from(&people.outsider.name);
    let identity = json!({ "id": done["user"]["identities"][0]["id"] });
    trail.step(step("unlinkUserIdentity", identity, &person, owner, &["user_identity_unlinked"])).await;

    let again = json!({ "input": { "login": "outsider", "password": "another horse" } });
    trail.world.graphql(by, &document("signIn", "session"), again).await;
    let document = "{ currentUser { sessions { id current } } }";
    let answer = trail.world.graphql(&person, document, json!({})).await;
    let sessions = answer["data"]["currentUser"]["sessions"].as_array().expect("sessions");
    let other = sessions.iter().find(|session| session["current"] == false).expect("another one");
    let other = json!({ "id": other["id"] });
    trail.step(step("revokeUserSession", other, &person, owner, &["user_session_revoked"])).await;
    trail.step(step("signOut", json!({}), &person, owner, &["logout"])).await;
}
