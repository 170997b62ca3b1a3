//! What the graph of dependencies may hold, as `deny.toml` says it.
//!
//! cargo-deny reads the same file and looks further (texts of licences, several versions of one crate); it is a minute's
//! download or five minutes' build, so that what must hold is asked here with every test run.

use std::{collections::BTreeSet, fs};

use cargo_metadata::{CargoOpt, Metadata, MetadataCommand, Package};
use serde::Deserialize;
use spdx::{Expression, ParseMode};

#[derive(Deserialize)]
struct Deny {
    graph: Graph,
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Graph {
    targets: Vec<String>,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

fn read() -> (Deny, Vec<Metadata>) {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deny.toml")).expect("deny.toml");
    let deny: Deny = toml::from_str(&text).expect("graph, licenses and bans");
    let graphs = deny.graph.targets.iter().map(|target| {
        MetadataCommand::new()
            .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
            .features(CargoOpt::AllFeatures)
            .other_options(["--locked".to_owned(), "--filter-platform".to_owned(), target.clone()])
            .exec()
            .expect("cargo metadata")
    });
    let graphs = graphs.collect();
    (deny, graphs)
}

/// Packages from outside that some target builds.
fn foreign(graphs: &[Metadata]) -> impl Iterator<Item = &Package> {
    graphs.iter().flat_map(|graph| {
        let built: BTreeSet<_> =
            graph.resolve.iter().flat_map(|resolve| &resolve.nodes).map(|node| &node.id).collect();
        graph.packages.iter().filter(move |package| package.source.is_some() && built.contains(&package.id))
    })
}

#[test]
fn licences_bans_and_sources() {
    let (deny, graphs) = read();
    let allowed: Vec<Expression> =
        deny.licenses.allow.iter().map(|text| Expression::parse(text).expect("a licence")).collect();
    let is_allowed = |required: &spdx::LicenseReq| {
        allowed.iter().any(|expression| expression.requirements().any(|known| known.req == *required))
    };
    let mut complaints = BTreeSet::new();
    let mut count = 0;
    for package in foreign(&graphs) {
        count += 1;
        let described = format!("{} {}", package.name, package.version);
        let licence = package.license.as_deref().unwrap_or_default();
        match Expression::parse_mode(licence, ParseMode::LAX) {
            Ok(expression) if expression.evaluate(is_allowed) => {}
            _ => {
                complaints.insert(format!("{described}: the licence '{licence}' is not among those allowed"));
            }
        }
        for ban in deny.bans.deny.iter().filter(|ban| ban.name == package.name.as_str()) {
            complaints.insert(format!("{described}: {}", ban.reason));
        }
        if !package.source.as_ref().is_some_and(cargo_metadata::Source::is_crates_io) {
            complaints.insert(format!("{described}: it comes from elsewhere than the usual registry"));
        }
    }
    assert!(count > 200, "the whole graph was looked at, not {count} packages");
    assert!(complaints.is_empty(), "{}", complaints.into_iter().collect::<Vec<_>>().join("\n"));
}
