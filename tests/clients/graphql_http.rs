//! What the makers of GraphQL's tools measure servers and schemas by: the audits of GraphQL over HTTP, and the rules of graphql-eslint.

use serde::Deserialize;

use super::Workplace;
use crate::server::{ROOT_TOKEN, Server, Setup};

/// The program that has the packages, as `.ci/setup` installs it.
const NODE: &str = "node-with-graphql";

#[derive(Deserialize)]
struct Audit {
    id: String,
    name: String,
    status: String,
    reason: Option<String>,
}

#[test]
fn every_must_and_should_of_graphql_over_http_holds() {
    let Some(place) = Workplace::new(&[NODE], "") else { return };
    let server = Server::start(Setup::default());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/graphql_http.cjs");
    let told = place.run(".", &[script, &format!("{}/api/graphql", server.url()), ROOT_TOKEN]);
    let audits: Vec<Audit> = serde_json::from_str(told.trim()).expect("JSON");
    assert!(audits.len() > 50, "only {} audits", audits.len());
    let broken: Vec<_> = audits
        .iter()
        .filter(|audit| matches!(audit.status.as_str(), "error" | "warn"))
        .map(|audit| format!("{} {}: {}", audit.id, audit.name, audit.reason.as_deref().unwrap_or_default()))
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[derive(Deserialize)]
struct Finding {
    rule: String,
    line: u32,
    text: String,
}

/// What the linter finds and shall stay: the rule, what the text ends with or has in it, and why.
const EXPLAINED: &[(&str, &str, &str)] = &[
    ("naming-convention", "\"AccessLevelEnum\" should not", "GitLab's name"),
    ("naming-convention", "\"CiJobTokenScopeType\" should not", "GitLab's name"),
    ("naming-convention", "\"ConanMetadatumFileTypeEnum\" should not", "GitLab's name"),
    ("naming-convention", "\"PackageTypeEnum\" should not", "GitLab's name"),
    ("naming-convention", "\"PackagesCleanupKeepDuplicatedPackageFilesEnum\" should not", "GitLab's name"),
    ("naming-convention", "\"VisibilityLevelsEnum\" should not", "GitLab's name"),
    ("naming-convention", "\"MemberInterface\" should not", "GitLab's name"),
    ("naming-convention", "\"PackageComposerJsonType\" should not", "GitLab's name"),
    ("naming-convention", "\"PackageDetailsType\" should not", "GitLab's name"),
    ("naming-convention", "\"PackageHelmDependencyType\" should not", "GitLab's name"),
    ("naming-convention", "\"PackageHelmMaintainerType\" should not", "GitLab's name"),
    ("naming-convention", "\"PackageHelmMetadataType\" should not", "GitLab's name"),
    ("naming-convention", "Field \"_links\"", "GitLab's name"),
    ("naming-convention", "Leading underscores are not allowed", "`_links`, GitLab's name"),
    ("naming-convention", "Enum value \"active\"", "GitLab's value of UserState"),
    ("naming-convention", "Enum value \"blocked\"", "GitLab's value of UserState"),
    ("naming-convention", "Enum value \"internal\"", "GitLab's value of VisibilityLevelsEnum"),
    ("naming-convention", "Enum value \"private\"", "GitLab's value of VisibilityLevelsEnum"),
    ("naming-convention", "Enum value \"public\"", "GitLab's value of VisibilityLevelsEnum"),
    ("naming-convention", "Field \"queryComplexity\"", "GitLab's name"),
    ("no-typename-prefix", "Field \"queryComplexity\"", "GitLab's name"),
    ("no-typename-prefix", "Field \"groupMembers\"", "GitLab's name"),
    ("no-typename-prefix", "Field \"projectMembers\"", "GitLab's name"),
    ("no-typename-prefix", "Field \"packageType\"", "GitLab's name"),
    (
        "require-description",
        "Connection\"",
        "connections are made by async-graphql, which has no text for them",
    ),
    ("relay-arguments", "Field `packageIndexes`", "ours, read from its beginning to its end"),
];

#[test]
fn the_linter_finds_nothing_unexplained() {
    let Some(place) = Workplace::new(&[NODE], "") else { return };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/graphql_lint.cjs");
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql");
    let told = place.run(".", &[script, schema]);
    let findings: Vec<Finding> = serde_json::from_str(told.trim()).expect("JSON");
    let fits = |finding: &Finding, (rule, text, _): &(&str, &str, &str)| {
        finding.rule == *rule && finding.text.contains(text)
    };
    let unexplained: Vec<_> = findings
        .iter()
        .filter(|finding| !EXPLAINED.iter().any(|explained| fits(finding, explained)))
        .map(|finding| format!("line {}: {}: {}", finding.line, finding.rule, finding.text))
        .collect();
    assert!(unexplained.is_empty(), "{}", unexplained.join("\n"));
    for explained in EXPLAINED {
        assert!(
            findings.iter().any(|finding| fits(finding, explained)),
            "nothing to explain any more: {explained:?}"
        );
    }
}
