//! What CI is let do: tokens of jobs, and trusted publishing.

use domain::Visibility;
use serde_json::json;
use testkit::Person;

use super::{Step, Trail, code, document};

pub(super) async fn jobs(trail: &mut Trail) {
    let people = trail.world.people.clone();
    let (by, refused) = (&people.maintainer, &people.developer);
    let path = trail.project.full_path.clone();
    let open = trail.world.deserted_group("open", Visibility::Public).await;
    trail.world.project(&open, "lib", Visibility::Public).await;
    let sha = "0123456789abcdef0123456789abcdef01234567";
    let input = json!({ "projectPath": path, "ref": "main", "sha": sha });
    let events = &["ci_job_token_created"];
    let step = Step { mutation: "createJobToken", input, selection: "job { id }", by, refused, events };
    let made = trail.step(step).await;
    let scope = json!({ "projectPath": path, "targetProjectPath": "open/lib" });
    for (mutation, input, event) in [
        ("endJob", json!({ "id": made["job"]["id"] }), "ci_job_ended"),
        ("ciJobTokenScopeAddProject", scope.clone(), "secure_ci_job_token_project_added"),
        ("ciJobTokenScopeRemoveProject", scope, "secure_ci_job_token_project_removed"),
    ] {
        trail.step(Step { mutation, input, selection: "", by, refused, events: &[event] }).await;
    }
}

pub(super) async fn trusted_publishing(trail: &mut Trail) {
    let people = trail.world.people.clone();
    let (by, refused) = (&people.maintainer, &people.developer);
    let claims = json!([{ "name": "sub", "value": "job" }]);
    let input = json!({ "projectPath": trail.project.full_path, "issuer": trail.issuer.url(), "audience": "us",
        "claims": claims });
    let selection = "trustedPublisher { id }";
    let events = &["trusted_publisher_created"];
    let made =
        trail.step(Step { mutation: "createTrustedPublisher", input, selection, by, refused, events }).await;
    let id = made["trustedPublisher"]["id"].clone();

    // Whoever has the ID token needs nothing else: the publisher is who did it.
    let now = trail.world.now().unix_timestamp();
    let claims = json!({ "iss": trail.issuer.url(), "aud": "us", "sub": "job", "iat": now, "exp": now + 60 });
    let input = json!({ "input": { "idToken": trail.issuer.token(&claims) } });
    let mutation = "exchangeIdToken";
    let before = trail.newest().await;
    let answer = trail.world.graphql(&people.anonymous, &document(mutation, "token"), input.clone()).await;
    assert_eq!(answer["data"][mutation]["errors"], json!([]), "{answer}");
    let mut publisher = Person::anonymous();
    let number = id.as_str().and_then(|id| id.rsplit('/').next()).expect("a global id");
    publisher.name = format!("trusted-publisher-{number}");
    trail.expect(mutation, &before, &["trusted_token_created"], &publisher).await;
    let before = trail.newest().await;
    let again = code(&trail.world, &people.anonymous, &document(mutation, ""), input).await;
    assert_eq!((again.as_str(), trail.since(&before).await), ("UNAUTHENTICATED", Vec::new()));

    let events = &["trusted_publisher_deleted"];
    let input = json!({ "id": id });
    trail.step(Step { mutation: "deleteTrustedPublisher", input, selection: "", by, refused, events }).await;
}
