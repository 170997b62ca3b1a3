//! The schema as a validator: for tests of the documents that adapters run.

use std::sync::Arc;

use async_graphql::{
    Request, Response, Variables,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute},
    parser::parse_query,
};

struct OnlyValidate;

impl ExtensionFactory for OnlyValidate {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for OnlyValidate {
    /// Runs nothing: whoever got here is valid.
    async fn execute(&self, _: &ExtensionContext<'_>, _: Option<&str>, _: NextExecute<'_>) -> Response {
        Response::default()
    }
}

/// What the schema finds wrong with one operation of a document. No resolver runs.
///
/// A variable's declared type is compared with its argument only when `variables` has a value for it.
pub async fn validate(document: &str, operation: &str, variables: serde_json::Value) -> Vec<String> {
    let mut parsed = match parse_query(document) {
        Ok(parsed) => parsed,
        Err(error) => return vec![error.to_string()],
    };
    // As both doors do: what other operations declare has no values here.
    crate::limits::keep_operation(&mut parsed, operation);
    let mut request = Request::new("").operation_name(operation).variables(Variables::from_json(variables));
    request.set_parsed_query(parsed);
    let schema = crate::builder().extension(OnlyValidate).finish();
    schema.execute(request).await.errors.into_iter().map(|error| error.message).collect()
}
