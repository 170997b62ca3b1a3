//! Failures on their way out of the schema: a top-level error with `extensions.code`, `.field`, `.problems`, `.subject` and
//! `.throttled`.

use async_graphql::{Context, ErrorExtensions, Name, Pos, ServerError, Value};
use domain::{ErrorCode, Failure};

use crate::gate;

/// Result of a resolver.
pub(crate) type Outcome<T> = async_graphql::Result<T>;

/// The failure as a top-level error.
pub(crate) fn error(failure: Failure) -> async_graphql::Error {
    let message = failure.message.into_owned();
    let mut error = async_graphql::Error::new(message.clone());
    error = error.extend_with(|_, extensions| {
        extensions.set("code", failure.code.name());
        if let Some(field) = &failure.field {
            extensions.set("field", field.as_ref());
            if failure.code == ErrorCode::Invalid {
                extensions.set("problems", problems(field, &message));
            }
        }
        if let Some(subject) = failure.subject {
            extensions.set("subject", subject.title());
        }
        if let Some(Ok(throttled)) = failure.throttled.as_ref().map(async_graphql::to_value) {
            extensions.set("throttled", throttled);
        }
    });
    error
}

/// The failure of a request as a whole. It has no place in the document: the standard knows no line 0 (GraphQL §7.1.2).
pub(crate) fn request_error(failure: Failure) -> ServerError {
    let mut error = error(failure).into_server_error(Pos::default());
    error.locations.clear();
    error
}

/// Gives an error of GraphQL's own a code: whatever it finds, it finds in the request.
pub(crate) fn with_code(error: &mut ServerError) {
    let extensions = error.extensions.get_or_insert_default();
    if extensions.get("code").is_none() {
        extensions.set("code", ErrorCode::Invalid.name());
    }
}

/// What is wrong with an input, as GitLab's pages read it: by the path of the field inside the input. Failures name fields as REST
/// does, inputs do not.
fn problems(field: &str, message: &str) -> Value {
    let path = field.split('.').map(|segment| match segment.parse::<u64>() {
        Ok(index) => Value::from(index),
        Err(_) => Value::from(camel_case(segment)),
    });
    let problem = [
        (Name::new("path"), Value::List(path.collect())),
        (Name::new("explanation"), Value::from(message)),
        (Name::new("message"), Value::from(message)),
    ];
    Value::List(vec![Value::Object(problem.into_iter().collect())])
}

fn camel_case(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |mut name, part| {
        let mut letters = part.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
        name
    })
}

/// Lets `?` turn failures of every kind into top-level errors.
pub(crate) trait OrError<T> {
    /// The value, or the failure as a top-level error.
    fn or_error(self) -> Outcome<T>;
}

impl<T, E: Into<Failure>> OrError<T> for Result<T, E> {
    fn or_error(self) -> Outcome<T> {
        self.map_err(|failure| error(failure.into()))
    }
}

/// Splits a failure into what a GitLab-named mutation says in its payload (a business refusal) and what is a top-level error.
pub(crate) fn payload_errors(ctx: &Context<'_>, result: Result<(), Failure>) -> Outcome<Vec<String>> {
    match result {
        Ok(()) => Ok(Vec::new()),
        Err(failure) => match failure.code {
            ErrorCode::Protected
            | ErrorCode::Duplicate
            | ErrorCode::Quota
            | ErrorCode::Stale
            | ErrorCode::Locked => {
                gate::note_refused_input(ctx, &failure);
                Ok(vec![failure.message.into_owned()])
            }
            _ => Err(error(failure)),
        },
    }
}
