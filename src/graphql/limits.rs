//! What a document may ask for at the open door.
//!
//! Adapters' own documents come through the gateway and are not limited: they were written here and are tested. At the open
//! door a document is measured before it runs: its length, its depth, what its nested pages multiply to, and the complexity
//! that async-graphql computes while validating. Administrators decide about all of it but the pages.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_graphql::{
    Context, Name, Request, ServerError, ServerResult, ValidationResult, Value, Variables,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextValidation},
    parser::types::{DocumentOperations, ExecutableDocument, Field, Selection, SelectionSet},
};
use domain::{ErrorCode, Failure, limits::GraphqlLimits};

use crate::{
    context::{Caller, State},
    outcome::request_error,
};

/// Most selections in a document, fragments expanded: the bound for aliases.
const MAX_SELECTIONS: usize = 2_000;
/// Most rows that nested pages may multiply to.
const MAX_ROWS: u64 = 20_000;
/// Rows a page has when the document does not say, and at most (GitLab's).
const OPEN_PAGE_SIZE: u64 = 100;
/// The same for adapters.
const INTERNAL_PAGE_SIZE: u64 = 1_000;

/// Which door a request came through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Door {
    /// `POST /api/graphql`.
    #[default]
    Open,
    /// The gateway.
    Internal,
}

impl Door {
    pub(crate) const fn page_size(self) -> u64 {
        match self {
            Self::Open => OPEN_PAGE_SIZE,
            Self::Internal => INTERNAL_PAGE_SIZE,
        }
    }
}

/// Complexity of a connection: its children once, and one percent of them for each requested item (GitLab's weights).
pub(crate) fn connection_complexity(first: Option<i32>, last: Option<i32>, children: usize) -> usize {
    let items = first.or(last).and_then(|items| usize::try_from(items).ok()).unwrap_or(20).min(100);
    1 + children + children * items / 100
}

/// What a document of `caller` may cost.
fn budget(limits: &GraphqlLimits, caller: &Caller) -> usize {
    let budget =
        if caller.viewer.is_anonymous() { limits.anonymous_complexity } else { limits.signed_in_complexity };
    usize::try_from(budget).unwrap_or(usize::MAX)
}

/// What a request has used up.
#[derive(Default)]
pub(crate) struct Spent {
    complexity: AtomicUsize,
    packages: AtomicUsize,
    group_packages: AtomicUsize,
    passwords: AtomicUsize,
}

/// A field that is answered once in a request (GitLab's rule).
#[derive(Clone, Copy)]
pub(crate) enum Once {
    /// `Query.package`.
    Package,
    /// `Group.packages`.
    GroupPackages,
    /// `Mutation.signIn` and `Mutation.changePassword` (ours): nobody tries many passwords in one request.
    Password,
}

impl Once {
    fn refusal(self) -> String {
        let (field, of) = match self {
            Self::Package => ("package", "Query"),
            Self::GroupPackages => ("packages", "Group"),
            Self::Password => return "One password can be given in a request".to_owned(),
        };
        format!("\"{field}\" field can be requested only for 1 {of}(s) at a time.")
    }
}

impl Spent {
    /// What the document costs, and what one of `caller` may cost.
    pub(crate) fn complexity(&self, limits: &GraphqlLimits, caller: &Caller) -> (usize, usize) {
        (self.complexity.load(Ordering::Relaxed), budget(limits, caller))
    }
}

/// Refuses what is answered once in a request to whoever asks for it again, wherever in the document that is. The open door's
/// requests are counted, adapters' are not.
pub(crate) fn once(ctx: &Context<'_>, field: Once) -> Result<(), Failure> {
    let Some(spent) = ctx.data_opt::<Arc<Spent>>() else { return Ok(()) };
    let counter = match field {
        Once::Package => &spent.packages,
        Once::GroupPackages => &spent.group_packages,
        Once::Password => &spent.passwords,
    };
    if counter.fetch_add(1, Ordering::Relaxed) == 0 {
        return Ok(());
    }
    Err(Failure::new(ErrorCode::TooLarge, field.refusal()))
}

fn refuse(message: String) -> ServerError {
    request_error(Failure::new(ErrorCode::TooLarge, message))
}

/// Parses a request's document, measures it, and leaves the operation that is to run alone in it. (async-graphql computes the
/// complexity of all operations of a document with the variables of one, and fails where another declares others.)
pub(crate) fn admit(request: &mut Request, limits: &GraphqlLimits) -> ServerResult<()> {
    let length = request.query.chars().count() as u64;
    if length > limits.length {
        let message = format!("The document has {length} characters, at most {} are accepted", limits.length);
        return Err(refuse(message));
    }
    let mut document = request.parsed_query()?.clone();
    let variables = &request.variables;
    Measure { document: &document, variables, most_depth: limits.depth, selections: 0 }.document()?;
    if let Some(name) = request.operation_name.as_deref() {
        keep_operation(&mut document, name);
    }
    request.set_parsed_query(document);
    Ok(())
}

/// Takes all operations but `name` out of a document, with the fragments that only they use. A document without it stays.
pub(crate) fn keep_operation(document: &mut ExecutableDocument, name: &str) {
    let DocumentOperations::Multiple(operations) = &mut document.operations else { return };
    if operations.len() < 2 || !operations.keys().any(|operation| operation.as_str() == name) {
        return;
    }
    let dropped: Vec<_> = operations.extract_if(|operation, _| operation.as_str() != name).collect();
    let of_dropped =
        fragments_of(document, dropped.iter().map(|(_, operation)| &operation.node.selection_set.node));
    let of_kept = fragments_of(
        document,
        document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node),
    );
    document.fragments.retain(|name, _| of_kept.contains(name) || !of_dropped.contains(name));
}

/// The fragments that selections reach.
fn fragments_of<'a>(
    document: &'a ExecutableDocument,
    roots: impl Iterator<Item = &'a SelectionSet>,
) -> HashSet<Name> {
    let mut found = HashSet::new();
    let mut waiting: Vec<&SelectionSet> = roots.collect();
    while let Some(set) = waiting.pop() {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => waiting.push(&field.node.selection_set.node),
                Selection::InlineFragment(fragment) => waiting.push(&fragment.node.selection_set.node),
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if found.insert(name.clone())
                        && let Some(fragment) = document.fragments.get(name)
                    {
                        waiting.push(&fragment.node.selection_set.node);
                    }
                }
            }
        }
    }
    found
}

/// Makes [`Limits`] for each request.
pub(crate) struct LimitsFactory;

impl ExtensionFactory for LimitsFactory {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Limits)
    }
}

/// Refuses a document whose complexity exceeds the caller's budget.
struct Limits;

#[async_graphql::async_trait::async_trait]
impl Extension for Limits {
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let result = next.run(ctx).await?;
        let limits = ctx.data_unchecked::<Arc<State>>().in_force.limits();
        let budget = budget(&limits.graphql, ctx.data_unchecked::<Caller>());
        if let Some(spent) = ctx.data_opt::<Arc<Spent>>() {
            spent.complexity.store(result.complexity, Ordering::Relaxed);
        }
        if result.complexity > budget {
            return Err(vec![refuse(format!(
                "Query has complexity of {}, which exceeds max complexity of {budget}",
                result.complexity
            ))]);
        }
        Ok(result)
    }
}

struct Measure<'a> {
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    most_depth: u64,
    selections: usize,
}

impl Measure<'_> {
    fn document(mut self) -> ServerResult<()> {
        let document = self.document;
        for (_, operation) in document.operations.iter() {
            once_per_request(&operation.node.selection_set.node)?;
            self.selection_set(&operation.node.selection_set.node, 1, 1)?;
        }
        Ok(())
    }

    fn selection_set(&mut self, set: &SelectionSet, depth: u64, rows: u64) -> ServerResult<()> {
        if depth > self.most_depth {
            let message = format!("The document is nested deeper than {} fields", self.most_depth);
            return Err(refuse(message));
        }
        for selection in &set.items {
            self.selections += 1;
            if self.selections > MAX_SELECTIONS {
                return Err(refuse(format!("The document selects more than {MAX_SELECTIONS} fields")));
            }
            match &selection.node {
                Selection::Field(field) => {
                    let rows = rows.saturating_mul(self.page_size(&field.node));
                    if rows > MAX_ROWS {
                        return Err(refuse(format!(
                            "The nested pages multiply to more than {MAX_ROWS} rows"
                        )));
                    }
                    self.selection_set(&field.node.selection_set.node, depth + 1, rows)?;
                }
                Selection::InlineFragment(fragment) => {
                    self.selection_set(&fragment.node.selection_set.node, depth + 1, rows)?;
                }
                Selection::FragmentSpread(spread) => {
                    let document = self.document;
                    if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                        self.selection_set(&fragment.node.selection_set.node, depth + 1, rows)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// How many rows a field may give: what it is asked for, if it is a connection.
    fn page_size(&self, field: &Field) -> u64 {
        let wanted =
            ["first", "last"].iter().find_map(|name| field.get_argument(name)).and_then(|value| match value
                .node
                .clone()
                .into_const_with(|name| self.variables.get(&name).cloned().ok_or(()))
            {
                Ok(Value::Number(number)) => number.as_u64(),
                _ => None,
            });
        let is_connection = count_named(&field.selection_set.node, "nodes")
            + count_named(&field.selection_set.node, "edges")
            > 0;
        match wanted {
            Some(wanted) => wanted.clamp(1, OPEN_PAGE_SIZE),
            None if is_connection => OPEN_PAGE_SIZE,
            None => 1,
        }
    }
}

/// `Query.package`, and `packages` of a group, are answered once in a request (GitLab's rule).
fn once_per_request(set: &SelectionSet) -> ServerResult<()> {
    let mut packages = 0;
    let mut group_packages = 0;
    for selection in &set.items {
        if let Selection::Field(field) = &selection.node {
            match field.node.name.node.as_str() {
                "package" => packages += 1,
                "group" => {
                    group_packages += count_named(&field.node.selection_set.node, "packages");
                }
                _ => {}
            }
        }
    }
    if packages > 1 {
        return Err(refuse(Once::Package.refusal()));
    }
    if group_packages > 1 {
        return Err(refuse(Once::GroupPackages.refusal()));
    }
    Ok(())
}

fn count_named(set: &SelectionSet, name: &str) -> usize {
    set.items
        .iter()
        .filter(|item| matches!(&item.node, Selection::Field(field) if field.node.name.node.as_str() == name))
        .count()
}

#[cfg(test)]
mod tests {
    use async_graphql::{Request, parser::parse_query};
    use domain::limits::GraphqlLimits;

    use super::{admit, keep_operation};

    #[test]
    fn other_operations_go_with_the_fragments_that_only_they_use() {
        let text = "query A { ...Both ...OfA } query B { ...Both ...OfB } \
                    fragment Both on Query { b } fragment OfA on Query { a ...Deep } fragment Deep on Query { d } \
                    fragment OfB on Query { c } fragment Unused on Query { u }";
        let mut document = parse_query(text).expect("a document");
        keep_operation(&mut document, "B");
        let mut names: Vec<_> = document.fragments.keys().map(async_graphql::Name::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["Both", "OfB", "Unused"], "what nobody uses is left for validation to refuse");
        keep_operation(&mut document, "C");
        assert_eq!(document.operations.iter().count(), 1);
    }

    #[test]
    fn what_is_too_long_too_deep_or_too_wide_is_refused() {
        let limits = GraphqlLimits::default();
        let deep = format!("{}{}", "{ a ".repeat(30), "}".repeat(30));
        let aliases = "a:b ".repeat(2_400);
        let circle = "{ ...A } fragment A on Query { x { ...A } }";
        let pages =
            "{ a(first: 100) { nodes { b(first: 100) { nodes { c(first: 100) { nodes { d } } } } } } }";
        for refused in [
            deep.as_str(),
            &format!("{{ {aliases} }}"),
            circle,
            pages,
            "{ package(id: 1) { id } other: package(id: 2) { id } }",
        ] {
            assert!(admit(&mut Request::new(refused), &limits).is_err(), "{refused:.60}");
        }
        let fitting = || Request::new("{ a(first: 100) { nodes { b { c } } } }");
        assert!(admit(&mut fitting(), &limits).is_ok());
        assert!(admit(&mut fitting(), &GraphqlLimits { depth: 3, ..limits }).is_err());
        assert!(admit(&mut fitting(), &GraphqlLimits { length: 30, ..limits }).is_err());
    }
}
