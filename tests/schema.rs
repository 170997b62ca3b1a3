//! `schema.graphql` is the contract: what the server serves, reviewed like code.

use std::fs;

#[test]
fn the_committed_schema_is_the_served_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql");
    let committed = fs::read_to_string(path).expect("schema.graphql");
    let served = graphql::sdl();
    if committed.trim() == served.trim() {
        return;
    }
    let differs = committed
        .lines()
        .zip(served.lines())
        .enumerate()
        .find(|(_, (committed, served))| committed != served)
        .map_or_else(
            || "one is longer than the other".to_owned(),
            |(line, (committed, served))| {
                format!("first in line {}:\n  committed: {committed}\n  served:    {served}", line + 1)
            },
        );
    panic!(
        "schema.graphql is not what the server serves; run `cargo schema > new.graphql && mv new.graphql schema.graphql` (the build reads the file). They differ {differs}"
    );
}
