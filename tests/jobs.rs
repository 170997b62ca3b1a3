//! What servers do beside requests: who sees it, and that it is done.

use domain::Visibility;
use serde_json::{Value, json};
use time::Duration;

use crate::world::{code, world};

const JOBS: &str = "query J($kind: BackgroundJobKind) { backgroundJobs(kind: $kind, first: 10) { count nodes { \
    id name kind path everySeconds runAt worker failures lastError } } }";
const RUNS: &str = "query R { backgroundJobRuns(first: 10) { count nodes { id jobName kind status worker result \
    error finishedAt } } }";

#[tokio::test]
async fn regular_work_is_listed_once_and_done_when_it_is_due() {
    let (world, _) = world().await;
    let administrator = &world.people.administrator;
    let ran = world.run_jobs().await;
    assert!(ran >= 1, "what every instance does");
    assert_eq!(world.run_jobs().await, 0, "it has its next time");
    let answer = world.graphql(administrator, JOBS, json!({ "kind": "UPLOAD_SWEEP" })).await;
    let jobs = &answer["data"]["backgroundJobs"];
    assert_eq!(jobs["count"], 1, "{answer}");
    assert_eq!(jobs["nodes"][0]["name"], "upload_sweep");
    assert_eq!(jobs["nodes"][0]["everySeconds"], 3600);
    assert_eq!(jobs["nodes"][0]["worker"], Value::Null);
    assert_eq!(jobs["nodes"][0]["failures"], 0);
    world.clock.advance(Duration::HOUR);
    assert!(world.run_jobs().await >= 1);
    let answer = world.graphql(administrator, RUNS, Value::Null).await;
    let runs = answer["data"]["backgroundJobRuns"]["nodes"].as_array().expect("runs");
    let sweeps: Vec<_> = runs.iter().filter(|run| run["kind"] == "UPLOAD_SWEEP").collect();
    assert_eq!(sweeps.len(), 2, "{answer}");
    for run in sweeps {
        assert_eq!(run["status"], "SUCCEEDED");
        assert_eq!(run["result"], json!({ "uploads_removed": 0 }));
        assert_eq!(run["worker"], "test");
    }
}

#[tokio::test]
async fn the_list_of_jobs_is_for_administrators() {
    let (world, _) = world().await;
    let group = world.group("acme", Visibility::Public).await;
    let project = world.project(&group, "web", Visibility::Public).await;
    let people = &world.people;
    for (person, outcome) in
        [(&people.anonymous, "UNAUTHENTICATED"), (&people.owner, "FORBIDDEN"), (&people.administrator, "OK")]
    {
        assert_eq!(code(&world, person, JOBS, json!({})).await, outcome, "{}", person.name);
        assert_eq!(code(&world, person, RUNS, json!({})).await, outcome, "{}", person.name);
    }
    let of_places = "query P($project: ID!, $group: ID!) { project(fullPath: $project) { backgroundJobRuns { count } } \
        group(fullPath: $group) { backgroundJobRuns { count } } }";
    let variables = json!({ "project": project.full_path, "group": group.full_path });
    for (person, project, group) in [
        (&people.anonymous, Value::Null, Value::Null),
        (&people.developer, Value::Null, Value::Null),
        (&people.maintainer, json!({ "count": 0 }), Value::Null),
        (&people.owner, json!({ "count": 0 }), json!({ "count": 0 })),
    ] {
        let answer = world.graphql(person, of_places, variables.clone()).await;
        assert_eq!(answer["data"]["project"]["backgroundJobRuns"], project, "{}: {answer}", person.name);
        assert_eq!(answer["data"]["group"]["backgroundJobRuns"], group, "{}: {answer}", person.name);
    }
}
