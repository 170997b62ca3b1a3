//! `schema.graphql` is the contract: what the server serves, reviewed like code.

use std::fs;

use async_graphql::{
    Positioned,
    parser::{
        parse_schema,
        types::{InterfaceType, ObjectType, TypeKind, TypeSystemDefinition},
    },
};

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

/// What the schema has beyond GitLab's: everything whose description says "(ours)", and all that is in a type which says so. A
/// name that comes or goes here is seen in review.
#[test]
fn the_additions_to_gitlabs_schema_are_the_listed_ones() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schema/additions.txt");
    let found = additions(&graphql::sdl()).join("\n") + "\n";
    if std::env::var_os("ENTREPOT_UPDATE_FIXTURES").is_some() {
        fs::write(path, &found).expect("writable");
    }
    let listed = fs::read_to_string(path).unwrap_or_default();
    let only = |these: &str, others: &str| {
        let lines = these.lines().filter(|line| !others.lines().any(|other| other == *line));
        lines.flat_map(|line| ["\n  ", line]).collect::<String>()
    };
    assert!(
        found == listed,
        "tests/schema/additions.txt is to list what the schema has beyond GitLab's; read what changed, then write it with \
         ENTREPOT_UPDATE_FIXTURES=1\nnew:{}\ngone:{}",
        only(&found, &listed),
        only(&listed, &found)
    );
}

#[test]
fn what_is_marked_is_listed() {
    let sdl = r#"
        "A thing (ours)." type Own { anything: Int }
        "A thing." type Known { "A field (ours)." own: Int known("An argument (ours)." own: Int, known: Int): Int }
        "A choice." enum Choice { "One (ours)." OWN KNOWN }
        "What to do." input Todo { "A thing (ours)." own: Int known: Int }
    "#;
    assert_eq!(additions(sdl), ["Choice.OWN", "Known.known(own)", "Known.own", "Own", "Todo.own"]);
}

fn additions(sdl: &str) -> Vec<String> {
    let document = parse_schema(sdl).expect("a schema");
    let mut found = Vec::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let definition = definition.node;
        let name = definition.name.node.as_str();
        if is_ours(definition.description.as_ref()) {
            found.push(name.to_owned());
            continue;
        }
        match &definition.kind {
            TypeKind::Object(ObjectType { fields, .. })
            | TypeKind::Interface(InterfaceType { fields, .. }) => {
                for field in fields {
                    if is_ours(field.node.description.as_ref()) {
                        found.push(format!("{name}.{}", field.node.name));
                        continue;
                    }
                    let own = field
                        .node
                        .arguments
                        .iter()
                        .filter(|argument| is_ours(argument.node.description.as_ref()));
                    found.extend(
                        own.map(|argument| format!("{name}.{}({})", field.node.name, argument.node.name)),
                    );
                }
            }
            TypeKind::Enum(choice) => {
                let own = choice.values.iter().filter(|value| is_ours(value.node.description.as_ref()));
                found.extend(own.map(|value| format!("{name}.{}", value.node.value)));
            }
            TypeKind::InputObject(input) => {
                let own = input.fields.iter().filter(|field| is_ours(field.node.description.as_ref()));
                found.extend(own.map(|field| format!("{name}.{}", field.node.name)));
            }
            TypeKind::Scalar | TypeKind::Union(_) => {}
        }
    }
    found.sort();
    found
}

fn is_ours(description: Option<&Positioned<String>>) -> bool {
    description.is_some_and(|description| description.node.contains("(ours)"))
}
