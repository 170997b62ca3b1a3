//! What the GitLab provider of Terraform sends, resource by resource: JSON bodies with attributes that mean nothing here, a read
//! after each change, and a read that has to answer 404 (or say `revoked`) after the end.

use domain::Visibility;
use http::Method;
use serde_json::{Value, json};
use testkit::{Client, Person, World};

use crate::world::world;

struct Provider {
    world: World,
    client: Client,
    by: Person,
}

impl Provider {
    async fn new() -> Self {
        let (world, client) = world().await;
        let by = world.people.administrator.clone();
        Self { world, client, by }
    }

    async fn send(&self, method: Method, path: &str, body: Value, status: u16) -> Value {
        let request = self.client.request(method, format!("/api/v4{path}")).by(&self.by);
        let request = request.header("user-agent", "Terraform/1.9 (+https://example.test) provider/18");
        let request = request.header("accept", "application/json");
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = request.send().await.expect(status);
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    async fn create(&self, path: &str, body: Value) -> Value {
        self.send(Method::POST, path, body, 201).await
    }

    async fn read(&self, path: &str) -> Value {
        self.send(Method::GET, path, Value::Null, 200).await
    }

    async fn is_gone(&self, path: &str) {
        self.send(Method::GET, path, Value::Null, 404).await;
    }

    async fn group(&self) -> Value {
        let body = json!({
            "name": "Tools", "path": "tools", "description": "", "visibility": "private", "lfs_enabled": true,
            "request_access_enabled": true, "project_creation_level": "developer", "auto_devops_enabled": false,
            "emails_enabled": true, "mentions_disabled": false, "share_with_group_lock": false,
            "require_two_factor_authentication": false, "two_factor_grace_period": 48, "wiki_access_level": "enabled",
            "shared_runners_minutes_limit": 0, "prevent_forking_outside_group": false,
        });
        self.create("/groups", body).await
    }

    async fn project(&self, group: &Value) -> Value {
        let body = json!({
            "name": "web", "path": "web", "namespace_id": group["id"], "description": "", "visibility": "private",
            "packages_enabled": true, "issues_access_level": "enabled", "merge_method": "merge", "ci_config_path": "",
            "only_allow_merge_if_pipeline_succeeds": false, "topics": [], "initialize_with_readme": false,
            "build_timeout": 3600, "container_expiration_policy_attributes": { "enabled": false },
        });
        self.create("/projects", body).await
    }
}

#[tokio::test]
async fn the_provider_learns_who_it_is_and_which_release_it_meets() {
    let provider = Provider::new().await;
    assert_eq!(provider.read("/user").await["is_admin"], true);
    assert!(provider.read("/version").await["version"].is_string());
    assert_eq!(provider.read("/metadata").await["enterprise"], false);
}

#[tokio::test]
async fn groups_and_projects() {
    let provider = Provider::new().await;
    let group = provider.group().await;
    let path = format!("/groups/{}", group["id"]);
    let read = provider.read(&format!("{path}?with_projects=false&with_custom_attributes=true")).await;
    for (key, value) in [
        ("name", "Tools"),
        ("path", "tools"),
        ("full_path", "tools"),
        ("visibility", "private"),
        ("description", ""),
    ] {
        assert_eq!(read[key], value, "{key}");
    }
    let sub = json!({ "name": "sub", "path": "sub", "parent_id": group["id"], "visibility": "private" });
    let sub = provider.create("/groups", sub).await;
    assert_eq!((&sub["full_path"], &sub["parent_id"]), (&json!("tools/sub"), &group["id"]));
    let change = json!({ "name": "Better tools", "description": "Text", "lfs_enabled": false });
    provider.send(Method::PUT, &path, change, 200).await;
    assert_eq!(provider.read(&path).await["name"], "Better tools");

    let project = provider.project(&group).await;
    let path_of_project = format!("/projects/{}", project["id"]);
    let read = provider.read(&path_of_project).await;
    assert_eq!((&read["path_with_namespace"], &read["namespace"]["id"]), (&json!("tools/web"), &group["id"]));
    assert_eq!((&read["import_status"], &read["packages_enabled"]), (&json!("none"), &json!(true)));
    assert_eq!(provider.read("/projects/tools%2Fweb").await["id"], project["id"]);
    provider
        .send(
            Method::PUT,
            &path_of_project,
            json!({ "visibility": "private", "packages_enabled": false }),
            200,
        )
        .await;
    assert_eq!(provider.read(&path_of_project).await["packages_enabled"], false);
    let listed = provider.read(&format!("{path}/projects?per_page=100&page=1&include_subgroups=true")).await;
    assert_eq!(listed.as_array().map(Vec::len), Some(1));

    for path in [path_of_project, format!("/groups/{}", sub["id"]), path] {
        provider.send(Method::DELETE, &path, Value::Null, 202).await;
        provider.is_gone(&path).await;
    }
}

#[tokio::test]
async fn members() {
    let provider = Provider::new().await;
    let group = provider.group().await;
    let project = provider.project(&group).await;
    let user = provider.world.people.outsider.user().expect("a user").0;
    for (place, id) in [("projects", &project["id"]), ("groups", &group["id"])] {
        let all = format!("/{place}/{id}/members");
        let one = format!("{all}/{user}");
        provider.is_gone(&one).await;
        let body = json!({ "user_id": user, "access_level": 30, "expires_at": "2027-01-01" });
        provider.create(&all, body).await;
        let read = provider.read(&one).await;
        assert_eq!((&read["access_level"], &read["expires_at"]), (&json!(30), &json!("2027-01-01")));
        let update = json!({ "access_level": 40, "expires_at": "" });
        provider.send(Method::PUT, &one, update, 200).await;
        let read = provider.read(&one).await;
        assert_eq!((&read["access_level"], &read["expires_at"]), (&json!(40), &Value::Null));
        let listed = provider.read(&format!("{all}/all?per_page=100&page=1")).await;
        assert!(listed.as_array().is_some_and(|rows| rows.iter().any(|row| row["id"] == user)), "{listed}");
        provider.send(Method::DELETE, &one, Value::Null, 204).await;
        provider.is_gone(&one).await;
    }
}

#[tokio::test]
async fn deploy_tokens_and_access_tokens() {
    let provider = Provider::new().await;
    let group = provider.group().await;
    let project = provider.project(&group).await;
    for (place, id) in [("projects", &project["id"]), ("groups", &group["id"])] {
        let all = format!("/{place}/{id}/deploy_tokens");
        let body = json!({ "name": "ci", "username": "ci-of-terraform", "expires_at": "2027-01-01T00:00:00Z",
            "scopes": ["read_package_registry", "write_package_registry"] });
        let created = provider.create(&all, body).await;
        assert!(created["token"].as_str().is_some_and(|token| !token.is_empty()), "{created}");
        let one = format!("{all}/{}", created["id"]);
        let read = provider.read(&one).await;
        assert_eq!((&read["username"], &read["revoked"]), (&json!("ci-of-terraform"), &json!(false)));
        assert!(read["token"].is_null(), "shown once");
        provider.send(Method::DELETE, &one, Value::Null, 204).await;
        provider.is_gone(&one).await;

        let all = format!("/{place}/{id}/access_tokens");
        let body =
            json!({ "name": "bot", "scopes": ["api"], "access_level": 40, "expires_at": "2027-01-01" });
        let created = provider.create(&all, body).await;
        let one = format!("{all}/{}", created["id"]);
        let read = provider.read(&one).await;
        assert_eq!((&read["access_level"], &read["active"]), (&json!(40), &json!(true)));
        assert_eq!(read["expires_at"], "2027-01-01");
        let rotate = json!({ "expires_at": "2027-02-01" });
        let rotated = provider.send(Method::POST, &format!("{one}/rotate"), rotate, 200).await;
        assert_ne!(rotated["token"], created["token"]);
        let one = format!("{all}/{}", rotated["id"]);
        provider.send(Method::DELETE, &one, Value::Null, 204).await;
        // A token that was revoked can still be read, which tells the provider that it is to be made anew.
        assert_eq!(provider.read(&one).await["revoked"], true);
    }
}

#[tokio::test]
async fn protection_rules_of_packages() {
    let provider = Provider::new().await;
    let group = provider.group().await;
    let project = provider.project(&group).await;
    let all = format!("/projects/{}/packages/protection/rules", project["id"]);
    let body = json!({ "package_name_pattern": "@tools/*", "package_type": "npm",
        "minimum_access_level_for_push": "maintainer", "minimum_access_level_for_delete": "owner" });
    let rule = provider.create(&all, body.clone()).await;
    let listed = async || provider.read(&all).await.as_array().expect("a list").clone();
    assert_eq!(listed().await[0]["package_name_pattern"], "@tools/*");
    provider.send(Method::POST, &all, body, 422).await;
    let one = format!("{all}/{}", rule["id"]);
    let change = json!({ "minimum_access_level_for_push": "owner" });
    provider.send(Method::PATCH, &one, change, 200).await;
    assert_eq!(listed().await[0]["minimum_access_level_for_push"], "owner");
    assert_eq!(listed().await[0]["minimum_access_level_for_delete"], "owner");
    provider.send(Method::DELETE, &one, Value::Null, 204).await;
    assert_eq!(listed().await, [Value::Null; 0]);
    provider.send(Method::DELETE, &one, Value::Null, 404).await;
}

/// Older clients and scripts send forms.
#[tokio::test]
async fn forms_are_as_good_as_json() {
    let provider = Provider::new().await;
    provider.world.deserted_group("there", Visibility::Private).await;
    let form = |method: Method, path: &str, body: &str| {
        let request = provider.client.request(method, format!("/api/v4{path}")).by(&provider.by);
        request.header("content-type", "application/x-www-form-urlencoded").body(body.to_owned()).send()
    };
    let group = form(Method::POST, "/groups", "name=a&path=a&visibility=private").await.expect(201).json();
    let body = format!("name=web&namespace_id={}", group["id"]);
    let project = form(Method::POST, "/projects", &body).await.expect(201).json();
    let path = format!("/projects/{}/deploy_tokens", project["id"]);
    let token =
        form(Method::POST, &path, "name=x&scopes[]=read_package_registry&scopes[]=write_package_registry");
    assert_eq!(
        token.await.expect(201).json()["scopes"],
        json!(["read_package_registry", "write_package_registry"])
    );
}
