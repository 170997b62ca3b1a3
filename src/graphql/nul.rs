//! U+0000, which PostgreSQL keeps in no text and SQLite does. It is refused wherever text comes in, so that both answer alike.

use std::{convert::Infallible, fmt::Write as _};

use async_graphql::{
    Name, Positioned, Value, Variables,
    parser::types::{Directive, ExecutableDocument, Field, Selection, SelectionSet},
};
use domain::Failure;

/// The variable that mutations take everything in. What is in it is named without it, as everywhere in failures.
const INPUT: &str = "input";

fn refused(place: &str) -> Failure {
    Failure::invalid(place.to_owned(), "Text must not contain the character U+0000")
}

/// Whether a text has it.
pub(crate) fn check(place: &str, text: &str) -> Result<(), Failure> {
    if text.contains('\0') { Err(refused(place)) } else { Ok(()) }
}

/// Refuses JSON with it that came in no request: what an archive says of itself.
pub(crate) fn check_json(place: &str, json: &serde_json::Value) -> Result<(), Failure> {
    use serde_json::Value as Json;
    match json {
        Json::String(text) => check(place, text),
        Json::Array(items) => items.iter().try_for_each(|item| check_json(place, item)),
        Json::Object(fields) => fields.iter().try_for_each(|(name, item)| {
            check(place, name)?;
            check_json(place, item)
        }),
        Json::Null | Json::Bool(_) | Json::Number(_) => Ok(()),
    }
}

/// Refuses variables with it, and names the place.
pub(crate) fn check_variables(variables: &Variables) -> Result<(), Failure> {
    for (name, value) in variables.iter() {
        let mut place = if name == INPUT { String::new() } else { name.to_string() };
        check_value(&mut place, value)?;
    }
    Ok(())
}

fn check_value(place: &mut String, value: &Value) -> Result<(), Failure> {
    match value {
        Value::String(text) => check(place, text),
        Value::List(items) => {
            items.iter().enumerate().try_for_each(|(index, item)| inside(place, &index.to_string(), item))
        }
        Value::Object(fields) => fields.iter().try_for_each(|(name, item)| {
            check(place, name)?;
            inside(place, name, item)
        }),
        Value::Null | Value::Number(_) | Value::Boolean(_) | Value::Binary(_) | Value::Enum(_) => Ok(()),
    }
}

fn inside(place: &mut String, segment: &str, value: &Value) -> Result<(), Failure> {
    let length = place.len();
    let dot = if place.is_empty() { "" } else { "." };
    let _ = write!(place, "{dot}{segment}");
    check_value(place, value)?;
    place.truncate(length);
    Ok(())
}

/// Refuses a document in which it is written, and names the argument.
pub(crate) fn check_document(document: &ExecutableDocument) -> Result<(), Failure> {
    for (_, operation) in document.operations.iter() {
        for definition in &operation.node.variable_definitions {
            if let Some(default) = &definition.node.default_value {
                check_value(&mut definition.node.name.node.to_string(), &default.node)?;
            }
        }
        check_directives(&operation.node.directives)?;
        check_selections(&operation.node.selection_set.node)?;
    }
    for fragment in document.fragments.values() {
        check_directives(&fragment.node.directives)?;
        check_selections(&fragment.node.selection_set.node)?;
    }
    Ok(())
}

fn check_selections(set: &SelectionSet) -> Result<(), Failure> {
    set.items.iter().try_for_each(|selection| match &selection.node {
        Selection::Field(field) => {
            let Field { arguments, directives, selection_set, .. } = &field.node;
            for (name, value) in arguments {
                check_argument(&name.node, value.node.clone().into_const_with(|_| Ok(Value::Null)))?;
            }
            check_directives(directives)?;
            check_selections(&selection_set.node)
        }
        Selection::InlineFragment(fragment) => {
            check_directives(&fragment.node.directives)?;
            check_selections(&fragment.node.selection_set.node)
        }
        Selection::FragmentSpread(spread) => check_directives(&spread.node.directives),
    })
}

fn check_directives(directives: &[Positioned<Directive>]) -> Result<(), Failure> {
    let arguments = directives.iter().flat_map(|directive| &directive.node.arguments);
    for (name, value) in arguments {
        check_argument(&name.node, value.node.clone().into_const_with(|_| Ok(Value::Null)))?;
    }
    Ok(())
}

/// Looks at an argument without its variables: what those stand for was looked at where it came in.
fn check_argument(name: &Name, Ok(literal): Result<Value, Infallible>) -> Result<(), Failure> {
    let mut place = if name == INPUT { String::new() } else { name.to_string() };
    check_value(&mut place, &literal)
}

#[cfg(test)]
mod tests {
    use async_graphql::{Variables, parser::parse_query};
    use serde_json::json;

    use super::{check_document, check_json, check_variables};

    fn field(outcome: Result<(), domain::Failure>) -> Option<String> {
        outcome.err().and_then(|failure| failure.field).map(Into::into)
    }

    #[test]
    fn it_is_found_in_variables() {
        for (variables, place) in [
            (json!({ "name": "a\0" }), Some("name")),
            (json!({ "input": { "files": [{}, { "name": "\0" }] } }), Some("files.1.name")),
            (json!({ "metadata": { "a\0b": 1 } }), Some("metadata")),
            (json!({ "input": { "name": "a\\u0000" }, "first": 1 }), None),
        ] {
            let found = field(check_variables(&Variables::from_json(variables.clone())));
            assert_eq!(found.as_deref(), place, "{variables}");
        }
    }

    #[test]
    fn it_is_found_in_what_an_archive_says() {
        for json in [json!("\0"), json!({ "a": [1, "b\0"] }), json!([{ "a\0": null }])] {
            assert_eq!(field(check_json("metadata", &json)).as_deref(), Some("metadata"), "{json}");
        }
        assert_eq!(field(check_json("metadata", &json!({ "a": ["b", null, true, 1] }))), None);
    }

    #[test]
    fn it_is_found_in_documents() {
        for (document, place) in [
            (r#"{ project(fullPath: "a\u0000") { id } }"#, Some("fullPath")),
            (r#"{ a { ... on B @c(d: "\u0000") { e } } }"#, Some("d")),
            (r#"mutation { a(input: { b: ["\u0000"] }) { c } }"#, Some("b.0")),
            (r#"query Q($a: String = "\u0000") { b(c: $a) }"#, Some("a")),
            (r#"{ ...F } fragment F on Query { a(b: "\u0000") }"#, Some("b")),
            (r#"{ project(fullPath: "a\\u0000") { id } }"#, None),
        ] {
            let parsed = parse_query(document).expect("a document");
            assert_eq!(field(check_document(&parsed)).as_deref(), place, "{document}");
        }
    }
}
