//! Every route there is, called by those who may not: a route that forgets to ask is found here, whoever added it.

use std::{collections::BTreeMap, fmt::Write as _};

use domain::{Scope, Visibility};
use gateway::{CsrfToken, Intent, RouteInfo};
use http::Method;
use serde_json::{Value, json};
use testkit::{Answer, Client, Person, Project, Request, World, artefacts::npm};

use crate::{
    limits::count_no_wrong_credentials,
    world::{routes, session, world},
};

/// Stands in the names of what strangers may not see.
const SECRET: &str = "zzsecret";

/// What a token may do to itself, whatever its scopes: GitLab's rule.
const OWN_TOKEN: &[&str] = &["/api/v4/personal_access_tokens/self"];

struct Audit {
    world: World,
    client: Client,
    private: Project,
    public: Project,
    private_group: i64,
    public_group: i64,
    reader: Person,
    deploy_reader: Person,
    package_ids: BTreeMap<i64, (i64, i64)>,
    complaints: String,
    calls: usize,
}

const IDS: &str = "query I($scope: PackageScopeInput!, $name: String!) { \
    packageVersion(scope: $scope, packageType: GENERIC, packageName: $name, packageVersion: \"1.0.0\") { id } \
    packageFile(scope: $scope, packageType: GENERIC, packageName: $name, packageVersion: \"1.0.0\", fileName: \"file.bin\") { id } }";

fn number(id: &Value) -> i64 {
    id.as_str().and_then(|id| id.rsplit('/').next()).and_then(|id| id.parse().ok()).expect("a global id")
}

/// What the package of a project is called; the scoped one has `@acme/` before it.
fn package(project: &Project) -> String {
    project.full_path.rsplit('/').next().expect("a path").to_owned()
}

impl Audit {
    async fn new() -> Self {
        let (world, client) = world().await;
        count_no_wrong_credentials(&world).await;
        let secret = world.group(SECRET, Visibility::Private).await;
        let open = world.group("open", Visibility::Public).await;
        let private = world.project(&secret, &format!("{SECRET}-project"), Visibility::Private).await;
        let public = world.project(&open, "open-project", Visibility::Public).await;
        let reader = world.people.reader.clone();
        let deploy_reader = world.group_deploy_token(&secret, Scope::ReadPackageRegistry).await;
        let mut audit = Self {
            private_group: secret.id.0,
            public_group: open.id.0,
            world,
            client,
            private,
            public,
            reader,
            deploy_reader,
            package_ids: BTreeMap::new(),
            complaints: String::new(),
            calls: 0,
        };
        for project in [audit.private.clone(), audit.public.clone()] {
            audit.furnish(&project).await;
        }
        audit
    }

    async fn furnish(&mut self, project: &Project) {
        let owner = self.world.people.owner.clone();
        let packages = format!("/api/v4/projects/{}/packages", project.id);
        let name = package(project);
        for name in [name.clone(), format!("@acme/{name}")] {
            let document = npm::Version::new(&name, "1.0.0").document();
            let path = format!("{packages}/npm/{}", name.replace('/', "%2f"));
            self.client.put(path).json(&document).by(&owner).send().await.expect(200);
        }
        let path = format!("{packages}/generic/{name}/1.0.0/file.bin");
        self.client.put(path).body(SECRET).by(&owner).send().await.expect(201);
        let path = format!("{packages}/maven/com/acme/{name}/1.0/file.bin");
        self.client.put(path).body(SECRET).by(&owner).send().await.expect(200);
        let variables = json!({ "scope": { "projectPath": project.full_path }, "name": name });
        let ids = self.world.graphql(&owner, IDS, variables).await;
        let ids = (number(&ids["data"]["packageVersion"]["id"]), number(&ids["data"]["packageFile"]["id"]));
        self.package_ids.insert(project.id.0, ids);
    }

    /// The addresses of a route for a project: with what exists, with what does not, by id and by path.
    fn addresses(&self, route: &RouteInfo, project: &Project) -> Vec<String> {
        let is_private = project.id == self.private.id;
        let group = if is_private { self.private_group } else { self.public_group };
        let group_path = project.full_path.split('/').next().expect("a path");
        let by_path = project.full_path.replace('/', "%2F");
        let of_group = route.pattern.starts_with("/api/v4/groups/");
        let holders = if of_group {
            [group.to_string(), group_path.to_owned()]
        } else {
            [project.id.to_string(), by_path]
        };
        let (package_id, file_id) = self.package_ids[&project.id.0];
        let name = package(project);
        let is_npm = route.pattern.contains("/packages/npm");
        let scoped = route.pattern.contains("{first}");
        let mut addresses = Vec::new();
        for holder in holders {
            for existing in [true, false] {
                let known = |known: String| if existing { known } else { "nonsense".to_owned() };
                let number = |known: i64| if existing { known.to_string() } else { "999999".to_owned() };
                let fill = |parameter: &str| match parameter {
                    "id" => holder.clone(),
                    "name" | "package_name" => known(name.clone()),
                    "first" => "@acme".to_owned(),
                    "second" if scoped => known(name.clone()),
                    "third" | "version" | "package_version" => "1.0.0".to_owned(),
                    "tag" => "latest".to_owned(),
                    "revision" => "1-abc".to_owned(),
                    "user" => "org.couchdb.user:owner".to_owned(),
                    "*path" => format!("com/acme/{}/1.0/file.bin", known(name.clone())),
                    "*file" if is_npm => format!("{name}-1.0.0.tgz"),
                    "*file" | "file_name" => known("file.bin".to_owned()),
                    "package_id" => number(package_id),
                    "package_file_id" | "file_id" => number(file_id),
                    "*rest" => "nonsense/of/a/path".to_owned(),
                    _ => number(1),
                };
                addresses.push(filled(&route.pattern, fill));
            }
        }
        addresses.sort();
        addresses.dedup();
        addresses
    }

    /// Bodies that a route might accept.
    fn bodies(route: &RouteInfo, project: &Project) -> Vec<Value> {
        if matches!(route.method, Method::GET | Method::HEAD) {
            return vec![Value::Null];
        }
        let document = npm::Version::new(package(project), "2.0.0").document();
        vec![Value::Null, json!({}), json!("1.0.0"), document]
    }

    async fn call(&mut self, method: &Method, path: &str, body: &Value, person: &Person) -> Answer {
        let request = self.client.request(method.clone(), path).by(person);
        let request = if body.is_null() { request } else { request.json(body) };
        self.send(request, person).await
    }

    /// The same for a page: whoever is a user comes with a session, and with a form that the page may have held.
    async fn visit(&mut self, method: &Method, path: &str, person: &Person) -> Answer {
        let request = self.client.request(method.clone(), path).header("accept", "text/html");
        let request = match person.user() {
            Some(_) => {
                let secret = session(&self.world, person).await;
                let form = format!("authenticity_token={}", CsrfToken::of(&secret).as_str());
                request
                    .header("cookie", format!("_entrepot_session={secret}"))
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body(form)
            }
            None => request,
        };
        self.send(request, person).await
    }

    async fn send(&mut self, request: Request, person: &Person) -> Answer {
        self.calls += 1;
        let answer = request.send().await;
        if answer.status.is_server_error() {
            let _ = writeln!(
                self.complaints,
                "{} by {}: {} {}",
                answer.described,
                person.name,
                answer.status,
                answer.text()
            );
        }
        answer
    }

    fn complain(&mut self, answer: &Answer, person: &Person, why: &str) {
        let _ =
            writeln!(self.complaints, "{} by {}: {}, {why}", answer.described, person.name, answer.status);
    }
}

/// The pattern with every capture filled.
fn filled(pattern: &str, fill: impl Fn(&str) -> String) -> String {
    let mut address = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        let (parameter, after) = after.split_once('}').expect("a capture ends");
        address.push_str(before);
        address.push_str(&fill(parameter));
        rest = after;
    }
    address + rest
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_lets_a_stranger_in() {
    let mut audit = Audit::new().await;
    let strangers = [
        audit.world.people.anonymous.clone(),
        audit.world.people.impostor.clone(),
        audit.world.people.outsider.clone(),
    ];
    let project = audit.private.clone();
    let pages: Vec<String> = web::route_infos().into_iter().map(|page| page.pattern).collect();
    for route in routes() {
        let is_page = pages.contains(&route.pattern);
        for path in audit.addresses(&route, &project) {
            for body in Audit::bodies(&route, &project) {
                for person in &strangers {
                    let answer = if is_page {
                        audit.visit(&route.method, &path, person).await
                    } else {
                        audit.call(&route.method, &path, &body, person).await
                    };
                    let lets_in = answer.status.is_success() || answer.status.is_redirection();
                    if lets_in && answer.text().contains(SECRET) {
                        audit.complain(&answer, person, "which shows what is secret");
                    }
                    let harmless = matches!(route.intent, Intent::Open | Intent::Identify);
                    let is_outsider = person.user().is_some();
                    // What names no project or group shows what the caller may see, an outsider's own things included.
                    let names_secret = route.pattern.contains("{id}") && !is_outside(&route.pattern);
                    if lets_in && !harmless && names_secret {
                        audit.complain(&answer, person, "on something private");
                    }
                    if lets_in && route.intent == Intent::Write && !is_outsider {
                        audit.complain(&answer, person, "to a change");
                    }
                }
            }
        }
    }
    audit.finish().await;
}

/// Whether `{id}` of the pattern is neither a project nor a group.
fn is_outside(pattern: &str) -> bool {
    !pattern.starts_with("/api/v4/projects/") && !pattern.starts_with("/api/v4/groups/")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_lets_a_reading_token_change_anything() {
    let mut audit = Audit::new().await;
    let readers = [
        audit.reader.clone(),
        audit.world.people.api_reader.clone(),
        audit.deploy_reader.clone(),
        audit.world.people.anonymous.clone(),
    ];
    for project in [audit.private.clone(), audit.public.clone()] {
        for route in routes() {
            for path in audit.addresses(&route, &project) {
                for body in Audit::bodies(&route, &project) {
                    for person in &readers {
                        if OWN_TOKEN.iter().any(|own| route.pattern.starts_with(own)) {
                            continue;
                        }
                        let answer = audit.call(&route.method, &path, &body, person).await;
                        if route.intent == Intent::Write && answer.status.is_success() {
                            audit.complain(&answer, person, "to a change");
                        }
                    }
                }
            }
        }
    }
    audit.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reads_declares_that_it_reads() {
    for route in routes() {
        let changes = matches!(route.method, Method::PUT | Method::DELETE | Method::PATCH);
        assert!(
            !(changes && route.intent == Intent::Read),
            "{} {} says that it reads",
            route.method,
            route.pattern
        );
        assert!(
            !(route.method == Method::GET && route.intent == Intent::Write),
            "{} {}: a GET changes nothing",
            route.method,
            route.pattern
        );
    }
}

impl Audit {
    /// What was there is still there, and nothing else is.
    async fn finish(mut self) {
        let owner = self.world.people.owner.clone();
        for project in [self.private.clone(), self.public.clone()] {
            let name = package(&project);
            let packages = format!("/api/v4/projects/{}/packages", project.id);
            let packument =
                self.call(&Method::GET, &format!("{packages}/npm/{name}"), &Value::Null, &owner).await;
            let versions = packument.json()["versions"].as_object().map_or(0, serde_json::Map::len);
            assert_eq!(versions, 1, "{}: {}", packument.described, packument.text());
            let path = format!("{packages}/generic/{name}/1.0.0/file.bin");
            let file = self.call(&Method::GET, &path, &Value::Null, &owner).await;
            assert_eq!(file.text(), SECRET);
        }
        self.world.nothing_stays_staged().await;
        assert!(self.complaints.is_empty(), "of {} calls:\n{}", self.calls, self.complaints);
    }
}
