//! What a job may know beside packages, and what is known of it.

use domain::{Role, Visibility};
use serde_json::{Value, json};
use testkit::Person;

use super::{ALLOW, CREATE, Registry, SHA, token};

/// A job knows the groups above the projects that it reaches, as far as its user does, and no other that its user is a member of.
#[tokio::test]
async fn a_job_knows_the_private_groups_above_what_it_reaches() {
    const GROUP: &str = "query G($path: ID!) { group(fullPath: $path) { name visibility } }";
    const GROUPS: &str = "query L { groups(first: 100) { nodes { fullPath } } }";
    let registry = Registry::new().await;
    let people = &registry.world.people;
    let beside = registry.world.group("beside", Visibility::Private).await;
    let lib = registry.world.project(&beside, "lib", Visibility::Private).await;
    registry.world.group("open", Visibility::Public).await;
    let job = registry.world.job(&registry.app, &people.maintainer).await;
    let known = async |person: &Person| {
        let mut known = Vec::new();
        for path in ["acme", "beside", "open"] {
            let answer = registry.world.graphql(person, GROUP, json!({ "path": path })).await;
            if answer["data"]["group"].is_object() {
                known.push(path);
            }
        }
        known
    };
    assert_eq!(known(&people.maintainer).await, ["acme", "beside", "open"]);
    assert_eq!(known(&job).await, ["acme", "open"]);
    let at_group = format!("/api/v4/groups/{}/-/packages/generic/tool/1.0.0/file.bin", beside.id);
    registry.publish_by(&lib, "tool", &people.owner).await;
    registry.client.get(&at_group).by(&job).send().await.expect(404);
    // A project of that group lets the job in.
    let input = json!({ "projectPath": lib.full_path, "targetProjectPath": registry.app.full_path });
    registry.run(&people.maintainer, ALLOW, input).await;
    assert_eq!(known(&job).await, ["acme", "beside", "open"]);
    registry.client.get(&at_group).by(&job).send().await.expect(200);
    // Whose user is no member of the group knows it no better by a job.
    registry.world.join(&registry.app, &people.outsider, Role::Developer).await;
    let of_outsider = registry.world.job(&registry.app, &people.outsider).await;
    assert_eq!(known(&people.outsider).await, ["acme", "open"]);
    assert_eq!(known(&of_outsider).await, ["acme", "open"]);
    // A token that reads packages lists no groups; a trusted publisher knows its project's name and no group.
    let publisher = registry.world.trusted_publisher(&registry.app).await;
    assert_eq!(known(&publisher).await, ["open"]);
    for person in [&job, &publisher] {
        let answer = registry.world.graphql(person, GROUPS, Value::Null).await;
        assert_eq!(answer["data"]["groups"]["nodes"], json!([]), "{}: {answer}", person.name);
    }
}

/// A file tells the pipeline that published it, in lists of any length with the same number of statements.
#[tokio::test]
async fn a_file_remembers_its_pipeline() {
    let registry = Registry::new().await;
    let people = &registry.world.people;
    registry.publish_by(&registry.app, "tool", &people.owner).await;
    let mut shas = vec![Value::Null];
    let mut job = Value::Null;
    for digit in 1..4 {
        let sha = SHA.replacen('0', &digit.to_string(), 1);
        job = registry.run(&people.maintainer, CREATE, registry.pipeline(&sha)).await;
        registry.publish(&registry.app, "tool", token(&job)).await.expect(201);
        shas.push(sha.into());
    }
    let packages = format!("/api/v4/projects/{}/packages", registry.app.id);
    let listed = registry.client.get(&packages).by(&people.reporter).send().await.expect(200).json();
    let files = format!("{packages}/{}/package_files", listed[0]["id"]);
    let spent = async |query: &str| {
        let before = registry.world.statements();
        let rows = registry.client.get(format!("{files}?{query}")).by(&people.reporter).send().await;
        let spent = registry.world.statements() - before;
        let rows = rows.expect(200).json().as_array().expect("a list").clone();
        (rows.iter().map(|row| row["pipelines"][0]["sha"].clone()).collect::<Vec<_>>(), spent)
    };
    let (all, of_all) = spent("per_page=100").await;
    assert_eq!(all, shas);
    let (last, of_one) = spent("per_page=1&sort=desc").await;
    assert_eq!(last, shas[3..]);
    assert_eq!(of_all, of_one);

    let current = registry.client.get("/api/v4/job").header("job-token", token(&job)).send().await;
    let current = current.expect(200).json();
    assert_eq!((&current["status"], &current["user"]["username"]), (&json!("running"), &json!("maintainer")));
    assert_eq!((&current["pipeline"]["sha"], &current["ref"]), (&shas[3], &json!("main")));
    registry.client.get("/api/v4/job").by(&people.maintainer).send().await.expect(404);
    registry.client.get("/api/v4/job").send().await.expect(401);
}
