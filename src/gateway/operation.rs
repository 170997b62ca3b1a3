//! Named operations, written in `.graphql` files, typed at compile time, parsed once.

use async_graphql::parser::{
    parse_query,
    types::{DocumentOperations, ExecutableDocument},
};
use graphql_client::GraphQLQuery;

/// One named operation. Implemented by [`operations!`](crate::operations), never by hand.
pub trait Operation: GraphQLQuery {
    /// Where the parsed document is kept.
    fn parsed() -> &'static ParsedDocument;
}

/// A document that is parsed at its first use and keeps only one of its operations.
pub struct ParsedDocument(std::sync::OnceLock<ExecutableDocument>);

impl ParsedDocument {
    /// An unparsed one.
    #[expect(clippy::new_without_default, reason = "lives in a static, where Default cannot be called")]
    pub const fn new() -> Self {
        Self(std::sync::OnceLock::new())
    }

    /// The parsed document, reduced to the operation `name` of `text`. The first call decides.
    pub(crate) fn get(&self, text: &str, name: &str) -> ExecutableDocument {
        self.0
            .get_or_init(|| {
                let mut document =
                    parse_query(text).expect("graphql_client parsed the same text when this was compiled");
                if let DocumentOperations::Multiple(operations) = &mut document.operations {
                    operations.retain(|operation, _| operation.as_str() == name);
                }
                document
            })
            .clone()
    }
}

/// Declares operations of one document: `operations!("npm/operations.graphql": NpmPackument, NpmPublish);`
///
/// For each name there is then a unit struct that implements [`Operation`], and a module of the same name in snake case with
/// `Variables`, `ResponseData` and the types inside them. The path is relative to the crate's manifest.
#[macro_export]
macro_rules! operations {
    ($path:tt: $($name:ident),+ $(,)?) => { $(
        #[derive($crate::graphql_client::GraphQLQuery)]
        #[graphql(
            schema_path = "../../schema.graphql",
            query_path = $path,
            normalization = "rust",
            custom_scalars_module = "gateway::scalars",
            variables_derives = "Debug, Clone",
            response_derives = "Debug, Clone",
            skip_serializing_none
        )]
        #[doc = "An operation of this adapter's document."]
        pub(crate) struct $name;

        impl $crate::Operation for $name {
            fn parsed() -> &'static $crate::ParsedDocument {
                static DOCUMENT: $crate::ParsedDocument = $crate::ParsedDocument::new();
                &DOCUMENT
            }
        }
    )+ };
}
