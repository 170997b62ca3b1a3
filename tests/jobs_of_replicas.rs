//! Two servers on one database do what is to be done beside requests: each piece of it once, though one of them dies in the middle.
//! SQLite has one server, so that this needs PostgreSQL.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use testkit::PostgresDatabase;

use crate::{
    clients::say,
    server::{ROOT_TOKEN, Server, Setup},
};

/// Locks the second name of the project whose retention is asked for last.
const LAST_NAME: &str =
    "SELECT id FROM package_names WHERE name = 'second' ORDER BY project_id DESC LIMIT 1 FOR UPDATE";

/// Projects, each with a policy of each kind.
const PROJECTS: i64 = 8;
/// Versions of each of the two names that lose all but one.
const VERSIONS: i64 = 120;
/// Files of one name that lose all but one.
const FILES: i64 = 60;
/// Versions that go in one transaction: of the two names, those of the first go in the beginning.
const AT_ONCE: i64 = 100;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// Jobs that do the work of policies, and are wanted or under way.
const UNDONE: &str = "SELECT COUNT(*) FROM background_jobs WHERE kind IN ('package_cleanup', 'package_retention') \
    AND (run_at IS NOT NULL OR locked_by IS NOT NULL)";
/// Servers that are at such a job.
const AT_WORK: &str = "SELECT COUNT(DISTINCT locked_by) FROM background_jobs \
    WHERE kind IN ('package_cleanup', 'package_retention') AND locked_by IS NOT NULL";

/// The process that is at the only job which is under way.
const PROCESS: &str = "SELECT CAST(SPLIT_PART(locked_by, '-', 1) AS BIGINT) FROM background_jobs \
    WHERE kind = 'package_retention' AND locked_by IS NOT NULL";

/// How many versions are gone by a job that is under way.
const GONE: &str = "SELECT COALESCE(MAX(CAST(progress->>'deleted' AS BIGINT)), 0) FROM background_jobs \
    WHERE kind = 'package_retention' AND locked_by IS NOT NULL";

fn wait_until(database: &PostgresDatabase, sql: &str, expected: i64) {
    let begun = Instant::now();
    loop {
        let number = database.number(sql);
        if number == expected {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{sql}: {number} rather than {expected}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Projects with packages, their policies, and all of it due.
fn arrange(server: &Server) {
    let input = json!({ "path": "acme", "name": "acme", "visibility": "private" });
    server.graphql(
        "mutation G($input: CreateGroupInput!) { createGroup(input: $input) { errors } }",
        &json!({ "input": input }),
    );
    let input = json!({ "namespacePath": "acme", "auditEventsEnabled": true });
    server.graphql(
        "mutation S($input: UpdateNamespacePackageSettingsInput!) { updateNamespacePackageSettings(input: $input) { \
         errors } }",
        &json!({ "input": input }),
    );
    for number in 0..PROJECTS {
        let (path, full_path) = (format!("project-{number}"), format!("acme/project-{number}"));
        let document = "mutation P($project: CreateProjectInput!, $cleanup: UpdatePackagesCleanupPolicyInput!, \
             $retention: UpdatePackageRetentionPolicyInput!) { createProject(input: $project) { errors } \
             updatePackagesCleanupPolicy(input: $cleanup) { errors } \
             updatePackageRetentionPolicy(input: $retention) { errors } }";
        let variables = json!({
            "project": { "namespacePath": "acme", "path": path },
            "cleanup": { "projectPath": full_path, "keepNDuplicatedPackageFiles": "ONE_PACKAGE_FILE" },
            "retention": { "projectPath": full_path, "rules": [{ "keepLast": 1 }] },
        });
        server.graphql(document, &variables);
        for name in ["first", "second", "grown"] {
            let path = format!("/api/v4/projects/acme%2F{path}/packages/generic/{name}/1/a.bin");
            let answer = server.request("PUT", &path, &[("PRIVATE-TOKEN", ROOT_TOKEN)], name.as_bytes());
            assert_eq!(answer.status, 201, "{}", answer.text());
        }
    }
}

/// Gives the packages their versions and files, which publishing would take minutes for, and makes the policies due.
fn make_due(database: &PostgresDatabase) {
    database.run(format!(
        "INSERT INTO packages (name_id, project_id, format, name, version, version_key, version_order, status, metadata, \
         created_at, updated_at) SELECT k.name_id, k.project_id, k.format, k.name, n.text, n.text, n.text, k.status, k.metadata, \
         k.created_at - n.age, k.updated_at FROM packages k, (SELECT n AS number, CAST(n AS TEXT) AS text, \
         n * INTERVAL '1 second' AS age FROM generate_series(2, {VERSIONS}) AS n) AS n \
         WHERE k.name <> 'grown' ORDER BY k.name_id, n.number"
    ));
    database.run(format!(
        "INSERT INTO package_files (package_id, blob_id, file_name, properties, status, created_at, updated_at) \
         SELECT k.id, f.blob_id, f.file_name, f.properties, f.status, k.created_at, f.updated_at FROM package_files f \
         JOIN packages first ON first.id = f.package_id JOIN packages k ON k.name_id = first.name_id AND k.id <> first.id \
         UNION ALL SELECT f.package_id, f.blob_id, f.file_name, f.properties, f.status, f.created_at, f.updated_at \
         FROM package_files f JOIN packages k ON k.id = f.package_id, generate_series(2, {FILES}) WHERE k.name = 'grown'"
    ));
    for table in ["packages_cleanup_policies", "package_retention_policies"] {
        database.run(format!("UPDATE {table} SET next_run_at = now() - INTERVAL '1 hour'"));
    }
    database.run(
        "UPDATE background_jobs SET run_at = now() - INTERVAL '1 hour', locked_by = NULL, locked_until = NULL \
         WHERE kind = 'policy_schedule'",
    );
}

/// A killed server is not waited for as long as a lease lasts.
const LET_GO: &str =
    "UPDATE background_jobs SET locked_until = now() - INTERVAL '1 second' WHERE locked_by IS NOT NULL";

#[test]
fn two_servers_never_do_the_same_work_twice() {
    if std::env::var_os("ENTREPOT_TEST_POSTGRES_URL").is_none() {
        return say("skipped: ENTREPOT_TEST_POSTGRES_URL names no server");
    }
    let mut one = Server::start(Setup { postgres: true, ..Setup::default() });
    arrange(&one);
    one.kill();
    let database = &*one.database();
    make_due(database);
    // The work on the last project comes to a halt in its middle, and all work on packages at its beginning.
    let last = database.hold(LAST_NAME);
    let all = database.hold("LOCK TABLE package_names IN SHARE MODE");
    one.start_again();
    let mut two = one.replica();
    wait_until(database, AT_WORK, 2);
    drop(all);
    wait_until(database, UNDONE, 1);
    wait_until(database, GONE, AT_ONCE);
    let process = u32::try_from(database.number(PROCESS)).expect("a process");
    let (victim, survivor) = if process == one.pid() { (&mut one, &two) } else { (&mut two, &one) };
    assert_eq!(victim.pid(), process, "one of the two is at it");
    victim.kill();
    drop(last);
    database.run(LET_GO);
    wait_until(database, UNDONE, 0);
    assert_eq!(survivor.request("GET", "/-/health", &[], b"").status, 200);
    check(database);
}

fn check(database: &PostgresDatabase) {
    let numbers = |expected: i64, about: &str, queries: &[&str]| {
        for sql in queries {
            assert_eq!(database.number(*sql), expected, "{about}: {sql}");
        }
    };
    // What is deleted twice is written down twice.
    let versions = PROJECTS * 2 * (VERSIONS - 1);
    numbers(
        versions,
        "versions",
        &[
            "SELECT COUNT(*) FROM packages WHERE deleted_at IS NOT NULL",
            "SELECT COUNT(*) FROM audit_events WHERE name = 'package_registry_package_deleted'",
            "SELECT COUNT(DISTINCT target_id) FROM audit_events WHERE name = 'package_registry_package_deleted'",
            "SELECT CAST(SUM(CAST(result->>'versions_deleted' AS BIGINT)) AS BIGINT) FROM background_job_runs WHERE status = 1",
        ],
    );
    numbers(
        PROJECTS * (FILES - 1),
        "files",
        &[
            "SELECT COUNT(*) FROM package_files f JOIN packages k ON k.id = f.package_id \
             WHERE k.name = 'grown' AND f.deleted_at IS NOT NULL",
            "SELECT COUNT(*) FROM audit_events WHERE name = 'package_registry_package_file_deleted'",
            "SELECT CAST(SUM(CAST(result->>'files_deleted' AS BIGINT)) AS BIGINT) FROM background_job_runs WHERE status = 1",
        ],
    );
    let runs_of = "FROM background_job_runs r JOIN background_jobs j ON j.id = r.job_id \
                   WHERE j.kind IN ('package_cleanup', 'package_retention')";
    numbers(2 * PROJECTS, "runs to the end", &[&format!("SELECT COUNT(*) {runs_of} AND r.status = 1")]);
    numbers(2 * PROJECTS + 1, "runs", &[&format!("SELECT COUNT(*) {runs_of}")]);
    numbers(2, "servers", &[&format!("SELECT COUNT(DISTINCT r.worker) {runs_of}")]);
}
