//! Every document of an adapter is valid against the schema, strictly: names, arguments, variables and their types.
//!
//! graphql_client checks selections when it compiles, not arguments and not variables. Here the live schema validates each
//! operation with a sample value for every variable, since async-graphql compares a variable's type with its argument only
//! when a value is there.

use std::{collections::BTreeMap, fs, path::Path};

use async_graphql::parser::{
    parse_query, parse_schema,
    types::{BaseType, ServiceDocument, Type, TypeKind, TypeSystemDefinition},
};
use serde_json::{Value as Json, json};

use crate::architecture::files;

/// What kinds of types the schema has, for making values of them.
struct Types(ServiceDocument);

impl Types {
    fn kind(&self, name: &str) -> Option<&TypeKind> {
        self.0.definitions.iter().find_map(|definition| match definition {
            TypeSystemDefinition::Type(definition) if definition.node.name.node == name => {
                Some(&definition.node.kind)
            }
            _ => None,
        })
    }

    /// A value of the type, with every field of an input object that has to be there.
    fn sample(&self, of: &Type) -> Json {
        match &of.base {
            BaseType::List(item) => json!([self.sample(item)]),
            BaseType::Named(name) => self.sample_named(name),
        }
    }

    fn sample_named(&self, name: &str) -> Json {
        match name {
            "Int" => return json!(1),
            "Float" => return json!(1.5),
            "Boolean" => return json!(true),
            "String" | "ID" => return json!("sample"),
            _ => {}
        }
        match self.kind(name) {
            Some(TypeKind::Enum(values)) => json!(values.values[0].node.value.node.as_str()),
            Some(TypeKind::InputObject(object)) => object
                .fields
                .iter()
                .filter(|field| !field.node.ty.node.nullable)
                .map(|field| (field.node.name.node.to_string(), self.sample(&field.node.ty.node)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            Some(TypeKind::Scalar) => sample_scalar(name),
            _ => panic!("a variable of type {name}, which is no input type of the schema"),
        }
    }
}

fn sample_scalar(name: &str) -> Json {
    match name {
        "Time" => json!("2026-11-23T12:00:00Z"),
        "Date" => json!("2026-11-23"),
        "JSON" => json!({}),
        "BigInt" => json!("1"),
        "UserID" => json!("gid://gitlab/User/1"),
        "GroupID" => json!("gid://gitlab/Group/1"),
        "ProjectID" => json!("gid://gitlab/Project/1"),
        "PackagesProtectionRuleID" => json!("gid://gitlab/Packages::Protection::Rule/1"),
        "PackagesUploadID" => json!("gid://gitlab/Packages::Upload/1"),
        other => {
            let words = other.strip_suffix("ID").unwrap_or(other);
            json!(words.strip_prefix("Packages").map_or_else(
                || format!("gid://gitlab/{words}/1"),
                |class| format!("gid://gitlab/Packages::{class}/1")
            ))
        }
    }
}

#[tokio::test]
async fn every_operation_of_an_adapter_is_valid() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let types = Types(parse_schema(graphql::sdl()).expect("our own schema"));
    let mut complaints = Vec::new();
    let mut checked = 0;
    for path in files(&source, "graphql") {
        let text = fs::read_to_string(&path).expect("a document");
        let document = parse_query(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for (name, operation) in document.operations.iter() {
            let Some(name) = name else {
                complaints.push(format!("{}: an operation without a name", path.display()));
                continue;
            };
            let variables: BTreeMap<_, _> = operation
                .node
                .variable_definitions
                .iter()
                .map(|definition| {
                    let definition = &definition.node;
                    (definition.name.node.to_string(), types.sample(&definition.var_type.node))
                })
                .collect();
            checked += 1;
            for error in graphql::validate(&text, name.as_str(), json!(variables)).await {
                complaints.push(format!("{}: {name}: {error}", path.display()));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(checked > 0, "there are operations");
}

#[tokio::test]
async fn the_validator_sees_what_the_compiler_does_not() {
    for (document, variables) in [
        ("query A { currentUser(nonsense: 1) { username } }", json!({})),
        ("query A($unused: Int) { currentUser { username } }", json!({ "unused": 1 })),
        ("query A { project { id } }", json!({})),
        (
            "query A($name: Int!) { packageVersion(scope: {}, packageType: NPM, packageName: $name) { id } }",
            json!({ "name": 1 }),
        ),
        ("query A { currentUser { nonsense } }", json!({})),
    ] {
        let errors = graphql::validate(document, "A", variables).await;
        assert!(!errors.is_empty(), "{document}");
    }
    assert!(graphql::validate("query A { currentUser { username } }", "A", json!({})).await.is_empty());
}
