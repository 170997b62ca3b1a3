//! Every mutation of the schema leaves its event, or stands below with the reason why it does not; and whoever is refused one
//! is written down as well. What the schema gains is found here: a mutation that nobody thought of fails the test.

mod ci;
mod packages;
mod refusals;
mod sign_in;
mod steps;

use std::collections::BTreeSet;

use async_graphql::parser::{
    parse_schema,
    types::{TypeKind, TypeSystemDefinition},
};
use domain::Visibility;
use serde_json::{Value, json};
use testkit::{Client, Issuer, Person, Project, Trusted, World, artefacts::npm};

use crate::{
    sign_in::people,
    world::{code, router},
};

/// Mutations that leave no event.
const SILENT: &[(&str, &str)] = &[
    (
        "createUpload",
        "a place for bytes that nobody but the caller can name: what becomes of them is publishPackage's",
    ),
    ("beginProviderSignIn", "changes nothing: what becomes of it is completeProviderSignIn's"),
    ("echoCreate", "changes nothing"),
    ("virtualRegistriesCleanupPolicyUpsert", "refused to everybody, since there are no virtual registries"),
];

const EVENTS: &str = "query E { auditEvents(scope: {}, first: 50) { nodes { id \
    eventName entityType entityPath authorName targetType targetDetails message details } } }";

struct Trail {
    issuer: Issuer,
    world: World,
    client: Client,
    project: Project,
    seen: BTreeSet<String>,
}

/// One mutation: what it is given, who may and who may not.
struct Step<'a> {
    mutation: &'a str,
    input: Value,
    /// Fields of the payload beside `errors`.
    selection: &'a str,
    by: &'a Person,
    refused: &'a Person,
    events: &'a [&'a str],
}

impl Trail {
    async fn new() -> Self {
        let issuer = Issuer::start().await;
        let trusted = Trusted {
            issuers: vec![issuer.url().to_owned()],
            providers: vec![people(&issuer, false)],
            ..Trusted::default()
        };
        let world = World::believing(formats::rules(), trusted).await;
        let client = world.client(router(&world));
        let group = world.group("acme", Visibility::Private).await;
        let project = world.project(&group, "web", Visibility::Private).await;
        Self { issuer, world, client, project, seen: BTreeSet::new() }
    }

    /// The end of the log, newest first.
    async fn log(&self) -> Vec<Value> {
        let answer = self.world.graphql(&self.world.people.administrator, EVENTS, Value::Null).await;
        answer["data"]["auditEvents"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
    }

    /// The id of the newest event.
    async fn newest(&self) -> Value {
        self.log().await[0]["id"].clone()
    }

    /// What was written since the newest event was `before`, oldest first.
    async fn since(&self, before: &Value) -> Vec<Value> {
        let mut log: Vec<_> =
            self.log().await.into_iter().take_while(|event| event["id"] != *before).collect();
        log.reverse();
        log
    }

    async fn step(&mut self, step: Step<'_>) -> Value {
        let Step { mutation, input, selection, by, refused, events } = step;
        let document = document(mutation, selection);
        let variables = json!({ "input": input });
        self.refuses(mutation, &input, refused).await;

        let before = self.newest().await;
        let answer = self.world.graphql(by, &document, variables).await;
        assert_eq!(answer["data"][mutation]["errors"], json!([]), "{mutation}: {answer}");
        self.expect(mutation, &before, events, by).await;
        answer["data"][mutation].clone()
    }

    /// A mutation is refused to somebody without the role, to an owner whose token only reads, and to nobody in particular, who may
    /// try again with a credential and so is not written down.
    async fn refuses(&self, mutation: &str, input: &Value, refused: &Person) {
        let (document, variables) = (document(mutation, ""), json!({ "input": input }));
        let people = &self.world.people;
        for person in [refused, &people.api_reader, &people.anonymous] {
            let before = self.newest().await;
            let outcome = code(&self.world, person, &document, variables.clone()).await;
            let written = self.since(&before).await;
            if person.is_anonymous() {
                assert_eq!(outcome, "UNAUTHENTICATED", "{mutation}");
                assert_eq!(written, [Value::Null; 0], "{mutation}");
                continue;
            }
            let told = format!("{mutation} by {}: {outcome}", person.name);
            assert!(["FORBIDDEN", "NOT_FOUND"].contains(&outcome.as_str()), "{told}");
            assert_eq!(names(&written), ["package_registry_write_refused"], "{told}");
            assert_eq!(written[0]["details"]["operation"], mutation);
            // Who is told that there is nothing is written down as refused: the log is for those who may know.
            let hidden = outcome == "NOT_FOUND" && written[0]["details"]["code"] == "FORBIDDEN";
            assert!(hidden || written[0]["details"]["code"] == outcome, "{told}: {}", written[0]);
            assert_eq!(written[0]["authorName"], person.name, "{told}");
        }
    }

    async fn expect(&mut self, mutation: &str, before: &Value, events: &[&str], by: &Person) {
        let written = self.since(before).await;
        assert_eq!(names(&written), events, "{mutation}");
        for event in &written {
            assert_eq!(event["authorName"], by.name, "{mutation}: {event}");
            assert_ne!(event["message"], "", "{mutation}");
        }
        self.seen.insert(mutation.to_owned());
    }

    /// Publishes with npm's own protocol, which runs `publishPackage`.
    async fn publish(&mut self, version: &str, events: &[&str]) {
        let developer = self.world.people.developer.clone();
        let before = self.newest().await;
        let path = format!("/api/v4/projects/{}/packages/npm/app", self.project.id);
        let document = npm::Version::new("app", version).document();
        self.client.put(path).json(&document).by(&developer).send().await.expect(200);
        self.expect("publishPackage", &before, events, &developer).await;
    }

    /// The id of a version of `app`, and of its file.
    async fn ids(&self, version: &str) -> (Value, Value) {
        let document = "query P($scope: PackageScopeInput!, $version: String!) { packageVersion(scope: $scope, \
            packageType: NPM, packageName: \"app\", packageVersion: $version) { id packageFiles { nodes { id } } } }";
        let variables = json!({ "scope": { "projectPath": self.project.full_path }, "version": version });
        let answer = self.world.graphql(&self.world.people.owner, document, variables).await;
        let package = &answer["data"]["packageVersion"];
        (package["id"].clone(), package["packageFiles"]["nodes"][0]["id"].clone())
    }
}

fn document(mutation: &str, selection: &str) -> String {
    let kind = mutation[..1].to_uppercase() + &mutation[1..];
    format!("mutation M($input: {kind}Input!) {{ {mutation}(input: $input) {{ errors {selection} }} }}")
}

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["eventName"].as_str().expect("a name")).collect()
}

#[tokio::test]
async fn every_mutation_leaves_its_event() {
    let mut trail = Trail::new().await;
    steps::groups_and_projects(&mut trail).await;
    steps::packages(&mut trail).await;
    steps::protection_rules(&mut trail).await;
    steps::accounts(&mut trail).await;
    sign_in::sign_in(&mut trail).await;
    let silent: BTreeSet<_> = SILENT.iter().map(|(name, _)| (*name).to_owned()).collect();
    let missing: Vec<_> = mutations().difference(&(&trail.seen | &silent)).cloned().collect();
    assert!(missing.is_empty(), "neither tried here nor on the short list: {missing:?}");
    assert!(trail.seen.is_disjoint(&silent), "what leaves an event is not on the short list");
}

/// What the schema says can be changed.
fn mutations() -> BTreeSet<String> {
    let schema = parse_schema(graphql::sdl()).expect("our own schema");
    let mutation = schema.definitions.into_iter().find_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) if definition.node.name.node == "Mutation" => {
            Some(definition.node.kind)
        }
        _ => None,
    });
    let Some(TypeKind::Object(mutation)) = mutation else { panic!("the root of mutations is an object") };
    mutation.fields.iter().map(|field| field.node.name.node.to_string()).collect()
}
