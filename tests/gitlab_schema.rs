//! What `gitlab_schema.graphql` says of GitLab's schema is in ours: types, fields, arguments, values, members, and whether they may be
//! null. What is given may be surer than there, what is taken may be laxer: every document for the one is one for the other.

use std::{collections::BTreeMap, fmt::Write as _};

use async_graphql::{
    Name, Positioned,
    parser::{
        parse_schema,
        types::{BaseType, FieldDefinition, InputValueDefinition, Type, TypeKind, TypeSystemDefinition},
    },
};

const GITLABS: &str = include_str!("gitlab_schema.graphql");

type Types = BTreeMap<String, TypeKind>;

fn types(text: &str) -> Types {
    let document = parse_schema(text).expect("a schema");
    let types = document.definitions.into_iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) => {
            Some((definition.node.name.node.to_string(), definition.node.kind))
        }
        _ => None,
    });
    types.collect()
}

/// Which way values go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Given,
    Taken,
}

fn fits(theirs: &Type, ours: &Type, way: Way) -> bool {
    let null_fits = match way {
        Way::Given => theirs.nullable || !ours.nullable,
        Way::Taken => !theirs.nullable || ours.nullable,
    };
    null_fits
        && match (&theirs.base, &ours.base) {
            (BaseType::Named(theirs), BaseType::Named(ours)) => theirs == ours,
            (BaseType::List(theirs), BaseType::List(ours)) => fits(theirs, ours, way),
            _ => false,
        }
}

#[derive(Default)]
struct Comparison {
    complaints: String,
    compared: usize,
}

impl Comparison {
    fn complain(&mut self, what: &str, why: &str) {
        let _ = writeln!(self.complaints, "{what} {why}");
    }

    fn types(&mut self, what: &str, theirs: &Type, ours: &Type, way: Way) {
        self.compared += 1;
        if !fits(theirs, ours, way) {
            self.complain(what, &format!("is {ours}, in GitLab {theirs}"));
        }
    }

    fn inputs(
        &mut self,
        owner: &str,
        theirs: &[Positioned<InputValueDefinition>],
        ours: &[Positioned<InputValueDefinition>],
    ) {
        for expected in theirs {
            let expected = &expected.node;
            let what = format!("{owner}.{}", expected.name.node);
            match ours.iter().find(|known| known.node.name.node == expected.name.node) {
                Some(known) => self.types(&what, &expected.ty.node, &known.node.ty.node, Way::Taken),
                None => self.complain(&what, "is missing"),
            }
        }
        // What GitLab's documents do not send may not be asked for.
        for known in ours {
            let known = &known.node;
            let required = !known.ty.node.nullable && known.default_value.is_none();
            if required && !theirs.iter().any(|expected| expected.node.name.node == known.name.node) {
                self.complain(&format!("{owner}.{}", known.name.node), "is required, and unknown to GitLab");
            }
        }
    }

    fn fields(
        &mut self,
        owner: &str,
        theirs: &[Positioned<FieldDefinition>],
        ours: &[Positioned<FieldDefinition>],
    ) {
        for expected in theirs {
            let expected = &expected.node;
            let what = format!("{owner}.{}", expected.name.node);
            match ours.iter().find(|known| known.node.name.node == expected.name.node) {
                Some(known) => {
                    self.types(&what, &expected.ty.node, &known.node.ty.node, Way::Given);
                    self.inputs(&what, &expected.arguments, &known.node.arguments);
                }
                None => self.complain(&what, "is missing"),
            }
        }
    }

    fn names(&mut self, owner: &str, theirs: &[Positioned<Name>], ours: &[Positioned<Name>]) {
        for expected in theirs {
            self.compared += 1;
            if !ours.iter().any(|known| known.node == expected.node) {
                self.complain(&format!("{owner}: {}", expected.node), "is missing");
            }
        }
    }

    fn kinds(&mut self, name: &str, theirs: &TypeKind, ours: &TypeKind) {
        match (theirs, ours) {
            (TypeKind::Scalar, TypeKind::Scalar) => self.compared += 1,
            (TypeKind::Object(theirs), TypeKind::Object(ours)) => {
                self.fields(name, &theirs.fields, &ours.fields);
                self.names(name, &theirs.implements, &ours.implements);
            }
            (TypeKind::Interface(theirs), TypeKind::Interface(ours)) => {
                self.fields(name, &theirs.fields, &ours.fields);
            }
            (TypeKind::Union(theirs), TypeKind::Union(ours)) => {
                self.names(name, &theirs.members, &ours.members);
            }
            (TypeKind::InputObject(theirs), TypeKind::InputObject(ours)) => {
                self.inputs(name, &theirs.fields, &ours.fields);
            }
            (TypeKind::Enum(theirs), TypeKind::Enum(ours)) => {
                for expected in &theirs.values {
                    self.compared += 1;
                    if !ours.values.iter().any(|known| known.node.value.node == expected.node.value.node) {
                        self.complain(&format!("{name}: {}", expected.node.value.node), "is missing");
                    }
                }
            }
            _ => self.complain(name, "is of another kind"),
        }
    }
}

#[test]
fn gitlabs_schema_is_in_ours() {
    let ours = types(&graphql::sdl());
    let mut comparison = Comparison::default();
    for (name, theirs) in types(GITLABS) {
        match ours.get(&name) {
            Some(ours) => comparison.kinds(&name, &theirs, ours),
            None => comparison.complain(&name, "is missing"),
        }
    }
    assert!(comparison.complaints.is_empty(), "{}", comparison.complaints);
    assert!(comparison.compared > 300, "only {} things compared", comparison.compared);
}
