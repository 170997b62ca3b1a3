//! Parameters of the wrong type at GitLab's REST API: refused by name, and never taken for left out.

use domain::Visibility;
use http::Method;
use serde_json::{Value, json};
use testkit::Person;

use crate::world::world;

#[tokio::test]
async fn the_wrong_type_is_refused_by_name() {
    let (world, client) = world().await;
    let group = world.group("acme", Visibility::Private).await;
    let project = world.project(&group, "web", Visibility::Private).await;
    let owner = &world.people.owner;
    let at = |rest: &str| format!("/api/v4/projects/{}{rest}", project.id);
    let outsider = world.people.outsider.user().expect("a user").0;
    let rules = at("/packages/protection/rules");
    let rule = json!({ "package_name_pattern": "a*", "package_type": "npm", "minimum_access_level_for_push": "owner" });
    let made = client.post(&rules).json(&rule).by(owner).send().await.expect(201).json();
    let one_rule = format!("{rules}/{}", made["id"]);
    let (post, put, patch) = (Method::POST, Method::PUT, Method::PATCH);
    for (method, path, good, name, wrong) in [
        (
            &post,
            "/api/v4/user/personal_access_tokens".to_owned(),
            token(),
            "expires_at",
            json!(["2027-01-01"]),
        ),
        (&post, "/api/v4/user/personal_access_tokens".to_owned(), token(), "expires_at", json!({})),
        (
            &post,
            "/api/v4/user/personal_access_tokens".to_owned(),
            token(),
            "scopes",
            json!(["read_api", null]),
        ),
        (&post, "/api/v4/user/personal_access_tokens".to_owned(), token(), "limits", json!("npm")),
        (&post, "/api/v4/user/personal_access_tokens".to_owned(), token(), "limits", json!(["npm"])),
        (&post, at("/access_tokens"), token(), "access_level", json!([10])),
        (&post, at("/access_tokens"), token(), "limits", json!({ "package_type": "npm" })),
        (&post, at("/access_tokens"), token(), "limits", json!([{ "package_type": "nqm" }])),
        (&post, at("/deploy_tokens"), deploy_token(), "expires_at", json!(["2027-01-01"])),
        (&post, at("/deploy_tokens"), deploy_token(), "username", json!({ "name": "ci" })),
        (&post, at("/deploy_tokens"), deploy_token(), "limits", json!([{ "package": "npm" }])),
        (&post, at("/members"), json!({ "user_id": outsider, "access_level": 30 }), "expires_at", json!([])),
        (&post, rules.clone(), rule.clone(), "minimum_access_level_for_delete", json!(["owner"])),
        (&patch, one_rule, json!({}), "minimum_access_level_for_push", json!([])),
        (&put, at(""), json!({}), "package_registry_access_level", json!(["disabled"])),
        (&put, at(""), json!({}), "visibility", json!(["public"])),
        (&put, at(""), json!({}), "packages_enabled", json!([false])),
        (&put, at(""), json!({}), "description", json!({ "text": "hello" })),
    ] {
        let mut body = good;
        body[name] = wrong;
        let answer = client.request(method.clone(), &path).json(&body).by(owner).send().await;
        let said = format!("{method} {path} {body}: {}", answer.text());
        let answer = answer.expect(400).json();
        let texts = [answer["message"].to_string(), answer["error"].to_string()];
        let expected = format!("{name} is invalid");
        assert!(texts.iter().any(|text| text.contains(&expected)), "{said}");
    }
    let form = "name=a&scopes[]=read_api&expires_at[day]=2027-01-01";
    let path = "/api/v4/user/personal_access_tokens";
    let form = client.post(path).header("content-type", "application/x-www-form-urlencoded").body(form);
    form.by(owner).send().await.expect(400);
    let kept = client.get(at("/packages/protection/rules")).by(owner).send().await.expect(200).json();
    assert_eq!(kept[0]["minimum_access_level_for_push"], "owner");
}

fn token() -> Value {
    json!({ "name": "ci", "scopes": ["read_api"] })
}

fn deploy_token() -> Value {
    json!({ "name": "ci", "scopes": ["read_package_registry"] })
}

#[tokio::test]
async fn tokens_are_limited_through_rest_too() {
    let (world, client) = world().await;
    let group = world.group("acme", Visibility::Private).await;
    let project = world.project(&group, "web", Visibility::Private).await;
    let owner = &world.people.owner;
    let limits = json!([{ "package_type": "generic", "name_pattern": "web-*" }, { "package_type": "npm", "name_pattern": null }]);
    let of_project = format!("/api/v4/projects/{}", project.id);
    for (path, mut body) in [
        ("/api/v4/user/personal_access_tokens".to_owned(), json!({ "name": "ci", "scopes": ["api"] })),
        (format!("{of_project}/access_tokens"), json!({ "name": "ci", "scopes": ["api"] })),
        (
            format!("{of_project}/deploy_tokens"),
            json!({ "name": "ci", "scopes": ["read_package_registry", "write_package_registry"] }),
        ),
    ] {
        body["limits"] = limits.clone();
        let made = client.post(&path).json(&body).by(owner).send().await.expect(201).json();
        assert_eq!(made["limits"], limits, "{path}");
        let secret = made["token"].as_str().expect("a token");
        let put = |name: &str| {
            let path = format!("{of_project}/packages/generic/{name}/1.0.0/{}.bin", made["id"]);
            let request = client.put(path).body("content");
            if secret.starts_with("gldt-") {
                request.header("deploy-token", secret)
            } else {
                request.by(&Person::bearing(secret))
            }
        };
        put("web-1").send().await.expect(201);
        put("other").send().await.expect(403);
        body["limits"] = json!([{ "package_type": "" }]);
        client.post(&path).json(&body).by(owner).send().await.expect(400);
    }
}

#[tokio::test]
async fn a_number_that_no_row_has_is_refused_by_name() {
    let (world, client) = world().await;
    let path = "/api/v4/audit_events?entity_type=Project&entity_id=9223372036854775807";
    let told = client.get(path).by(&world.people.administrator).send().await.expect(400).text();
    assert!(told.contains("entity_id is invalid"), "{told}");
}

/// A variable of a script that was never set is no credential, as in GitLab.
#[tokio::test]
async fn a_blank_credential_is_none() {
    let (world, client) = world().await;
    let group = world.group("open", Visibility::Public).await;
    let project = world.project(&group, "lib", Visibility::Public).await;
    let path = format!("/api/v4/projects/{}", project.id);
    for header in ["PRIVATE-TOKEN", "Job-Token", "Deploy-Token", "Authorization"] {
        client.get(&path).header(header, " ").send().await.expect(200);
    }
    client.get(format!("{path}?private_token=")).send().await.expect(200);
    client.get(path).header("PRIVATE-TOKEN", "wrong").send().await.expect(401);
}

#[tokio::test]
async fn limits_of_formats_that_are_unknown_here_are_passed_over() {
    let (world, client) = world().await;
    let body = json!({ "plan_name": "default", "conan_max_file_size": 5, "npm_max_file_size": 1024 });
    let put = || client.put("/api/v4/application/plan_limits").json(&body);
    let limits = put().by(&world.people.administrator).send().await.expect(200).json();
    assert_eq!((&limits["npm_max_file_size"], &limits["conan_max_file_size"]), (&json!(1024), &Value::Null));
    put().by(&world.people.owner).send().await.expect(403);
}

#[tokio::test]
async fn a_user_is_made_with_a_password_that_signs_in() {
    const SIGN_IN: &str =
        "mutation S($input: SignInInput!) { signIn(input: $input) { user { username } errors } }";
    let (world, client) = world().await;
    let user = |password: &str| json!({ "username": "ann", "name": "Ann", "email": "ann@x.org", "password": password });
    let make = |password: &str| {
        client.post("/api/v4/users").json(&user(password)).by(&world.people.administrator).send()
    };
    let told = make("short").await.expect(400).text();
    assert!(told.contains("password"), "{told}");
    make("correct horse").await.expect(201);
    let input = json!({ "input": { "login": "ann@x.org", "password": "correct horse" } });
    let answer = world.graphql(&world.people.anonymous, SIGN_IN, input).await;
    assert_eq!(answer["data"]["signIn"]["user"]["username"], "ann", "{answer}");
}

#[tokio::test]
async fn users_are_listed_by_whether_they_are_blocked() {
    let (world, client) = world().await;
    let administrator = &world.people.administrator;
    let guest = world.people.guest.user().expect("a user").0;
    client.post(format!("/api/v4/users/{guest}/block")).by(administrator).send().await.expect(201);
    let list = async |filter: &str| {
        let path = format!("/api/v4/users?per_page=100&{filter}");
        let users = client.get(path).by(administrator).send().await.expect(200).json();
        users.as_array().expect("users").iter().map(|user| user["id"].as_i64()).collect::<Vec<_>>()
    };
    assert_eq!(list("blocked=true").await, [Some(guest)]);
    assert!(!list("active=true").await.contains(&Some(guest)));
    assert!(list("").await.contains(&Some(guest)));
    client.get("/api/v4/users?blocked=maybe").by(administrator).send().await.expect(400);
}
