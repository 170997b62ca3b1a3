//! Tokens of CI jobs: who makes them, how far they reach, when they end, and what becomes known of the pipeline.

mod known;

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{RegistryAccessLevel, Role, Visibility};
use serde_json::{Value, json};
use testkit::{Answer, Client, Group, Person, Project, World};
use time::Duration;

use crate::world::{accepted, code, world};

const CREATE: &str = "mutation C($input: CreateJobTokenInput!) { createJobToken(input: $input) { token \
    job { id name userId expiresAt finishedAt } pipeline { id iid ref sha source path } errors } }";
const END: &str = "mutation E($input: EndJobInput!) { endJob(input: $input) { job { finishedAt } errors } }";
const ALLOW: &str = "mutation A($input: CiJobTokenScopeAddProjectInput!) { ciJobTokenScopeAddProject(input: $input) { \
    ciJobTokenScope { inboundAllowlistCount inboundAllowlist { nodes { fullPath } } } errors } }";
const DISALLOW: &str = "mutation R($input: CiJobTokenScopeRemoveProjectInput!) { \
    ciJobTokenScopeRemoveProject(input: $input) { ciJobTokenScope { inboundAllowlistCount } errors } }";
const PIPELINES: &str = "query P($path: ID!) { project(fullPath: $path) { packages(first: 3, sort: NAME_ASC) { nodes { name \
    pipelines(first: 1) { count pageInfo { hasNextPage } nodes { ref sha(format: SHORT) commitPath user { username } \
    project { fullPath } } } } } } }";
const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

struct Registry {
    world: World,
    client: Client,
    group: Group,
    /// Whose jobs run.
    app: Project,
    /// What they may or may not reach.
    lib: Project,
}

impl Registry {
    async fn new() -> Self {
        let (world, client) = world().await;
        let group = world.group("acme", Visibility::Private).await;
        let app = world.project(&group, "app", Visibility::Private).await;
        let lib = world.project(&group, "lib", Visibility::Private).await;
        Self { world, client, group, app, lib }
    }

    async fn run(&self, by: &Person, document: &str, input: Value) -> Value {
        accepted(&self.world, by, document, input).await
    }

    async fn code(&self, by: &Person, document: &str, input: Value) -> String {
        code(&self.world, by, document, json!({ "input": input })).await
    }

    /// A job of a new pipeline of the app, in the name of the maintainer.
    async fn job(&self) -> Value {
        self.run(&self.world.people.maintainer, CREATE, self.pipeline(SHA)).await
    }

    fn pipeline(&self, sha: &str) -> Value {
        json!({ "projectPath": self.app.full_path, "ref": "main", "sha": sha })
    }

    fn path(project: &Project, name: &str) -> String {
        format!("/api/v4/projects/{}/packages/generic/{name}/1.0.0/file.bin", project.id)
    }

    async fn publish(&self, project: &Project, name: &str, job: &str) -> Answer {
        self.client.put(Self::path(project, name)).body("content").header("job-token", job).send().await
    }

    async fn pull(&self, project: &Project, name: &str, job: &str) -> Answer {
        self.client.get(Self::path(project, name)).header("job-token", job).send().await
    }

    async fn publish_by(&self, project: &Project, name: &str, by: &Person) {
        self.client.put(Self::path(project, name)).body("content").by(by).send().await.expect(201);
    }
}

fn token(job: &Value) -> &str {
    job["token"].as_str().expect("a token")
}

#[tokio::test]
async fn a_job_publishes_and_pulls_in_its_own_project_until_it_ends() {
    let registry = Registry::new().await;
    let job = registry.job().await;
    let secret = token(&job);
    assert!(secret.starts_with("glcbt-"));
    assert_eq!((&job["pipeline"]["iid"], &job["pipeline"]["ref"]), (&json!("1"), &json!("main")));
    registry.publish(&registry.app, "tool", secret).await.expect(201);
    registry.pull(&registry.app, "tool", secret).await.expect(200);

    // Every way that GitLab's clients present it.
    let path = Registry::path(&registry.app, "tool");
    let basic = |name: &str| format!("Basic {}", STANDARD.encode(format!("{name}:{secret}")));
    for (name, value, status) in [
        ("authorization", basic("gitlab-ci-token"), 200),
        ("authorization", format!("Bearer {secret}"), 200),
        ("private-token", secret.to_owned(), 401),
        ("deploy-token", secret.to_owned(), 401),
    ] {
        registry.client.get(&path).header(name, value).send().await.expect(status);
    }
    registry.client.get(format!("{path}?job_token={secret}")).send().await.expect(200);
    registry.client.get(&path).header("job-token", "glcbt-nobodyissuedthis").send().await.expect(401);
    let personal = registry.world.people.owner.secret().expect("a token");
    registry.client.get(&path).header("job-token", personal).send().await.expect(401);

    let ended = registry.run(&registry.world.people.maintainer, END, json!({ "id": job["job"]["id"] })).await;
    assert!(ended["job"]["finishedAt"].is_string());
    registry.pull(&registry.app, "tool", secret).await.expect(401);
    registry.publish(&registry.app, "tool", secret).await.expect(401);
    let again = registry.run(&registry.world.people.maintainer, END, json!({ "id": job["job"]["id"] })).await;
    assert_eq!(again, ended, "what has ended stays so");

    let job = registry.job().await;
    registry.pull(&registry.app, "tool", token(&job)).await.expect(200);
    registry.world.clock.advance(Duration::hours(1));
    registry.pull(&registry.app, "tool", token(&job)).await.expect(401);
}

#[tokio::test]
async fn a_job_does_with_packages_what_its_user_may_and_nothing_else() {
    let registry = Registry::new().await;
    let job = registry.job().await;
    let bearer = Person::bearing(token(&job));
    for (document, input) in [
        (CREATE, registry.pipeline(SHA)),
        (
            "mutation P($input: CreatePersonalAccessTokenInput!) { createPersonalAccessToken(input: $input) { token } }",
            json!({ "name": "more", "scopes": ["api"] }),
        ),
        (
            "mutation U($input: UpdateProjectInput!) { updateProject(input: $input) { errors } }",
            json!({ "fullPath": registry.app.full_path, "name": "Mine" }),
        ),
        (
            ALLOW,
            json!({ "projectPath": registry.app.full_path, "targetProjectPath": registry.lib.full_path }),
        ),
        (END, json!({ "id": job["job"]["id"] })),
    ] {
        let refused = registry.code(&bearer, document, input).await;
        assert!(["FORBIDDEN", "NOT_FOUND"].contains(&refused.as_str()), "{document}: {refused}");
    }
    // A job in the name of a reporter pulls and does not publish; one of an administrator is none.
    let people = &registry.world.people;
    registry.publish_by(&registry.app, "tool", &people.owner).await;
    for (person, pulls, publishes) in
        [(&people.reporter, 200, 403), (&people.outsider, 404, 404), (&people.administrator, 404, 404)]
    {
        let mut input = registry.pipeline(SHA);
        input["userId"] = format!("gid://gitlab/User/{}", person.user().expect("a user")).into();
        let job = registry.run(&people.administrator, CREATE, input).await;
        registry.pull(&registry.app, "tool", token(&job)).await.expect(pulls);
        registry.publish(&registry.app, "more", token(&job)).await.expect(publishes);
    }
    let block = "mutation B($input: SetUserBlockedInput!) { setUserBlocked(input: $input) { errors } }";
    let user = format!("gid://gitlab/User/{}", people.maintainer.user().expect("a user"));
    registry.run(&people.administrator, block, json!({ "id": user, "blocked": true })).await;
    registry.pull(&registry.app, "tool", token(&job)).await.expect(401);
}

#[tokio::test]
async fn who_makes_job_tokens_and_of_what() {
    let registry = Registry::new().await;
    let people = &registry.world.people;
    assert_eq!(registry.code(&people.developer, CREATE, registry.pipeline(SHA)).await, "FORBIDDEN");
    assert_eq!(registry.code(&people.outsider, CREATE, registry.pipeline(SHA)).await, "NOT_FOUND");
    assert_eq!(registry.code(&people.anonymous, CREATE, registry.pipeline(SHA)).await, "UNAUTHENTICATED");
    let mut of_owner = registry.pipeline(SHA);
    of_owner["userId"] = format!("gid://gitlab/User/{}", people.owner.user().expect("a user")).into();
    assert_eq!(registry.code(&people.maintainer, CREATE, of_owner.clone()).await, "FORBIDDEN");
    registry.run(&people.administrator, CREATE, of_owner).await;
    for (field, value) in [
        ("sha", json!("main")),
        ("sha", json!("0123")),
        ("ref", json!(" ")),
        ("ref", json!("a\nb")),
        ("timeoutSeconds", json!(0)),
        ("timeoutSeconds", json!(86_401)),
        ("webUrl", json!("javascript:alert(1)")),
        ("name", json!("")),
    ] {
        let mut input = registry.pipeline(SHA);
        input[field] = value.clone();
        assert_eq!(registry.code(&people.maintainer, CREATE, input).await, "INVALID", "{field} {value}");
    }
    let first = registry.job().await;
    let mut input = json!({ "projectPath": registry.app.full_path, "pipelineId": first["pipeline"]["id"] });
    let second = registry.run(&people.maintainer, CREATE, input.clone()).await;
    assert_eq!(second["pipeline"], first["pipeline"], "another job of the same");
    input["projectPath"] = registry.lib.full_path.clone().into();
    assert_eq!(registry.code(&people.maintainer, CREATE, input).await, "INVALID", "of another project");
    let end = json!({ "id": first["job"]["id"] });
    assert_eq!(registry.code(&people.developer, END, end).await, "NOT_FOUND");
}

#[tokio::test]
async fn another_project_lets_jobs_in_when_it_says_so() {
    let mut registry = Registry::new().await;
    let people = registry.world.people.clone();
    registry.publish_by(&registry.lib, "lib", &people.owner).await;
    let job = registry.job().await;
    let refused = registry.pull(&registry.lib, "lib", token(&job)).await.expect(403);
    assert!(refused.text().contains("allowlist"), "{}", refused.text());
    registry.publish(&registry.lib, "lib2", token(&job)).await.expect(403);
    let above = format!("/api/v4/groups/{}/-/packages/generic/lib/1.0.0/file.bin", registry.group.id);
    registry.client.get(&above).header("job-token", token(&job)).send().await.expect(404);

    let input = json!({ "projectPath": registry.lib.full_path, "targetProjectPath": registry.app.full_path });
    assert_eq!(registry.code(&people.developer, ALLOW, input.clone()).await, "FORBIDDEN");
    let allowed = registry.run(&people.maintainer, ALLOW, input.clone()).await;
    assert_eq!(
        allowed["ciJobTokenScope"],
        json!({ "inboundAllowlistCount": 1, "inboundAllowlist": { "nodes": [{ "fullPath": "acme/app" }] } })
    );
    registry.pull(&registry.lib, "lib", token(&job)).await.expect(200);
    registry.publish(&registry.lib, "lib2", token(&job)).await.expect(201);
    registry.client.get(&above).header("job-token", token(&job)).send().await.expect(200);
    let again = registry.world.graphql(&people.maintainer, ALLOW, json!({ "input": input })).await;
    assert!(again.to_string().contains("already in the job token scope"), "{again}");

    registry.run(&people.maintainer, DISALLOW, input.clone()).await;
    registry.pull(&registry.lib, "lib", token(&job)).await.expect(403);
    assert_eq!(registry.code(&people.maintainer, DISALLOW, input).await, "INVALID", "it is not there");

    // What is open to everybody signed in is open to jobs; what is for members only is not.
    let wide = registry.world.group("wide", Visibility::Internal).await;
    let mut open = registry.world.project(&wide, "open", Visibility::Internal).await;
    let strange = registry.world.deserted_group("other", Visibility::Private).await;
    let hidden = registry.world.project(&strange, "hidden", Visibility::Private).await;
    registry.publish_by(&open, "tool", &people.owner).await;
    registry.pull(&open, "tool", token(&job)).await.expect(200);
    registry.publish(&open, "tool2", token(&job)).await.expect(403);
    registry.world.set_registry(&mut open, RegistryAccessLevel::Private).await;
    registry.pull(&open, "tool", token(&job)).await.expect(403);
    registry.pull(&hidden, "tool", token(&job)).await.expect(404);
    registry.world.set_registry(&mut registry.lib, RegistryAccessLevel::Public).await;
    registry.pull(&registry.lib, "lib", token(&job)).await.expect(200);
}

#[tokio::test]
async fn a_package_remembers_its_pipelines_as_far_as_one_may_know_them() {
    let registry = Registry::new().await;
    let people = &registry.world.people;
    for digit in 0..7 {
        let sha = SHA.replacen('0', &digit.to_string(), 1);
        let job = registry.run(&people.maintainer, CREATE, registry.pipeline(&sha)).await;
        registry.publish(&registry.app, "tool", token(&job)).await.expect(201);
        registry.publish(&registry.app, "tool", token(&job)).await.expect(201);
    }
    registry.publish_by(&registry.app, "zero", &people.owner).await;
    let before = registry.world.statements();
    let answer =
        registry.world.graphql(&people.reporter, PIPELINES, json!({ "path": registry.app.full_path })).await;
    let spent = registry.world.statements() - before;
    let packages = &answer["data"]["project"]["packages"]["nodes"];
    let pipelines = &packages[0]["pipelines"];
    assert_eq!((&pipelines["count"], &pipelines["pageInfo"]["hasNextPage"]), (&json!(7), &json!(true)));
    let newest = SHA.replacen('0', "6", 1);
    assert_eq!(
        pipelines["nodes"],
        json!([{ "ref": "main", "sha": &newest[..8], "commitPath": format!("/acme/app/-/commit/{newest}"),
            "user": { "username": "maintainer" }, "project": { "fullPath": "acme/app" } }])
    );
    assert_eq!(packages[1]["pipelines"]["nodes"], json!([]));
    assert!(spent < 20, "{spent} statements");

    let packages = format!("/api/v4/projects/{}/packages", registry.app.id);
    let listed = registry.client.get(&packages).by(&people.reporter).send().await.expect(200).json();
    let id = &listed[0]["id"];
    let one = format!("{packages}/{id}");
    let shown = registry.client.get(&one).by(&people.reporter).send().await.expect(200).json();
    let last = shown["pipelines"].as_array().expect("pipelines");
    assert_eq!(last.len(), 5, "the last five");
    assert_eq!((&last[0]["sha"], &last[0]["user"]["username"]), (&json!(newest), &json!("maintainer")));
    assert_eq!(last[0]["project_id"], registry.app.id.0);
    let first = registry.client.get(format!("{one}/pipelines?per_page=4")).by(&people.reporter).send().await;
    let first = first.expect(200);
    let link = first.header("link").to_owned();
    assert_eq!(first.json().as_array().map(Vec::len), Some(4));
    let next =
        link.split_once("http://registry.test").and_then(|(_, rest)| rest.split_once('>')).expect("a link").0;
    let rest = registry.client.get(next).by(&people.reporter).send().await.expect(200);
    assert_eq!((rest.json().as_array().map(Vec::len), rest.header("link")), (Some(3), ""));
    for wrong in ["0", "21", "x"] {
        let path = format!("{one}/pipelines?per_page={wrong}");
        registry.client.get(path).by(&people.reporter).send().await.expect(400);
    }
}

#[tokio::test]
async fn pipelines_of_a_project_that_one_may_not_see_are_not_shown() {
    let registry = Registry::new().await;
    let people = &registry.world.people;
    let input = json!({ "projectPath": registry.lib.full_path, "targetProjectPath": registry.app.full_path });
    registry.run(&people.maintainer, ALLOW, input).await;
    let job = registry.job().await;
    registry.publish(&registry.lib, "lib", token(&job)).await.expect(201);
    registry.world.join(&registry.lib, &people.outsider, Role::Developer).await;
    let seen = async |person| {
        let answer =
            registry.world.graphql(person, PIPELINES, json!({ "path": registry.lib.full_path })).await;
        answer["data"]["project"]["packages"]["nodes"][0]["pipelines"]["count"].clone()
    };
    assert_eq!(seen(&people.reporter).await, 1);
    assert_eq!(seen(&people.outsider).await, 0);
}

#[tokio::test]
async fn the_rest_api_shows_and_changes_the_allowlist() {
    let registry = Registry::new().await;
    let people = &registry.world.people;
    let scope = format!("/api/v4/projects/{}/job_token_scope", registry.lib.id);
    let allowlist = format!("{scope}/allowlist");
    let target = json!({ "target_project_id": registry.app.id });
    let request = |method: &str, path: &str, by: &Person| {
        registry.client.request(method.parse().expect("a method"), path).by(by)
    };
    let shown = request("GET", &scope, &people.maintainer).send().await.expect(200).json();
    assert_eq!(shown, json!({ "inbound_enabled": true, "outbound_enabled": false }));
    request("GET", &scope, &people.developer).send().await.expect(403);
    request("GET", &allowlist, &people.outsider).send().await.expect(404);
    request("POST", &allowlist, &people.developer).json(&target).send().await.expect(403);
    let added = request("POST", &allowlist, &people.maintainer).json(&target).send().await.expect(201).json();
    assert_eq!(added, json!({ "source_project_id": registry.lib.id, "target_project_id": registry.app.id }));
    request("POST", &allowlist, &people.maintainer).json(&target).send().await.expect(400);
    request("POST", &allowlist, &people.maintainer).json(&json!({})).send().await.expect(400);
    let listed = request("GET", &allowlist, &people.maintainer).send().await.expect(200).json();
    assert_eq!(listed[0]["path_with_namespace"], "acme/app");
    let one = format!("{allowlist}/{}", registry.app.id);
    request("DELETE", &one, &people.developer).send().await.expect(403);
    request("DELETE", &one, &people.maintainer).send().await.expect(204);
    request("DELETE", &one, &people.maintainer).send().await.expect(404);
    request("PATCH", &scope, &people.maintainer).json(&json!({ "enabled": true })).send().await.expect(204);
    request("PATCH", &scope, &people.maintainer).json(&json!({ "enabled": false })).send().await.expect(400);
}
