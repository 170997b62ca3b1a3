//! Variables, checked before a document runs, so that what is wrong is told as GitLab tells it: `extensions.problems` with the path
//! of each wrong field inside the variable. Its pages put the message beside the field.
//!
//! async-graphql would refuse the same values, one at a time and without saying where.

use std::{collections::HashMap, sync::LazyLock};

use async_graphql::{
    Name, Positioned, Request, ScalarType, ServerError, ServerResult, Value, Variables,
    parser::{
        parse_schema,
        types::{BaseType, Type, TypeKind, TypeSystemDefinition, VariableDefinition},
    },
};
use domain::{ErrorCode, Failure};

use crate::{
    outcome::error,
    relay::global_id::{class_of, parse},
    scalars::{Date, Time},
};

/// Most problems that are told of one variable.
const MOST_PROBLEMS: usize = 20;

/// What the schema says of a type that variables may have.
enum InputType {
    Scalar,
    Enum(Vec<Name>),
    Object(HashMap<Name, InputField>),
}

struct InputField {
    ty: Type,
    has_default: bool,
}

/// The types that variables may have, by name.
static INPUT_TYPES: LazyLock<HashMap<Name, InputType>> = LazyLock::new(|| {
    let schema = parse_schema(crate::sdl()).expect("the schema prints what can be parsed");
    let types = schema.definitions.into_iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) => Some(definition.node),
        _ => None,
    });
    let inputs = types.filter_map(|definition| {
        let input = match definition.kind {
            TypeKind::Scalar => InputType::Scalar,
            TypeKind::Enum(values) => {
                InputType::Enum(values.values.into_iter().map(|value| value.node.value.node).collect())
            }
            TypeKind::InputObject(object) => {
                let fields = object.fields.into_iter().map(|field| {
                    let field = field.node;
                    let has_default = field.default_value.is_some();
                    (field.name.node, InputField { ty: field.ty.node, has_default })
                });
                InputType::Object(fields.collect())
            }
            TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union(_) => return None,
        };
        Some((definition.name.node, input))
    });
    inputs.collect()
});

/// What is wrong with a part of a variable.
struct Problem {
    /// Names of fields and places in lists, from the variable inwards.
    path: Vec<Value>,
    explanation: String,
}

impl Problem {
    fn to_value(&self) -> Value {
        let fields = [
            (Name::new("path"), Value::List(self.path.clone())),
            (Name::new("explanation"), Value::from(self.explanation.clone())),
            (Name::new("message"), Value::from(self.explanation.clone())),
        ];
        Value::Object(fields.into_iter().collect())
    }

    /// The path as other failures name a field.
    fn field(&self) -> String {
        let segment = |segment: &Value| match segment {
            Value::String(name) => name.clone(),
            other => other.to_string(),
        };
        self.path.iter().map(segment).collect::<Vec<_>>().join(".")
    }
}

/// Collects what is wrong.
#[derive(Default)]
struct Checker {
    path: Vec<Value>,
    problems: Vec<Problem>,
}

impl Checker {
    fn complain(&mut self, explanation: impl Into<String>) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(Problem { path: self.path.clone(), explanation: explanation.into() });
        }
    }

    fn inside(&mut self, segment: impl Into<Value>, check: impl FnOnce(&mut Self)) {
        self.path.push(segment.into());
        check(self);
        self.path.pop();
    }

    fn check(&mut self, ty: &Type, value: &Value) {
        if *value == Value::Null {
            if !ty.nullable {
                self.complain("Expected value to not be null");
            }
            return;
        }
        match (&ty.base, value) {
            (BaseType::List(inner), Value::List(items)) => {
                for (place, item) in items.iter().enumerate() {
                    self.inside(place, |checker| checker.check(inner, item));
                }
            }
            // One value stands for a list of it.
            (BaseType::List(inner), value) => self.check(inner, value),
            (BaseType::Named(name), value) => self.named(name, value),
        }
    }

    fn named(&mut self, name: &Name, value: &Value) {
        match INPUT_TYPES.get(name) {
            Some(InputType::Object(fields)) => self.object(name, fields, value),
            Some(InputType::Enum(values)) => {
                let given = match value {
                    Value::Enum(given) => Some(given.as_str()),
                    Value::String(given) => Some(given.as_str()),
                    _ => None,
                };
                if !values.iter().any(|known| Some(known.as_str()) == given) {
                    let known: Vec<_> = values.iter().map(Name::as_str).collect();
                    self.complain(format!("Expected {value} to be one of: {}", known.join(", ")));
                }
            }
            Some(InputType::Scalar) => {
                if let Err(explanation) = scalar(name, value) {
                    self.complain(explanation);
                }
            }
            None => {
                if let Err(explanation) = built_in(name, value) {
                    self.complain(explanation);
                }
            }
        }
    }

    fn object(&mut self, name: &Name, fields: &HashMap<Name, InputField>, value: &Value) {
        let Value::Object(given) = value else {
            return self.complain(format!("Expected {value} to be an object of {name}"));
        };
        for (field, value) in given {
            self.inside(field.as_str(), |checker| match fields.get(field) {
                Some(known) => checker.check(&known.ty, value),
                None => checker.complain(format!("Field is not defined on {name}")),
            });
        }
        let mut missing: Vec<_> = fields
            .iter()
            .filter(|(field, known)| {
                !known.ty.nullable && !known.has_default && !given.contains_key(field.as_str())
            })
            .map(|(field, _)| field)
            .collect();
        missing.sort_unstable();
        for field in missing {
            self.inside(field.as_str(), |checker| checker.complain("Expected value to not be null"));
        }
    }
}

/// What GraphQL itself defines. Names that nobody defines are left to the validation of the document.
fn built_in(name: &str, value: &Value) -> Result<(), String> {
    let fits = match (name, value) {
        ("Int", Value::Number(number)) => number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        ("ID", Value::Number(number)) => number.is_i64() || number.is_u64(),
        ("Float", Value::Number(_))
        | ("Boolean", Value::Boolean(_))
        | ("ID" | "String", Value::String(_)) => true,
        ("Int" | "Float" | "Boolean" | "ID" | "String", _) => false,
        _ => true,
    };
    if fits { Ok(()) } else { Err(format!("Could not coerce value {value} to {name}")) }
}

/// The schema's own scalars.
fn scalar(name: &str, value: &Value) -> Result<(), String> {
    if let Some(class) = class_of(name) {
        return match value {
            Value::String(text) => match parse(class, text) {
                Some(key) if key.parse::<i64>().is_ok() => Ok(()),
                _ if text.starts_with("gid://") => {
                    Err(format!("{value} does not represent an instance of {class}"))
                }
                _ => Err(format!("{value} is not a valid Global ID")),
            },
            _ => Err(format!("{value} is not a valid Global ID")),
        };
    }
    let refused = || format!("Could not coerce value {value} to {name}");
    match name {
        "Time" => Time::parse(value.clone()).map(|_| ()).map_err(|_| refused()),
        "Date" => Date::parse(value.clone()).map(|_| ()).map_err(|_| refused()),
        // What it says is looked at where it is used, once it is clear that the caller may say it.
        "UntrustedRegexp" if !matches!(value, Value::String(_)) => Err(refused()),
        _ => Ok(()),
    }
}

/// Checks the variables of the operation that is to run. A document that has no such operation is left to its validation.
pub(crate) fn check(request: &mut Request) -> ServerResult<()> {
    let (name, variables) = (request.operation_name.clone(), request.variables.clone());
    let operations = &request.parsed_query()?.operations;
    let chosen = match name {
        Some(name) => operations.iter().find(|(of, _)| of.is_some_and(|of| *of == name)),
        None => operations.iter().next().filter(|_| operations.iter().count() == 1),
    };
    let Some((_, operation)) = chosen else { return Ok(()) };
    for definition in &operation.node.variable_definitions {
        check_variable(definition, &variables)?;
    }
    Ok(())
}

fn check_variable(definition: &Positioned<VariableDefinition>, variables: &Variables) -> ServerResult<()> {
    let VariableDefinition { name, var_type, default_value, .. } = &definition.node;
    let mut checker = Checker::default();
    match (variables.get(&name.node), default_value) {
        (Some(value), _) => checker.check(&var_type.node, value),
        (None, None) if !var_type.node.nullable => checker.complain("Expected value to not be null"),
        (None, _) => {}
    }
    let Some(first) = checker.problems.first() else { return Ok(()) };
    let told = |problem: &Problem| match problem.field() {
        field if field.is_empty() => problem.explanation.clone(),
        field => format!("{field} ({})", problem.explanation),
    };
    let all = checker.problems.iter().map(told).collect::<Vec<_>>().join(", ");
    let joint = if first.path.is_empty() { ": " } else { " for " };
    let message =
        format!("Variable ${} of type {} was provided invalid value{joint}{all}", name.node, var_type.node);
    let failure = match first.field() {
        field if field.is_empty() => Failure::new(ErrorCode::Invalid, message),
        field => Failure::invalid(field, message),
    };
    let problems = Value::List(checker.problems.iter().map(Problem::to_value).collect());
    let mut refusal: ServerError = error(failure).into_server_error(definition.pos);
    refusal.extensions.get_or_insert_default().set("problems", problems);
    Err(refusal)
}

#[cfg(test)]
mod tests {
    use async_graphql::{Request, Variables};
    use serde_json::{Value, json};

    use super::check;

    fn refusal(document: &str, variables: Value) -> Option<(String, Value)> {
        let mut request = Request::new(document).variables(Variables::from_json(variables));
        let error = check(&mut request).err()?;
        let extensions = serde_json::to_value(error.extensions).expect("JSON");
        assert_eq!(extensions["code"], "INVALID");
        Some((error.message, extensions["problems"].clone()))
    }

    fn paths(document: &str, variables: Value) -> Vec<Value> {
        let (_, problems) = refusal(document, variables).expect("a refusal");
        problems.as_array().expect("a list").iter().map(|problem| problem["path"].clone()).collect()
    }

    const DESTROY: &str =
        "mutation D($input: DestroyPackagesInput!) { destroyPackages(input: $input) { errors } }";

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let (message, problems) =
            refusal(DESTROY, json!({ "input": { "ids": ["gid://gitlab/Packages::Package/1", "42"] } }))
                .expect("a refusal");
        assert_eq!(
            message,
            "Variable $input of type DestroyPackagesInput! was provided invalid value for ids.1 \
             (\"42\" is not a valid Global ID)"
        );
        let explanation = "\"42\" is not a valid Global ID";
        let problem = json!({ "path": ["ids", 1], "explanation": explanation, "message": explanation });
        assert_eq!(problems, json!([problem]));
        let (message, _) =
            refusal(DESTROY, json!({ "input": { "ids": ["gid://gitlab/Project/1"] } })).expect("one");
        assert!(message.contains("does not represent an instance of Packages::Package"), "{message}");
    }

    #[test]
    fn every_kind_of_mistake_is_found() {
        assert_eq!(paths(DESTROY, json!({})), [json!([])]);
        assert_eq!(paths(DESTROY, json!({ "input": null })), [json!([])]);
        assert_eq!(paths(DESTROY, json!({ "input": "text" })), [json!([])]);
        assert_eq!(paths(DESTROY, json!({ "input": {} })), [json!(["ids"])]);
        let both = json!({ "input": { "ids": [null], "unknown": 1 } });
        assert_eq!(paths(DESTROY, both), [json!(["ids", 0]), json!(["unknown"])]);
        let settings = "mutation S($input: UpdatePackagesCleanupPolicyInput!) { \
            updatePackagesCleanupPolicy(input: $input) { errors } }";
        let wrong = json!({ "input": { "projectPath": true, "keepNDuplicatedPackageFiles": "SOME" } });
        assert_eq!(paths(settings, wrong), [json!(["projectPath"]), json!(["keepNDuplicatedPackageFiles"])]);
        let (message, _) =
            refusal("query Q($first: Int) { a }", json!({ "first": 3_000_000_000_i64 })).expect("one");
        assert_eq!(
            message,
            "Variable $first of type Int was provided invalid value: Could not coerce value 3000000000 to Int"
        );
    }

    #[test]
    fn what_fits_passes() {
        for (document, variables) in [
            (
                DESTROY,
                json!({ "input": { "ids": ["gid://gitlab/Packages::Package/1"], "clientMutationId": null } }),
            ),
            (DESTROY, json!({ "input": { "ids": "gid://gitlab/Packages::Package/1" } })),
            ("query Q($sort: PackageSort = NAME_ASC, $first: Int, $path: ID!) { a }", json!({ "path": 7 })),
            ("query Q($sort: PackageSort) { a }", json!({ "sort": "NAME_ASC", "more": true })),
            ("query Q($what: NobodyKnows!) { a }", json!({ "what": 1 })),
            ("query A { a } query B($first: Int!) { a }", json!({})),
        ] {
            assert!(refusal(document, variables).is_none(), "{document}");
        }
    }
}
