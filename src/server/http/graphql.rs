//! `POST /api/graphql`, by the rules of GraphQL over HTTP. Only POST, and only JSON: what a form on a foreign page can send
//! is refused before it is read.

use std::{collections::BTreeMap, sync::Arc};

use async_graphql::{
    BatchRequest, BatchResponse, Request, Response as Answer, ServerError, Value, Variables,
};
use axum::{Router, response::Response};
use domain::{ErrorCode, Failure};
use gateway::{
    Call, CredentialPolicy, Dialect, FailedRequest, Intent, Levels, RouteTable, SessionCookie, dialect,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{GRAPHQL, Services};

/// Longest body, in bytes. Files travel elsewhere.
const BODY_LIMIT: usize = 1024 * 1024;
/// The media type of the draft, whose statuses say whether the request could be run.
const RESPONSE_JSON: &str = "application/graphql-response+json";

/// Failures that come before the model is asked.
struct Words;

impl Dialect for Words {
    fn credentials(&self) -> CredentialPolicy {
        CredentialPolicy { session: SessionCookie::WithToken, ..CredentialPolicy::default() }
    }

    fn failure(&self, failure: &Failure, _request: &FailedRequest) -> Response {
        match failure.code {
            // GitLab's words for a token that is not accepted, whatever is wrong with it.
            ErrorCode::Unauthenticated if *failure == Failure::unauthenticated() => {
                refusal(StatusCode::UNAUTHORIZED, "Invalid token")
            }
            ErrorCode::TooLarge => refusal(StatusCode::PAYLOAD_TOO_LARGE, &failure.message),
            _ => refusal(dialect::status(failure), &failure.message),
        }
    }
}

/// The route.
pub(crate) fn router(services: &Arc<Services>) -> Router {
    let mut table = RouteTable::absolute(Arc::new(Words));
    let captured = Arc::clone(services);
    table.route(Method::POST, Levels::Project, GRAPHQL, Intent::Write, move |call| {
        answer(Arc::clone(&captured), call)
    });
    table.into_router(services.gateway())
}

/// A refusal of the whole request, in the shape of a GraphQL answer.
pub(crate) fn refusal(status: StatusCode, message: &str) -> Response {
    encoded(status, MediaType::Json, &json!({ "errors": [{ "message": message }] }))
}

/// What the client wants to read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MediaType {
    Json,
    ResponseJson,
}

impl MediaType {
    /// The one of ours that stands first in `Accept` with the highest weight. Whoever wants neither gets JSON.
    fn wanted(headers: &HeaderMap) -> Self {
        let mut wanted = (Self::Json, 0.0_f32);
        let ranges = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        for range in ranges.flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let media_type = match parts.next().map(str::to_ascii_lowercase).as_deref() {
                Some(RESPONSE_JSON) => Self::ResponseJson,
                Some("application/json" | "application/*" | "*/*") => Self::Json,
                _ => continue,
            };
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), str::parse);
            if let Ok(weight) = weight
                && weight > wanted.1
            {
                wanted = (media_type, weight);
            }
        }
        wanted.0
    }
}

/// One operation, as it arrives. What the specification lets be `null` may be.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Incoming {
    query: String,
    operation_name: Option<String>,
    variables: Option<serde_json::Map<String, serde_json::Value>>,
    #[serde(rename = "extensions")]
    _extensions: Option<serde_json::Map<String, serde_json::Value>>,
}

impl From<Incoming> for Request {
    fn from(incoming: Incoming) -> Self {
        let request = Self::new(incoming.query);
        let request = match incoming.operation_name {
            Some(name) => request.operation_name(name),
            None => request,
        };
        let variables = incoming.variables.unwrap_or_default();
        request.variables(Variables::from_json(serde_json::Value::Object(variables)))
    }
}

async fn answer(services: Arc<Services>, mut call: Call) -> Result<Response, Failure> {
    if !is_json(&call.headers) {
        let message = "The body has to be JSON: send Content-Type: application/json";
        return Ok(refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let wanted = MediaType::wanted(&call.headers);
    let body = call.read_body(BODY_LIMIT).await?;
    let request = match read(&body, services.model.batch_limit()) {
        Ok(request) => request,
        Err(message) => return Ok(refusal(StatusCode::BAD_REQUEST, &message)),
    };
    Ok(match services.model.execute_open(&call.session, request).await {
        BatchResponse::Single(answer) => {
            let answer = Outgoing::from(answer);
            let status = match wanted {
                MediaType::ResponseJson if answer.data.is_none() => StatusCode::BAD_REQUEST,
                MediaType::ResponseJson | MediaType::Json => StatusCode::OK,
            };
            encoded(status, wanted, &answer)
        }
        BatchResponse::Batch(answers) => {
            let answers: Vec<Outgoing> = answers.into_iter().map(Outgoing::from).collect();
            encoded(StatusCode::OK, MediaType::Json, &answers)
        }
    })
}

/// Whether the body says that it is JSON, in UTF-8 if it says in what.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    parts.next().is_some_and(|media_type| media_type.eq_ignore_ascii_case("application/json"))
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
                value.trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        })
}

/// The request in a body, which holds `most` documents at most, or what is wrong with it.
fn read(body: &[u8], most: u64) -> Result<BatchRequest, String> {
    let unreadable = |error: serde_json::Error| format!("The body is no GraphQL request: {error}");
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'[') {
        let incoming: Incoming = serde_json::from_slice(body).map_err(unreadable)?;
        return Ok(BatchRequest::Single(incoming.into()));
    }
    let incoming: Vec<Incoming> = serde_json::from_slice(body).map_err(unreadable)?;
    match incoming.len() as u64 {
        0 => Err("The list of operations is empty".to_owned()),
        length if length > most => {
            Err(format!("The list holds {length} operations, at most {most} are accepted"))
        }
        _ => Ok(BatchRequest::Batch(incoming.into_iter().map(Request::from).collect())),
    }
}

/// An answer by the specification: one to a document that could not be run has no `data` at all.
#[derive(Serialize)]
struct Outgoing {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ServerError>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: BTreeMap<String, Value>,
}

impl From<Answer> for Outgoing {
    fn from(answer: Answer) -> Self {
        // An error of a field names its path; what stops a document before it runs has none.
        let never_ran = answer.data == Value::Null
            && !answer.errors.is_empty()
            && answer.errors.iter().all(|error| error.path.is_empty());
        Self {
            data: (!never_ran).then_some(answer.data),
            errors: answer.errors,
            extensions: answer.extensions,
        }
    }
}

fn encoded(status: StatusCode, media_type: MediaType, body: &impl Serialize) -> Response {
    let mut response = dialect::answer(status, body);
    let content_type = match media_type {
        MediaType::Json => "application/json; charset=utf-8",
        MediaType::ResponseJson => "application/graphql-response+json; charset=utf-8",
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
